//! The `gauge` command: what it is asked, and what it tells. It runs functions under a bare Runtime API, with stubs of AWS.

use super::figures::at;
use crate::functions::{self, FUNCTIONS};
use crate::project::Project;
use crate::step::Progress;
use crate::{process, python};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "gauge";

/// What signs the sample of HubSpot's deliveries here.
pub(super) const APP_SECRET: &str = "secret-of-the-hubspot-app";

/// What one program is asked to serve.
#[derive(Clone, Serialize)]
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) command: Vec<String>,
    pub(super) folder: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) event: PathBuf,
    pub(super) signed_by: Option<String>,
    /// Events after the first.
    pub(super) warm: usize,
    pub(super) log: PathBuf,
}

/// One start of it.
#[derive(Deserialize)]
pub(super) struct Run {
    pub(super) contender: String,
    pub(super) init_ms: f64,
    pub(super) first_ms: f64,
    pub(super) warm_ms: Vec<f64>,
    pub(super) wall_s: f64,
    pub(super) cpu_s: Option<f64>,
    pub(super) peak_kb: Option<u64>,
    pub(super) all_cpu_s: Option<f64>,
    pub(super) records: u64,
    pub(super) asked: Asked,
    pub(super) connections: Vec<Value>,
    pub(super) log_bytes: u64,
    pub(super) calls: BTreeMap<String, u64>,
    pub(super) sent: Vec<Value>,
    /// What it answered the first event.
    pub(super) answer: Value,
}

impl Run {
    /// The time in which a share of the warm events was answered, in milliseconds.
    pub(super) fn warm(&self, share: f64) -> Option<f64> {
        let mut sorted = self.warm_ms.clone();
        sorted.sort_by(f64::total_cmp);
        at(&sorted, share)
    }

    /// Warm events per second of processor time.
    pub(super) fn per_core(&self) -> Option<f64> {
        Some(self.warm_ms.len() as f64 / self.cpu_s.filter(|cpu| *cpu > 0.0)?)
    }
}

/// What was asked of AWS, from its start to its end.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Asked {
    pub(super) calls: u64,
    /// Items that were to be written.
    pub(super) items: u64,
    pub(super) bytes: u64,
}

/// Where the built programs are.
pub(super) struct Built {
    gauge: PathBuf,
    folder: PathBuf,
}

/// Builds these functions as they are deployed, and what measures them; nothing where there are none.
pub(super) fn build(project: &Project, functions: &[&str]) -> Result<Built> {
    if functions.is_empty() {
        let folder = project.target.join("release");
        return Ok(Built { gauge: folder.join(PACKAGE), folder });
    }
    let folder = functions::release(project, &[functions, &[PACKAGE]].concat())?;
    Ok(Built { gauge: folder.join(PACKAGE), folder })
}

impl Built {
    pub(super) fn function(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// All runs of all contenders, round by round.
    pub(super) fn run(
        &self,
        contenders: &[Contender],
        tables: &Path,
        rounds: usize,
        progress: &Progress,
    ) -> Result<Vec<Run>> {
        self.run_with(contenders, tables, rounds, &secrets("token"), progress)
    }

    /// The same, with secrets that are not those of every chapter.
    pub(super) fn run_with(
        &self,
        contenders: &[Contender],
        tables: &Path,
        rounds: usize,
        secrets: &Value,
        progress: &Progress,
    ) -> Result<Vec<Run>> {
        let plan = json!({
            "rounds": rounds,
            "contenders": contenders,
            "tables": tables,
            "secrets": secrets,
        });
        let runs = python::ask(&mut Command::new(&self.gauge), &plan, Some(progress))?;
        Ok(serde_json::from_value(runs)?)
    }
}

/// What the stub's table holds, unless a chapter says otherwise.
pub(super) fn tables(project: &Project) -> PathBuf {
    project.root.join("infra/bench/tables.json")
}

/// What lies in Secrets Manager, with this token for each CRM.
pub(super) fn secrets(token: &str) -> Value {
    let grant = json!({"access_token": token, "refresh_token": "refresh", "expires_at": "2100-01-01T00:00:00Z", "webhook_token": "token"});
    json!({
        "crm-sync/app/hubspot": {"client_id": "client", "client_secret": APP_SECRET},
        "crm-sync/app/zoho": {"client_id": "client", "client_secret": "secret-of-the-zoho-app"},
        "crm-sync/connection/demo/hubspot": grant,
        "crm-sync/connection/demo/zoho": grant,
    })
}

/// What the template tells every function; `{aws}` is where the stub is.
pub(super) fn environment() -> BTreeMap<String, String> {
    let queue = |name: &str| format!("{{aws}}/123456789012/{name}");
    let settings = [
        ("STATE_TABLE", "state".to_owned()),
        ("HISTORY_TABLE", "history".to_owned()),
        ("CHANGES_QUEUE_URL", queue("changes")),
        ("SYNC_REQUESTS_QUEUE_URL", queue("sync-requests")),
        ("PUSHES_QUEUE_URL", queue("pushes.fifo")),
        ("PULLS_QUEUE_URL", queue("pulls.fifo")),
        ("IMPORTS_QUEUE_URL", queue("imports")),
        ("ALERTS_QUEUE_URL", queue("alerts")),
        ("FILES_BUCKET", "crm-sync-files-1abc".to_owned()),
        ("EVENT_BUS", "crm-sync".to_owned()),
        ("SECRET_PREFIX", "crm-sync".to_owned()),
        ("CRM_URL", "{aws}".to_owned()),
        ("RUST_LOG", "info".to_owned()),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A program that serves a sample event, in an environment as the template's.
pub(super) fn contender(project: &Project, name: &str, command: &[&Path], folder: &Path, event: &str) -> Contender {
    Contender {
        name: name.to_owned(),
        command: command.iter().map(|part| part.display().to_string()).collect(),
        folder: folder.to_owned(),
        environment: environment(),
        event: project.root.join("events").join(event),
        signed_by: None,
        warm: 0,
        log: project.log(&format!("bench-{}", name.to_lowercase().replace([' ', '.'], "-"))),
    }
}

/// A deployment package of some files, and how many bytes it has.
pub(super) fn zipped(project: &Project, name: &str, folder: &Path, files: &[String]) -> Result<u64> {
    let zip = project.dev.join("bench").join(format!("{name}.zip"));
    std::fs::create_dir_all(zip.parent().unwrap_or(folder))?;
    let python = python::interpreter().context("Python 3.10 or newer is missing")?;
    let mut command = Command::new(python.program);
    command.args(["-m", "zipfile", "--create"]).arg(&zip).args(files).current_dir(folder);
    process::output_of(&mut command)?;
    Ok(zip.metadata()?.len())
}

/// The package of a function's binary, which Lambda wants to be called `bootstrap`.
pub(super) fn zipped_binary(project: &Project, binary: &Path, name: &str) -> Result<u64> {
    let folder = project.dev.join("bench").join(name);
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(binary, folder.join("bootstrap")).with_context(|| format!("{} is missing", binary.display()))?;
    zipped(project, name, &folder, &["bootstrap".to_owned()])
}

/// Every function of the template.
pub(super) fn all() -> &'static [&'static str] {
    FUNCTIONS
}
