//! Error bodies: arrays of `{message, errorCode}` (Salesforce docs: REST API, status codes and error responses).

use crate::wire::Reply;
use serde_json::json;

pub fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!([{"message": message, "errorCode": code}]))
}

/// Over the limit is HTTP 403, and there is no `Retry-After`.
pub fn too_many() -> Reply {
    error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
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
