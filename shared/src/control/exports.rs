//! Exports: made, looked at, fetched.

use super::{
    call::{Call, Told},
    imports::Pages,
    page::{Page, cursor},
    problem::{self, Problem},
    route::Nothing,
};
use crate::{
    export::{Export, State},
    files::Signed,
    record::Object,
    rows::Format,
    store::keys,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewExport")]
pub struct Asked {
    #[serde(default)]
    object: Object,
    format: Format,
}

/// An export as it stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Export")]
pub struct Shown {
    id: String,
    object: Object,
    format: Format,
    state: State,
    /// Why it failed.
    reason: Option<String>,
    /// Records that are in the file so far.
    records: u64,
    at: Timestamp,
    ended: Option<Timestamp>,
}

fn shown(export: Export) -> Shown {
    let Export { id, object, format, state, reason, records, at, ended, .. } = export;
    Shown { id, object, format, state, reason, records, at, ended }
}

async fn found(call: &Call<'_>) -> Result<Export, Problem> {
    let id: String = call.part("export")?;
    let found = call.app.store.job::<Export>(&keys::export(&call.tenant()?, &id)).await?;
    found.map(|job| job.of).ok_or_else(|| Problem::not_found("export"))
}

pub async fn create(call: &Call<'_>, Asked { object, format }: Asked) -> Told<Shown> {
    Ok(shown(call.app.create_export(call.cx, &call.tenant()?, object, format).await?).into())
}

pub async fn list(call: &Call<'_>, Pages { cursor: from, limit }: Pages) -> Told<Page<Shown>> {
    let (of, after) = (keys::exports(&call.tenant()?), super::page::key(from.as_deref(), "")?);
    let (jobs, next) = call.app.store.job_page::<Export>(&of, after.as_deref(), limit.rows()).await?;
    let items = jobs.into_iter().map(|job| shown(job.of)).collect();
    Ok(Page { items, next: next.as_ref().map(cursor) }.into())
}

pub async fn show(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    Ok(shown(found(call).await?).into())
}

pub async fn file(call: &Call<'_>, _: Nothing) -> Told<Signed> {
    let export = found(call).await?;
    if export.state != State::Done {
        return Err(Problem::new(problem::CONFLICT, "it is not done"));
    }
    let name = format!("{}-{}.{}", export.object, export.id, export.format.extension());
    Ok(call.app.files.download(&export.file(), &name).await?.into())
}
