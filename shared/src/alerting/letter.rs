//! What is sent to a channel, as its vendor wants it.

use crate::{
    alert::{Channel, Realm, Say, Severity},
    error::{Error, Result},
    id::{ConnectionId, TenantId, hex},
    provider::{Crm, Secret},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

/// Where alerts may go. In production nothing but the vendors' own hosts, and those that the stack names for webhooks; a local stack names one
/// URL under which each of them has a path of its own.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    pub local: Option<String>,
    /// Hosts that take Standard Webhooks.
    pub named: Vec<String>,
}

/// What is to be told. It holds nothing about anybody.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    pub tenant: &'a TenantId,
    pub code: &'a str,
    pub remedy: &'a str,
    pub connection: Option<&'a ConnectionId>,
    pub crm: Option<Crm>,
    pub say: Say,
    pub since: Timestamp,
    pub now: Timestamp,
    /// To the page of the dashboard that shows it.
    pub link: Option<String>,
}

/// A request. Its URL may be a secret, so it has no `Debug`.
pub struct Posted {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

const SLACK: &str = "https://hooks.slack.com/";
const TELEGRAM: &str = "https://api.telegram.org/";
const PAGERDUTY: &str = "https://events.pagerduty.com/";
const PAGERDUTY_EU: &str = "https://events.eu.pagerduty.com/";

impl Channel {
    /// The request that tells it; an error where the channel's address or secret is none.
    pub fn post(&self, letter: &Letter<'_>, secret: &Secret, hosts: &Hosts) -> Result<Posted> {
        let secret = secret.reveal();
        let plain = |url: String, body: &Json| Posted {
            url,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
        };
        match self {
            // Slack docs: sending messages using incoming webhooks; formatting text: these three are escaped.
            Channel::Slack {} => {
                let path = secret.strip_prefix(SLACK).ok_or_else(|| wrong("the secret is no URL of Slack's"))?;
                let text = letter.text().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                Ok(plain(hosts.of(SLACK, "slack") + path, &json!({"text": text})))
            }
            // Telegram Bot API: making requests, sendMessage.
            Channel::Telegram { chat } => {
                let is_token = secret.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-'));
                if !is_token {
                    return Err(wrong("the secret is no token of a bot"));
                }
                let body =
                    json!({"chat_id": chat, "text": letter.text(), "link_preview_options": {"is_disabled": true}});
                Ok(plain(format!("{}bot{secret}/sendMessage", hosts.of(TELEGRAM, "telegram")), &body))
            }
            // PagerDuty docs: Events API v2, send an alert event.
            Channel::Pagerduty { region } => {
                let host = if *region == Realm::Eu { PAGERDUTY_EU } else { PAGERDUTY };
                Ok(plain(hosts.of(host, "pagerduty") + "v2/enqueue", &letter.event(secret)))
            }
            Channel::Webhook { url } => letter.webhook(url, secret, hosts),
        }
    }
}

impl Hosts {
    fn of(&self, host: &str, local: &str) -> String {
        self.local.as_ref().map_or_else(|| host.to_owned(), |base| format!("{base}/{local}/"))
    }

    /// Whether a tenant's own URL may be called: by TLS, at one of the hosts that the stack names.
    fn allow(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        let local = self.local.as_deref().and_then(|local| Url::parse(local).ok());
        let plain = url.username().is_empty() && url.password().is_none();
        let named = url.scheme() == "https"
            && url.port().is_none()
            && self.named.iter().any(|host| url.host_str() == Some(host));
        plain && local.map_or(named, |local| local.origin() == url.origin())
    }
}

impl Letter<'_> {
    fn text(&self) -> String {
        let of = self.connection.map_or_else(|| self.tenant.to_string(), |one| format!("{} / {one}", self.tenant));
        let crm = self.crm.map_or_else(String::new, |crm| format!(" ({})", crm.title()));
        let link = self.link.as_ref().map_or_else(String::new, |link| format!("\n{link}"));
        match self.say {
            Say::Over => format!("Over: {} on {of}{crm}{link}", self.code),
            Say::Begun { count } | Say::Grown { count } => {
                let times = if count > 1 { format!(", {count} times") } else { String::new() };
                format!("{}{times} on {of}{crm}\n{}{link}", self.code, self.remedy)
            }
        }
    }

    fn severity(&self) -> &'static str {
        match Severity::of(self.code) {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
        }
    }

    /// The incident's own name, the same from its beginning to its end.
    fn incident(&self) -> String {
        let connection = self.connection.map_or("", |one| one.as_str());
        hex(&Sha256::digest(format!("{}#{connection}#{}#{}", self.tenant, self.code, self.since)))
    }

    fn event(&self, routing_key: &str) -> Json {
        let (action, dedup_key) = (if self.say == Say::Over { "resolve" } else { "trigger" }, self.incident());
        let mut event = json!({"routing_key": routing_key, "event_action": action, "dedup_key": dedup_key});
        if self.say != Say::Over {
            event["payload"] = json!({
                "summary": self.text().lines().next(), "source": "crm-sync", "severity": self.severity(), "timestamp": self.since,
                "component": self.connection, "group": self.tenant, "class": self.code,
                "custom_details": {"remedy": self.remedy, "count": self.say.count(), "crm": self.crm},
            });
            event["links"] = self.link.iter().map(|href| json!({"href": href, "text": "Dashboard"})).collect();
        }
        event
    }

    /// Signed as <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md> has it.
    fn webhook(&self, url: &str, secret: &str, hosts: &Hosts) -> Result<Posted> {
        if !hosts.allow(url) {
            return Err(wrong("the URL is at no host that the stack names for alerts"));
        }
        let key = secret.strip_prefix("whsec_").and_then(|key| BASE64_STANDARD.decode(key).ok());
        let key =
            key.filter(|key| key.len() >= 24).ok_or_else(|| wrong("the secret is no whsec_ of 24 bytes or more"))?;
        let kind = match self.say {
            Say::Begun { .. } => "alert.begun",
            Say::Grown { .. } => "alert.grown",
            Say::Over => "alert.over",
        };
        let (incident, count) = (self.incident(), self.say.count());
        let body = json!({
            "type": kind, "timestamp": self.now,
            "data": {
                "incident": incident, "tenant_id": self.tenant, "connection_id": self.connection, "crm": self.crm, "code": self.code,
                "severity": self.severity(), "remedy": self.remedy, "count": count, "since": self.since, "link": self.link,
            },
        });
        let (id, at, body) = (format!("msg_{incident}_{count}"), self.now.as_second().to_string(), body.to_string());
        let mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| wrong("the secret is no key"))?;
        let proof = mac.chain_update(format!("{id}.{at}.{body}")).finalize().into_bytes();
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id),
            ("webhook-timestamp", at),
            ("webhook-signature", format!("v1,{}", BASE64_STANDARD.encode(proof))),
        ];
        Ok(Posted { url: url.to_owned(), headers, body })
    }
}

fn wrong(reason: &str) -> Error {
    Error::Config { reason: reason.to_owned() }
}

#[cfg(test)]
#[path = "letter_tests.rs"]
mod tests;
