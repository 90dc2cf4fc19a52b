//! Error bodies. The vendor documents few of them (Pipedrive docs: HTTP status codes); a client reads the status.

use crate::wire::Reply;
use serde_json::json;

const HELP: &str = "Please check developers.pipedrive.com for more information about Pipedrive API.";

pub fn bad(message: &str) -> Reply {
    let body = json!({"success": false, "error": message, "error_info": HELP, "data": null, "additional_data": null});
    Reply::json(400, body)
}

/// A webhook's errors are lists by field (Pipedrive API v1: add a webhook).
pub fn bad_webhook(field: &str, message: &str) -> Reply {
    Reply::json(400, json!({"status": "error", "success": false, "errors": {(field): [message]}}))
}

pub fn unauthorised() -> Reply {
    Reply::json(401, json!({"success": false, "error": "unauthorized access", "errorCode": 401}))
}

pub fn too_many() -> Reply {
    Reply::json(429, json!({"success": false, "error": "request over limit"}))
}

/// What becomes of those who go on through 429s with an API token (Pipedrive docs: rate limiting).
pub fn blocked() -> Reply {
    let page = "<html><head><title>Attention Required! | Cloudflare</title></head><body>This error is produced by Cloudflare. See troubleshooting guide here.</body></html>";
    Reply::html(403, page)
}

pub fn internal() -> Reply {
    Reply::json(500, json!({"success": false, "error": "internal error", "errorCode": 500}))
}

pub fn scope_missing() -> Reply {
    let body = json!({"success": false, "error": "Scope and URL mismatch", "errorCode": 403, "error_info": HELP});
    Reply::json(403, body)
}

pub fn not_found() -> Reply {
    missing("Entity was not found")
}

pub fn no_such_lead() -> Reply {
    missing("requested lead not found")
}

pub fn no_such_webhook() -> Reply {
    Reply::json(404, json!({"status": "error", "success": false, "errors": {"id": ["not found"]}}))
}

pub fn no_such_url() -> Reply {
    Reply::json(404, json!({"success": false, "error": "Unknown method .", "error_info": HELP}))
}

fn missing(error: &str) -> Reply {
    let body = json!({"success": false, "error": error, "error_info": "Object was not found.", "data": null, "additional_data": null});
    Reply::json(404, body)
}
