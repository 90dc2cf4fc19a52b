//! A record as HubSpot spells it.

use crate::{
    id::RemoteId,
    planner::{Change, Seen},
    provider::rich,
    record::Value,
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};

/// Bodies of notes and tasks are HTML (HubSpot docs: notes API, tasks API).
pub(super) fn is_rich(field: &str) -> bool {
    matches!(field, "hs_note_body" | "hs_task_body")
}

/// Record and portal ids are numbers (HubSpot docs: CRM objects).
pub(super) fn is_id(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The records of an answer.
pub(super) fn rows(body: &Json) -> &[Json] {
    body.get("results").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn id(row: &Json) -> Option<RemoteId> {
    let id = row.get("id")?;
    let id = id.as_str().map(str::to_owned).or_else(|| id.as_u64().map(|id| id.to_string()))?;
    id.parse().ok()
}

/// What is shown of the fields that were asked for. All values are texts on the wire, blank is null or empty
/// (HubSpot docs: CRM objects); a property that does not exist in the account is left out.
pub(super) fn read<'a>(row: &Json, asked: impl IntoIterator<Item = &'a str>) -> Seen {
    let shown = |field: &'a str| {
        let value = row.get("properties")?.get(field)?;
        let shown = match value.as_str().filter(|_| is_rich(field)) {
            Some(html) => Value::text(&rich::plain(html)),
            None => Value::from_json(value).ok()?,
        };
        Some((field.to_owned(), shown))
    };
    Seen { modified: modified(row), fields: asked.into_iter().filter_map(shown).collect() }
}

/// The properties to send; an empty text clears one (HubSpot docs: CRM objects).
pub(super) fn write(changes: &[Change]) -> Map<String, Json> {
    let spelt = |change: &Change| {
        let text = change.value.as_ref().map(Value::to_string).unwrap_or_default();
        if is_rich(&change.field) { rich::marked_up(&text) } else { text }
    };
    changes.iter().map(|change| (change.field.clone(), Json::String(spelt(change)))).collect()
}

/// When a record was last modified. Every answer says so in `updatedAt`, to the millisecond.
pub(super) fn modified(row: &Json) -> Option<Timestamp> {
    time(row.get("updatedAt"))
        .or_else(|| ["lastmodifieddate", "hs_lastmodifieddate"].iter().find_map(|name| time(property(row, name))))
}

/// When a record was archived, which is HubSpot's word for deleted.
pub(super) fn archived(row: &Json) -> Option<Timestamp> {
    let is_archived = row.get("archived").and_then(Json::as_bool).unwrap_or_default();
    time(row.get("archivedAt")).or_else(|| modified(row).filter(|_| is_archived))
}

pub(super) fn property<'a>(row: &'a Json, name: &str) -> Option<&'a Json> {
    row.get("properties")?.get(name)
}

pub(super) fn text<'a>(row: &'a Json, name: &str) -> Option<&'a str> {
    property(row, name)?.as_str()
}

/// ISO 8601 or milliseconds since 1970: HubSpot uses both.
pub(super) fn time(json: Option<&Json>) -> Option<Timestamp> {
    let parsed = |text: &str| text.parse().ok().or_else(|| Timestamp::from_millisecond(text.parse().ok()?).ok());
    match json? {
        Json::String(text) => parsed(text),
        Json::Number(number) => Timestamp::from_millisecond(number.as_i64()?).ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
