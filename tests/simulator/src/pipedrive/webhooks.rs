//! Subscriptions: making, listing, deleting and banning them (Pipedrive API v1: webhooks; docs: Webhooks v2).

use super::company::Company;
use super::{Desk, OUR_USER, errors};
use crate::clock::iso_ms;
use crate::webhooks::Item;
use crate::wire::{Call, Reply};
use crate::world::World;
use serde_json::{Value, json};

/// Of one user.
const MOST: usize = 40;
/// First attempts that may fail before a ban.
const FAILURES: u32 = 10;
const BAN: i64 = 30 * 60 * 1000;
/// Without a successful delivery for so long, a webhook is deleted.
const DEAD: i64 = 3 * 24 * 3600 * 1000;

#[derive(Debug, Clone)]
pub struct Webhook {
    pub url: String,
    action: String,
    object: String,
    name: String,
    /// `user:password`
    pub basic: Option<String>,
    /// Made with an app's access token; it goes when the app does.
    pub of_app: bool,
    added: i64,
    last_delivery: Option<(i64, u16)>,
    failures: u32,
    banned_until: i64,
    failing_since: Option<i64>,
}

impl Webhook {
    pub fn wants(&self, object: &str, action: &str) -> bool {
        [object, "*"].contains(&self.object.as_str()) && [action, "*"].contains(&self.action.as_str())
    }

    /// What happens meanwhile is never told.
    pub fn banned(&self, now: i64) -> bool {
        now < self.banned_until
    }

    pub fn kind(&self) -> &'static str {
        if self.of_app { "application" } else { "general" }
    }

    /// Forgets failures and bans.
    pub fn forgive(&mut self) {
        (self.failures, self.banned_until, self.failing_since) = (0, 0, None);
    }

    fn show(&self, company: u64, id: u64) -> Value {
        // Not what was sent: a client cannot read its own password back.
        let hidden = self.basic.as_ref().map(|_| format!("v1u:ENCRYPTED-{id:x}"));
        json!({
            "id": id, "company_id": company, "owner_id": OUR_USER, "user_id": OUR_USER, "event_action": self.action,
            "event_object": self.object, "subscription_url": self.url, "is_active": 1, "add_time": iso_ms(self.added),
            "remove_time": null, "type": self.kind(), "http_auth_user": hidden, "http_auth_password": hidden,
            "remove_reason": null, "version": "2.0", "name": self.name, "admin_id": OUR_USER,
            "last_delivery_time": self.last_delivery.map(|(at, _)| iso_ms(at)),
            "last_http_status": self.last_delivery.map(|(_, status)| status),
        })
    }
}

pub fn list(desk: &mut Desk<'_>) -> Reply {
    desk.company.drop_dead_webhooks(desk.now);
    let id = desk.company.id;
    let data: Vec<Value> = desk.company.webhooks.iter().map(|(n, w)| w.show(id, *n)).collect();
    Reply::json(200, json!({"status": "ok", "success": true, "data": data}))
}

pub fn create(desk: &mut Desk<'_>, call: &Call, of_app: bool) -> Result<Reply, Reply> {
    let body = call.json().unwrap_or(&Value::Null);
    let get = |name: &str| body[name].as_str().filter(|v| !v.is_empty());
    let url = get("subscription_url").filter(|u| u.starts_with("http://") || u.starts_with("https://"));
    let url = url.ok_or_else(|| errors::bad_webhook("subscription_url", "invalid or non-reachable URL"))?;
    let one_of = |name: &str, known: &[&str]| {
        get(name).filter(|v| known.contains(v)).ok_or_else(|| errors::bad_webhook(name, "invalid value"))
    };
    let action = one_of("event_action", &["create", "change", "delete", "*"])?;
    #[rustfmt::skip]
    let object = one_of("event_object", &["activity", "deal", "lead", "note", "organization", "person", "pipeline", "product", "stage", "user", "*"])?;
    let name = get("name").filter(|n| n.chars().count() <= 255);
    let name = name.ok_or_else(|| errors::bad_webhook("name", "is required, with 255 characters at most"))?;
    if get("version").is_some_and(|v| v != "2.0") {
        return Err(errors::bad_webhook("version", "the simulator knows 2.0 only"));
    }
    desk.company.drop_dead_webhooks(desk.now);
    if desk.company.webhooks.len() >= MOST {
        return Err(errors::bad_webhook("subscription_url", "limit of webhooks per user is reached"));
    }
    let basic = get("http_auth_user").map(|user| format!("{user}:{}", get("http_auth_password").unwrap_or_default()));
    let webhook = Webhook {
        url: url.to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
        name: name.to_owned(),
        basic,
        of_app,
        added: desk.now,
        last_delivery: None,
        failures: 0,
        banned_until: 0,
        failing_since: None,
    };
    let id = desk.company.next_webhook;
    desk.company.next_webhook += 1;
    let shown = webhook.show(desk.company.id, id);
    desk.company.webhooks.insert(id, webhook);
    Ok(Reply::json(201, json!({"status": "ok", "success": true, "data": shown})))
}

pub fn delete(desk: &mut Desk<'_>, id: &str) -> Result<Reply, Reply> {
    let gone = id.parse().ok().and_then(|id: u64| desk.company.webhooks.remove(&id));
    gone.ok_or_else(errors::no_such_webhook)?;
    Ok(Reply::json(200, json!({"status": "ok", "success": true})))
}

impl Company {
    pub fn drop_dead_webhooks(&mut self, now: i64) {
        self.webhooks.retain(|_, w| w.failing_since.is_none_or(|since| now - since < DEAD));
    }
}

/// What became of a delivery. A failed first attempt counts towards a ban; a retry does not.
pub fn delivered(world: &mut World, item: &Item, status: u16, taken: bool) {
    let now = world.clock.now();
    let told = item.bodies.first().and_then(|b| b["meta"]["webhook_id"].as_str()?.parse::<u64>().ok());
    let Some(id) = told else { return };
    let Some(webhook) = world.companies.iter_mut().find_map(|c| c.webhooks.get_mut(&id)) else { return };
    webhook.last_delivery = Some((now, status));
    if taken {
        webhook.failing_since = None;
        return;
    }
    webhook.failing_since.get_or_insert(now);
    if item.attempt == 0 && !webhook.banned(now) {
        webhook.failures += 1;
        if webhook.failures >= FAILURES {
            webhook.failures = 0;
            webhook.banned_until = now + BAN;
        }
    }
}
