//! A sync request → the hub's fields and the links' own values.

use super::SyncRequest;
use crate::{
    cause::Denied,
    mapping::{Template, TemplateError, normal},
    planner::Ownership,
    record::{Email, Fields, Object, Phone, Region, RemoteField, Value, Written, canonical, parts},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a request does to a record's fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    pub fields: Fields,
    /// The sync fields, rendered; those with an empty placeholder are left out.
    pub overrides: BTreeMap<RemoteField, Value>,
    /// Each is kept as an exception; the rest went on.
    pub bad: Vec<BadValue>,
    /// Values of fields that are not this source's to write.
    pub denied: Vec<Denied>,
}

/// One value of a request that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    pub field: String,
    pub code: &'static str,
    pub reason: String,
}

/// The placeholders that are always known, besides the fields that the lead has.
const KNOWN: &[&str] = &[
    "id",
    "name",
    "first_name",
    "last_name",
    "email",
    "phone",
    "company",
    "callStatus",
    "duration",
    "successEvaluation",
];

/// Times that some CRM insists on: unless a request says otherwise, it is of what happened just then.
const DATED: &[(Object, &str)] = &[(Object::Note, "happened_at")];

/// Applies a request's values to a record's fields. A value is written only if it is later than what the same source
/// wrote there before, where equal times are told apart by the requests' ids; the future is clamped to `now`.
pub fn apply(
    request: &SyncRequest,
    fields: &Fields,
    region: &Region,
    ownership: &Ownership,
    now: Timestamp,
) -> Applied {
    let (overrides, bad, denied) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut applied = Applied { fields: fields.clone(), overrides, bad, denied };
    let at = request.occurred_at.min(now);
    let mut said = values(request, region, &mut applied.bad);
    for (_, field) in DATED.iter().filter(|(object, field)| *object == request.object && fields.get(field).is_none()) {
        if let Some(when) = Value::text(&at.to_string()) {
            said.entry((*field).to_owned()).or_insert(normal(field, &when, region));
        }
    }
    for (field, value) in said {
        let written = Written::new(Some(value), at, &request.source).by(&request.id);
        if !written.is_news_to(applied.fields.written(&field)) {
            continue;
        }
        if !ownership.allows(&field, &request.source) {
            // Who repeats what is known writes nothing.
            let known = written.value.clone().map(|value| applied.fields.fit(&field, value)).and_then(Result::ok);
            if known.as_ref() == applied.fields.get(&field) {
                continue;
            }
            applied.denied.push(Denied { field, source: written.source, value: written.value });
            continue;
        }
        if let Err(wrong) = applied.fields.write(&field, written) {
            applied.bad.push(BadValue { field, code: "wrong_kind", reason: wrong.to_string() });
        }
    }
    let known = placeholders(&applied.fields);
    for (field, text) in &request.sync_fields {
        if !is_name(field) {
            applied.bad.push(BadValue { field: field.clone(), code: "bad_value", reason: NO_NAME.to_owned() });
            continue;
        }
        match rendered(text, &known, &request.object) {
            Ok(value) => applied.overrides.extend(value.map(|value| (field.clone(), value))),
            Err(Unusable { code, reason }) => applied.bad.push(BadValue { field: field.clone(), code, reason }),
        }
    }
    applied
}

/// Why a sync field has no value.
struct Unusable {
    code: &'static str,
    reason: String,
}

impl From<TemplateError> for Unusable {
    fn from(error: TemplateError) -> Unusable {
        Unusable { code: "bad_template", reason: error.to_string() }
    }
}

/// A sync field's value; `None` where a placeholder is known but blank: then nothing is written.
fn rendered(text: &str, known: &BTreeMap<String, Option<Value>>, object: &Object) -> Result<Option<Value>, Unusable> {
    let template = Template::parse(text)?;
    let of = |name: &str| known.get(name).or_else(|| known.get(canonical(object, name)));
    if let Some(name) = template.names().find(|name| of(name).is_none()) {
        return Err(Unusable { code: "unknown_placeholder", reason: format!("unknown placeholder {{{{{name}}}}}") });
    }
    let value = |name: &str| of(name).cloned().flatten();
    if template.names().any(|name| value(name).is_none()) {
        return Ok(None);
    }
    Ok(Value::text(&template.filled(value)?))
}

/// The lead's values as the hub writes them; blank ones are left out, `name` becomes the two names.
fn values(request: &SyncRequest, region: &Region, bad: &mut Vec<BadValue>) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    for (field, json) in &request.lead {
        if !is_name(field) {
            bad.push(BadValue { field: field.clone(), code: "bad_value", reason: NO_NAME.to_owned() });
            continue;
        }
        match Value::from_json(json).map_err(|e| e.to_string()).and_then(|v| sound(field, v, region)) {
            Ok(Some(value)) => drop(values.insert(field.clone(), value)),
            Ok(None) => {}
            Err(reason) => bad.push(BadValue { field: field.clone(), code: "bad_value", reason }),
        }
    }
    if request.object == Object::Person
        && let Some(name) = values.remove("name")
    {
        let (first, last) = parts(&name.to_string(), None, None);
        for (field, part) in [("first_name", first), ("last_name", last)] {
            if let Some(part) = Value::text(&part) {
                values.entry(field.to_owned()).or_insert(part);
            }
        }
    }
    values
}

/// Names of fields are names of attributes, which are not empty.
fn is_name(field: &str) -> bool {
    !field.trim().is_empty() && field.len() <= 255
}

const NO_NAME: &str = "a field's name has 1 to 255 bytes";

fn sound(field: &str, value: Option<Value>, region: &Region) -> Result<Option<Value>, String> {
    let Some(value) = value else { return Ok(None) };
    let value = match field {
        "id" | "email" | "phone" | "name" | "first_name" | "last_name" => {
            value.into_kind(crate::record::Kind::Text).unwrap_or_else(|v| v)
        }
        _ => value,
    };
    let text = value.to_string();
    match field {
        "email" if Email::parse(&text).is_none() => Err("not an e-mail address".to_owned()),
        "phone" if Phone::parse(&text, region).is_none() => Err("not a telephone number".to_owned()),
        _ => Ok(Some(normal(field, &value, region))),
    }
}

fn placeholders(fields: &Fields) -> BTreeMap<String, Option<Value>> {
    let mut known: BTreeMap<String, Option<Value>> = KNOWN.iter().map(|name| ((*name).to_owned(), None)).collect();
    known.extend(fields.iter().map(|(name, written)| (name.clone(), written.value.clone())));
    if let Some(name) = fields.said("full_name") {
        known.insert("name".to_owned(), name.value);
    }
    known
}
