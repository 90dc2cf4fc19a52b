//! Records as the API shows them: times in UTC, absent values as null.

use super::fields::Custom;
use super::kinds::{Kind, Shape, lead_uuid};
use crate::clock::iso_ms;
use crate::records::{Fields, Record};
use crate::wire::Reply;
use serde_json::{Map, Value, json};

/// `{"success": true, "data": …}`
pub fn found(data: &Value) -> Reply {
    Reply::json(200, json!({"success": true, "data": data}))
}

/// `2026-11-21T09:00:00Z`: API v2 knows whole seconds only.
pub fn seconds(ms: i64) -> String {
    iso_ms(ms / 1000 * 1000).replace(".000Z", "Z")
}

/// `2026-11-21 09:00:00`, the spelling of API v1, but not of its leads.
pub fn spaced(ms: i64) -> String {
    seconds(ms).replace('T', " ").replace('Z', "")
}

/// A record of API v2, with every custom field that there is.
pub fn v2(kind: &Kind, customs: &[Custom], record: &Record) -> Value {
    let mut shown = own(kind, &record.fields);
    shown.insert("id".to_owned(), json!(record.id));
    shown.insert("add_time".to_owned(), json!(seconds(record.created)));
    shown.insert("update_time".to_owned(), json!(seconds(record.modified)));
    shown.insert("is_deleted".to_owned(), json!(record.archived.is_some()));
    if kind.customs.is_some() {
        shown.insert("custom_fields".to_owned(), Value::Object(custom_fields(customs, &record.fields)));
    }
    Value::Object(shown)
}

/// A lead: milliseconds, and custom fields at the root, where parts of a value have keys of their own
/// (Pipedrive API v1: leads).
pub fn lead(kind: &Kind, customs: &[Custom], record: &Record) -> Value {
    let mut shown = own(kind, &record.fields);
    shown.insert("id".to_owned(), json!(lead_uuid(record.id)));
    shown.insert("add_time".to_owned(), json!(iso_ms(record.created)));
    shown.insert("update_time".to_owned(), json!(iso_ms(record.modified)));
    for (code, value) in custom_fields(customs, &record.fields) {
        match value {
            Value::Array(chosen) => {
                let ids: Vec<String> = chosen.iter().map(Value::to_string).collect();
                shown.insert(code, json!(ids.join(",")));
            }
            Value::Object(mut parts) => {
                shown.insert(code.clone(), parts.remove("value").unwrap_or_default());
                shown.extend(parts.into_iter().map(|(part, v)| (format!("{code}_{part}"), v)));
            }
            plain => drop(shown.insert(code, plain)),
        }
    }
    Value::Object(shown)
}

pub fn note(kind: &Kind, record: &Record) -> Value {
    let mut shown = own(kind, &record.fields);
    shown.insert("id".to_owned(), json!(record.id));
    shown.insert("active_flag".to_owned(), json!(record.archived.is_none()));
    shown.insert("add_time".to_owned(), json!(spaced(record.created)));
    shown.insert("update_time".to_owned(), json!(spaced(record.modified)));
    Value::Object(shown)
}

fn own(kind: &Kind, fields: &Fields) -> Map<String, Value> {
    let value = |name: &str, shape: Shape| match (fields.get(name), shape) {
        (Some(value), _) => value.clone(),
        (None, Shape::Contacts | Shape::List) => json!([]),
        (None, Shape::Boolean) => json!(false),
        (None, _) => Value::Null,
    };
    kind.fields.iter().map(|f| (f.name.to_owned(), value(f.name, f.shape))).collect()
}

fn custom_fields(customs: &[Custom], fields: &Fields) -> Map<String, Value> {
    let written = fields.get("custom_fields");
    let value = |code: &str| written.and_then(|w| w.get(code)).cloned().unwrap_or_default();
    customs.iter().map(|c| (c.code.clone(), value(&c.code))).collect()
}
