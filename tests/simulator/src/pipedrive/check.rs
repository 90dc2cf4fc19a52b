//! Whether the CRM takes what is written, and what it makes of it.

use super::fields::TYPES;
use super::kinds::{self, Field, Kind, Shape};
use super::{Desk, OUR_USER, errors};
use crate::records::Fields;
use crate::wire::Reply;
use serde_json::{Map, Value, json};

impl Desk<'_> {
    /// The values to store, or the refusal of the whole call.
    pub fn check(&self, kind: &Kind, id: Option<u64>, body: &Value) -> Result<Fields, Reply> {
        let body = body.as_object().ok_or_else(|| errors::bad("The request body must be a JSON object"))?;
        let mut custom = self.customs_of(kind, id);
        let mut fields = Fields::new();
        for (name, value) in body {
            match kind.field(name).filter(|f| f.shape != Shape::Derived) {
                Some(field) => drop(fields.insert(name.clone(), self.value(field, value)?)),
                None if name == "custom_fields" && kind.table != "leads" => {
                    for (code, value) in value.as_object().into_iter().flatten() {
                        self.set_custom(kind, &mut custom, code, value)?;
                    }
                }
                // A lead's custom fields stand beside its own.
                None if kind.table == "leads" => self.set_custom(kind, &mut custom, name, value)?,
                None => return Err(errors::bad(&format!("Validation failed: {name}: is not a field that can be set"))),
            }
        }
        let required = fields.get(kind.required).and_then(Value::as_str).map(str::trim);
        if required == Some("") || (required.is_none() && (id.is_none() || fields.contains_key(kind.required))) {
            return Err(errors::bad(&format!("Validation failed: {}: Required", kind.required)));
        }
        derive(kind, id.is_none(), &mut fields);
        if kind.customs.is_some() {
            fields.insert("custom_fields".to_owned(), Value::Object(custom));
        }
        Ok(fields)
    }

    fn customs_of(&self, kind: &Kind, id: Option<u64>) -> Map<String, Value> {
        let record = id.and_then(|id| self.company.tables.get(kind.table)?.live(id));
        record.and_then(|r| r.fields.get("custom_fields")?.as_object().cloned()).unwrap_or_default()
    }

    fn set_custom(&self, kind: &Kind, to: &mut Map<String, Value>, code: &str, value: &Value) -> Result<(), Reply> {
        let known = kind.customs.and_then(|table| self.company.customs(table).iter().find(|c| c.code == code));
        let custom =
            known.ok_or_else(|| errors::bad(&format!("Validation failed: custom_fields: {code}: no such field")))?;
        if value.is_null() || value == "" {
            to.remove(code);
            return Ok(());
        }
        let wrong = || errors::bad(&format!("Validation failed: {}: {code}: invalid value", custom.name));
        let typed = TYPES.iter().any(|(name, fits)| *name == custom.kind && fits(value));
        let known = |v: &Value| custom.options.iter().any(|(id, _)| Some(*id) == v.as_u64());
        let chosen = match custom.kind.as_str() {
            "enum" => known(value),
            // Cleared with null, not with an empty list.
            "set" => value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(known)),
            _ => true,
        };
        if !typed || !chosen {
            return Err(wrong());
        }
        let value = match value.as_str() {
            Some(text) => json!(self.text(&[code, &custom.name], custom.kind == "phone", text)?),
            None => value.clone(),
        };
        to.insert(code.to_owned(), value);
        Ok(())
    }

    fn value(&self, field: &Field, value: &Value) -> Result<Value, Reply> {
        let name = field.name;
        let wrong = || errors::bad(&format!("Validation failed: {name}: invalid value"));
        if value.is_null() {
            return Ok(if matches!(field.shape, Shape::Contacts | Shape::List) { json!([]) } else { Value::Null });
        }
        let fits = match field.shape {
            Shape::Text => value.is_string(),
            Shape::Integer => value.is_i64() || value.is_u64(),
            Shape::Number => value.is_number(),
            Shape::Boolean => value.is_boolean(),
            Shape::Contacts | Shape::List => value.is_array(),
            Shape::Object => value.is_object(),
            Shape::Link(table) => self.is_live(table, value),
            Shape::Derived => false,
        };
        match (fits, value) {
            (false, _) => Err(wrong()),
            (true, Value::String(text)) => Ok(json!(self.text(&[name], false, text)?)),
            (true, Value::Array(list)) if field.shape == Shape::Contacts => self.contacts(name, list),
            (true, _) => Ok(value.clone()),
        }
    }

    fn is_live(&self, table: &str, id: &Value) -> bool {
        let Some(kind) = Kind::of_table(table) else { return false };
        let id = id.as_u64().or_else(|| kinds::parse_id(kind, id.as_str()?));
        id.is_some_and(|id| self.company.tables.get(table).is_some_and(|t| t.live(id).is_some()))
    }

    /// A list of e-mails or phones with exactly one primary, the first that is called so or else the first.
    fn contacts(&self, name: &str, list: &[Value]) -> Result<Value, Reply> {
        let singular = name.trim_end_matches('s');
        let primary = list.iter().position(|c| c["primary"] == true).unwrap_or(0);
        let mut kept = Vec::with_capacity(list.len());
        for (n, contact) in list.iter().enumerate() {
            let text = contact["value"].as_str();
            let text = text.ok_or_else(|| errors::bad(&format!("Validation failed: {name}: value: Required")))?;
            let value = self.text(&[name, singular], name == "phones", text)?;
            let label = contact["label"].as_str().unwrap_or("work");
            kept.push(json!({"value": value, "primary": n == primary, "label": label}));
        }
        Ok(json!(kept))
    }

    /// A text as the CRM keeps it, unless a fault refuses it; a fault may name the field either way.
    fn text(&self, names: &[&str], is_phone: bool, text: &str) -> Result<String, Reply> {
        let value = json!(text);
        if let Some(refuse) = names.iter().find_map(|name| self.faults.refusal(name, &value)) {
            let code = refuse.code.as_deref().unwrap_or("invalid value");
            return Err(errors::bad(&format!("Validation failed: {}: {code}", refuse.field)));
        }
        Ok(names.iter().fold(text.to_owned(), |text, name| self.faults.respell(name, is_phone, &text)))
    }
}

/// What follows from what was written, and what a new record has from the start.
fn derive(kind: &Kind, new: bool, fields: &mut Fields) {
    if new {
        for (name, value) in beginnings(kind) {
            fields.entry(name.to_owned()).or_insert(value);
        }
    }
    if kind.table == "persons"
        && let Some(name) = fields.get("name").and_then(Value::as_str).map(str::trim)
    {
        let (first, last) = name.split_once(' ').map_or((name, None), |(first, last)| (first, Some(last.trim())));
        let (first, last) = (json!(first), json!(last));
        fields.insert("first_name".to_owned(), first);
        fields.insert("last_name".to_owned(), last);
    }
    // The person of an activity is its primary participant.
    if let Some(list) = fields.get("participants").and_then(Value::as_array).filter(|_| kind.table == "activities") {
        let primary = list.iter().find(|p| p["primary"] == true).or(list.first());
        let person = primary.map(|p| p["person_id"].clone()).unwrap_or_default();
        fields.insert("person_id".to_owned(), person);
    } else if let Some(person) = fields.get("person_id").filter(|_| kind.table == "activities") {
        let participants = if person.is_null() { json!([]) } else { json!([{"person_id": person, "primary": true}]) };
        fields.insert("participants".to_owned(), participants);
    }
}

fn beginnings(kind: &Kind) -> Vec<(&'static str, Value)> {
    let more: &[(&str, Value)] = match kind.table {
        "deals" => &[
            ("creator_user_id", json!(OUR_USER)),
            ("value", json!(0)),
            ("currency", json!("EUR")),
            ("stage_id", json!(1)),
            ("pipeline_id", json!(1)),
            ("status", json!("open")),
            ("origin", json!("API")),
        ],
        "activities" => &[("creator_user_id", json!(OUR_USER)), ("type", json!("call"))],
        "leads" => &[("creator_id", json!(OUR_USER)), ("source_name", json!("API")), ("origin", json!("API"))],
        _ => &[],
    };
    let user = if kind.table == "notes" { "user_id" } else { "owner_id" };
    let visible = if kind.table == "leads" { json!("3") } else { json!(3) };
    let visible = kind.field("visible_to").map(|f| (f.name, visible));
    [(user, json!(OUR_USER))].into_iter().chain(visible).chain(more.iter().cloned()).collect()
}
