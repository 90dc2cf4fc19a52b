//! Hub and CRM compared in full.

use super::{
    call::{Call, Told},
    problem::{self, Problem},
    route::{Done, Nothing},
};
use crate::{record::Object, store::Compared};
use schemars::JsonSchema;
use serde::Deserialize;

/// What is compared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Compare")]
pub struct Asked {
    /// Left out, everything that is read.
    object: Option<Object>,
    /// What differs is looked at again, and what was not sent is sent.
    mend: bool,
}

pub async fn compare(call: &Call<'_>, Asked { object, mend }: Asked) -> Told<Done> {
    let connection = call.connection().await?;
    if !connection.works() || !connection.receives() {
        return Err(Problem::new(problem::CONFLICT, "it is not read now"));
    }
    let read = connection.objects_read().map(|(read, _)| read.clone());
    let wanted: Vec<Object> = read.filter(|read| object.as_ref().is_none_or(|object| object == read)).collect();
    if wanted.is_empty() {
        return Err(Problem::not_found("mapping"));
    }
    for object in &wanted {
        call.app.compare(call.cx, &connection, object, mend).await?;
    }
    Ok(Done { done: true }.into())
}

pub async fn compared(call: &Call<'_>, _: Nothing) -> Told<Vec<Compared>> {
    Ok(call.app.store.compared(&call.connection().await?).await?.into())
}
