//! What people ask of an import: to make one, to start it, to cancel it.

use super::{About, Counts, Import, State, Walk};
use crate::{
    app::App,
    change::{Filed, Filing},
    context::Context,
    error::Result,
    files::Signed,
    id::{ConnectionId, Source, TenantId},
    queue::Outgoing,
    record::Object,
    request::workflow_service,
    rows::{Charset, Delimiter, Format, Hints},
    store::{Job, keys},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewImport")]
pub struct Asked {
    /// For people.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub object: Object,
    pub format: Format,
    /// The file's size; a file of another is refused.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub bytes: u64,
    /// Left out, it is seen from the file.
    #[serde(default)]
    pub charset: Option<Charset>,
    /// Left out, it is seen from the headers.
    #[serde(default)]
    pub delimiter: Option<Delimiter>,
    /// The connection whose CRM the file comes from: its column of ids (`Record ID`, `Id`, …) names that CRM's records.
    #[serde(default)]
    pub connection: Option<ConnectionId>,
    /// Header → the hub's field, for headers that are neither known nor the hub's own; null leaves a column out.
    #[serde(default)]
    pub columns: BTreeMap<String, Option<String>>,
    /// Columns of other names become fields under these names; otherwise they are left out, and told.
    #[serde(default)]
    pub keep: bool,
    /// In whose name the values are written, as a sync request's: `workflow`, unless told. Who may write what is the tenant's to say.
    #[serde(default = "workflow_service")]
    pub source: Source,
    /// When the values became true: now, unless told.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Timestamp>,
}

/// What the file is to be sent by.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportUpload")]
pub struct Upload {
    /// The import's id.
    pub id: String,
    pub upload: Signed,
}

/// The largest file, in bytes.
const LARGEST: u64 = 1 << 30;
/// Bytes of all names of columns: an import is one item, of 400 KB at the most.
const MOST_SAID: usize = 50_000;

impl Asked {
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), Vec<String>> {
        let said = self.columns.iter().map(|(header, field)| header.len() + field.as_ref().map_or(0, String::len));
        let size = !(1..=LARGEST).contains(&self.bytes);
        let faults = [
            (size, format!("bytes: a file has 1 to {LARGEST}")),
            (self.columns.keys().any(|header| header.trim().is_empty()), "columns: a header has a name".to_owned()),
            (said.sum::<usize>() > MOST_SAID, format!("columns: their names have at most {MOST_SAID} bytes")),
        ];
        let faults: Vec<String> = faults.into_iter().filter_map(|(wrong, what)| wrong.then_some(what)).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// Where an import's file lies.
pub fn key(tenant: &TenantId, id: &str) -> String {
    format!("imports/{tenant}/{id}")
}

impl App {
    /// Makes an import, which waits for its file for as long as the address is good.
    pub async fn create_import(&self, cx: &Context, tenant: &TenantId, asked: Asked) -> Result<Upload> {
        let id = ulid::Ulid::new().to_string();
        let Asked { name, object, format, bytes, charset, delimiter, connection, columns, keep, source, as_of } = asked;
        let hints = Hints { charset, delimiter };
        let upload = self.files.upload(&key(tenant, &id), format.content_type(), bytes).await?;
        let (tenant, at, as_of) = (tenant.clone(), cx.now(), as_of.unwrap_or(cx.now()));
        let about =
            About { id, tenant, name, object, format, hints, connection, columns, keep, source, as_of, at, bytes };
        let import = Import {
            counted: None,
            done: None,
            state: State::Waiting,
            reason: None,
            columns: Vec::new(),
            begun: None,
            ended: None,
            walk: Walk::default(),
            about,
        };
        let (of, id) = (keys::import(&import.about.tenant, &import.about.id), import.about.id.clone());
        self.store.put_job(&of, &Job::new(import, cx.now())).await?;
        Ok(Upload { id, upload })
    }

    /// Begins to write what was counted, or goes on where that failed; of one that is under way, sees that somebody works on it. `None` where it
    /// is not counted, or somebody else changed it.
    pub async fn start_import(&self, cx: &Context, job: &Job<Import>) -> Result<Option<Job<Import>>> {
        let started = match job.of.state {
            State::Counted => {
                let walk = Walk { at: job.of.walk.first, parts: 0, ..job.of.walk.clone() };
                let (begun, done) = (Some(cx.now()), Some(Counts::default()));
                let is = Import { state: State::Running, begun, done, walk, ..job.of.clone() };
                self.store.advance_job(&job.of.at(), job, is).await?
            }
            State::Failed if job.of.begun.is_some() => {
                let is = Import { state: State::Running, reason: None, ended: None, ..job.of.clone() };
                self.store.advance_job(&job.of.at(), job, is).await?
            }
            State::Running => Some(job.clone()),
            State::Waiting | State::Counting | State::Done | State::Cancelled | State::Failed => None,
        };
        if let Some(started) = &started {
            self.file_on(cx, &job.of.about.tenant, Filed::Import, &job.of.about.id, started.rev).await?;
        }
        Ok(started)
    }

    /// Ends an import where it stands: rows that were done stay done. `None` where it has ended, or somebody else changed it.
    pub async fn cancel_import(&self, cx: &Context, job: &Job<Import>) -> Result<Option<Job<Import>>> {
        if matches!(job.of.state, State::Done | State::Cancelled | State::Failed) {
            return Ok(None);
        }
        let is = Import { state: State::Cancelled, ended: Some(cx.now()), ..job.of.clone() };
        self.store.advance_job(&job.of.at(), job, is).await
    }

    /// Enqueues work on a file, which is at this revision.
    pub async fn file_on(&self, cx: &Context, tenant: &TenantId, file: Filed, id: &str, rev: u64) -> Result<()> {
        let filing = Filing { tenant: tenant.clone(), file, id: id.to_owned(), rev, trace: cx.trace.clone() };
        self.queue.send(&self.settings.imports, &[Outgoing::new(&filing, tenant)?]).await
    }
}

impl Import {
    pub fn at(&self) -> keys::Pk {
        keys::import(&self.about.tenant, &self.about.id)
    }
}

/// An import whose file came: what becomes of its rows is counted. `None` where it came before, or too late.
pub fn now_counted(import: &Import, etag: &str, bytes: u64, now: Timestamp) -> Option<Import> {
    let open = matches!(import.state, State::Waiting | State::Counting | State::Counted | State::Failed);
    let known = import.walk.etag == etag && import.state != State::Failed;
    if !open || import.begun.is_some() || known {
        return None;
    }
    let walk = Walk { etag: etag.to_owned(), ..Walk::default() };
    let (state, counted, reason, ended) = (State::Counting, Some(Counts::default()), None, None);
    let about = About { bytes, as_of: import.about.as_of.min(now), ..import.about.clone() };
    Some(Import { state, counted, reason, ended, walk, about, columns: Vec::new(), ..import.clone() })
}
