//! `/batch/{read,create,update,upsert,archive}`: at most 100 inputs (HubSpot docs: CRM objects, batch).
//!
//! One bad input fails the whole batch with 400 or 409, except in a create whose inputs all have their own
//! `objectWriteTraceId`: that one answers 207 with both lists (HubSpot docs: error handling, multi-status errors).
//! The order of `results` is nobody's promise; writes answer in reverse here.

use super::Desk;
use super::errors::Refusal;
use super::show::Selection;
use super::write::Claims;
use crate::clock::iso_ms;
use crate::records::{Fields, Source};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

fn inputs(call: &Call) -> Result<(&Value, &[Value]), Refusal> {
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let inputs =
        body["inputs"].as_array().ok_or_else(|| Refusal::validation("Invalid input JSON: inputs is required"))?;
    if inputs.len() > 100 {
        let message =
            format!("The maximum number of inputs supported in a batch request is 100, {} were sent", inputs.len());
        return Err(Refusal::validation(&message));
    }
    Ok((body, inputs.as_slice()))
}

fn text(input: &Value, key: &str) -> String {
    input[key].as_str().map(str::to_owned).or_else(|| input[key].as_u64().map(|n| n.to_string())).unwrap_or_default()
}

fn answer(desk: &Desk<'_>, good: u16, results: Vec<Value>, errors: Vec<Value>) -> Reply {
    let at = iso_ms(desk.now);
    let mut body = json!({"status": "COMPLETE", "startedAt": at, "completedAt": at});
    body["results"] = Value::Array(results);
    if errors.is_empty() {
        return Reply::json(good, body);
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = Value::Array(errors);
    Reply::json(207, body)
}

/// Ids that are unknown, archived or were merged away come back as one error that names them all.
fn not_found(missing: &[String]) -> Vec<Value> {
    let message = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.";
    let refusal = Refusal { message: message.to_owned(), ..Refusal::not_found() };
    if missing.is_empty() { Vec::new() } else { vec![refusal.row(&json!({"ids": missing}))] }
}

pub fn read(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let (body, inputs) = inputs(call)?;
    let selection = Selection::of(body);
    let by = body["idProperty"].as_str();
    if let Some(name) = by.filter(|n| *n != "hs_object_id" && *n != "email") {
        desk.must_be_unique(object, name)?;
    }
    let archived = call.param("archived") == Some("true");
    let mut found = BTreeSet::new();
    let mut missing = Vec::new();
    for input in inputs {
        let id = text(input, "id");
        match desk.locate(object, by, &id, false, archived) {
            Some(id) => drop(found.insert(id)),
            None => missing.push(id),
        }
    }
    let table = desk.portal.tables.get(object);
    let results =
        found.iter().filter_map(|id| table?.records.get(id)).map(|r| desk.show(object, r, &selection)).collect();
    Ok(answer(desk, 200, results, not_found(&missing)))
}

pub fn create(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let (_, inputs) = inputs(call)?;
    let traces: HashSet<String> =
        inputs.iter().map(|i| text(i, "objectWriteTraceId")).filter(|t| !t.is_empty()).collect();
    let per_row = traces.len() == inputs.len();
    let mut claims = Claims::new();
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        match desk.check(object, None, &input["properties"], &mut claims) {
            Ok(fields) => rows.push(Row { id: None, fields, trace: text(input, "objectWriteTraceId"), upsert: false }),
            Err(refusal) if per_row => {
                errors.push(refusal.row(&json!({"objectWriteTraceId": [text(input, "objectWriteTraceId")]})))
            }
            Err(refusal) => return Err(refusal),
        }
    }
    let results = store(desk, object, rows);
    Ok(answer(desk, 201, results, errors))
}

pub fn update(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let (_, inputs) = inputs(call)?;
    distinct(inputs)?;
    let mut claims = Claims::new();
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for input in inputs {
        let id = text(input, "id");
        let by = input["idProperty"].as_str();
        let Some(found) = desk.locate(object, by, &id, false, false) else {
            missing.push(id);
            continue;
        };
        let fields = desk.check(object, Some(found), &input["properties"], &mut claims)?;
        rows.push(Row { id: Some(found), fields, trace: text(input, "objectWriteTraceId"), upsert: false });
    }
    let results = store(desk, object, rows);
    Ok(answer(desk, 200, results, not_found(&missing)))
}

/// Creates or updates by `email` or by a property with unique values.
pub fn upsert(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let (_, inputs) = inputs(call)?;
    distinct(inputs)?;
    let mut claims = Claims::new();
    let mut rows = Vec::new();
    for input in inputs {
        let value = text(input, "id");
        let by = text(input, "idProperty");
        if by.is_empty() || by == "hs_object_id" {
            return Err(Refusal::validation("idProperty is required: a property whose values are unique"));
        }
        if value.trim().is_empty() {
            return Err(Refusal::validation("id is required: the value of idProperty"));
        }
        desk.must_be_unique(object, &by)?;
        let found = desk.locate(object, Some(&by), &value, false, false);
        let mut properties = input["properties"].clone();
        if properties[&by].is_null() && properties.is_object() {
            properties[&by] = json!(value);
        }
        let fields = desk.check(object, found, &properties, &mut claims)?;
        rows.push(Row { id: found, fields, trace: text(input, "objectWriteTraceId"), upsert: true });
    }
    let results = store(desk, object, rows);
    Ok(answer(desk, 200, results, Vec::new()))
}

pub fn archive(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let (_, inputs) = inputs(call)?;
    for input in inputs {
        if let Some(id) = desk.locate(object, None, &text(input, "id"), false, false) {
            desk.archive(object, id, Source::App);
        }
    }
    Ok(Reply::empty(204))
}

/// A row that has passed all checks.
struct Row {
    id: Option<u64>,
    fields: Fields,
    trace: String,
    upsert: bool,
}

fn store(desk: &mut Desk<'_>, object: &str, rows: Vec<Row>) -> Vec<Value> {
    let mut results = Vec::with_capacity(rows.len());
    for row in rows {
        let names = row.fields.keys().cloned().collect();
        let id = desk.store(object, row.id, row.fields, Source::App);
        let mut shown = desk.written(object, id, names);
        if row.upsert {
            shown["new"] = json!(row.id.is_none());
        }
        if !row.trace.is_empty() {
            shown["objectWriteTraceId"] = json!(row.trace);
        }
        results.push(shown);
    }
    results.reverse();
    results
}

fn distinct(inputs: &[Value]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    match inputs.iter().map(|i| text(i, "id").to_lowercase()).find(|id| !seen.insert(id.clone())) {
        Some(id) => {
            Err(Refusal::validation(&format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique")))
        }
        None => Ok(()),
    }
}

impl Desk<'_> {
    fn must_be_unique(&self, object: &str, name: &str) -> Result<(), Refusal> {
        let contacts_email = object == "contacts" && name == "email";
        if contacts_email || self.portal.property(object, name).is_some_and(|p| p.unique) {
            return Ok(());
        }
        Err(Refusal::validation(&format!("Property {name} is not a unique identifier of {object}")))
    }
}
