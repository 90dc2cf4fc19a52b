//! Zoho's errors: a bare object for a call, an element of `data` for a row (Zoho docs: status codes).

use crate::wire::Reply;
use serde_json::{Value, json};

/// `{"code","details","message","status":"error"}`, which stands alone or in a row's place.
pub fn object(code: &str, message: &str, details: Value) -> Value {
    let mut error = json!({"code": code, "message": message, "status": "error"});
    error["details"] = details;
    error
}

pub fn refused(status: u16, code: &str, message: &str, details: Value) -> Reply {
    Reply::json(status, object(code, message, details))
}

pub fn invalid_token() -> Reply {
    refused(401, "INVALID_TOKEN", "invalid oauth token", json!({}))
}

/// Credits and concurrency alike; no `Retry-After`.
pub fn too_many() -> Reply {
    refused(429, "TOO_MANY_REQUESTS", "You crossed the maximum API limit. Please try again later.", json!({}))
}

pub fn no_such_url() -> Reply {
    refused(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one", json!({}))
}

pub fn invalid_module() -> Reply {
    refused(400, "INVALID_MODULE", "the module name given seems to be invalid", json!({"resource_path_index": 0}))
}

pub fn missing_param(name: &str) -> Reply {
    refused(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", json!({"param_name": name}))
}

pub fn invalid_param(name: &str) -> Reply {
    refused(400, "INVALID_DATA", "invalid data", json!({"param_name": name}))
}

pub fn unreadable() -> Reply {
    refused(400, "INVALID_DATA", "body", json!({"expected_data_type": "jsonobject"}))
}

/// A row whose field is wrong.
pub fn field(code: &str, message: &str, name: &str, row: usize, more: Value) -> Value {
    let mut details = json!({"api_name": name, "json_path": format!("$.data[{row}].{name}")});
    extend(&mut details, more);
    object(code, message, details)
}

/// Adds the members of one object to another.
pub fn extend(object: &mut Value, more: Value) {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
}
