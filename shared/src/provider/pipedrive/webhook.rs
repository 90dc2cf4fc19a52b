//! Deliveries, proved by HTTP Basic, and the subscription itself (Pipedrive docs: Guide for Webhooks v2).

use super::{failure, person};
use crate::{
    change::{Hinted, Tells},
    connection::Watch,
    error::{Error, Result},
    provider::{
        Delivery, Forged, Hint, Secret, Unreadable, Verified, WatchWish,
        schema::is_code,
        session::{Request, Session},
        signature::proved,
    },
    record::Value,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value as Json, json};

/// The user's name in HTTP Basic; the password is the connection's own.
const USER: &str = "crm-sync";

fn basic(password: &str) -> Vec<u8> {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{password}"))).into_bytes()
}

pub(super) fn verify<'d>(delivery: &'d Delivery, secrets: &[Secret]) -> Result<Verified<'d>, Forged> {
    let Some(sent) = delivery.header("authorization") else { return Err(Forged::Missing) };
    let in_force = secrets.iter().map(Secret::reveal).filter(|secret| !secret.is_empty());
    let expected: Vec<Vec<u8>> = in_force.map(basic).collect();
    proved(delivery, sent, &expected)
}

/// The person of a delivery, in version 2 or 1. What is about anything else says nothing.
pub(super) fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
    let body: Json = serde_json::from_slice(delivery.body()).map_err(|_| Unreadable("a delivery that is no JSON"))?;
    let meta = body.get("meta").ok_or(Unreadable("a delivery without meta"))?;
    let text = |name: &str| meta.get(name).and_then(Json::as_str);
    if text("entity").or(text("object")) != Some("person") {
        return Ok(Vec::new());
    }
    let remote =
        meta.get("entity_id").or(meta.get("id")).and_then(person::id).ok_or(Unreadable("no id of a person"))?;
    let account = meta.get("company_id").and_then(person::id).and_then(|id| id.as_str().parse().ok());
    let merged = |name: &str| meta.get(name).and_then(person::id);
    let tells = body.get("data").filter(|data| data.is_object()).map(told);
    let of = Hinted { merged_into: merged("merged_to_id"), ..Hinted::telling(remote, tells) };
    let mut hints = vec![Hint { account: account.clone(), by: None, of }];
    // A merge names the other person too, who has changed by it.
    let others = ["merged_to_id", "merged_from_id"].into_iter().filter_map(merged);
    hints.extend(others.map(|other| Hint { account: account.clone(), by: None, of: Hinted::plain(other) }));
    Ok(hints)
}

/// What version 2 shows of a person: all of it, in a spelling of its own.
fn told(data: &Json) -> Tells {
    let plain = |json: Option<&Json>| json.and_then(|json| Value::from_json(json).ok());
    let mut told = Tells::default();
    let mut tell = |field: &str, value: Option<Option<Value>>| {
        if let Some(value) = value {
            told.0.extend(Tells::field(field, value.as_ref()).0);
        }
    };
    for standard in person::STANDARD {
        tell(standard.name, person::value(data, standard.name));
    }
    for (code, shown) in data.get("custom_fields").and_then(Json::as_object).into_iter().flatten() {
        let value = match shown.get("type").and_then(Json::as_str) {
            None if shown.is_null() => Some(None),
            Some("enum" | "user" | "people" | "org") => plain(shown.get("id")),
            Some("varchar" | "text" | "varchar_auto" | "phone" | "double" | "date") => plain(shown.get("value")),
            _ => None,
        };
        tell(code, value.filter(|_| is_code(code)));
    }
    told
}

/// How often it is asked whether the subscription is still there: one that fails for three days is deleted without a word.
pub(super) const LIVES: SignedDuration = SignedDuration::from_hours(48);

/// Makes sure that there is exactly one subscription of ours (Pipedrive docs: API v1, Webhooks).
pub(super) async fn watch(session: &Session, wish: &WatchWish) -> Result<Watch> {
    let listed = session.send(&Request::get("/api/v1/webhooks"), failure::of_call).await?.body;
    let ours = |hook: &&Json| hook.get("subscription_url").and_then(Json::as_str) == Some(&wish.url);
    let (active, dead): (Vec<&Json>, Vec<&Json>) =
        person::rows(&listed).iter().filter(ours).partition(|hook| is_active(hook));
    // Without a channel of ours the password of one that is there already is not known to be right.
    let keep = active
        .first()
        .filter(|hook| wish.renew && hook.get("id").and_then(person::id).is_some_and(|id| id.as_str() == wish.channel));
    let superfluous = active.iter().filter(|hook| keep != Some(*hook)).chain(&dead);
    for id in superfluous.filter_map(|hook| hook.get("id").and_then(person::id)) {
        let request = Request { method: Method::DELETE, ..Request::get(format!("/api/v1/webhooks/{id}")) };
        session.send(&request, failure::of_record).await?;
    }
    let channel = match keep {
        Some(_) => wish.channel.clone(),
        None => subscribe(session, wish).await?,
    };
    Ok(Watch { channel, expires_at: wish.now + LIVES })
}

/// One that is not there is ended already.
pub(super) async fn unwatch(session: &Session, watch: &Watch) -> Result<()> {
    let request = Request { method: Method::DELETE, ..Request::get(format!("/api/v1/webhooks/{}", watch.channel)) };
    session.send(&request, failure::of_record).await.map(drop)
}

pub(super) fn is_active(hook: &Json) -> bool {
    hook.get("is_active").is_some_and(|v| v.as_u64() == Some(1) || v.as_bool() == Some(true))
}

async fn subscribe(session: &Session, wish: &WatchWish) -> Result<String> {
    let body = json!({
        "subscription_url": wish.url, "event_action": "*", "event_object": "person", "name": "CRM Sync", "version": "2.0",
        "http_auth_user": USER, "http_auth_password": wish.token.reveal(),
    });
    let answer = session.send_once(&Request::post("/api/v1/webhooks", body), failure::of_call).await?;
    let id = answer.body.pointer("/data/id").and_then(person::id);
    id.map(|id| id.to_string()).ok_or_else(|| Error::retryable("Pipedrive made a webhook and did not say which"))
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
