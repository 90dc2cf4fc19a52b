//! Up to 25 calls in one that counts once (Salesforce docs: REST API, Composite Batch).

use super::{Desk, dispatch, errors};
use crate::wire::{Call, Payload, Reply};
use axum::body::Bytes;
use serde_json::{Value, json};

const PARTS: usize = 25;

pub fn run(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let parts = call.json().and_then(|body| body["batchRequests"].as_array());
    let parts = parts.ok_or_else(|| errors::unreadable("batchRequests: a list is expected"))?;
    if parts.len() > PARTS {
        let message = format!("The batch size must be between 1 and {PARTS}.");
        return Err(errors::error(400, "LIMIT_EXCEEDED", &message));
    }
    let halts = call.json().is_some_and(|body| body["haltOnError"] == true);
    let (mut results, mut failed) = (Vec::new(), false);
    for part in parts {
        let reply = match (halts && failed, part_of(call, part)) {
            (true, _) => errors::error(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request"),
            (_, Some(part)) => dispatch(desk, &part).unwrap_or_else(|refusal| refusal),
            (_, None) => errors::not_found(),
        };
        failed |= reply.status >= 400;
        let result = match reply.payload {
            Payload::Json(body) => body,
            Payload::Empty | Payload::Html(_) | Payload::Csv(_) => Value::Null,
        };
        results.push(json!({"statusCode": reply.status, "result": result}));
    }
    Ok(Reply::json(200, json!({"hasErrors": failed, "results": results})))
}

/// The call that a part stands for. A batch in a batch is none.
fn part_of(call: &Call, part: &Value) -> Option<Call> {
    let url = part["url"].as_str()?.trim_start_matches('/');
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let path = format!("services/data/{}", path.strip_prefix("services/data/").unwrap_or(path));
    if path.contains("/composite/batch") {
        return None;
    }
    Some(Call {
        method: part["method"].as_str()?.parse().ok()?,
        segments: Call::split(&path),
        path: format!("/{path}"),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: call.headers.clone(),
        body: Bytes::new(),
        json: Some(part["richInput"].clone()).filter(|body| !body.is_null()),
        base: call.base.clone(),
    })
}
