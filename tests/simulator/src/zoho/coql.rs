//! `POST /crm/v8/coql` (Zoho docs: COQL): exact lookups, keyset pages; 2,000 rows a call, 50 columns, 25 criteria, 50 values in a list.

use super::Desk;
use super::coql_parse::{COUNT, Condition, Query, parse};
use super::errors::{refused, unreadable};
use crate::clock::parse_time;
use crate::records::Record;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// 1, 2 or 3 credits for up to 200, 1,000 or 2,000 rows.
pub fn credits(body: &Value) -> u64 {
    match body["select_query"].as_str().and_then(|q| parse(q).ok()).map_or(200, |q| q.limit) {
        0..=200 => 1,
        201..=1000 => 2,
        _ => 3,
    }
}

pub fn query(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let body = call.json().ok_or_else(unreadable)?;
    let text = body["select_query"].as_str().ok_or_else(unreadable)?;
    let query = parse(text).map_err(|near| {
        refused(400, "SYNTAX_ERROR", "error occurred while parsing the query", json!({"near": near}))
    })?;
    limits(&query)?;
    let table = desk.org.modules.get(&query.module).ok_or_else(|| invalid("module", &query.module))?;
    known(desk, &query)?;
    let live = table.records.values().filter(|r| r.archived.is_none());
    let mut hits: Vec<&Record> = live.filter(|r| passes(r, &query.condition)).collect();
    if query.columns == [COUNT] {
        let data = json!([{COUNT: hits.len()}]);
        return Ok(Reply::json(200, json!({"info": {"count": 1, "more_records": false}, "data": data})));
    }
    hits.sort_by(|a, b| order(a, b, &query));
    let columns: Vec<&str> = query.columns.iter().map(String::as_str).collect();
    let page = hits.iter().skip(query.offset).take(query.limit);
    let data: Vec<Value> = page.map(|r| desk.show(&query.module, r, &columns)).collect();
    if data.is_empty() {
        return Ok(Reply::empty(204));
    }
    let more = query.offset + data.len() < hits.len();
    Ok(Reply::json(200, json!({"info": {"count": data.len(), "more_records": more}, "data": data})))
}

fn limits(query: &Query) -> Result<(), Reply> {
    let exceeded = |what: &str, limit: usize| {
        Err(refused(400, "LIMIT_EXCEEDED", "limit exceeded", json!({"operator": what, "limit": limit})))
    };
    let mut conditions = Vec::new();
    flatten(&query.condition, &mut conditions);
    if query.limit > 2_000 || query.limit == 0 {
        return exceeded("limit", 2_000);
    }
    if query.offset + query.limit > 100_000 {
        return exceeded("offset", 100_000);
    }
    if query.columns.len() > 50 {
        return exceeded("select", 50);
    }
    if conditions.len() > 25 {
        return exceeded("where", 25);
    }
    if conditions.iter().any(|(_, operator, values)| operator.ends_with("in") && values.len() > 50) {
        return exceeded("in", 50);
    }
    Ok(())
}

fn known(desk: &Desk<'_>, query: &Query) -> Result<(), Reply> {
    let mut conditions = Vec::new();
    flatten(&query.condition, &mut conditions);
    let asked = query
        .columns
        .iter()
        .map(String::as_str)
        .filter(|name| *name != COUNT)
        .chain(conditions.iter().map(|c| c.0))
        .chain(query.order.iter().map(|o| o.0.as_str()));
    match asked.into_iter().find(|name| *name != "id" && desk.org.field(&query.module, name).is_none()) {
        Some(name) => Err(invalid("column", name)),
        None => Ok(()),
    }
}

fn invalid(what: &str, name: &str) -> Reply {
    refused(400, "INVALID_QUERY", &format!("invalid query formed: {what}"), json!({"column_name": name}))
}

fn flatten<'a>(condition: &'a Condition, into: &mut Vec<(&'a str, &'a str, &'a [String])>) {
    match condition {
        Condition::And(a, b) | Condition::Or(a, b) => {
            flatten(a, into);
            flatten(b, into);
        }
        Condition::Compare { field, operator, values } => into.push((field, operator, values)),
    }
}

fn passes(record: &Record, condition: &Condition) -> bool {
    match condition {
        Condition::And(a, b) => passes(record, a) && passes(record, b),
        Condition::Or(a, b) => passes(record, a) || passes(record, b),
        Condition::Compare { field, operator, values } => compare(record, field, operator, values),
    }
}

fn compare(record: &Record, field: &str, operator: &str, values: &[String]) -> bool {
    let own = key(record, field);
    let than = |i: usize| values.get(i).map(|v| of_text(field, v));
    let is = |wanted: fn(Ordering) -> bool| than(0).is_some_and(|v| own != Key::None && wanted(own.cmp(&v)));
    match operator {
        "=" => is(Ordering::is_eq),
        "!=" => than(0).is_some_and(|v| own != v),
        ">" => is(Ordering::is_gt),
        ">=" => is(Ordering::is_ge),
        "<" => is(Ordering::is_lt),
        "<=" => is(Ordering::is_le),
        "between" => is(Ordering::is_ge) && than(1).is_some_and(|v| own <= v),
        "in" => values.iter().any(|v| own == of_text(field, v)),
        "not in" => !values.iter().any(|v| own == of_text(field, v)),
        "is null" => own == Key::None,
        "is not null" => own != Key::None,
        "like" => values.first().is_some_and(|v| like(&own, v)),
        _ => !values.first().is_some_and(|v| like(&own, v)),
    }
}

/// `%` at either end.
fn like(own: &Key, pattern: &str) -> bool {
    let Key::Text(own) = own else { return false };
    let pattern = pattern.to_lowercase();
    let core = pattern.trim_matches('%');
    match (pattern.starts_with('%'), pattern.ends_with('%')) {
        (true, true) => own.contains(core),
        (true, false) => own.ends_with(core),
        (false, true) => own.starts_with(core),
        (false, false) => own == core,
    }
}

fn order(a: &Record, b: &Record, query: &Query) -> Ordering {
    for (field, ascending) in &query.order {
        let by = key(a, field).cmp(&key(b, field));
        if by.is_ne() {
            return if *ascending { by } else { by.reverse() };
        }
    }
    a.id.cmp(&b.id)
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    None,
    Number(i64),
    Text(String),
}

/// Times compare in whole seconds, texts whatever their case.
fn key(record: &Record, field: &str) -> Key {
    match field {
        "id" => Key::Number(record.id.cast_signed()),
        "Created_Time" => Key::Number(record.created.div_euclid(1000)),
        "Modified_Time" => Key::Number(record.modified.div_euclid(1000)),
        _ => record
            .fields
            .get(field)
            .map_or(Key::None, |v| of_text(field, &v.as_str().map_or_else(|| v.to_string(), str::to_owned))),
    }
}

fn of_text(field: &str, text: &str) -> Key {
    let number = match field {
        "id" => text.parse().ok(),
        "Created_Time" | "Modified_Time" => parse_time(text).map(|ms| ms.div_euclid(1000)),
        _ => None,
    };
    number.map_or_else(|| Key::Text(text.to_lowercase()), Key::Number)
}
