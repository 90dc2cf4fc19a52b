//! Our own functions at a peer's job: the release binary under the bare Runtime API, with a stub of AWS that answers at once.

use super::connectors::Figures;
use super::crm::{Crm, TOKEN};
use super::gauge::{self, Asked, Built, Contender, contender};
use crate::http;
use crate::project::Project;
use crate::step::Progress;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;

/// What a pull leaves behind in the table, which the next one finds.
const LEFT: &str = "left.json";

/// What a pull came to, and what it asked of AWS.
pub(super) struct Pulled {
    pub(super) figures: Figures,
    pub(super) asked: Asked,
}

/// One message of a pull, by the function `delta-pull`; where the one before it came to is kept in the folder.
pub(super) fn pull(project: &Project, built: &Built, crm: &Crm, folder: &Path, progress: &Progress) -> Result<Pulled> {
    std::fs::create_dir_all(folder)?;
    let tables = folder.join(LEFT);
    if !tables.exists() {
        std::fs::copy(gauge::tables(project), &tables)?;
    }
    let function = built.function("delta-pull");
    let asked = contender(project, "pull", &[&function], folder, "delta-pull/delta.json");
    let asked = at_crm(asked, crm);
    http::get(&format!("{}/_sim/calls?reset=1", crm.url()))?;
    let run =
        built.run_with(&[asked], &tables, 1, &gauge::secrets(TOKEN), progress)?.pop().context("it was not run")?;
    let calls: Value = http::get_json(&format!("{}/_sim/calls?reset=1", crm.url()))?;
    ensure!(run.answer == json!({"batchItemFailures": []}), "the pull is answered by {}", run.answer);
    ensure!(run.sent.iter().all(|message| message["work"].is_null()), "the pull did not come to its end");
    leave(&tables, &run.connections)?;
    let figures = Figures {
        seconds: (run.init_ms + run.first_ms) / 1e3,
        cpu_s: run.all_cpu_s.context("this system does not tell of a process's time")?,
        peak_kb: run.peak_kb.context("this system does not tell of a process's memory")?,
        records: run.records,
        calls: serde_json::from_value(calls["hubspot"].clone())?,
    };
    Ok(Pulled { figures, asked: run.asked })
}

/// Without limits of our own either: the simulated account tells that it has none to speak of.
fn at_crm(asked: Contender, crm: &Crm) -> Contender {
    let mut environment = asked.environment.clone();
    environment.insert("CRM_URL".to_owned(), crm.url().to_owned());
    Contender { environment, ..asked }
}

fn leave(tables: &Path, connections: &[Value]) -> Result<()> {
    let mut items: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(tables)?)?;
    let key = |item: &Value| (item["pk"].clone(), item["sk"].clone());
    items.retain(|item| connections.iter().all(|newer| key(newer) != key(item)));
    items.extend_from_slice(connections);
    Ok(std::fs::write(tables, json!(items).to_string())?)
}
