//! People are forgotten, and told what is known of them.

use super::{
    call::{Call, Told},
    problem::{self, Problem},
    records::Shown,
    route::Nothing,
};
use crate::{
    engagement::Counted,
    erasure::{Traces, unforgettable},
    history::Entry,
    record::Erasure,
    store::Exception,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a person is to be forgotten.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Erase")]
pub struct Asked {
    /// In the CRMs too.
    #[serde(default)]
    in_crms: bool,
    /// Left out, nothing is erased: the answer says what there is.
    #[serde(default)]
    meant: bool,
}

/// How much of a person is left, read back from everywhere.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Left")]
pub struct Left {
    /// Null where they are not erased.
    erased: Option<Erasure>,
    /// Erased, and nothing is left: neither here nor, if that was asked for, in the CRMs.
    proved: bool,
    left: Traces,
}

pub async fn erase(call: &Call<'_>, Asked { in_crms, meant }: Asked) -> Told<Left> {
    let record = call.record().await?;
    if let Some(why) = unforgettable(&record) {
        return Err(Problem::new(problem::CONFLICT, why));
    }
    if meant {
        call.app.erase(call.cx, &record, in_crms).await?;
    }
    left(call).await
}

pub async fn erased(call: &Call<'_>, _: Nothing) -> Told<Left> {
    left(call).await
}

async fn left(call: &Call<'_>) -> Told<Left> {
    let record = call.record().await?;
    let left = call.app.traces(call.cx, &record).await?;
    let erased = record.erased;
    let proved = erased.as_ref().is_some_and(|erased| left.nothing(erased.in_crms));
    Ok(Left { erased, proved, left }.into())
}

/// Everything that is known of a person, for themselves to read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Everything {
    record: Shown,
    events: Vec<Counted>,
    /// Changes and sync requests, the oldest first.
    history: Vec<Entry>,
    exceptions: Vec<super::exceptions::Shown>,
}

pub async fn everything(call: &Call<'_>, _: Nothing) -> Told<Everything> {
    let record = call.record().await?;
    let events = call.app.did(&record).await?.into_iter().map(|(_, counted)| counted).collect();
    let history = call.app.history.of(&record.tenant, &record.id).await?;
    let exceptions = call.app.store.exceptions(&record.tenant).await?.into_iter();
    let exceptions = exceptions.filter(|one: &Exception| one.record.as_ref() == Some(&record.id));
    let exceptions = exceptions.map(super::exceptions::Shown::from).collect();
    Ok(Everything { record: record.into(), events, history, exceptions }.into())
}
