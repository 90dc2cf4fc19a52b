//! `/crm/v8/actions/watch` (Zoho docs: notifications). Nothing is sent when a channel dies.

use super::Desk;
use super::errors::{self, object};
use crate::clock::parse_time;
use crate::wire::{Call, Reply};
use serde_json::{Map, Value, json};

const HOUR: i64 = 3_600_000;
const WEEK: i64 = 7 * 24 * HOUR;

#[derive(Debug, Clone)]
pub struct Channel {
    pub events: Vec<String>,
    pub expiry: i64,
    /// Echoed in every delivery: the only proof of where it comes from.
    pub token: Value,
    pub notify_url: String,
    /// `return_affected_field_values`.
    pub values: bool,
}

impl Channel {
    pub fn query_params(&self) -> Value {
        let query = self.notify_url.split_once('?').map(|(_, q)| q).unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).map(|(k, v)| (k.into_owned(), json!(v)));
        Value::Object(pairs.collect::<Map<_, _>>())
    }
}

/// A week at most; left out or longer, it is silently one hour.
fn expiry(now: i64, asked: &Value) -> Result<i64, Value> {
    let Some(text) = asked.as_str() else { return Ok(now + HOUR) };
    match parse_time(text).filter(|_| text.contains('T')) {
        None => Err(invalid("channel_expiry", json!({"expected_data_type": "datetime"}))),
        Some(at) if at <= now => Err(invalid("channel_expiry", json!({}))),
        Some(at) if at > now + WEEK => Ok(now + HOUR),
        Some(at) => Ok(at / 1000 * 1000),
    }
}

fn invalid(name: &str, mut details: Value) -> Value {
    details["api_name"] = json!(name);
    object("INVALID_DATA", "invalid data", details)
}

pub fn subscribe(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let put = call.method == http::Method::PUT;
    each(desk, call, if put { 200 } else { 201 }, |desk, watch| {
        let id = channel_id(watch)?;
        let events = events(desk, watch)?;
        let notify_url = watch["notify_url"]
            .as_str()
            .filter(|u| u.starts_with("http"))
            .ok_or_else(|| mandatory("notify_url"))?
            .to_owned();
        let token = watch["token"].clone();
        if token.as_str().is_some_and(|t| t.chars().count() > 50) {
            return Err(invalid("token", json!({"maximum_length": 50})));
        }
        let expiry = expiry(desk.now, &watch["channel_expiry"])?;
        let values = watch["return_affected_field_values"].as_bool().unwrap_or(false);
        let channel = Channel { events, expiry, token, notify_url, values };
        let done = subscribed(desk, &id, &channel);
        desk.org.channels.insert(id, channel);
        Ok(done)
    })
}

/// Extends the expiry, or drops events with `_delete_events`.
pub fn change(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    each(desk, call, 200, |desk, watch| {
        let id = channel_id(watch)?;
        let now = desk.now;
        let mut channel =
            desk.org.channels.get(&id).filter(|c| c.expiry > now).cloned().ok_or_else(|| not_subscribed(&id))?;
        if watch["_delete_events"].as_bool() == Some(true) {
            let gone = events(desk, watch)?;
            channel.events.retain(|e| !gone.contains(e));
        } else {
            channel.expiry = expiry(now, &watch["channel_expiry"])?;
            if watch["events"].is_array() {
                channel.events = events(desk, watch)?;
            }
            if !watch["token"].is_null() {
                channel.token = watch["token"].clone();
            }
            if let Some(url) = watch["notify_url"].as_str() {
                channel.notify_url = url.to_owned();
            }
        }
        let done = subscribed(desk, &id, &channel);
        desk.org.channels.insert(id, channel);
        Ok(done)
    })
}

pub fn list(desk: &mut Desk<'_>, call: &Call) -> Reply {
    let now = desk.now;
    let wanted = call.param("channel_id");
    desk.org.channels.retain(|_, c| c.expiry > now);
    let mut shown = Vec::new();
    for (id, channel) in desk.org.channels.iter().filter(|(id, _)| wanted.is_none_or(|w| w == id.as_str())) {
        for event in &channel.events {
            let module = event.split('.').next().unwrap_or_default();
            if call.param("module").is_none_or(|m| m == module) {
                shown.push(json!({
                    "notify_on_related_action": false, "channel_expiry": desk.time(channel.expiry), "events": [event],
                    "resource_uri": format!("https://www.zohoapis.com/crm/v2/{module}"), "resource_name": module,
                    "channel_id": id, "notify_url": channel.notify_url, "token": channel.token,
                }));
            }
        }
    }
    if shown.is_empty() {
        return Reply::empty(204);
    }
    let info = json!({"per_page": 200, "count": shown.len(), "page": 1, "more_records": false});
    Reply::json(200, json!({"watch": shown, "info": info}))
}

pub fn unsubscribe(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let ids = call.param("channel_ids").ok_or_else(|| errors::missing_param("channel_ids"))?;
    let now = desk.now;
    let results: Vec<Result<Value, Value>> = ids
        .split(',')
        .map(|id| match desk.org.channels.remove(id).filter(|c| c.expiry > now) {
            Some(_) => Ok(json!({"code": "SUCCESS", "details": {"channel_id": id}, "message": "Successfully unsubscribed", "status": "success"})),
            None => Err(not_subscribed(id)),
        })
        .collect();
    Ok(answer(200, results))
}

fn each(
    desk: &mut Desk<'_>,
    call: &Call,
    good: u16,
    mut f: impl FnMut(&mut Desk<'_>, &Value) -> Result<Value, Value>,
) -> Result<Reply, Reply> {
    let body = call.json().ok_or_else(errors::unreadable)?;
    let watches =
        body["watch"].as_array().filter(|w| !w.is_empty()).ok_or_else(|| Reply::json(400, mandatory("watch")))?;
    Ok(answer(good, watches.iter().map(|w| f(desk, w)).collect()))
}

fn answer(good: u16, results: Vec<Result<Value, Value>>) -> Reply {
    let failed = results.iter().filter(|r| r.is_err()).count();
    let status = match failed {
        0 => good,
        n if n == results.len() => 400,
        _ => 207,
    };
    let watch: Vec<Value> = results.into_iter().map(|r| r.unwrap_or_else(|e| e)).collect();
    Reply::json(status, json!({"watch": watch}))
}

fn subscribed(desk: &Desk<'_>, id: &str, channel: &Channel) -> Value {
    let mut modules: Vec<&str> = channel.events.iter().filter_map(|e| e.split('.').next()).collect();
    modules.dedup();
    let events: Vec<_> = modules
        .iter()
        .map(|module| {
            json!({
                "channel_expiry": desk.time(channel.expiry), "resource_uri": format!("https://www.zohoapis.com/crm/v2/{module}"),
                "resource_id": "5725767000000002175", "resource_name": module, "channel_id": id,
            })
        })
        .collect();
    let message = "Successfully subscribed for actions-watch of the given module";
    json!({"code": "SUCCESS", "details": {"events": events}, "message": message, "status": "success"})
}

/// A number chosen by the caller, sent as a string.
fn channel_id(watch: &Value) -> Result<String, Value> {
    let id =
        watch["channel_id"].as_str().map(str::to_owned).or_else(|| watch["channel_id"].as_i64().map(|n| n.to_string()));
    let id = id.ok_or_else(|| mandatory("channel_id"))?;
    match id.parse::<i64>() {
        Ok(_) => Ok(id),
        Err(_) => Err(invalid("channel_id", json!({"expected_data_type": "bigint"}))),
    }
}

fn events(desk: &Desk<'_>, watch: &Value) -> Result<Vec<String>, Value> {
    let list = watch["events"].as_array().filter(|e| !e.is_empty()).ok_or_else(|| mandatory("events"))?;
    let known = |e: &str| {
        e.split_once('.').is_some_and(|(m, what)| {
            desk.org.modules.contains_key(m) && matches!(what, "create" | "edit" | "delete" | "all")
        })
    };
    list.iter()
        .map(|e| e.as_str().filter(|e| known(e)).map(str::to_owned).ok_or_else(|| invalid("events", json!({}))))
        .collect()
}

fn mandatory(name: &str) -> Value {
    object("MANDATORY_NOT_FOUND", "required field not found", json!({"api_name": name}))
}

fn not_subscribed(id: &str) -> Value {
    object("NOT_SUBSCRIBED", "Channel is not subscribed", json!({"channel_id": id}))
}
