//! Changes are taken back: first told, then done.

use super::{
    call::{Call, Told},
    page::cursor,
    problem::{self, Problem},
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
    /// With `meant`, and of no one record: it is all done in a while, without more calls. The answer names nobody; what it comes to, the
    /// same call tells without `meant`.
    #[serde(default)]
    in_background: bool,
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
    let (tenant, Asked { scope, record, meant, in_background, cursor: from }) = (call.tenant()?, asked);
    if let Some(id) = record {
        let records = call.app.store.record(&tenant, &id).await?.into_iter().collect();
        let records = call.app.undo_these(call.cx, &tenant, &scope, meant, records).await?;
        return Ok(Stretch { records, next: None }.into());
    }
    if in_background && meant {
        let connections = call.app.store.connections(&tenant).await?;
        let works = || Problem::new(problem::CONFLICT, "no connection works now: undo it a stretch at a time");
        let connection = connections.iter().find(|connection| connection.works()).ok_or_else(works)?;
        call.app.undo_later(call.cx, connection, &scope, (0, None)).await?;
        return Ok(Stretch { records: Vec::new(), next: None }.into());
    }
    let from = call.walks_from(from.as_deref())?;
    let (records, next) = call.app.undo_from(call.cx, &tenant, &scope, meant, from, || call.has_time()).await?;
    Ok(Stretch { records, next: next.as_ref().map(cursor) }.into())
}
