//! What a record was before some changes of it.

use super::source;
use crate::{
    engagement,
    history::{FieldChange, SentChange},
    id::{ConnectionId, RecordId},
    record::{Deletion, FieldName, Record, RemoteField, Value, Written},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What becomes of one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    pub record: RecordId,
    /// The hub's fields, as they are and as they are to be.
    pub fields: Vec<FieldChange>,
    /// What was set in one CRM alone, as it is and as it is to be.
    pub sent: Vec<SentChange>,
    /// The record came to be by this: it is deleted, and so is what was made of it in the CRMs.
    #[serde(default)]
    pub archived: bool,
    /// What stays as it is, and why: by the field's name.
    pub left: BTreeMap<FieldName, Left>,
}

/// Why something stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "UndoLeft")]
pub enum Left {
    /// Somebody has written it since.
    EditedSince,
    /// It is counted of events: score anew instead.
    Counted,
    /// What the CRM showed before is not known.
    Unknown,
    /// The record came to be by this, and is in a CRM by others' doing too: delete it where it is not wanted.
    Made,
    /// Another record has this value of a key by now.
    Taken,
}

impl Left {
    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Left::EditedSince => "somebody has written it since",
            Left::Counted => "it is counted of events; score anew instead",
            Left::Unknown => "what the CRM showed before is not known",
            Left::Made => "the record came to be by this, but a CRM had it already; delete it where it is not wanted",
            Left::Taken => "another record has this value by now",
        }
    }
}

/// A change that is to be undone.
pub(super) struct Changed {
    pub(super) version: u64,
    pub(super) fields: Vec<FieldChange>,
    pub(super) sent: Vec<SentChange>,
}

/// A value before a change, and after it.
type Step<'a> = (&'a Option<Value>, &'a Option<Value>);

/// The change, but for these fields.
pub(super) fn without(changed: &Changed, fields: &BTreeMap<FieldName, Left>) -> Changed {
    let keeps = |change: &&FieldChange| !fields.contains_key(&change.field);
    Changed {
        version: changed.version,
        fields: changed.fields.iter().filter(keeps).cloned().collect(),
        sent: changed.sent.clone(),
    }
}

/// The record as it was before these changes, the latest of which comes first, where nobody has written it since.
pub(super) fn undone(record: &Record, changes: &[Changed], now: Timestamp) -> (Record, Undone) {
    if changes.iter().any(|changed| changed.version == 1) {
        return unmade(record, changes, now);
    }
    let (mut after, mut left) = (record.clone(), BTreeMap::new());
    let (mut fields, mut sent) = (Vec::new(), Vec::new());
    let mut of_field: BTreeMap<&FieldName, Vec<Step<'_>>> = BTreeMap::new();
    let mut of_crm: BTreeMap<(&ConnectionId, &RemoteField), Vec<Step<'_>>> = BTreeMap::new();
    for Changed { fields, sent, .. } in changes {
        for change in fields {
            of_field.entry(&change.field).or_default().push((&change.before, &change.after));
        }
        for change in sent {
            of_crm.entry((&change.connection, &change.field)).or_default().push((&change.before, &change.after));
        }
    }
    for (field, steps) in of_field {
        let now_is = record.fields.get(field).cloned();
        match back(&now_is, &steps) {
            _ if record.fields.written(field).is_some_and(|written| written.source == engagement::source()) => {
                left.insert(field.clone(), Left::Counted);
            }
            Some(value) if value == now_is => {}
            Some(value) => match after.fields.put(field, value.clone(), now, &source()) {
                Ok(_) => fields.push(FieldChange { field: field.clone(), before: now_is, after: value }),
                Err(_) => drop(left.insert(field.clone(), Left::EditedSince)),
            },
            None => drop(left.insert(field.clone(), Left::EditedSince)),
        }
    }
    for ((connection, field), steps) in of_crm {
        let Some(link) = after.links.get_mut(connection) else { continue };
        let Some(own) = link.overrides.get(field).cloned() else { continue };
        let name = format!("{connection}.{field}");
        match back(&own.value, &steps) {
            Some(None) => drop(left.insert(name, Left::Unknown)),
            Some(value) if value == own.value => {}
            Some(value) => {
                let written = Written::new(value.clone(), now, &source()).over(Some(own.clone()));
                link.overrides.insert(field.clone(), written);
                let (connection, field) = (connection.clone(), field.clone());
                sent.push(SentChange { connection, field, before: own.value, after: value });
            }
            None => drop(left.insert(name, Left::EditedSince)),
        }
    }
    (after, Undone { record: record.id.clone(), fields, sent, archived: false, left })
}

/// The record deleted, as it came to be by these changes; as it is where somebody else has written it, or a CRM had it before.
fn unmade(record: &Record, changes: &[Changed], now: Timestamp) -> (Record, Undone) {
    let told = Undone {
        record: record.id.clone(),
        fields: Vec::new(),
        sent: Vec::new(),
        archived: false,
        left: BTreeMap::new(),
    };
    let made_it = |field: &FieldName| {
        let last = changes.iter().flat_map(|changed| &changed.fields).find(|change| change.field == *field);
        last.and_then(|change| change.after.as_ref())
    };
    let edited = record
        .fields
        .iter()
        .filter(|(field, written)| written.source != engagement::source() && made_it(field) != written.value.as_ref());
    let mut left: BTreeMap<FieldName, Left> = edited.map(|(field, _)| (field.clone(), Left::EditedSince)).collect();
    if record.links.values().any(|link| link.remote.is_some() && link.gone.is_none() && !link.made) {
        left.insert("id".to_owned(), Left::Made);
    }
    if !left.is_empty() || record.deleted.is_some() {
        return (record.clone(), Undone { left, ..told });
    }
    let deleted = Some(Deletion { at: now, by: None, spreads: true });
    (Record { deleted, ..record.clone() }, Undone { archived: true, ..told })
}

/// What a value was before these steps, the latest first; `None` where it is not what the latest of them made it.
#[expect(clippy::option_option, reason = "nothing to go back to is not a blank to go back to")]
fn back(now_is: &Option<Value>, steps: &[Step<'_>]) -> Option<Option<Value>> {
    let mut was = None;
    for (before, after) in steps {
        if *after != was.as_ref().unwrap_or(now_is) {
            break;
        }
        was = Some((*before).clone());
    }
    was
}

#[cfg(test)]
#[path = "back_tests.rs"]
mod tests;
