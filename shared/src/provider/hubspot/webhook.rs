//! Deliveries: how they are signed, and what their events say.

use super::records::is_rich;
use crate::record::Value;
use crate::{
    change::{Hinted, Tells},
    id::{AccountId, RemoteId, hex},
    provider::{Delivery, Forged, Hint, Schemes, Secret, Unreadable, Verified, rich, signature::proved},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// HubSpot docs: validating requests. Deliveries of subscriptions carry v1 and v3, those of workflows v2 and v3.
const V3: &str = "x-hubspot-signature-v3";
const TIMESTAMP: &str = "x-hubspot-request-timestamp";
const OLDER: &str = "x-hubspot-signature";
const OLDER_VERSION: &str = "x-hubspot-signature-version";

/// A v3 signature is good for five minutes (HubSpot docs: validating requests); we allow as much to a clock that is ahead.
const TOLERANCE: u64 = 300_000;

/// What is unescaped in the URL before it is signed, and nothing else (HubSpot docs: validating requests, v3).
const UNESCAPED: &str = ":/?@!$'()*,;";

/// Of a private app, whose subscriptions have no API (HubSpot docs: private apps, webhooks).
pub(super) fn clicks(url: &str) -> String {
    format!(
        "So that changes are told at once: open the private app's Webhooks tab, enter the target URL {url}, and subscribe to \
         contacts: created, deleted, merged, restored, deleted for privacy, and property changed for each mapped property; and to the \
         same of companies, deals, notes and tasks, as far as they are kept in step."
    )
}

/// Where there is anything of v3, v3 decides: an older signature beside it would let the timestamp be stripped.
pub(super) fn verify<'d>(
    delivery: &'d Delivery,
    secrets: &[Secret],
    schemes: Schemes,
    now: Timestamp,
) -> Result<Verified<'d>, Forged> {
    let has_v3 = delivery.headers.contains_key(V3) || delivery.headers.contains_key(TIMESTAMP);
    match schemes {
        Schemes::Legacy if !has_v3 => older(delivery, secrets),
        Schemes::Timestamped | Schemes::Legacy => v3(delivery, secrets, now),
    }
}

/// HMAC-SHA-256 over method, URL, body and timestamp, in base64 (HubSpot docs: validating requests, v3).
fn v3<'d>(delivery: &'d Delivery, secrets: &[Secret], now: Timestamp) -> Result<Verified<'d>, Forged> {
    let (Some(sent), Some(timestamp)) = (delivery.header(V3), delivery.header(TIMESTAMP)) else {
        return Err(Forged::Missing);
    };
    let at = milliseconds(timestamp).ok_or(Forged::Mismatch)?;
    if at.abs_diff(now.as_millisecond()) > TOLERANCE {
        return Err(Forged::Stale);
    }
    let url = decoded(&delivery.url);
    let expected: Vec<Vec<u8>> = in_force(secrets)
        .filter_map(|secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
            for part in [delivery.method.as_str().as_bytes(), url.as_bytes(), &delivery.body, timestamp] {
                mac.update(part);
            }
            Some(BASE64_STANDARD.encode(mac.finalize().into_bytes()).into_bytes())
        })
        .collect();
    proved(delivery, sent, &expected)
}

/// SHA-256 in lower hex: v1 over secret and body, v2 over secret, method, URL and body (HubSpot docs: validating requests).
fn older<'d>(delivery: &'d Delivery, secrets: &[Secret]) -> Result<Verified<'d>, Forged> {
    let (Some(sent), Some(version)) = (delivery.header(OLDER), delivery.header(OLDER_VERSION)) else {
        return Err(Forged::Missing);
    };
    let called: &[&[u8]] = match version {
        b"v1" => &[],
        b"v2" => &[delivery.method.as_str().as_bytes(), delivery.url.as_bytes()],
        _ => return Err(Forged::Missing),
    };
    let expected: Vec<Vec<u8>> = in_force(secrets)
        .map(|secret| {
            let mut hash = Sha256::new_with_prefix(secret);
            called.iter().for_each(|part| hash.update(part));
            let digest = hash.chain_update(&delivery.body).finalize();
            hex(&digest).into_bytes()
        })
        .collect();
    proved(delivery, sent, &expected)
}

/// Anyone can sign with an empty secret.
fn in_force(secrets: &[Secret]) -> impl Iterator<Item = &str> {
    secrets.iter().map(Secret::reveal).filter(|secret| !secret.is_empty())
}

/// Thirteen digits and nothing else.
fn milliseconds(timestamp: &[u8]) -> Option<i64> {
    let sound = timestamp.len() == 13 && timestamp.iter().all(u8::is_ascii_digit);
    sound.then(|| std::str::from_utf8(timestamp).ok()?.parse().ok()).flatten()
}

fn decoded(url: &str) -> String {
    UNESCAPED
        .bytes()
        .fold(url.to_owned(), |url, plain| url.replace(&format!("%{plain:02X}"), &char::from(plain).to_string()))
}

/// Objects as events name them, as `object.*` events do by their type (HubSpot docs: understanding the CRM, object types), and
/// as the API's paths do. Whatever else there is goes by its type.
const OBJECTS: &[(&str, &str, &str)] = &[
    ("contact", "0-1", "contacts"),
    ("company", "0-2", "companies"),
    ("deal", "0-3", "deals"),
    ("task", "0-27", "tasks"),
    ("note", "0-46", "notes"),
];

/// Whether a type is the object of this name; the API takes types for names too.
pub(super) fn is_type(kind: &str, object: &str) -> bool {
    kind == object || OBJECTS.iter().any(|(_, of, name)| *of == kind && *name == object)
}

/// Events after which a record may show something else (HubSpot docs: webhooks). Others are ignored.
const ACTIONS: &[&str] =
    &["creation", "deletion", "merge", "restore", "propertyChange", "associationChange", "privacyDeletion"];

/// One hint per account and record, in the order of their first events.
pub(super) fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
    let body: Json = serde_json::from_slice(delivery.body()).map_err(|_| Unreadable("no JSON"))?;
    let events = body.as_array().ok_or(Unreadable("no list of events"))?;
    let mut hints: Vec<Hint> = Vec::new();
    let mut places: BTreeMap<(Option<AccountId>, String, RemoteId), usize> = BTreeMap::new();
    for event in events {
        let account = number(event.get("portalId")).and_then(|id| id.parse::<AccountId>().ok());
        let (remotes, erased) = concerned(event);
        for (filed, remote) in remotes {
            let of = Hinted { erased, ..Hinted::telling(remote, told(event)) };
            let place = *places.entry((account.clone(), filed.clone(), of.remote.clone())).or_insert(hints.len());
            match hints.get_mut(place) {
                Some(hint) => hint.of.and(&of),
                None => hints.push(Hint { account: account.clone(), by: None, filed, of }),
            }
        }
    }
    Ok(hints)
}

/// The records an event is about, by what they are, and whether they were erased.
fn concerned(event: &Json) -> (Vec<(String, RemoteId)>, bool) {
    let text = |key: &str| event.get(key).and_then(Json::as_str);
    // Deliveries say `subscriptionType`, the documentation's examples say `eventType` (HubSpot docs: webhooks).
    let Some((object, action)) =
        text("subscriptionType").or_else(|| text("eventType")).and_then(|kind| kind.split_once('.'))
    else {
        return Default::default();
    };
    let Some(filed) = filed(object, text("objectTypeId")).filter(|_| ACTIONS.contains(&action)) else {
        return Default::default();
    };
    let id = |key: &str| number(event.get(key))?.parse::<RemoteId>().ok();
    if action == "associationChange" {
        // `CONTACT_TO_COMPANY`: both ends may show something else.
        let ends = text("associationType").and_then(|kind| kind.split_once("_TO_"));
        let (from, to) = ends.map_or((None, None), |(from, to)| (named(from), named(to)));
        let ends = [(from.or(Some(filed)), "fromObjectId"), (to, "toObjectId")];
        return (ends.into_iter().filter_map(|(filed, key)| Some((filed?, id(key)?))).collect(), false);
    }
    let keys: &[&str] = match action {
        // The winner keeps its id or a third record takes both places: each is looked at.
        "merge" => &["objectId", "primaryObjectId", "newObjectId"],
        _ => &["objectId"],
    };
    let merged = event.get("mergedObjectIds").and_then(Json::as_array).filter(|_| action == "merge");
    let merged = merged.into_iter().flatten().filter_map(|id| number(Some(id))?.parse().ok());
    let ids = keys.iter().filter_map(|key| id(key)).chain(merged);
    (ids.map(|id| (filed.clone(), id)).collect(), action == "privacyDeletion")
}

/// What the API's paths call an event's object.
fn filed(object: &str, of_type: Option<&str>) -> Option<String> {
    match (object, of_type) {
        ("object", Some(of_type)) => {
            let known = OBJECTS.iter().find(|(_, known, _)| *known == of_type);
            Some(known.map_or(of_type, |(.., path)| path).to_owned())
        }
        _ => named(object),
    }
}

fn named(object: &str) -> Option<String> {
    let known = OBJECTS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(object));
    known.map(|(.., path)| (*path).to_owned())
}

/// What an event says of a field. A creation says nothing that its property changes do not say (HubSpot docs: webhooks);
/// of any other event the contact itself must be asked.
fn told(event: &Json) -> Option<Tells> {
    let text = |key: &str| event.get(key).and_then(Json::as_str);
    let kind = text("subscriptionType").or_else(|| text("eventType"))?;
    match kind.split_once('.')?.1 {
        "creation" => Some(Tells::default()),
        "propertyChange" => {
            let (field, value) = (text("propertyName")?, text("propertyValue")?);
            let value = if is_rich(field) { Value::text(&rich::plain(value)) } else { Value::text(value) };
            Some(Tells::field(field, value.as_ref()))
        }
        _ => None,
    }
}

/// An id: a number in deliveries, a text in the rest of the API (HubSpot docs: webhooks).
fn number(json: Option<&Json>) -> Option<String> {
    let id = match json? {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
    };
    super::records::is_id(&id).then_some(id)
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
