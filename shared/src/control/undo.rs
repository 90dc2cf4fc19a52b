//! Changes are taken back: first told, then done.

use super::{
    call::{Call, Told},
    page::cursor,
};
use crate::{
    id::RecordId,
    undo::{Scope, Undone},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is to be undone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Undo")]
pub struct Asked {
    scope: Scope,
    /// Of one record alone.
    #[serde(default)]
    record: Option<RecordId>,
    /// Left out, nothing is written: the answer says what would be.
    #[serde(default)]
    meant: bool,
    /// `next` of the stretch before; left out, from the beginning.
    #[serde(default)]
    cursor: Option<String>,
}

/// A stretch of a walk over everybody.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UndoneStretch")]
pub struct Stretch {
    records: Vec<Undone>,
    /// Where to go on; null at the end.
    next: Option<String>,
}

pub async fn undo(call: &Call<'_>, asked: Asked) -> Told<Stretch> {
    let (tenant, Asked { scope, record, meant, cursor: from }) = (call.tenant()?, asked);
    if let Some(id) = record {
        let records = call.app.store.record(&tenant, &id).await?.into_iter().collect();
        let records = call.app.undo_these(call.cx, &tenant, &scope, meant, records).await?;
        return Ok(Stretch { records, next: None }.into());
    }
    let from = call.walks_from(from.as_deref())?;
    let (records, next) = call.app.undo_from(call.cx, &tenant, &scope, meant, from, || call.has_time()).await?;
    Ok(Stretch { records, next: next.as_ref().map(cursor) }.into())
}
