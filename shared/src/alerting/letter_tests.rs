use super::{Hosts, Letter};
use crate::{
    alert::{Channel, Realm, Say},
    provider::{Crm, Secret},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn posted(channel: &Channel, say: Say, secret: &str, hosts: &Hosts) -> Result<(String, Json, Vec<String>), String> {
    let (tenant, connection) = ("acme".parse().unwrap(), "zo<ho".parse().unwrap());
    let letter = Letter {
        tenant: &tenant,
        code: "needs_reauth",
        remedy: "Let us in again.",
        connection: Some(&connection),
        crm: Some(Crm::Zoho),
        say,
        since: Timestamp::UNIX_EPOCH,
        now: Timestamp::from_second(1_674_087_231).unwrap(),
        link: Some("https://d.example/tenants/acme/exceptions".to_owned()),
    };
    let posted = channel.post(&letter, &Secret::new(secret), hosts).map_err(|error| error.to_string())?;
    let headers = posted.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    Ok((posted.url, serde_json::from_str(&posted.body).unwrap(), headers))
}

const MANY: Say = Say::Begun { count: 12 };

#[test]
fn slack_is_told_in_words() {
    let (url, body, _) =
        posted(&Channel::Slack {}, MANY, "https://hooks.slack.com/services/T0/B0/x", &Hosts::default()).unwrap();
    assert_eq!(url, "https://hooks.slack.com/services/T0/B0/x");
    let text = "needs_reauth, 12 times on acme / zo&lt;ho (Zoho CRM)\nLet us in again.\nhttps://d.example/tenants/acme/exceptions";
    assert_eq!(body, json!({"text": text}));
    for elsewhere in ["https://hooks.slack.com.evil.example/x", "http://hooks.slack.com/x", "https://evil.example/"] {
        assert!(posted(&Channel::Slack {}, MANY, elsewhere, &Hosts::default()).is_err(), "{elsewhere}");
    }
}

#[test]
fn telegram_is_told_by_a_bot_and_by_no_other_path() {
    let chat = Channel::Telegram { chat: "-100".to_owned() };
    let (url, body, _) = posted(&chat, Say::Over, "123:AA-b_c", &Hosts::default()).unwrap();
    assert_eq!(url, "https://api.telegram.org/bot123:AA-b_c/sendMessage");
    assert_eq!(body["chat_id"], "-100");
    assert!(body["text"].as_str().unwrap().starts_with("Over: needs_reauth on acme / zo<ho"));
    assert!(posted(&chat, Say::Over, "123/../../x", &Hosts::default()).is_err());
}

#[test]
fn pagerduty_hears_of_one_incident_from_beginning_to_end() {
    let pager = |say, region| posted(&Channel::Pagerduty { region }, say, "r", &Hosts::default()).unwrap();
    let (url, begun, _) = pager(MANY, Realm::Us);
    assert_eq!(url, "https://events.pagerduty.com/v2/enqueue");
    assert_eq!((&begun["event_action"], &begun["payload"]["severity"]), (&json!("trigger"), &json!("critical")));
    assert_eq!(begun["payload"]["summary"], "needs_reauth, 12 times on acme / zo<ho (Zoho CRM)");
    let (url, over, _) = pager(Say::Over, Realm::Eu);
    assert_eq!(url, "https://events.eu.pagerduty.com/v2/enqueue");
    assert_eq!((&over["event_action"], &over["dedup_key"]), (&json!("resolve"), &begun["dedup_key"]));
}

#[test]
fn a_webhook_goes_only_where_the_stack_lets_it() {
    let hosts = Hosts { local: None, named: vec!["hooks.example".to_owned()] };
    let post = |url: &str| posted(&Channel::Webhook { url: url.to_owned() }, MANY, KEY, &hosts);
    let (_, body, headers) = post("https://hooks.example/crm").unwrap();
    assert_eq!((&body["type"], &body["data"]["count"]), (&json!("alert.begun"), &json!(12)));
    assert!(headers[1].starts_with("webhook-id: msg_") && headers[2] == "webhook-timestamp: 1674087231", "{headers:?}");
    for elsewhere in [
        "http://hooks.example/",
        "https://hooks.example.evil.example/",
        "https://hooks.example:8443/",
        "https://me@hooks.example/",
        "https://169.254.169.254/",
        "hooks.example",
    ] {
        assert!(post(elsewhere).is_err(), "{elsewhere}");
    }
    let local = Hosts { local: Some("http://127.0.0.1:9".to_owned()), ..hosts };
    let to = |url: &str| posted(&Channel::Webhook { url: url.to_owned() }, MANY, KEY, &local);
    assert!(to("http://127.0.0.1:9/hook").is_ok() && to("https://hooks.example/crm").is_err());
    let short = format!("whsec_{}", BASE64_STANDARD.encode("short"));
    let hooks = Channel::Webhook { url: "http://127.0.0.1:9/hook".to_owned() };
    assert!(posted(&hooks, MANY, &short, &local).is_err() && posted(&hooks, MANY, "none", &local).is_err());
}
