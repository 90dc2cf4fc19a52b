//! Deliveries of a watch channel, and the channel itself.

use super::failure::{self, text_at};
use crate::record::Value;
use crate::{
    change::{Hinted, Tells},
    connection::Watch,
    error::{Error, Result},
    id::RemoteId,
    provider::{
        Delivery, Forged, Hint, Secret, Unreadable, Verified, WatchWish, session::Request, session::Session,
        signature::proved,
    },
};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// All that proves a delivery: the token that the channel was given
/// (Zoho docs: Enable notifications, <https://www.zoho.com/crm/developer/docs/api/v8/notifications/enable.html>).
#[derive(Deserialize)]
struct Proof {
    token: String,
}

#[derive(Deserialize)]
struct Notice {
    /// By its API name.
    module: String,
    operation: String,
    ids: Vec<Json>,
    /// `[{record_id, values}]`, only where the channel asked for the values. Whatever else it is, the ids still count.
    #[serde(default)]
    affected_values: Json,
}

impl Notice {
    /// What it says of a record's fields; `None` where it says nothing of them or what cannot be read.
    fn told(&self, remote: &RemoteId) -> Option<Tells> {
        let of = |affected: &&Json| affected.get("record_id").and_then(self::remote).as_ref() == Some(remote);
        let affected = self.affected_values.as_array()?.iter().find(of)?;
        let field = |(name, json): (&String, &Json)| Some(Tells::field(name, Value::from_json(json).ok()?.as_ref()));
        affected.get("values")?.as_object()?.iter().map(field).try_fold(Tells::default(), |told, one| told.and(&one?))
    }
}

pub(super) fn verify<'d>(delivery: &'d Delivery, secrets: &[Secret]) -> Result<Verified<'d>, Forged> {
    let Ok(Proof { token }) = serde_json::from_slice(&delivery.body) else { return Err(Forged::Missing) };
    let in_force = secrets.iter().map(Secret::reveal).filter(|secret| !secret.is_empty());
    let expected: Vec<Vec<u8>> = in_force.map(|secret| secret.as_bytes().to_vec()).collect();
    proved(delivery, token.as_bytes(), &expected)
}

/// Events `create` and `edit` arrive as these operations; whatever else there is says nothing about a record.
const OPERATIONS: &[&str] = &["insert", "update", "delete"];

pub(super) fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
    let notice: Notice =
        serde_json::from_slice(delivery.body()).map_err(|_| Unreadable("no module, operation or ids"))?;
    if !OPERATIONS.contains(&notice.operation.as_str()) {
        return Ok(Vec::new());
    }
    let hint = |remote: RemoteId| {
        let tells = notice.told(&remote).filter(|_| notice.operation != "delete");
        Hint { account: None, by: None, filed: notice.module.clone(), of: Hinted::telling(remote, tells) }
    };
    let hints: Vec<Hint> = notice.ids.iter().filter_map(remote).map(hint).collect();
    if hints.is_empty() && !notice.ids.is_empty() {
        return Err(Unreadable("ids that are none"));
    }
    Ok(hints)
}

/// Ids are numbers of 64 bits, sent as texts.
fn remote(json: &Json) -> Option<RemoteId> {
    let id = json.as_str().map(str::to_owned).or_else(|| json.as_u64().map(|n| n.to_string()))?;
    id.parse().ok().filter(super::records::is_id)
}

/// A channel lives a week at most; one that asks for more gets an hour (Zoho docs: Enable notifications).
pub(super) const LIVES: SignedDuration = SignedDuration::from_hours(7 * 24 - 1);
/// How far the echoed expiry may be from what was asked for: Zoho's seconds are whole.
const SLACK: SignedDuration = SignedDuration::from_mins(1);

/// Opens a channel, or extends one (Zoho docs: Enable notifications, Update specific notification details).
pub(super) async fn watch(session: &Session, modules: &[String], wish: &WatchWish) -> Result<Watch> {
    let expires_at = wish.now + LIVES;
    let body = json!({"watch": [{
        "channel_id": wish.channel,
        "events": modules.iter().map(|module| format!("{module}.all")).collect::<Vec<_>>(),
        "channel_expiry": super::records::time(expires_at),
        "token": wish.token.reveal(),
        "notify_url": wish.url,
        // By default a change of a related record is told too.
        "notify_on_related_action": false,
        // By their digests our own echoes are known without a call.
        "return_affected_field_values": true,
    }]});
    let mut dies = None;
    if wish.renew {
        dies = subscribe(session, Method::PATCH, &body, expires_at).await?;
    }
    if dies.is_none() {
        dies = subscribe(session, Method::POST, &body, expires_at).await?;
    }
    let expires_at =
        dies.ok_or_else(|| Error::Config { reason: "Zoho opened no channel: NOT_SUBSCRIBED".to_owned() })?;
    Ok(Watch { channel: wish.channel.clone(), expires_at })
}

/// Closes a channel (Zoho docs: Disable notifications).
pub(super) async fn unwatch(session: &Session, watch: &Watch) -> Result<()> {
    let path = format!("/crm/v8/actions/watch?channel_ids={}", watch.channel);
    let request = Request { method: Method::DELETE, ..Request::get(path) };
    session.send(&request, failure::of_watch).await.map(drop)
}

/// When the channel dies from now on; `None` where there is none to change.
async fn subscribe(session: &Session, method: Method, body: &Json, wanted: Timestamp) -> Result<Option<Timestamp>> {
    let request =
        Request { method, path: "/crm/v8/actions/watch".to_owned(), body: Some(body.clone()), headers: Vec::new() };
    let answer = session.send(&request, failure::of_watch).await?;
    let row = answer.body.pointer("/watch/0").unwrap_or(&answer.body);
    match text_at(row, "/code").unwrap_or_default() {
        "SUCCESS" => opened(row, wanted).map(Some),
        "NOT_SUBSCRIBED" => Ok(None),
        code => Err(Error::Config {
            reason: format!(
                "Zoho refuses the webhook channel: {code} {}",
                text_at(row, "/details/api_name").unwrap_or_default()
            ),
        }),
    }
}

/// When the channel dies, in whatever offset Zoho says it.
fn opened(row: &Json, wanted: Timestamp) -> Result<Timestamp> {
    let echoed = text_at(row, "/details/events/0/channel_expiry").and_then(|t| t.parse::<Timestamp>().ok());
    echoed.filter(|at| at.duration_since(wanted).abs() <= SLACK).ok_or_else(|| Error::Config {
        reason: "Zoho did not keep the webhook channel's expiry: it would die unnoticed".to_owned(),
    })
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
