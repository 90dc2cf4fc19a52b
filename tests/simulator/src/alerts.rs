//! Where people are told of exceptions: no CRMs, but what a channel's vendor would check of a message, this checks.
//!
//! * `/slack/services/…`: Slack docs, sending messages using incoming webhooks
//! * `/telegram/bot<token>/sendMessage`: Telegram Bot API
//! * `/pagerduty/v2/enqueue`: PagerDuty docs, Events API v2
//! * `/hook/…`: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
//!
//! `GET /_sim/alerts` shows what each has taken; `POST /_sim/alerts` says how the next calls are answered: `[{"status": 429, "retry_after": 7}]`.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::{Arc, Mutex, PoisonError};

/// The only Slack webhook, bot, routing key and webhook secret that there are.
pub const SLACK: &str = "T000/B000/of-the-simulator";
pub const BOT: &str = "110201543:of-the-simulator";
pub const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";
pub const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The longest summary, and name of an incident, that PagerDuty takes; the longest text that Telegram does.
const SUMMARY: usize = 1_024;
const DEDUP_KEY: usize = 255;
const TEXT: usize = 4_096;

#[derive(Debug, Default)]
struct Taken {
    taken: Vec<Value>,
    next: Vec<Next>,
}

/// How a call is answered, whatever it says.
#[derive(Clone, Debug, Deserialize)]
struct Next {
    status: u16,
    retry_after: Option<u64>,
}

type Kept = State<Arc<Mutex<Taken>>>;
type Answer = (StatusCode, HeaderMap, String);
/// Why a message is not taken, as its vendor says it.
type Refused = (u16, String);

pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/slack/services/{*webhook}", post(slack))
        .route("/telegram/{bot}/sendMessage", post(telegram))
        .route("/pagerduty/v2/enqueue", post(pagerduty))
        .route("/hook/{*path}", post(hook))
        .route("/_sim/alerts", get(taken).post(answer_so))
        .with_state(Arc::<Mutex<Taken>>::default())
}

fn on<T>(State(kept): &Kept, work: impl FnOnce(&mut Taken) -> T) -> T {
    work(&mut kept.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn taken(kept: Kept) -> String {
    on(&kept, |kept| json!(kept.taken).to_string())
}

async fn answer_so(kept: Kept, body: Bytes) -> Answer {
    match serde_json::from_slice::<Vec<Next>>(&body) {
        Ok(next) => {
            on(&kept, |kept| kept.next = next);
            said(200, "{}")
        }
        Err(error) => said(400, &error.to_string()),
    }
}

fn said(status: u16, body: &str) -> Answer {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), HeaderMap::new(), body.to_owned())
}

/// Takes what is right, unless it was said how this call is answered.
fn take(kept: &Kept, channel: &str, checked: Result<Value, Refused>, well: Answer) -> Answer {
    on(kept, |kept| {
        if !kept.next.is_empty() {
            let Next { status, retry_after } = kept.next.remove(0);
            let mut answer = said(status, "{}");
            answer.1.extend(retry_after.map(|after| (http::header::RETRY_AFTER, after.into())));
            return answer;
        }
        match checked {
            Ok(message) => {
                kept.taken.push(json!({"channel": channel, "message": message}));
                well
            }
            Err((status, why)) => said(status, &why),
        }
    })
}

fn read(body: &Bytes, refused: Refused) -> Result<Value, Refused> {
    serde_json::from_slice::<Value>(body).map_err(|_| refused)
}

async fn slack(kept: Kept, Path(webhook): Path<String>, body: Bytes) -> Answer {
    let checked = read(&body, (400, "invalid_payload".to_owned())).and_then(|message| match message["text"].as_str() {
        _ if webhook != SLACK => Err((404, "no_service".to_owned())),
        Some(text) if !text.is_empty() => Ok(message),
        _ => Err((400, "no_text".to_owned())),
    });
    take(&kept, "slack", checked, said(200, "ok"))
}

async fn telegram(kept: Kept, Path(bot): Path<String>, body: Bytes) -> Answer {
    let refused =
        |status, why: &str| (status, json!({"ok": false, "error_code": status, "description": why}).to_string());
    let checked = read(&body, refused(400, "Bad Request: can't parse JSON")).and_then(|message| {
        let fits = message["text"].as_str().is_some_and(|text| (1..=TEXT).contains(&text.chars().count()));
        match message["chat_id"].as_str() {
            _ if bot.strip_prefix("bot") != Some(BOT) => Err(refused(401, "Unauthorized")),
            Some(chat) if chat.starts_with(['-', '@']) && fits => Ok(message),
            _ => Err(refused(400, "Bad Request: chat not found")),
        }
    });
    take(&kept, "telegram", checked, said(200, r#"{"ok":true,"result":{}}"#))
}

async fn pagerduty(kept: Kept, body: Bytes) -> Answer {
    let refused = |why: &str| {
        (400, json!({"status": "invalid event", "message": "Event object is invalid", "errors": [why]}).to_string())
    };
    let checked = read(&body, refused("no JSON")).and_then(|event| {
        let text = |at: &Value| at.as_str().unwrap_or_default().to_owned();
        let (key, action, payload) = (text(&event["dedup_key"]), text(&event["event_action"]), &event["payload"]);
        let known = ["critical", "error", "warning", "info"].contains(&text(&payload["severity"]).as_str());
        let whole =
            known && (1..=SUMMARY).contains(&text(&payload["summary"]).len()) && !text(&payload["source"]).is_empty();
        match action.as_str() {
            _ if event["routing_key"] != ROUTING_KEY => Err(refused("routing_key is invalid")),
            _ if key.len() > DEDUP_KEY => Err(refused("dedup_key is too long")),
            "trigger" if whole => Ok(event),
            "acknowledge" | "resolve" if !key.is_empty() => Ok(event),
            _ => Err(refused("the event lacks what its action needs")),
        }
    });
    take(&kept, "pagerduty", checked, said(202, r#"{"status":"success","message":"Event processed"}"#))
}

async fn hook(kept: Kept, headers: HeaderMap, body: Bytes) -> Answer {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let proves = |one: &str| {
        let proof = one.strip_prefix("v1,").and_then(|proof| BASE64.decode(proof).ok());
        let key = SIGNING.strip_prefix("whsec_").and_then(|key| BASE64.decode(key).ok()).unwrap_or_default();
        let mac = Hmac::<Sha256>::new_from_slice(&key)
            .ok()
            .map(|mac| mac.chain_update(format!("{id}.{at}.")).chain_update(&body));
        proof.zip(mac).is_some_and(|(proof, mac)| mac.verify_slice(&proof).is_ok())
    };
    let proved = header("webhook-signature").split(' ').any(proves);
    let checked = read(&body, (400, "no JSON".to_owned())).and_then(|message| match message["type"].is_string() {
        true if proved && !id.is_empty() && at.parse::<i64>().is_ok() => Ok(json!({"id": id, "body": message})),
        _ => Err((401, "not proved".to_owned())),
    });
    take(&kept, "webhook", checked, said(204, ""))
}
