//! Records as Pipedrive spells them (Pipedrive docs: API v2, Persons, Organizations, Deals).
//!
//! The mapping knows a person's lists under plain names: `email` and `phone` are the primary entries of `emails` and
//! `phones`, which are written whole, with the other entries as they were.

use crate::{
    error::{Error, Result},
    id::{RecordId, RemoteId},
    mapping::Mapping,
    planner::{Change, Seen},
    provider::{rich, schema::is_code},
    record::{Kind as Kinds, Value},
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

/// What Pipedrive keeps, under the name that its paths have for it.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// In deliveries.
    pub(super) entity: &'static str,
    /// The API that has it.
    pub(super) version: &'static str,
    /// The path of its fields, where there may be fields of one's own: without one there is no place for our record ids.
    pub(super) fields: Option<&'static str>,
    /// The fields that every account has.
    pub(super) standard: &'static [&'static str],
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "persons",
        entity: "person",
        version: "v2",
        fields: Some("personFields"),
        standard: &["name", "email", "phone", "job_title", "org_id", "owner_id"],
    },
    Kind {
        name: "organizations",
        entity: "organization",
        version: "v2",
        fields: Some("organizationFields"),
        standard: &["name", "owner_id"],
    },
    Kind {
        name: "deals",
        entity: "deal",
        version: "v2",
        fields: Some("dealFields"),
        standard: &[
            "title",
            "value",
            "currency",
            "status",
            "stage_id",
            "pipeline_id",
            "expected_close_date",
            "person_id",
            "org_id",
            "owner_id",
        ],
    },
    Kind {
        name: "activities",
        entity: "activity",
        version: "v2",
        fields: None,
        standard: &["subject", "type", "due_date", "done", "note", "person_id", "org_id", "deal_id", "owner_id"],
    },
    // Only version 1 has notes (Pipedrive docs: API v1, Notes).
    Kind {
        name: "notes",
        entity: "note",
        version: "v1",
        fields: None,
        standard: &["content", "person_id", "org_id", "deal_id"],
    },
];

impl Kind {
    /// The path of all of them.
    pub(super) fn path(&self) -> String {
        format!("/api/{}/{}", self.version, self.name)
    }
}

/// The kind that a mapping is of.
pub(super) fn kind(mapping: &Mapping) -> Result<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == mapping.object).ok_or_else(|| Error::Config {
        reason: format!(
            "{:?} is none of Pipedrive's persons, organizations, deals, activities and notes",
            mapping.object
        ),
    })
}

/// The lists whose primary entries stand for them.
const LISTS: &[(&str, &str)] = &[("email", "emails"), ("phone", "phones")];

fn list_of(field: &str) -> Option<&'static str> {
    LISTS.iter().find(|(name, _)| *name == field).map(|(_, list)| *list)
}

/// Whether a field holds the id of another record, which is a number.
pub(super) fn is_link(field: &str) -> bool {
    field.ends_with("_id")
}

/// Bodies of notes and activities are HTML (Pipedrive docs: API v1, Notes, `content`; API v2, Activities, `note`).
fn is_rich(field: &str) -> bool {
    matches!(field, "content" | "note")
}

/// Ids are numbers in records and texts in deliveries.
pub(super) fn id(json: &Json) -> Option<RemoteId> {
    let id = json.as_u64().map(|n| n.to_string()).or_else(|| json.as_str().map(str::to_owned))?;
    id.parse().ok().filter(is_id)
}

pub(super) fn is_id(id: &RemoteId) -> bool {
    id.as_str().len() <= 20 && id.as_str().bytes().all(|b| b.is_ascii_digit())
}

/// The rows of an answer.
pub(super) fn rows(body: &Json) -> &[Json] {
    body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Where the rest of a list is, fit for a URL; it is not for us to read.
pub(super) fn next_cursor(body: &Json) -> Option<String> {
    let cursor = body.pointer("/additional_data/next_cursor")?.as_str()?;
    Some(crate::provider::session::encoded(cursor)).filter(|cursor| !cursor.is_empty())
}

/// A record that Pipedrive shows.
pub(super) fn read(person: &Json, mapping: &Mapping) -> Option<(RemoteId, Seen)> {
    let remote = id(person.get("id")?)?;
    let shown = |field: &str| Some((field.to_owned(), value(person, field)?));
    let fields = mapping.remote_fields().into_iter().filter_map(shown).collect();
    Some((remote, Seen { modified: modified(person), fields }))
}

/// `None` where nothing is shown, or what is no plain value, such as a sum of money with its currency.
pub(super) fn value(person: &Json, field: &str) -> Option<Option<Value>> {
    if let Some(list) = list_of(field) {
        return Some(primary(person.get(list)?).and_then(Value::text));
    }
    let json = if is_code(field) { person.get("custom_fields")?.get(field)? } else { person.get(field)? };
    // Deliveries of version 1 show links as objects.
    let json = json.get("id").or(json.get("value")).filter(|_| is_link(field)).unwrap_or(json);
    let html = json.as_str().filter(|_| is_rich(field));
    let value = html.map_or_else(|| Value::from_json(json).ok(), |html| Some(Value::text(&rich::plain(html))))?;
    Some(value.map(|value| if is_link(field) { text(value) } else { value }))
}

/// What is linked to is named as everything else is.
fn text(value: Value) -> Value {
    value.into_kind(Kinds::Text).unwrap_or_else(|value| value)
}

fn primary(list: &Json) -> Option<&str> {
    let entries = list.as_array()?;
    let entry = entries.iter().find(|entry| is_primary(entry)).or_else(|| entries.first())?;
    entry.get("value")?.as_str()
}

fn is_primary(entry: &Json) -> bool {
    entry.get("primary").and_then(Json::as_bool) == Some(true)
}

/// All entries of a list, such as every address of a person.
pub(super) fn entries<'p>(person: &'p Json, field: &str) -> Vec<&'p str> {
    let list = list_of(field).and_then(|list| person.get(list)?.as_array());
    list.into_iter().flatten().filter_map(|entry| entry.get("value")?.as_str()).collect()
}

/// When a person changed last, in whole seconds; version 1 tells it as `2026-11-21 09:00:00`, in UTC.
pub(super) fn modified(person: &Json) -> Option<Timestamp> {
    let told = person.get("update_time")?.as_str()?;
    told.parse().ok().or_else(|| format!("{}Z", told.replace(' ', "T")).parse().ok())
}

pub(super) fn is_deleted(person: &Json) -> bool {
    person.get("is_deleted").and_then(Json::as_bool) == Some(true)
}

/// Whose person it is, where it carries an id of ours.
pub(super) fn claimed(person: &Json, mapping: &Mapping) -> Option<RecordId> {
    value(person, &mapping.id_field)??.to_string().parse().ok()
}

/// Whether a change replaces an entry of a list, so that the others must be known first.
pub(super) fn needs_lists(changes: &[Change]) -> bool {
    changes.iter().any(|change| list_of(&change.field).is_some())
}

/// The body of a write. `before` is the person as it is, where it is there already.
pub(super) fn write(changes: &[Change], mapping: &Mapping, before: &Json) -> Map<String, Json> {
    let is_new = changes.iter().any(|change| change.field == mapping.id_field);
    let (mut body, mut custom) = (Map::new(), Map::new());
    for Change { field, value } in changes {
        match list_of(field) {
            Some(list) => drop(body.insert(list.to_owned(), replaced(before.get(list), value.as_ref(), is_new))),
            None if field == "person_id" && mapping.object == "activities" => {
                drop(body.insert("participants".to_owned(), with(value.as_ref())))
            }
            None if field == "done" => drop(body.insert(field.clone(), json!(is_true(value.as_ref())))),
            None if is_rich(field) => drop(body.insert(field.clone(), marked_up(value.as_ref()))),
            None if is_code(field) => drop(custom.insert(field.clone(), Value::plain(value.as_ref()))),
            None if is_link(field) => drop(body.insert(field.clone(), number(value.as_ref()))),
            None => drop(body.insert(field.clone(), Value::plain(value.as_ref()))),
        }
    }
    if !custom.is_empty() {
        body.insert("custom_fields".to_owned(), Json::Object(custom));
    }
    body
}

/// A list with another primary entry: the others stay. What was primary goes, unless the new one was in the list already, or
/// nothing was agreed with this person yet.
fn replaced(before: Option<&Json>, value: Option<&Value>, is_new: bool) -> Json {
    let before = before.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let same = |entry: &Json| entry.get("value").and_then(Json::as_str) == value.map(ToString::to_string).as_deref();
    let old = before.iter().position(is_primary).unwrap_or(0);
    let keeps_old = value.is_some() && (is_new || before.iter().any(same));
    let stays = |(place, entry): &(usize, &Json)| (*place != old || keeps_old) && !same(entry);
    let second = |(_, entry): (usize, &Json)| {
        let mut entry = entry.clone();
        entry["primary"] = json!(false);
        entry
    };
    let others = before.iter().enumerate().filter(stays).map(second);
    let label = before.get(old).and_then(|entry| entry.get("label")?.as_str()).unwrap_or("work");
    let new = value.map(|value| json!({"value": value, "primary": true, "label": label}));
    new.into_iter().chain(others).collect()
}

/// Whom an activity is with (Pipedrive docs: API v2, Activities, `participants`; its `person_id` is shown only).
fn with(person: Option<&Value>) -> Json {
    person.map_or_else(|| json!([]), |_| json!([{"person_id": number(person), "primary": true}]))
}

fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.to_string() == "true")
}

fn marked_up(value: Option<&Value>) -> Json {
    value.map_or(Json::Null, |value| json!(rich::marked_up(&value.to_string())))
}

/// An id as records have it.
fn number(value: Option<&Value>) -> Json {
    let number = value.and_then(|value| value.to_string().parse::<u64>().ok());
    number.map_or_else(|| Value::plain(value), |number| json!(number))
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
