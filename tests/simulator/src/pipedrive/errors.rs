//! Error bodies.

use crate::wire::Reply;
use serde_json::json;

pub fn too_many() -> Reply {
    Reply::json(429, json!({"success": false, "error": "request over limit"}))
}

pub fn internal() -> Reply {
    Reply::json(500, json!({"success": false, "error": "internal error", "errorCode": 500}))
}

pub fn scope_missing() -> Reply {
    Reply::json(403, json!({"success": false, "error": "Scope and URL mismatch", "errorCode": 403}))
}

pub fn not_found() -> Reply {
    let body = json!({"success": false, "error": "Entity was not found", "error_info": "Object was not found.", "data": null, "additional_data": null});
    Reply::json(404, body)
}
