//! HubSpot's error bodies. The status decides first, the body second.

use crate::{
    error::Error,
    id::RemoteId,
    provider::{Outcome, session::Answer},
};
use serde_json::Value as Json;
use std::time::Duration;

/// For calls whose rows can be refused: those statuses are left to [`Refusal`].
pub(super) fn of_rows(answer: &Answer) -> Option<Error> {
    let status = answer.status.as_u16();
    match status {
        200..=299 | 400 | 404 | 409 => None,
        // "401 is not a valid indicator that a new access token must be retrieved" (HubSpot docs: usage details): a refresh
        // is tried all the same, because nothing else can help.
        401 => Some(Error::AuthExpired { reason: told(answer) }),
        // What is no JSON came from a proxy in front of HubSpot.
        403 if answer.body.is_object() => Some(Error::Config { reason: told(answer) }),
        // Bulk writes lock records: wait two seconds or more (HubSpot docs: error handling).
        423 => Some(Error::Retryable {
            what: told(answer),
            after: Some(retry_after(answer).unwrap_or(Duration::from_secs(2))),
            source: None,
        }),
        429 => Some(limited(answer)),
        // "Migration in Progress", for up to a day: the whole account waits (HubSpot docs: error handling).
        477 => Some(Error::RateLimited { after: retry_after(answer).unwrap_or(Duration::from_secs(60)) }),
        400..=499 if ![403, 408, 425].contains(&status) => Some(Error::Config { reason: told(answer) }),
        _ => Some(Error::Retryable { what: told(answer), after: retry_after(answer), source: None }),
    }
}

/// For calls that are good or bad as a whole.
pub(super) fn of_call(answer: &Answer) -> Option<Error> {
    let refused = || (!answer.status.is_success()).then(|| Error::Config { reason: told(answer) });
    of_rows(answer).or_else(refused)
}

/// A single record may not be there.
pub(super) fn of_record(answer: &Answer) -> Option<Error> {
    if answer.status.as_u16() == 404 { None } else { of_call(answer) }
}

/// Until the limit's window has passed: 10 s for the burst, 1 s for search, and of the day's nobody knows when
/// midnight is there (HubSpot docs: usage guidelines). `Retry-After` is not documented, but believed.
pub(super) fn limited(answer: &Answer) -> Error {
    let window = match answer.body.get("policyName").and_then(Json::as_str).unwrap_or_default() {
        "SECONDLY" => 1,
        "DAILY" => 3600,
        _ => 10,
    };
    Error::RateLimited { after: retry_after(answer).unwrap_or(Duration::from_secs(window)) }
}

pub(super) fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds: u64 = answer.headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(86_400)))
}

/// What HubSpot says, without what may hold personal data: never its `message`.
pub(super) fn told(answer: &Answer) -> String {
    let mut told = format!("HubSpot answered {}", answer.status.as_u16());
    let body = &answer.body;
    let scopes = body.pointer("/errors/0/context/requiredGranularScopes").and_then(Json::as_array);
    let said =
        [body.get("category"), body.get("subCategory"), body.get("correlationId"), body.pointer("/errors/0/code")];
    for word in said.into_iter().flatten().chain(scopes.into_iter().flatten()).filter_map(Json::as_str) {
        told.push(' ');
        told.push_str(word);
    }
    told
}

/// Why HubSpot will not take a row: from the body of a refused call, or from an entry of a 207's `errors`.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) field: Option<String>,
    pub(super) message: String,
    /// Who has the value already.
    holder: Option<RemoteId>,
    missing: bool,
}

impl Refusal {
    /// All fields of an error are optional (HubSpot docs: error handling).
    pub(super) fn of(body: &Json) -> Refusal {
        let text = |json: &Json, at: &str| json.pointer(at).and_then(Json::as_str).map(str::to_owned);
        let message = text(body, "/message").unwrap_or_default();
        let category = text(body, "/category").unwrap_or_else(|| "REFUSED".to_owned());
        let listed = listed(&message);
        let code = listed.as_ref().and_then(|l| text(l, "/error")).or_else(|| text(body, "/errors/0/code"));
        let field =
            listed.as_ref().and_then(|l| text(l, "/name")).or_else(|| text(body, "/errors/0/context/propertyName/0"));
        let detail = listed.as_ref().and_then(|l| text(l, "/message")).or_else(|| text(body, "/errors/0/message"));
        Refusal {
            holder: holder(&message),
            missing: category == "OBJECT_NOT_FOUND",
            code: code.unwrap_or(category),
            field,
            message: detail.unwrap_or(message),
        }
    }

    /// Of a whole call.
    pub(super) fn of_answer(answer: &Answer) -> Refusal {
        let refusal = Refusal::of(&answer.body);
        Refusal { missing: refusal.missing || answer.status.as_u16() == 404, ..refusal }
    }

    /// Whether it is about the unique property itself, which then is missing or not unique: no row's fault.
    pub(super) fn blames_account(&self, id_field: &str) -> bool {
        let says = |word: &str| self.message.contains(word);
        let unlisted = || says(id_field) && (says("unique") || says("exist"));
        self.field.as_deref().map_or_else(unlisted, |field| field == id_field)
            && self.code != TAKEN
            && self.holder.is_none()
    }

    pub(super) fn created(self, id_field: &str) -> Outcome {
        let ours = self.field.as_deref().is_none_or(|field| field == id_field || field == "email");
        match self.holder {
            Some(remote) if ours => Outcome::Exists { remote },
            _ => Outcome::Refused { code: self.code, field: self.field, message: self.message },
        }
    }

    /// A value that another record has is no reason to write to that one.
    pub(super) fn updated(self) -> Outcome {
        match (self.missing, &self.holder, self.field) {
            (true, ..) => Outcome::Missing,
            (false, Some(_), None) => {
                Outcome::Refused { code: self.code, field: Some("email".to_owned()), message: self.message }
            }
            (false, _, field) => Outcome::Refused { code: self.code, field, message: self.message },
        }
    }

    /// Whether every row with this field would be refused alike, whatever its value is.
    pub(super) fn of_property(&self) -> bool {
        ["PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"].contains(&self.code.as_str())
    }

    /// Whether the same value in another row is refused too.
    pub(super) fn of_value(&self) -> bool {
        self.code.starts_with("INVALID_")
    }
}

/// A unique property's value that another record has.
const TAKEN: &str = "CONFLICTING_UNIQUE_VALUE";

/// `Property values were not valid: [{…}]`: a list of JSON objects inside the text (HubSpot docs: error handling).
fn listed(message: &str) -> Option<Json> {
    let (_, list) = message.split_once("not valid: ")?;
    let list: Json = serde_json::from_str(list.trim()).ok()?;
    list.get(0).cloned()
}

/// `Contact already exists. Existing ID: 12345`, or `12345 already has that value`: observed, not documented.
fn holder(message: &str) -> Option<RemoteId> {
    let after = message
        .split_once("Existing ID: ")
        .map(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    let before = || {
        message
            .split_once(" already has that value")
            .and_then(|(rest, _)| rest.rsplit(|c: char| !c.is_ascii_digit()).next())
    };
    after.or_else(before).filter(|id| super::records::is_id(id) && *id != "0")?.parse().ok()
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
