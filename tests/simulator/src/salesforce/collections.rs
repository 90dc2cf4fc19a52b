//! Up to 200 records in one call (Salesforce docs: REST API, sObject Collections).
//!
//! Results come in the order of the rows, and HTTP is 200 even if all of them failed.

use super::Desk;
use super::errors::{self, Refusal};
use super::fields::Field;
use super::ids;
use super::single::{key_field, writer};
use crate::records::Source;
use crate::wire::{Call, Reply};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

const ROWS: usize = 200;
/// Neighbours of one object are a chunk.
const CHUNKS: usize = 10;

/// One row: its object, and what was sent.
struct Row {
    object: &'static str,
    sent: Map<String, Value>,
}

/// What became of a row.
struct Done {
    object: &'static str,
    id: u64,
    created: bool,
}

type Outcome = Result<Done, Refusal>;

pub fn create(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let rows = rows(call)?;
    let outcomes = |desk: &mut Desk<'_>| {
        let make = |row: &Row| {
            if member(&row.sent, "Id").is_some() {
                return Err(Refusal::new("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call"));
            }
            let id = desk.save(row.object, None, &row.sent, writer(call))?;
            Ok(Done { object: row.object, id, created: true })
        };
        rows.iter().map(make).collect()
    };
    Ok(run(desk, all_or_none(call), false, outcomes))
}

pub fn update(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let rows = rows(call)?;
    let keys = rows.iter().map(|row| member(&row.sent, "Id").and_then(Value::as_str).map(str::to_owned)).collect();
    let twice = repeated(keys);
    let outcomes = |desk: &mut Desk<'_>| {
        let change = |(row, twice): (&Row, &Option<String>)| {
            if let Some(id) = twice {
                return Err(Refusal::new("DUPLICATE_VALUE", format!("Duplicate id specified: {id}")));
            }
            let text = member(&row.sent, "Id").and_then(Value::as_str);
            let text = text.ok_or_else(|| Refusal::new("MISSING_ARGUMENT", "Id not specified in an update call"))?;
            let id = desk.locate(row.object, text)?;
            let mut sent = row.sent.clone();
            sent.retain(|name, _| !name.eq_ignore_ascii_case("Id"));
            desk.save(row.object, Some(id), &sent, writer(call))?;
            Ok(Done { object: row.object, id, created: false })
        };
        rows.iter().zip(&twice).map(change).collect()
    };
    Ok(run(desk, all_or_none(call), false, outcomes))
}

/// By an external id, which each row carries; rows of one call that share a value all fail.
pub fn upsert(desk: &mut Desk<'_>, object: &'static str, key: &str, call: &Call) -> Result<Reply, Reply> {
    let key = key_field(desk, object, key)?;
    let rows = rows(call)?;
    if rows.iter().any(|row| row.object != object) {
        return Err(errors::error(400, "INVALID_TYPE", "All records must be of the type in the request URI."));
    }
    let keys = rows.iter().map(|row| member(&row.sent, &key.name).and_then(Value::as_str).map(str::to_owned)).collect();
    let twice = repeated(keys);
    let outcomes = |desk: &mut Desk<'_>| {
        let put = |(row, twice): (&Row, &Option<String>)| match twice {
            Some(value) => Err(Refusal::new("DUPLICATE_VALUE", format!("Duplicate external id specified: {value}"))),
            None => put(desk, row, &key, call),
        };
        rows.iter().zip(&twice).map(put).collect()
    };
    Ok(run(desk, all_or_none(call), true, outcomes))
}

fn put(desk: &mut Desk<'_>, row: &Row, key: &Field, call: &Call) -> Outcome {
    let object = row.object;
    let value = member(&row.sent, &key.name).and_then(Value::as_str).filter(|v| !v.trim().is_empty());
    let value = value.ok_or_else(|| Refusal::new("MISSING_ARGUMENT", format!("{} not specified", key.name)))?;
    let found = desk.matching(object, key, value);
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|id| ids::text(object, *id)).collect();
        let message = format!("{}: more than one record found for external id field: [{}]", key.name, ids.join(", "));
        return Err(Refusal::new("DUPLICATE_EXTERNAL_ID", message));
    }
    let mut sent = row.sent.clone();
    if key.name == "Id" {
        desk.locate(object, value)?;
        sent.retain(|name, _| !name.eq_ignore_ascii_case("Id"));
    }
    let id = desk.save(object, found.first().copied(), &sent, writer(call))?;
    Ok(Done { object, id, created: found.is_empty() })
}

/// `?ids=…`, of whatever objects.
pub fn delete(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let ids: Vec<&str> =
        call.param("ids").unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    few(ids.len())?;
    let all_or_none = call.param("allOrNone") == Some("true");
    let before = all_or_none.then(|| desk.org.objects.clone());
    let outcomes: Vec<Outcome> = ids
        .iter()
        .map(|text| {
            let object = super::org::OBJECTS.into_iter().find(|o| ids::parse(o, text).is_some());
            let object = object.ok_or_else(|| Refusal::new("MALFORMED_ID", format!("malformed id {text}")))?;
            let id = desk.locate(object, text)?;
            desk.bin(object, id, None, Source::App)?;
            Ok(Done { object, id, created: false })
        })
        .collect();
    if let Some(before) = before.filter(|_| outcomes.iter().any(Result::is_err)) {
        desk.org.objects = before;
        return Ok(Reply::json(200, outcomes.iter().map(|o| rolled_back(o, false)).collect()));
    }
    for done in outcomes.iter().flatten() {
        desk.relay_moved(done.object, done.id, "DELETE");
    }
    Ok(Reply::json(200, outcomes.iter().map(|o| result(o, false)).collect()))
}

/// Writes rows, undoes all of it where one failed and all or none was asked for, and tells what stays.
fn run(
    desk: &mut Desk<'_>,
    all_or_none: bool,
    upserts: bool,
    outcomes: impl FnOnce(&mut Desk<'_>) -> Vec<Outcome>,
) -> Reply {
    let before = all_or_none.then(|| desk.org.objects.clone());
    let outcomes = outcomes(desk);
    if let Some(before) = before.filter(|_| outcomes.iter().any(Result::is_err)) {
        for (object, table) in before {
            if let Some(now) = desk.org.objects.get_mut(&object) {
                now.roll_back(table);
            }
        }
        return Reply::json(200, outcomes.iter().map(|o| rolled_back(o, upserts)).collect());
    }
    for done in outcomes.iter().flatten() {
        desk.tell(done.object, done.id);
    }
    Reply::json(200, outcomes.iter().map(|o| result(o, upserts)).collect())
}

fn result(outcome: &Outcome, upserts: bool) -> Value {
    let (mut row, created) = match outcome {
        Ok(done) => (json!({"id": ids::text(done.object, done.id), "success": true, "errors": []}), done.created),
        Err(refusal) => (json!({"success": false, "errors": [refusal.row()]}), false),
    };
    if upserts {
        row["created"] = json!(created);
    }
    row
}

/// A row that was well shows its id all the same, which leads to nothing if it was to be made.
fn rolled_back(outcome: &Outcome, upserts: bool) -> Value {
    let Ok(done) = outcome else { return result(outcome, upserts) };
    let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
    let error = Refusal::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", message).row();
    json!({"id": ids::text(done.object, done.id), "success": false, "errors": [error]})
}

fn all_or_none(call: &Call) -> bool {
    call.json().is_some_and(|body| body["allOrNone"] == true)
}

fn rows(call: &Call) -> Result<Vec<Row>, Reply> {
    let sent = call.json().and_then(|body| body["records"].as_array());
    let sent = sent.ok_or_else(|| errors::unreadable("records: a list is expected"))?;
    few(sent.len())?;
    let row = |row: &Value| {
        let name = row["attributes"]["type"].as_str().unwrap_or_default();
        let object = ids::object(name)
            .ok_or_else(|| errors::error(400, "INVALID_TYPE", &format!("sObject type '{name}' is not supported.")))?;
        Ok(Row { object, sent: row.as_object().cloned().unwrap_or_default() })
    };
    let rows = sent.iter().map(row).collect::<Result<Vec<Row>, Reply>>()?;
    let chunks = rows.chunk_by(|a, b| a.object == b.object).count();
    if chunks > CHUNKS {
        let message =
            "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking.";
        return Err(errors::error(400, "LIMIT_EXCEEDED", message));
    }
    Ok(rows)
}

fn few(rows: usize) -> Result<(), Reply> {
    match rows {
        0 => Err(errors::error(400, "MISSING_ARGUMENT", "no records were given")),
        n if n > ROWS => {
            let message = format!("record limit reached. cannot submit more than {ROWS} records into this call");
            Err(errors::error(400, "EXCEEDED_ID_LIMIT", &message))
        }
        _ => Ok(()),
    }
}

/// A member of a record by its name, whatever its case.
fn member<'a>(sent: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    sent.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The keys of the rows whose key another row has too.
fn repeated(keys: Vec<Option<String>>) -> Vec<Option<String>> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for key in keys.iter().flatten() {
        *counts.entry(key.to_lowercase()).or_default() += 1;
    }
    keys.into_iter().map(|key| key.filter(|key| counts.get(&key.to_lowercase()).is_some_and(|n| *n > 1))).collect()
}
