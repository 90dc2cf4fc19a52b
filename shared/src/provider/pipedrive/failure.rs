//! Pipedrive's answers that are no success. Few bodies are documented: the status decides.

use crate::{
    error::Error,
    provider::{Outcome, session::Answer},
};
use serde_json::Value as Json;
use std::time::Duration;

/// The burst limit counts two seconds (Pipedrive docs: Rate limiting).
const BURST: Duration = Duration::from_secs(2);
/// The day's tokens of the company are spent, until midnight somewhere.
const SPENT: Duration = Duration::from_secs(900);
/// Who goes on calling is blocked by the proxy in front of Pipedrive, with a page of HTML.
const BLOCKED: Duration = Duration::from_secs(60);

/// What an answer means for the call as a whole; `None` where it is good.
pub(super) fn of_call(answer: &Answer) -> Option<Error> {
    let status = answer.status.as_u16();
    let told = || format!("Pipedrive answered {status}");
    Some(match status {
        200..=299 => return None,
        401 => Error::AuthExpired { reason: told() },
        402 => Error::Config { reason: format!("{}: the company's account is not open", told()) },
        403 if !answer.body.is_object() => Error::RateLimited { after: BLOCKED },
        403 => Error::Config { reason: format!("{}: our app lacks a scope or the user a permission", told()) },
        429 => Error::RateLimited { after: wait(answer) },
        408 | 423 | 500.. => Error::retryable(told()),
        _ => Error::Config { reason: told() },
    })
}

/// As [`of_call`], for one record, which may be refused or not there.
pub(super) fn of_record(answer: &Answer) -> Option<Error> {
    let text = answer.body.get("error").and_then(Json::as_str).unwrap_or_default();
    let of_it = match answer.status.as_u16() {
        400 | 404 | 410 | 422 => true,
        // A person that our user may not change. Without a scope nobody may be changed.
        403 => !text.to_lowercase().contains("scope"),
        _ => false,
    };
    if of_it && answer.body.is_object() { None } else { of_call(answer) }
}

/// As [`of_call`], for a search, whose limit of ten in two seconds is its own and shows in no header.
pub(super) fn of_search(answer: &Answer) -> Option<Error> {
    if answer.status.as_u16() == 429 { Some(Error::RateLimited { after: BURST }) } else { of_call(answer) }
}

/// Which of the limits it was is not said. While calls of the window are left it can only be the day's.
fn wait(answer: &Answer) -> Duration {
    let number = |name: &str| answer.headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    match (number("x-ratelimit-remaining"), number("x-ratelimit-reset")) {
        (Some(left), _) if left > 0 => SPENT,
        (_, Some(seconds @ 1..=60)) => Duration::from_secs(seconds),
        _ => BURST,
    }
}

/// Why one record is not written.
pub(super) fn outcome(answer: &Answer, updates: bool) -> Outcome {
    let status = answer.status.as_u16();
    if updates && matches!(status, 404 | 410) {
        return Outcome::Missing;
    }
    let message = answer.body.get("error").and_then(Json::as_str).unwrap_or_default().to_owned();
    Outcome::Refused { code: format!("HTTP_{status}"), field: None, message }
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
