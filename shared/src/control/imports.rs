//! Imports: made, looked at, started, cancelled; their results.

use super::{
    call::{Call, Told, short},
    page::{Limit, Page, cursor},
    problem::{self, Problem},
    route::Nothing,
};
use crate::{
    files::Signed,
    import::{About, Asked, Counts, Import, State, Upload},
    rows::{Column, Dialect},
    store::{Job, keys},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An import as it stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Import")]
pub struct Shown {
    #[serde(flatten)]
    about: About,
    state: State,
    /// Why it failed.
    reason: Option<String>,
    /// How its file is written; null until it was looked at.
    dialect: Option<Dialect>,
    /// What its columns are; a null field is left out.
    file_columns: Vec<Column>,
    /// What would become of its rows.
    counted: Option<Counts>,
    /// What became of them so far.
    done: Option<Counts>,
    /// Bytes of the file that were read of what is done now.
    read: u64,
    begun: Option<Timestamp>,
    ended: Option<Timestamp>,
}

/// Which page of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// `next` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
    #[serde(default)]
    pub limit: Limit,
}

fn shown(import: Import) -> Shown {
    let Import { about, state, reason, columns: file_columns, counted, done, begun, ended, walk } = import;
    let (dialect, read) = (walk.dialect, walk.at.offset);
    Shown { about, state, reason, dialect, file_columns, counted, done, read, begun, ended }
}

async fn found(call: &Call<'_>) -> Result<Job<Import>, Problem> {
    let id: String = call.part("import")?;
    let found = call.app.store.job(&keys::import(&call.tenant()?, &id)).await?;
    found.ok_or_else(|| Problem::not_found("import"))
}

pub async fn create(call: &Call<'_>, asked: Asked) -> Told<Upload> {
    asked.name.as_ref().map_or(Ok(()), |name| short("name", name))?;
    asked.check().map_err(Problem::faults)?;
    let tenant = call.tenant()?;
    if let Some(connection) = &asked.connection
        && call.app.store.connection(&tenant, connection).await?.is_none()
    {
        return Err(Problem::faults(vec!["connection: there is no such connection".to_owned()]));
    }
    Ok(call.app.create_import(call.cx, &tenant, asked).await?.into())
}

pub async fn list(call: &Call<'_>, Pages { cursor: from, limit }: Pages) -> Told<Page<Shown>> {
    let (of, after) = (keys::imports(&call.tenant()?), super::page::key(from.as_deref(), "")?);
    let (jobs, next) = call.app.store.job_page::<Import>(&of, after.as_deref(), limit.rows()).await?;
    let items = jobs.into_iter().map(|job| shown(job.of)).collect();
    Ok(Page { items, next: next.as_ref().map(cursor) }.into())
}

pub async fn show(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    Ok(shown(found(call).await?.of).into())
}

pub async fn start(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    let started = call.app.start_import(call.cx, &found(call).await?).await?;
    changed(started, "it is not counted: only then can it be started")
}

pub async fn cancel(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    // Whoever works on it changes it every few seconds.
    for _ in 0..TRIES {
        let job = found(call).await?;
        if matches!(job.of.state, State::Done | State::Cancelled | State::Failed) {
            break;
        }
        if let Some(cancelled) = call.app.cancel_import(call.cx, &job).await? {
            return Ok(shown(cancelled.of).into());
        }
    }
    changed(None, "it has ended")
}

const TRIES: usize = 5;

fn changed(job: Option<Job<Import>>, otherwise: &str) -> Told<Shown> {
    let job = job.ok_or_else(|| Problem::new(problem::CONFLICT, otherwise))?;
    Ok(shown(job.of).into())
}

pub async fn result(call: &Call<'_>, _: Nothing) -> Told<Signed> {
    let import = found(call).await?.of;
    let none = || Problem::new(problem::CONFLICT, "it has no result before it is counted or done");
    let file = import.result().ok_or_else(none)?;
    Ok(call.app.files.download(&file, &format!("import-{}.csv", import.about.id)).await?.into())
}
