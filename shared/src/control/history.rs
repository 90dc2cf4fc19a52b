//! What happened to a record: its changes, each with its cause, and the ways of its sync requests.

use super::{
    call::{Call, Told},
    page::{Limit, Page, cursor, key},
    problem::Problem,
};
use crate::{
    cause::{Cause, Step},
    history::{Entry, FieldChange, Part, SentChange},
    id::RecordId,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Listed {
    /// `next` of the page before.
    cursor: Option<String>,
    limit: Limit,
}

/// One change of a record.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Change {
    /// The version that it made.
    version: u64,
    /// Who or what made it, when, by what.
    cause: Cause,
    /// The hub's fields, before and after.
    fields: Vec<FieldChange>,
    /// What was agreed with CRMs by it.
    sent: Vec<SentChange>,
    /// Its values were erased with the person.
    erased: bool,
}

/// One step of a sync request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TimelineEntry")]
pub struct Happened {
    at: Timestamp,
    trace: String,
    #[serde(flatten)]
    step: Step,
}

/// A page of one part, the latest first.
async fn page(call: &Call<'_>, part: Part, asked: Listed) -> Result<(Vec<Entry>, Option<String>), Problem> {
    let (tenant, id): (_, RecordId) = (call.tenant()?, call.part("record")?);
    let before = key(asked.cursor.as_deref(), part.begins())?;
    let (entries, next) = call.app.history.page(&tenant, &id, part, before.as_deref(), asked.limit.rows()).await?;
    if entries.is_empty() && before.is_none() {
        // Of nobody there is no history; of somebody there may be none yet.
        call.record().await?;
    }
    Ok((entries, next.as_ref().map(cursor)))
}

pub async fn changes(call: &Call<'_>, asked: Listed) -> Told<Page<Change>> {
    let (entries, next) = page(call, Part::Changes, asked).await?;
    let change = |entry| match entry {
        Entry::Change { version, cause, fields, sent, erased, .. } => {
            Some(Change { version, cause, fields, sent, erased })
        }
        Entry::Timeline { .. } => None,
    };
    Ok(Page { items: entries.into_iter().filter_map(change).collect(), next }.into())
}

pub async fn timeline(call: &Call<'_>, asked: Listed) -> Told<Page<Happened>> {
    let (entries, next) = page(call, Part::Timeline, asked).await?;
    let happened = |entry| match entry {
        Entry::Timeline { at, trace, step, .. } => Some(Happened { at, trace, step }),
        Entry::Change { .. } => None,
    };
    Ok(Page { items: entries.into_iter().filter_map(happened).collect(), next }.into())
}
