//! Insert, update, upsert: at most 100 rows, each with its own result (Zoho docs: upsert records).
//!
//! No failed row: 201 or 200. Any failed row: 207. The answer never repeats the fields.

use super::Desk;
use super::errors::{self, field, object, refused};
use super::notify::Changes;
use super::settings::system_key;
use crate::clock::parse_time;
use crate::records::{Fields, Source, Stamp};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

const ROWS: usize = 100;

struct Request {
    rows: Vec<Value>,
    body: Value,
    /// Left out, everything runs (Zoho docs: upsert, trigger).
    triggers_workflows: bool,
    unmodified_since: Option<i64>,
}

fn request(call: &Call) -> Result<Request, Reply> {
    let body = call.json().ok_or_else(errors::unreadable)?;
    let rows = body["data"].as_array().cloned().ok_or_else(|| {
        refused(
            400,
            "MANDATORY_NOT_FOUND",
            "required field not found",
            json!({"api_name": "data", "json_path": "$.data"}),
        )
    })?;
    if rows.is_empty() || rows.len() > ROWS {
        let details = json!({"api_name": "data", "json_path": "$.data", "maximum_length": ROWS});
        return Err(refused(400, "INVALID_DATA", "invalid data", details));
    }
    let triggers_workflows = body["trigger"].as_array().is_none_or(|list| list.iter().any(|t| t == "workflow"));
    let unmodified_since = call.header("if-unmodified-since").and_then(parse_time);
    Ok(Request { rows, body: body.clone(), triggers_workflows, unmodified_since })
}

pub fn insert(desk: &mut Desk<'_>, module: &str, call: &Call) -> Result<Reply, Reply> {
    let request = request(call)?;
    let mut changes = Changes::default();
    let results = request.rows.iter().enumerate().map(|(n, row)| {
        let fields = desk.check(module, None, n, row)?;
        Ok(desk.insert(module, fields, Source::App, &mut changes))
    });
    let results: Vec<Result<Value, Value>> = results.collect();
    Ok(desk.done(module, 201, results, &request, changes))
}

pub fn update(desk: &mut Desk<'_>, module: &str, only: Option<&str>, call: &Call) -> Result<Reply, Reply> {
    let mut request = request(call)?;
    if let (Some(id), Some(row)) = (only, request.rows.first_mut().filter(|r| r.is_object())) {
        row["id"] = json!(id);
    }
    let ids: Vec<Result<u64, Value>> =
        request.rows.iter().enumerate().map(|(n, row)| desk.id_of(module, n, row)).collect();
    unmodified(desk, module, &request, ids.iter().flatten())?;
    let mut changes = Changes::default();
    let mut results = Vec::new();
    for (n, (row, id)) in request.rows.iter().zip(ids).enumerate() {
        results.push(id.and_then(|id| {
            let fields = desk.check(module, Some(id), n, row)?;
            Ok(desk.update(module, id, fields, Source::App, &mut changes))
        }));
    }
    Ok(desk.done(module, 200, results, &request, changes))
}

pub fn upsert(desk: &mut Desk<'_>, module: &str, call: &Call) -> Result<Reply, Reply> {
    let request = request(call)?;
    let keys = duplicate_keys(desk, module, &request.body)?;
    let mut changes = Changes::default();
    let mut results = Vec::new();
    for (n, row) in request.rows.iter().enumerate() {
        results.push(upsert_row(desk, module, n, row, &keys, &request, &mut changes)?);
    }
    Ok(desk.done(module, 200, results, &request, changes))
}

/// The outer error refuses the call (a condition that fails), the inner one the row.
fn upsert_row(
    desk: &mut Desk<'_>,
    module: &str,
    n: usize,
    row: &Value,
    keys: &[String],
    request: &Request,
    changes: &mut Changes,
) -> Result<Result<Value, Value>, Reply> {
    let found = match row["id"].is_null() {
        true => Ok(desk.matching(module, row, keys)),
        false => desk.id_of(module, n, row).map(|id| Some((id, "id".to_owned()))),
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    unmodified(desk, module, request, found.iter().map(|(id, _)| id))?;
    let checked = desk.check(module, found.as_ref().map(|(id, _)| *id), n, row);
    Ok(checked.map(|fields| {
        let mut result = match &found {
            Some((id, _)) => desk.update(module, *id, fields, Source::App, changes),
            None => desk.insert(module, fields, Source::App, changes),
        };
        result["action"] = json!(if found.is_some() { "update" } else { "insert" });
        result["duplicate_field"] = found.map_or(Value::Null, |(_, key)| json!(key));
        result
    }))
}

/// Unspecified: the module's system field, then the unique ones. Only unique ones: the system field is ignored.
/// The system field: the unique ones are checked too. Nothing else is allowed, ten at most.
fn duplicate_keys(desk: &Desk<'_>, module: &str, body: &Value) -> Result<Vec<String>, Reply> {
    let system = system_key(module).map(str::to_owned);
    let unique: Vec<String> =
        desk.org.fields.get(module).into_iter().flatten().filter(|f| f.unique).map(|f| f.name.clone()).collect();
    let Some(asked) = body["duplicate_check_fields"].as_array() else {
        return Ok(system.into_iter().chain(unique).collect());
    };
    let asked: Vec<String> = asked.iter().filter_map(|f| f.as_str().map(str::to_owned)).collect();
    if asked.len() > 10 || asked.iter().any(|f| system.as_ref() != Some(f) && !unique.contains(f)) {
        let details = json!({"api_name": "duplicate_check_fields", "json_path": "$.duplicate_check_fields"});
        return Err(refused(400, "INVALID_DATA", "invalid data", details));
    }
    match system.is_some_and(|system| asked.contains(&system)) {
        true => Ok(asked.iter().cloned().chain(unique.into_iter().filter(|u| !asked.contains(u))).collect()),
        false => Ok(asked),
    }
}

/// 412 when a record has changed since (Zoho docs: upsert, If-Unmodified-Since); whole seconds.
fn unmodified<'a>(
    desk: &Desk<'_>,
    module: &str,
    request: &Request,
    mut ids: impl Iterator<Item = &'a u64>,
) -> Result<(), Reply> {
    let Some(since) = request.unmodified_since else { return Ok(()) };
    let table = desk.org.modules.get(module);
    let later = |id: &u64| table.and_then(|t| t.live(*id)).is_some_and(|r| r.modified / 1000 > since / 1000);
    match ids.any(later) {
        true => Err(refused(
            412,
            "ALREADY_MODIFIED",
            "Record updated time has already passed if-unmodified-since time",
            json!({}),
        )),
        false => Ok(()),
    }
}

impl Desk<'_> {
    fn id_of(&self, module: &str, n: usize, row: &Value) -> Result<u64, Value> {
        if row["id"].is_null() {
            return Err(field("MANDATORY_NOT_FOUND", "required field not found", "id", n, json!({})));
        }
        let id = row["id"].as_str().and_then(|s| s.parse().ok()).or_else(|| row["id"].as_u64());
        let live = id.filter(|id| self.org.modules.get(module).is_some_and(|t| t.live(*id).is_some()));
        live.ok_or_else(|| field("INVALID_DATA", "the id given seems to be invalid", "id", n, json!({})))
    }

    fn matching(&self, module: &str, row: &Value, keys: &[String]) -> Option<(u64, String)> {
        let table = self.org.modules.get(module)?;
        keys.iter().find_map(|key| {
            let value = row[key].as_str().filter(|v| !v.trim().is_empty())?;
            table.find(key, value).map(|id| (id, key.clone()))
        })
    }

    pub fn stamp(&self, source: Source) -> Stamp {
        Stamp { now: self.now, source, lag_ms: self.faults.search_lag_ms }
    }

    /// Makes a record of checked values and answers the row's result.
    pub fn insert(&mut self, module: &str, fields: Fields, source: Source, changes: &mut Changes) -> Value {
        let stamp = self.stamp(source);
        let names: Vec<String> = fields.iter().filter(|(_, v)| !v.is_null()).map(|(k, _)| k.clone()).collect();
        let Some(table) = self.org.modules.get_mut(module) else { return Value::Null };
        let id = table.insert(fields, stamp);
        changes.inserted.push((id, names));
        self.success(module, id, "record added")
    }

    pub fn update(&mut self, module: &str, id: u64, fields: Fields, source: Source, changes: &mut Changes) -> Value {
        let stamp = self.stamp(source);
        let Some(table) = self.org.modules.get_mut(module) else { return Value::Null };
        let changed = table.update(id, fields, stamp);
        if !changed.is_empty() {
            changes.updated.push((id, changed));
        }
        self.success(module, id, "record updated")
    }

    fn success(&self, module: &str, id: u64, message: &str) -> Value {
        let record = self.org.modules.get(module).and_then(|t| t.records.get(&id));
        json!({"code": "SUCCESS", "details": record.map(|r| self.details(r)), "message": message, "status": "success"})
    }

    fn done(
        &mut self,
        module: &str,
        good: u16,
        results: Vec<Result<Value, Value>>,
        request: &Request,
        changes: Changes,
    ) -> Reply {
        let failed = results.iter().any(Result::is_err);
        if request.triggers_workflows {
            self.org.workflows += results.iter().flatten().count() as u64;
        }
        self.notify(module, changes);
        let data: Vec<Value> = results.into_iter().map(|r| r.unwrap_or_else(|error| error)).collect();
        Reply::json(if failed { 207 } else { good }, json!({"data": data}))
    }
}

/// What a delete says of an id that is none.
pub fn invalid_id(id: &str) -> Value {
    object("INVALID_DATA", "the id given seems to be invalid", json!({"id": id}))
}
