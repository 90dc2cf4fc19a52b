//! Who is told of an exception, by which way, and how often.

mod incident;

pub use incident::{Heard, Incident, Mark, Next, Say, Told, due, heard};

use crate::id::ConnectionId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A tenant's ways of being told, and what goes where. Without a rule nobody is told anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Unchecked")]
#[schemars(!try_from, default, deny_unknown_fields)]
pub struct Alerts {
    /// By a name of the tenant's, under which its secret is kept too: the URL of a Slack webhook, a Telegram bot's token, PagerDuty's routing
    /// key, the `whsec_…` of a webhook.
    pub channels: BTreeMap<String, Channel>,
    pub rules: Vec<Rule>,
}

/// A way of being told. None of them holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Channel {
    /// An incoming webhook of Slack's.
    Slack {},
    /// A chat that a bot of ours is in.
    Telegram { chat: String },
    /// Events API v2 of a service.
    Pagerduty {
        #[serde(default)]
        region: Realm,
    },
    /// A URL that takes Standard Webhooks, at a host that the stack names. It is no secret: what proves a call is its signature.
    Webhook { url: String },
}

/// Where a PagerDuty account is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Realm {
    #[default]
    Us,
    Eu,
}

/// What is told to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Names of channels.
    pub to: BTreeSet<String>,
    /// These alone; empty for all.
    #[serde(default)]
    pub codes: BTreeSet<String>,
    /// No milder than that.
    #[serde(default)]
    pub least: Severity,
    /// Of these alone; empty for all, and for what is of none.
    #[serde(default)]
    pub connections: BTreeSet<ConnectionId>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A record, a field, a request: everything else goes on.
    #[default]
    Warning,
    /// A whole connection stands still, or would do harm if it went on.
    Critical,
}

/// The codes that stand for a whole connection.
const CRITICAL: &[&str] = &[
    "another_account",
    "app_refused",
    "connection_stopped",
    "id_not_unique",
    "many_errors",
    "mass_blank",
    "mass_delete",
    "mass_write",
    "needs_reauth",
    "no_success",
    "scope_missing",
];

/// That an alert could not be told. Of that nobody is told by an alert.
pub const REFUSED: &str = "alert_refused";

impl Severity {
    pub fn of(code: &str) -> Severity {
        if CRITICAL.contains(&code) { Severity::Critical } else { Severity::Warning }
    }
}

impl Alerts {
    /// The channels that are told of it.
    pub fn to(&self, code: &str, connection: Option<&ConnectionId>) -> BTreeSet<&str> {
        let meant = |rule: &&Rule| {
            (rule.codes.is_empty() || rule.codes.contains(code))
                && rule.least <= Severity::of(code)
                && (rule.connections.is_empty() || connection.is_some_and(|one| rule.connections.contains(one)))
        };
        let rules = self.rules.iter().filter(|_| code != REFUSED).filter(meant);
        rules.flat_map(|rule| rule.to.iter().map(String::as_str)).collect()
    }
}

/// As it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Unchecked {
    channels: BTreeMap<String, Channel>,
    rules: Vec<Rule>,
}

impl TryFrom<Unchecked> for Alerts {
    type Error = String;

    fn try_from(Unchecked { channels, rules }: Unchecked) -> Result<Alerts, String> {
        let is_name = |name: &str| {
            (1..=40).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if let Some(name) = channels.keys().find(|name| !is_name(name)) {
            return Err(format!("{name} is no name of a channel: lower case letters, digits and -, at most 40"));
        }
        match rules.iter().flat_map(|rule| &rule.to).find(|name| !channels.contains_key(*name)) {
            Some(unknown) => Err(format!("a rule names the channel {unknown}, which there is not")),
            None => Ok(Alerts { channels, rules }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Alerts, REFUSED};
    use serde_json::json;

    #[test]
    fn rules_say_what_goes_where() {
        let alerts: Alerts = serde_json::from_value(json!({
            "channels": {"ops": {"is": "slack"}, "night": {"is": "pagerduty", "region": "eu"}, "us": {"is": "telegram", "chat": "-1"}},
            "rules": [
                {"to": ["ops"]},
                {"to": ["night"], "least": "critical"},
                {"to": ["us"], "codes": ["refused_by_crm"], "connections": ["zoho"]},
            ],
        }))
        .unwrap();
        let to = |code: &str, connection: &str| {
            alerts.to(code, connection.parse().ok().as_ref()).into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(to("needs_reauth", "zoho"), "night ops");
        assert_eq!(to("refused_by_crm", "zoho"), "ops us");
        assert_eq!(to("refused_by_crm", "hubspot"), "ops");
        assert_eq!(to(REFUSED, "zoho"), "", "it would go round in a circle");
        for wrong in [
            json!({"rules": [{"to": ["nobody"]}]}),
            json!({"channels": {"a/b": {"is": "slack"}}}),
            json!({"channels": {"a": {"is": "slack", "url": "https://hooks.slack.com/services/T/B/secret"}}}),
            json!({"channels": {"a": {"is": "mail"}}}),
        ] {
            assert!(serde_json::from_value::<Alerts>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
