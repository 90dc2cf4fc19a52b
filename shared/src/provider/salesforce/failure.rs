//! Salesforce's answers that are no success.
//!
//! A call that fails answers an array of `{message, errorCode, fields}`; a row of a collection that fails has `errors` of
//! `{message, statusCode, fields}` instead, in an answer of HTTP 200 (Salesforce docs: REST API, Status Codes and Error
//! Responses; sObject Collections).

use super::records::{is_id, text_at, whole};
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

/// Too many long calls at once: soon over.
const CROWDED: Duration = Duration::from_secs(5);
/// The rolling day's calls of the whole org are spent; they come back little by little.
const SPENT: Duration = Duration::from_secs(900);

/// Codes of a whole call that we put wrongly.
const OUR_FAULT: &[&str] =
    &["JSON_PARSER_ERROR", "MALFORMED_QUERY", "METHOD_NOT_ALLOWED", "NUMBER_OUTSIDE_VALID_RANGE"];
/// Codes that pass by themselves, of a call and of a row alike.
const PASSING: &[&str] = &[
    "QUERY_TIMEOUT",
    "REQUEST_RUNNING_TOO_LONG",
    "SERVER_UNAVAILABLE",
    "TXN_SECURITY_METERING_ERROR",
    "UNABLE_TO_LOCK_ROW",
    "UNKNOWN_EXCEPTION",
];
/// Codes of a row that is not to be updated because it is not there, or is a contact by now.
const MOVED: &[&str] =
    &["CANNOT_UPDATE_CONVERTED_LEAD", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "NOT_FOUND"];

/// What an answer means for the call as a whole; `None` where it is good.
pub(super) fn of_call(answer: &Answer) -> Option<Error> {
    let status = answer.status.as_u16();
    let code = text_at(&answer.body, "/0/errorCode").unwrap_or("no code");
    let text = text_at(&answer.body, "/0/message").unwrap_or_default();
    let told = format!("Salesforce answered {status} {code}");
    Some(match (status, code) {
        (200..=299, _) => return None,
        (401, _) | (_, "INVALID_SESSION_ID") => Error::AuthExpired { reason: told },
        // Both are HTTP 403, there is no `Retry-After`, and only the text tells the one from the other
        // (Salesforce docs: API Request Limits and Allocations).
        (403, "REQUEST_LIMIT_EXCEEDED") => {
            Error::RateLimited { after: if text.contains("ConcurrentRequests") { CROWDED } else { SPENT } }
        }
        (429, _) => Error::RateLimited { after: CROWDED },
        (408 | 420 | 500.., _) => Error::retryable(told),
        _ if PASSING.contains(&code) => Error::retryable(told),
        (414 | 431, _) => Error::bug(told),
        _ if OUR_FAULT.contains(&code) => Error::bug(told),
        // A page of a proxy's is nobody's permission.
        (403, _) if !answer.body.is_array() => Error::retryable(told),
        _ => Error::Config { reason: format!("{told} {}", column(text).unwrap_or_default()).trim_end().to_owned() },
    })
}

/// The name of the field that a refusal stumbled over: `No such column 'X' on …`. Never a value.
fn column(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("No such column '")?;
    rest.split_once('\'').map(|(name, _)| name)
}

/// What became of each write, by its row in the answer: rows come in the order of the request.
pub(super) fn outcomes(answer: &Answer, mapping: &Mapping, writes: &[&Write]) -> Result<Vec<Outcome>> {
    let rows = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.len() != writes.len() {
        return Err(Error::retryable(format!("Salesforce answered {} rows to {} writes", rows.len(), writes.len())));
    }
    rows.iter().zip(writes).map(|(row, write)| outcome(row, mapping, write)).collect()
}

fn outcome(row: &Json, mapping: &Mapping, write: &Write) -> Result<Outcome> {
    if row.get("success").and_then(Json::as_bool) == Some(true) {
        let remote = text_at(row, "/id").and_then(|id| id.parse().ok()).or_else(|| write.remote.clone());
        let remote = remote.ok_or_else(|| Error::retryable("Salesforce wrote a record and did not say which"))?;
        return Ok(Outcome::Written { remote, modified: None, seen: None });
    }
    let error = row.pointer("/errors/0").unwrap_or(&Json::Null);
    let code = text_at(error, "/statusCode").or_else(|| text_at(error, "/errorCode")).unwrap_or("no code");
    let message = text_at(error, "/message").unwrap_or_default();
    let field = text_at(error, "/fields/0").map(str::to_owned);
    if PASSING.contains(&code) || code == "REQUEST_LIMIT_EXCEEDED" {
        return Ok(Outcome::Later);
    }
    // The same codes are said of a lookup whose value leads nowhere: then a field is blamed.
    let of_itself = field.as_ref().is_none_or(|field| field.eq_ignore_ascii_case("Id"));
    if write.remote.is_some() && MOVED.contains(&code) && of_itself {
        return Ok(Outcome::Missing);
    }
    // Two made it at once. Only our own field says who somebody is: the holder of any other value is a stranger.
    if let ("DUPLICATE_VALUE", Some(remote)) = (code, holder(message).filter(|_| message.contains(&mapping.id_field))) {
        return Ok(Outcome::Exists { remote });
    }
    Ok(Outcome::Refused {
        code: code.to_owned(),
        field: field.or_else(|| column(message).map(str::to_owned)),
        message: message.to_owned(),
    })
}

/// What became of a row that puts somebody into a campaign or takes them out, where it did not do that; `None` also where that was
/// so already.
pub(super) fn of_member(row: &Json, field: &str) -> Option<Outcome> {
    let error = row.pointer("/errors/0").filter(|_| row.get("success").and_then(Json::as_bool) != Some(true))?;
    let code = text_at(error, "/statusCode").unwrap_or("no code");
    match code {
        "DUPLICATE_VALUE" => None,
        _ if MOVED.contains(&code) => None,
        _ if PASSING.contains(&code) => Some(Outcome::Later),
        _ => {
            let (code, message) = (code.to_owned(), text_at(error, "/message").unwrap_or_default().to_owned());
            Some(Outcome::Refused { code, field: Some(field.to_owned()), message })
        }
    }
}

/// `duplicate value found: CRM_Sync_Id__c duplicates value on record with id: 003…`
fn holder(message: &str) -> Option<crate::id::RemoteId> {
    let id = message.rsplit_once("record with id:")?.1.trim();
    is_id(id).then(|| whole(id).parse().ok()).flatten()
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
