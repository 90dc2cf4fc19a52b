//! Query jobs (Salesforce docs: Bulk API 2.0 and Bulk API Developer Guide, query jobs): a query is a job, and its records are CSV. Here a job is
//! complete when it is first asked about.

use super::Desk;
use super::errors::{error, not_found};
use super::ids;
use super::query;
use super::show::{root, time};
use super::soql_parse::parse;
use crate::wire::{Call, Payload, Reply};
use serde_json::{Value, json};

/// The most records of one answer, where the call does not want fewer.
const PAGE: usize = 50_000;

#[derive(Debug)]
pub struct Job {
    id: String,
    operation: String,
    object: String,
    columns: Vec<String>,
    records: Vec<Value>,
    at: i64,
    state: &'static str,
}

pub fn create(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let body = call.json().ok_or_else(|| error(400, "JSON_PARSER_ERROR", "the body is no JSON"))?;
    let operation = body["operation"].as_str().unwrap_or_default();
    if !["query", "queryAll"].contains(&operation) {
        return Err(error(400, "INVALIDJOB", "the operation of a query job is query or queryAll"));
    }
    let query =
        parse(body["query"].as_str().unwrap_or_default()).map_err(|message| error(400, "MALFORMED_QUERY", &message))?;
    let object = ids::object(&query.object)
        .ok_or_else(|| error(400, "INVALID_TYPE", &format!("sObject type '{}' is not supported.", query.object)))?;
    let (records, _) = query::answer(desk, object, &query, operation == "queryAll", &root(call))?;
    let id = ids::seal("750", desk.rng.below(62u64.pow(10)));
    let columns = desk.columns(object, query.fields.iter().map(String::as_str)).unwrap_or_default();
    let (operation, object) = (operation.to_owned(), object.to_owned());
    let job = Job { id, operation, object, columns, records, at: desk.now, state: "UploadComplete" };
    let shown = job.shown();
    desk.org.jobs.push(job);
    Ok(Reply::json(200, shown))
}

pub fn on_job(desk: &mut Desk<'_>, method: &str, id: &str, rest: &[&str], call: &Call) -> Result<Reply, Reply> {
    let at = desk.org.jobs.iter().position(|job| job.id == id).ok_or_else(not_found)?;
    let job = desk.org.jobs.get_mut(at).ok_or_else(not_found)?;
    match (method, rest) {
        ("GET", []) => {
            job.state = if job.state == "UploadComplete" { "JobComplete" } else { job.state };
            Ok(Reply::json(200, job.shown()))
        }
        ("GET", ["results"]) if job.state == "JobComplete" => Ok(job.results(call)),
        ("PATCH", []) => {
            job.state = "Aborted";
            Ok(Reply::json(200, job.shown()))
        }
        ("DELETE", []) => {
            desk.org.jobs.remove(at);
            Ok(Reply::empty(204))
        }
        _ => Err(error(400, "INVALIDJOBSTATE", "the job is not complete, or cannot do that")),
    }
}

impl Job {
    fn shown(&self) -> Value {
        json!({
            "id": self.id, "operation": self.operation, "object": self.object, "createdDate": time(self.at),
            "systemModstamp": time(self.at), "state": self.state, "concurrencyMode": "Parallel", "contentType": "CSV",
            "apiVersion": 62.0, "lineEnding": "LF", "columnDelimiter": "COMMA", "numberRecordsProcessed": self.records.len(),
        })
    }

    /// `?maxRecords=`, and from `?locator=` on.
    fn results(&self, call: &Call) -> Reply {
        let number = |name: &str| call.param(name).and_then(|text| text.parse::<usize>().ok());
        let (from, most) = (number("locator").unwrap_or(0), number("maxRecords").unwrap_or(PAGE));
        let line = |cells: Vec<String>| {
            let quoted = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
            quoted.collect::<Vec<_>>().join(",") + "\n"
        };
        let page: Vec<&Value> = self.records.iter().skip(from).take(most).collect();
        let rows = page.iter().map(|record| line(self.columns.iter().map(|name| text(&record[name])).collect()));
        let csv = line(self.columns.clone()) + &rows.collect::<String>();
        let next = from + page.len();
        let locator = if next < self.records.len() { next.to_string() } else { "null".to_owned() };
        let reply = Reply { status: 200, headers: Vec::new(), payload: Payload::Csv(csv) };
        reply.with("Sforce-Locator", &locator).with("Sforce-NumberOfRecords", &page.len())
    }
}

/// A blank is nothing, and times end in `Z`.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(time) if time.len() == "2026-11-21T09:00:00.000+0000".len() && time.ends_with(".000+0000") => {
            time.replace("+0000", "Z")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
