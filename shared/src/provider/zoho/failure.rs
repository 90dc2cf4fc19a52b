//! Zoho's answers that are no success: the status first, the body second.
//!
//! A call that fails as a whole answers a bare object `{code, details, message, status: "error"}`; a row that fails is such an
//! object in its place in `data` (Zoho docs: Status codes, <https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html>).

use crate::{
    error::{Error, Result},
    mapping::Mapping,
    provider::{
        batch::{Outcome, Write},
        session::Answer,
    },
};
use serde_json::Value as Json;
use std::time::Duration;

/// Too many calls at once: soon over.
const CROWDED: Duration = Duration::from_secs(5);
/// The rolling day's credits are spent; they come back little by little (Zoho docs: API limits).
const SPENT: Duration = Duration::from_secs(900);
/// The credits that our dearest call takes: a write of 100 records (Zoho docs: API limits).
const DEAREST: i64 = 10;

/// A text inside a JSON value.
pub(super) fn text_at<'a>(json: &'a Json, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer)?.as_str()
}

/// Codes of a whole call that a person must see to: permissions, the edition, and the mapping's names of modules and fields.
const FOR_A_PERSON: &[&str] = &[
    "AUTHORIZATION_FAILED",
    "FEATURE_NOT_ENABLED",
    "FEATURE_NOT_SUPPORTED",
    "INVALID_DATA",
    "INVALID_MODULE",
    "INVALID_QUERY",
    "NO_PERMISSION",
    "NOT_SUPPORTED",
    "OAUTH_SCOPE_MISMATCH",
];

/// Codes of a whole call that we put wrongly.
const OUR_FAULT: &[&str] = &[
    "AMBIGUITY_DURING_PROCESSING",
    "EXPECTED_PARAM_MISSING",
    "INVALID_REQUEST_METHOD",
    "INVALID_URL_PATTERN",
    "LIMIT_EXCEEDED",
    "MANDATORY_NOT_FOUND",
    "REQUIRED_PARAM_MISSING",
    "SYNTAX_ERROR",
];

/// What an answer means for the call as a whole; `None` where it is good.
pub(super) fn of_call(answer: &Answer) -> Option<Error> {
    let code = text_at(&answer.body, "/code").unwrap_or("no code");
    let status = answer.status.as_u16();
    Some(match (status, code) {
        (200..=299 | 304, _) if text_at(&answer.body, "/status") != Some("error") => return None,
        (401 | 403, "OAUTH_SCOPE_MISMATCH") => for_a_person(answer, code),
        (401, _) | (_, "INVALID_TOKEN" | "AUTHENTICATION_FAILURE") => {
            Error::AuthExpired { reason: format!("Zoho says {code}") }
        }
        (429, _) | (_, "TOO_MANY_REQUESTS") => Error::RateLimited { after: wait(answer) },
        (408 | 423 | 500.., _) => Error::retryable(format!("Zoho answered {status} {code}")),
        // A page of a proxy's is nobody's permission.
        (403, _) if answer.body.is_object() => for_a_person(answer, code),
        _ if FOR_A_PERSON.contains(&code) => for_a_person(answer, code),
        _ if OUR_FAULT.contains(&code) => Error::bug(format!("Zoho answered {status} {code} {}", place(answer))),
        _ => Error::retryable(format!("Zoho answered {status} {code}")),
    })
}

/// As [`of_call`], for an answer that may be made of rows: with HTTP 400 too.
pub(super) fn of_rows(answer: &Answer) -> Option<Error> {
    let rows = answer.body.get("data").is_some_and(Json::is_array);
    if rows && matches!(answer.status.as_u16(), 200..=299 | 400) { None } else { of_call(answer) }
}

/// As [`of_call`], for a page: a place that Zoho no longer knows is no failure (see [`place_lost`]).
pub(super) fn of_page(answer: &Answer) -> Option<Error> {
    if place_lost(answer) { None } else { of_call(answer) }
}

/// As [`of_call`], for watch channels, whose rows are in `watch`.
pub(super) fn of_watch(answer: &Answer) -> Option<Error> {
    let rows =
        answer.body.get("watch").is_some_and(Json::is_array) && matches!(answer.status.as_u16(), 200..=299 | 400);
    let unknown = text_at(&answer.body, "/code") == Some("NOT_SUBSCRIBED");
    if rows || unknown { None } else { of_call(answer) }
}

/// Whether a page token ended: by age, by number of records, or because it is another user's
/// (Zoho docs: Get records, <https://www.zoho.com/crm/developer/docs/api/v8/get-records.html>).
pub(super) fn place_lost(answer: &Answer) -> bool {
    answer.status.as_u16() == 400
        && match text_at(&answer.body, "/code") {
            Some(
                "EXPIRED_VALUE"
                | "TOKEN_BOUND_DATA_MISMATCH"
                | "PAGINATION_LIMIT_EXCEEDED"
                | "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
            ) => true,
            Some("INVALID_DATA") => text_at(&answer.body, "/details/param_name") == Some("page_token"),
            _ => false,
        }
}

fn for_a_person(answer: &Answer, code: &str) -> Error {
    Error::Config { reason: format!("Zoho refuses the call: {code} {}", place(answer)).trim_end().to_owned() }
}

/// The name of the field, parameter or column that a refused call stumbled over. Never a value.
fn place(answer: &Answer) -> &str {
    let names = ["/details/api_name", "/details/param_name", "/details/column_name"];
    names.iter().find_map(|name| text_at(&answer.body, name)).unwrap_or_default()
}

/// Both causes have one text and no `Retry-After`; only the count of credits, shown once half are spent, tells them apart.
fn wait(answer: &Answer) -> Duration {
    let left = answer.headers.get("x-api-credits-remaining").and_then(|v| v.to_str().ok()?.trim().parse::<i64>().ok());
    if left.is_some_and(|left| left < DEAREST) { SPENT } else { CROWDED }
}

/// What became of each write, by its row in the answer.
pub(super) fn outcomes(answer: &Answer, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
    let rows = answer.body.get("data").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    if rows.len() != writes.len() {
        return Err(Error::retryable(format!("Zoho answered {} rows to {} writes", rows.len(), writes.len())));
    }
    rows.iter().zip(writes).map(|(row, write)| outcome(row, mapping, write)).collect()
}

/// One row's fate. What passes by itself fails the call: to repeat the others does no harm.
fn outcome(row: &Json, mapping: &Mapping, write: &Write) -> Result<Outcome> {
    let detail = row.pointer("/details/errors/0/details").or_else(|| row.get("details")).unwrap_or(&Json::Null);
    let code = text_at(row, "/details/errors/0/code").or_else(|| text_at(row, "/code")).unwrap_or("no code");
    let id = |pointer: &str| text_at(detail, pointer).and_then(|id| id.parse().ok());
    match (code, &write.remote) {
        ("SUCCESS", _) => {
            let remote = id("/id").ok_or_else(|| Error::retryable("Zoho wrote a record and did not say which"))?;
            let modified = text_at(detail, "/Modified_Time").and_then(|time| time.parse().ok());
            return Ok(Outcome::Written { remote, modified, seen: None });
        }
        // Only these say who somebody is. Any other field may be unique in this account, and its holder is a stranger.
        ("DUPLICATE_DATA", None) if is_identity(text_at(detail, "/api_name"), mapping) => {
            if let Some(remote) = id("/duplicate_record/id").or_else(|| id("/id")) {
                return Ok(Outcome::Exists { remote });
            }
        }
        ("INVALID_DATA", Some(remote)) if is_of_the_id(detail, remote.as_str()) => return Ok(Outcome::Missing),
        ("RECORD_NOT_FOUND" | "RESOURCE_NOT_FOUND" | "ID_ALREADY_DELETED", Some(_)) => return Ok(Outcome::Missing),
        ("INTERNAL_ERROR" | "DEPENDENT_SERVICE_ERROR" | "TOO_MANY_REQUESTS", _) => {
            return Err(Error::retryable(format!("Zoho answered {code} to a record")));
        }
        _ => {}
    }
    let message = [text_at(row, "/message"), text_at(detail, "/expected_data_type")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(": ");
    Ok(Outcome::Refused { code: code.to_owned(), field: text_at(detail, "/api_name").map(str::to_owned), message })
}

fn is_identity(field: Option<&str>, mapping: &Mapping) -> bool {
    field.is_some_and(|field| field == mapping.id_field || mapping.remote_of("email") == Some(field))
}

/// "The id given seems to be invalid": the record to update is not there (Zoho docs: Update records, possible errors,
/// <https://www.zoho.com/crm/developer/docs/api/v8/update-records.html>).
fn is_of_the_id(detail: &Json, remote: &str) -> bool {
    text_at(detail, "/api_name") == Some("id") || text_at(detail, "/id") == Some(remote)
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
