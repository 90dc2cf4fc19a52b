//! SOQL: several queries in one call (Salesforce docs: REST API, Composite Batch; SOQL and SOSL Reference).

use super::{VERSION, failure, records::text_at};
use crate::{
    error::{Error, Result},
    provider::session::{Answer, Request, Session, encoded},
};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value as Json, json};

/// Queries in one call (Salesforce docs: REST API, Composite Batch, limits).
const MOST: usize = 25;

/// Which records a query looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    Live,
    /// Also those in the recycle bin.
    All,
}

/// What one query found.
pub(super) struct Rows {
    pub(super) rows: Vec<Json>,
    /// How many there are, shown or not.
    pub(super) total: Option<u32>,
    /// Where the rest is, if this is not all.
    next: Option<String>,
}

impl Rows {
    #[cfg(test)]
    pub(super) fn of(rows: Vec<Json>, more: bool) -> Rows {
        Rows { rows, total: None, next: more.then(String::new) }
    }

    pub(super) fn done(&self) -> bool {
        self.next.is_none()
    }
}

/// The first page of each query, in their order, and when Salesforce answered by its own clock.
pub(super) async fn first_pages(
    session: &Session,
    among: Among,
    queries: &[String],
) -> Result<(Vec<Rows>, Option<Timestamp>)> {
    let (mut pages, mut answered) = (Vec::new(), None);
    let resource = if among == Among::All { "queryAll" } else { "query" };
    for some in queries.chunks(MOST) {
        let one = |soql: &String| json!({"method": "GET", "url": format!("{VERSION}/{resource}?q={}", encoded(soql))});
        let body = json!({"batchRequests": some.iter().map(one).collect::<Vec<_>>()});
        let request = Request::post(format!("/services/data/{VERSION}/composite/batch"), body);
        let mut answer = session.send(&request, failure::of_call).await?;
        answered = answered.or(answer.date());
        let results = list(&mut answer.body, "results");
        if results.len() != some.len() {
            return Err(Error::retryable("Salesforce answered another number of queries than it was asked"));
        }
        for result in results {
            pages.push(page(result, &answer)?);
        }
    }
    Ok((pages, answered))
}

/// All that each query finds, in their order.
pub(super) async fn all(session: &Session, among: Among, queries: &[String]) -> Result<Vec<Vec<Json>>> {
    let (pages, _) = first_pages(session, among, queries).await?;
    let mut found = Vec::new();
    for Rows { mut rows, mut next, .. } in pages {
        while let Some(path) = next {
            let answer = session.send(&Request::get(path), failure::of_call).await?;
            let more = rows_of(answer.body);
            rows.extend(more.rows);
            next = more.next;
        }
        found.push(rows);
    }
    Ok(found)
}

/// One result of a batch is judged as if it had been a call of its own.
fn page(mut result: Json, outer: &Answer) -> Result<Rows> {
    let status = result.get("statusCode").and_then(Json::as_u64).and_then(|s| u16::try_from(s).ok()).unwrap_or(500);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = result.get_mut("result").map(Json::take).unwrap_or_default();
    let answer = Answer { status, headers: outer.headers.clone(), body };
    match failure::of_call(&answer) {
        Some(error) => Err(error),
        None => Ok(rows_of(answer.body)),
    }
}

/// A list is taken out: it may be a megabyte.
fn list(body: &mut Json, name: &str) -> Vec<Json> {
    match body.get_mut(name).map(Json::take) {
        Some(Json::Array(rows)) => rows,
        _ => Vec::new(),
    }
}

/// A place to read on is a path of Salesforce's own, followed as it is.
fn rows_of(mut body: Json) -> Rows {
    let rows = list(&mut body, "records");
    let next = text_at(&body, "/nextRecordsUrl").filter(|path| path.starts_with("/services/data/"));
    let total = body.get("totalSize").and_then(Json::as_u64).and_then(|total| u32::try_from(total).ok());
    Rows { rows, total, next: next.map(str::to_owned) }
}

/// A text in a query (Salesforce docs: SOQL, "Quoted String Escape Sequences").
pub(super) fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A time in a query: unquoted (Salesforce docs: SOQL, "Date Formats and Date Literals").
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Bytes of values in one query: with everything else it must fit into 16,384 (Salesforce docs: REST API, status code 414).
const MOST_BYTES: usize = 6_000;

/// Lists of values for `IN (…)`, each short enough for one query.
pub(super) fn lists(mut values: Vec<String>) -> Vec<String> {
    values.sort_unstable();
    values.dedup();
    let mut lists: Vec<String> = Vec::new();
    let mut bytes = MOST_BYTES;
    for value in values {
        let literal = literal(&value);
        bytes += encoded(&literal).len() + 3;
        match lists.last_mut().filter(|_| bytes <= MOST_BYTES) {
            Some(list) => {
                list.push(',');
                list.push_str(&literal);
            }
            None => {
                bytes = encoded(&literal).len();
                lists.push(literal);
            }
        }
    }
    lists
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
