//! Records as Salesforce spells them, and the objects that they are filed under.

use crate::{
    error::{Error, Result},
    id::{RecordId, RemoteId},
    mapping::Mapping,
    planner::{Change, Seen},
    provider::list,
    record::Value,
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

/// An object of Salesforce's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object<'m> {
    pub(super) name: &'m str,
    /// How its ids begin, where it shares a mapping with another (Salesforce docs: Object Reference, field types, "ID").
    pub(super) prefix: &'static str,
    /// What is asked of it besides the mapped fields, to know what became of a record.
    fate: &'static [&'static str],
    /// What a query leaves out: a converted lead is its contact from then on.
    pub(super) only: &'static str,
}

/// What people are filed under, in the order of their ids.
pub(super) const PEOPLE: [Object<'static>; 2] = [
    Object { name: "Contact", prefix: "003", fate: &["IsDeleted", "MasterRecordId"], only: "" },
    Object {
        name: "Lead",
        prefix: "00Q",
        fate: &["IsDeleted", "MasterRecordId", "IsConverted", "ConvertedContactId"],
        only: " AND IsConverted = false",
    },
];

/// Objects whose records can be merged.
const MERGED: &[&str] = &["IsDeleted", "MasterRecordId"];

/// The objects of a mapping: both of people's, or the one that it names.
pub(super) fn objects(mapping: &Mapping) -> Vec<Object<'_>> {
    let name = mapping.object.as_str();
    if PEOPLE.iter().any(|object| object.name == name) {
        return PEOPLE.to_vec();
    }
    let fate = if name == "Account" { MERGED } else { &["IsDeleted"] };
    vec![Object { name, prefix: "", fate, only: "" }]
}

/// The object that new records are made as.
pub(super) fn target(mapping: &Mapping) -> Result<Object<'_>> {
    let object = objects(mapping).into_iter().find(|object| object.name == mapping.object && is_name(object.name));
    let reason = || format!("{:?} is no API name of an object of Salesforce's", mapping.object);
    object.ok_or_else(|| Error::Config { reason: reason() })
}

/// What a remote is, by its id; `None` for what is no id of one of these.
pub(super) fn object_of<'m>(id: &str, objects: &[Object<'m>]) -> Option<Object<'m>> {
    objects.iter().find(|object| is_id(id) && id.starts_with(object.prefix)).copied()
}

pub(super) fn is_id(id: &str) -> bool {
    matches!(id.len(), 15 | 18) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// An id of 15 characters with the three that make up for lost capitals (Salesforce docs: Object Reference, field types, "ID").
pub(super) fn whole(id: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    if id.len() != 15 {
        return id.to_owned();
    }
    let capitals =
        |five: &[u8]| five.iter().rev().fold(0_usize, |bits, b| (bits << 1) | usize::from(b.is_ascii_uppercase()));
    let suffix = id.as_bytes().chunks(5).filter_map(|five| LETTERS.get(capitals(five)).copied().map(char::from));
    id.chars().chain(suffix).collect()
}

impl Object<'_> {
    /// Whether its records can be merged.
    pub(super) fn merges(self) -> bool {
        self.fate.contains(&"MasterRecordId")
    }

    /// The fields of a query for records that are there, joined; each name is fit for one.
    pub(super) fn fields(self, mapping: &Mapping) -> Result<String> {
        self.joined(mapping, &[])
    }

    /// The same, and what became of a record.
    pub(super) fn fields_and_fate(self, mapping: &Mapping) -> Result<String> {
        self.joined(mapping, self.fate)
    }

    fn joined(self, mapping: &Mapping, besides: &[&'static str]) -> Result<String> {
        let mut fields = mapping.remote_fields_of(self.name);
        if let Some(odd) = fields.iter().chain([&self.name]).find(|name| !is_name(name)) {
            return Err(Error::Config { reason: format!("{odd:?} is no API name of Salesforce's") });
        }
        fields.extend(["Id", "SystemModstamp"].iter().chain(besides));
        fields.sort_unstable();
        fields.dedup();
        Ok(fields.join(","))
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 80
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A text inside a JSON value.
pub(super) fn text_at<'a>(json: &'a Json, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer)?.as_str()
}

pub(super) fn id(row: &Json) -> Option<RemoteId> {
    text_at(row, "/Id")?.parse().ok()
}

/// When a record changed last, in whole seconds: `2026-11-21T09:00:00.000+0000`.
pub(super) fn modified(row: &Json) -> Option<Timestamp> {
    text_at(row, "/SystemModstamp")?.parse().ok()
}

/// A record that Salesforce shows. What is nested, such as a related record, says nothing.
pub(super) fn read(row: &Json, mapping: &Mapping) -> Option<(RemoteId, Seen)> {
    let remote = id(row)?;
    let shown = |field: &str| Some((field.to_owned(), Value::from_json(row.get(field)?).ok()?));
    let object = object_of(remote.as_str(), &objects(mapping))?.name;
    let fields = mapping.remote_fields_of(object).into_iter().filter_map(shown).collect();
    Some((remote, Seen { modified: modified(row), fields }))
}

/// Whose record it is, where it carries an id of ours.
pub(super) fn claimed(row: &Json, mapping: &Mapping) -> Option<RecordId> {
    row.get(&mapping.id_field)?.as_str()?.trim().parse().ok()
}

/// A row of a collection: null clears. Who is on a list is told otherwise.
pub(super) fn row(object: Object<'_>, changes: &[Change]) -> Map<String, Json> {
    let fields = changes.iter().filter(|change| list::of_field(&change.field).is_none());
    let mut row: Map<String, Json> =
        fields.map(|change| (change.field.clone(), value(change.value.as_ref()))).collect();
    row.insert("attributes".to_owned(), json!({"type": object.name}));
    row
}

/// Several choices are one text (Salesforce docs: Object Reference, field types, "Multi-Select Picklist").
fn value(value: Option<&Value>) -> Json {
    match value {
        Some(Value::List(texts)) => json!(texts.iter().map(crate::record::Text::as_str).collect::<Vec<_>>().join(";")),
        other => Value::plain(other),
    }
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
