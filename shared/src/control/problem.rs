//! What went wrong, as programs and people read it (RFC 9457).

use crate::{error::Error, telemetry::chain};
use schemars::JsonSchema;
use serde::Serialize;

/// What went wrong with a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub kind: &'static Kind,
    /// What is wrong here.
    pub detail: String,
    /// Each thing that is wrong, with its place, where there are several.
    pub faults: Vec<String>,
    /// Seconds after which it may go through.
    pub after: Option<u64>,
    /// What lies beneath it: for the log alone.
    pub because: Option<String>,
}

/// A problem as it is answered, `application/problem+json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Answered<'p> {
    /// `urn:crm-sync:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    /// Stable: it never changes its meaning.
    code: &'static str,
    /// What is wrong here.
    detail: &'p str,
    /// What to do about it.
    remedy: &'static str,
    /// Each thing that is wrong, with its place, where there are several.
    faults: &'p [String],
    /// By which the logs tell of this call.
    trace: &'p str,
}

/// One kind of problem.
#[derive(Debug, PartialEq)]
pub struct Kind {
    pub code: &'static str,
    pub status: u16,
    pub title: &'static str,
    pub remedy: &'static str,
}

macro_rules! kinds {
    ($($name:ident $code:literal $status:literal $title:literal $remedy:literal;)+) => {
        $(pub const $name: &Kind = &Kind { code: $code, status: $status, title: $title, remedy: $remedy };)+
        /// All that there are.
        pub const KINDS: &[&Kind] = &[$($name),+];
    };
}

kinds! {
    UNPROVED "unproved" 401 "Nobody is proved" "Send the token of the configured issuer as `Authorization: Bearer …`; its claims name one tenant and a role.";
    ROLE "role_too_low" 403 "Not for this role" "Ask an admin of your tenant to do it, or for a role that may.";
    PLATFORM "platform_only" 403 "For those who run the stack" "Ask whoever runs the stack.";
    NOT_FOUND "not_found" 404 "There is no such thing" "Look at the id, and at whose it is: what is another tenant's is not shown.";
    NO_ROUTE "no_route" 404 "There is no such route" "GET /v1/openapi.json lists all that there are.";
    METHOD "method_not_allowed" 405 "Not by this method" "GET /v1/openapi.json lists what each path takes.";
    UNREADABLE "unreadable" 400 "The request cannot be read" "Send what GET /v1/openapi.json describes for this route.";
    CURSOR "bad_cursor" 400 "No cursor of ours" "Use `next` of the page before, as it is, or begin without.";
    UNFIT "unfit" 422 "It cannot be had" "Correct what is wrong and send it again; nothing was changed.";
    CONFLICT "conflict" 409 "It does not go with how things stand" "Look at what there is now, then decide again.";
    CHANGED "changed_meanwhile" 412 "Somebody changed it meanwhile" "Read it again, and send your change with its new ETag.";
    UNCONDITIONAL "if_match_missing" 428 "It says not what it changes" "Send the ETag of what you have read as `If-Match`.";
    PERSON "needs_a_person" 422 "Something must be set up first" "Do what the detail says; nothing was changed.";
    REAUTH "needs_reauth" 409 "The CRM no longer lets us in" "Make a link (POST …/links) under the same name, and connect the account again.";
    BUSY "crm_busy" 503 "The CRM asks us to wait" "Try again after the seconds that `Retry-After` names.";
    LATER "try_again" 503 "It did not go through this time" "Try again in a moment.";
    BUG "broken" 500 "A broken assumption of ours" "Report it with its `trace`.";
}

impl Problem {
    pub fn new(kind: &'static Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), faults: Vec::new(), after: None, because: None }
    }

    /// As it is answered to the call of this trace.
    pub fn answered<'p>(&'p self, trace: &'p str) -> Answered<'p> {
        let Problem { kind: Kind { code, status, title, remedy }, detail, faults, .. } = self;
        let kind = format!("urn:crm-sync:problem:{code}");
        Answered { kind, title, status: *status, code, detail, remedy, faults, trace }
    }

    /// Several things that are wrong at once.
    pub fn faults(faults: Vec<String>) -> Problem {
        let detail = match faults.as_slice() {
            [one] => one.clone(),
            several => format!("{} things are wrong", several.len()),
        };
        Problem { faults, ..Problem::new(UNFIT, detail) }
    }

    /// There is no such thing; what was asked for is not repeated.
    pub fn not_found(what: &str) -> Problem {
        Problem::new(NOT_FOUND, format!("there is no such {what}"))
    }
}

impl From<Error> for Problem {
    /// What a caller is told of a failure; the whole chain is for the log.
    fn from(error: Error) -> Problem {
        let because = Some(chain(&error));
        let problem = match error {
            Error::RateLimited { after } => {
                let after = after.as_secs().max(1);
                Problem { after: Some(after), ..Problem::new(BUSY, format!("it is free again in {after} s")) }
            }
            Error::Retryable { .. } => Problem { after: Some(1), ..Problem::new(LATER, "something was out of reach") },
            Error::AuthExpired { .. } => Problem::new(REAUTH, "the CRM does not accept the connection's credentials"),
            Error::Config { reason } => Problem::new(PERSON, reason),
            Error::Bug { .. } => Problem::new(BUG, "this call ended where it should not"),
        };
        Problem { because, ..problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_tell_problems_apart() {
        let codes: BTreeSet<&str> = KINDS.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), KINDS.len());
        assert!(KINDS.iter().all(|kind| kind.remedy.len() > 20 && kind.status >= 400));
    }

    #[test]
    fn what_lies_beneath_a_failure_is_not_told() {
        let error = Error::bug("a row of ada@example.com").because("secret");
        let problem = Problem::from(error);
        let told = serde_json::to_string(&problem.answered("trace")).unwrap();
        assert!(!told.contains("ada@") && !told.contains("secret") && told.contains("\"broken\""), "{told}");
    }
}
