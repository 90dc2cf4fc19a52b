//! Error bodies: arrays of `{message, errorCode}` (Salesforce docs: REST API, status codes and error responses),
//! and the errors of rows, which say `statusCode` (REST API, sObject Collections).

use crate::wire::Reply;
use serde_json::{Value, json};

/// The daily requests of a Developer Edition.
pub const DAILY: u64 = 15_000;

pub fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!([{"message": message, "errorCode": code}]))
}

/// Over the limit is HTTP 403, and there is no `Retry-After`.
pub fn too_many() -> Reply {
    over(DAILY)
}

pub fn over(limit: u64) -> Reply {
    error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        .with("Sforce-Limit-Info", &format!("api-usage={limit}/{limit}"))
}

pub fn unknown_exception() -> Reply {
    error(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")
}

pub fn scope_missing() -> Reply {
    error(403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id")
}

pub fn not_found() -> Reply {
    error(404, "NOT_FOUND", "The requested resource does not exist")
}

pub fn session_expired() -> Reply {
    error(401, "INVALID_SESSION_ID", "Session expired or invalid").with("WWW-Authenticate", &"Token")
}

pub fn unreadable(message: &str) -> Reply {
    error(400, "JSON_PARSER_ERROR", message)
}

pub fn no_such_column(object: &str, name: &str) -> Reply {
    let hint = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. \
                Please reference your WSDL or the describe call for the appropriate names.";
    error(400, "INVALID_FIELD", &format!("No such column '{name}' on entity '{object}'. {hint}"))
}

pub fn no_such_key(name: &str) -> Reply {
    error(404, "NOT_FOUND", &format!("Provided external ID field does not exist or is not accessible: {name}"))
}

/// Why a record was not written: the whole answer of a single call, or one row's of many.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    pub fields: Vec<String>,
    /// What a duplicate rule found.
    pub duplicates: Option<Value>,
}

impl Refusal {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into(), fields: Vec::new(), duplicates: None }
    }

    pub fn of(code: &str, message: impl Into<String>, field: &str) -> Self {
        Self { fields: vec![field.to_owned()], ..Self::new(code, message) }
    }

    pub fn deleted() -> Self {
        Self { status: 404, ..Self::new("ENTITY_IS_DELETED", "entity is deleted") }
    }

    /// An id that leads to nothing: `NOT_FOUND` in an address, a bad reference in a row.
    pub fn missing() -> Self {
        Self { status: 404, ..Self::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id") }
    }

    pub fn row(&self) -> Value {
        json!({"statusCode": self.code, "message": self.message, "fields": self.fields})
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, message, fields, duplicates } = refusal;
        let body = match duplicates {
            // The key is spelled like this on the wire.
            Some(found) => json!([{"duplicateResut": found, "errorCode": code, "message": message}]),
            None => json!([{"message": message, "errorCode": code, "fields": fields}]),
        };
        Self::json(status, body)
    }
}
