//! Deliveries, proved by HTTP Basic, and the subscription itself (Pipedrive docs: Guide for Webhooks v2).

use super::{
    failure,
    records::{self, KINDS, Kind},
};
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
use std::collections::BTreeMap;

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

/// The record of a delivery, in version 2 or 1. What is about anything else says nothing.
pub(super) fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
    let body: Json = serde_json::from_slice(delivery.body()).map_err(|_| Unreadable("a delivery that is no JSON"))?;
    let meta = body.get("meta").ok_or(Unreadable("a delivery without meta"))?;
    let text = |name: &str| meta.get(name).and_then(Json::as_str);
    let entity = text("entity").or(text("object"));
    let Some(kind) = KINDS.iter().find(|kind| entity == Some(kind.entity)) else { return Ok(Vec::new()) };
    let remote =
        meta.get("entity_id").or(meta.get("id")).and_then(records::id).ok_or(Unreadable("no id of a record"))?;
    let account = meta.get("company_id").and_then(records::id).and_then(|id| id.as_str().parse().ok());
    let merged = |name: &str| meta.get(name).and_then(records::id);
    let tells = body.get("data").filter(|data| data.is_object()).map(|data| told(kind, data));
    let of = Hinted { merged_into: merged("merged_to_id"), ..Hinted::telling(remote, tells) };
    let hint = |of| Hint { account: account.clone(), by: None, filed: kind.name.to_owned(), of };
    let mut hints = vec![hint(of)];
    // A merge names the other one too, which has changed by it.
    let others = ["merged_to_id", "merged_from_id"].into_iter().filter_map(merged);
    hints.extend(others.map(|other| hint(Hinted::telling(other, None))));
    Ok(hints)
}

/// What version 2 shows of a record: all of it, in a spelling of its own.
fn told(kind: &Kind, data: &Json) -> Tells {
    let plain = |json: Option<&Json>| json.and_then(|json| Value::from_json(json).ok());
    let mut told = Tells::default();
    let mut tell = |field: &str, value: Option<Option<Value>>| {
        if let Some(value) = value {
            told.0.extend(Tells::field(field, value.as_ref()).0);
        }
    };
    for standard in kind.standard {
        tell(standard, records::value(data, standard));
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

/// Makes sure that there is exactly one subscription of ours for each kind (Pipedrive docs: API v1, Webhooks). The channel is
/// all of them, with commas.
pub(super) async fn watch(session: &Session, objects: &[String], wish: &WatchWish) -> Result<Watch> {
    let listed = session.send(&Request::get("/api/v1/webhooks"), failure::of_call).await?.body;
    let ours = |hook: &&Json| hook.get("subscription_url").and_then(Json::as_str) == Some(&wish.url);
    let id = |hook: &Json| hook.get("id").and_then(records::id);
    let wanted: Vec<&Kind> = KINDS.iter().filter(|kind| objects.iter().any(|object| object == kind.name)).collect();
    let (mut kept, mut ended) = (BTreeMap::<&str, String>::new(), Vec::new());
    for hook in records::rows(&listed).iter().filter(ours) {
        let Some(id) = id(hook) else { continue };
        let kind = wanted.iter().find(|kind| hook.get("event_object").and_then(Json::as_str) == Some(kind.entity));
        // There is no changing one. Without a channel of ours the password of one that is there already is not known to be right.
        let known = wish.renew && !wish.replaces && wish.channel.split(',').any(|one| one == id.as_str());
        match kind.filter(|kind| known && is_active(hook) && !kept.contains_key(kind.entity)) {
            Some(kind) => drop(kept.insert(kind.entity, id.to_string())),
            None => ended.push(id),
        }
    }
    for kind in wanted {
        if !kept.contains_key(kind.entity) {
            kept.insert(kind.entity, subscribe(session, kind, wish).await?);
        }
    }
    // Afterwards, so that nothing goes untold in between.
    for id in ended {
        end(session, id.as_str()).await?;
    }
    let channel = kept.into_values().collect::<Vec<_>>().join(",");
    Ok(Watch { channel, expires_at: wish.now + LIVES })
}

pub(super) async fn unwatch(session: &Session, watch: &Watch) -> Result<()> {
    for id in watch.channel.split(',') {
        end(session, id).await?;
    }
    Ok(())
}

/// One that is not there is ended already.
async fn end(session: &Session, id: &str) -> Result<()> {
    let request = Request { method: Method::DELETE, ..Request::get(format!("/api/v1/webhooks/{id}")) };
    session.send(&request, failure::of_record).await.map(drop)
}

pub(super) fn is_active(hook: &Json) -> bool {
    hook.get("is_active").is_some_and(|v| v.as_u64() == Some(1) || v.as_bool() == Some(true))
}

async fn subscribe(session: &Session, kind: &Kind, wish: &WatchWish) -> Result<String> {
    let body = json!({
        "subscription_url": wish.url, "event_action": "*", "event_object": kind.entity, "name": "CRM Sync", "version": "2.0",
        "http_auth_user": USER, "http_auth_password": wish.token.reveal(),
    });
    let answer = session.send_once(&Request::post("/api/v1/webhooks", body), failure::of_call).await?;
    let id = answer.body.pointer("/data/id").and_then(records::id);
    id.map(|id| id.to_string()).ok_or_else(|| Error::retryable("Pipedrive made a webhook and did not say which"))
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
