//! People are told of exceptions, each by the way that they chose, once.

use crate::{
    alarms::definition::resources,
    world::{World, tenant},
};
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde_json::{Value as Json, json};
use shared::{
    alert::Alerts,
    connection::Connection,
    handler,
    provider::{Crm, Secret},
    store::{Exception, Open, Setting},
};
use simulator::alerts::{BOT, ROUTING_KEY, SIGNING, SLACK};
use std::collections::BTreeMap;

/// What is told of these exceptions goes by the template's own rule into the queue, and these channels are told.
pub(crate) async fn told_by(channels: &[&str]) -> World {
    let world = World::new().await;
    world.settle().await;
    let sqs = aws_sdk_sqs::Client::new(&world.aws);
    let (bus, url) = (&world.app.settings.event_bus, &world.app.settings.alerts);
    let asked = sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
    let arn = asked.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::QueueArn].clone();
    let pattern = resources("AWS::Events::Rule")["Alerting"]["EventPattern"].to_string();
    let rule = world.app.events().put_rule().name("alerting").event_bus_name(bus).event_pattern(pattern);
    rule.send().await.unwrap();
    let target = Target::builder().id("alerts").arn(arn).build().unwrap();
    world.app.events().put_targets().rule("alerting").event_bus_name(bus).targets(target).send().await.unwrap();
    let all = [
        ("slack", json!({"is": "slack"}), format!("https://hooks.slack.com/services/{SLACK}")),
        ("telegram", json!({"is": "telegram", "chat": "-100"}), BOT.to_owned()),
        ("pagerduty", json!({"is": "pagerduty", "region": "eu"}), ROUTING_KEY.to_owned()),
        ("webhook", json!({"is": "webhook", "url": format!("{}/hook/crm", world.sim.url)}), SIGNING.to_owned()),
    ];
    let mut chosen = BTreeMap::new();
    for (name, channel, secret) in all.into_iter().filter(|(name, ..)| channels.contains(name)) {
        world.app.secrets.put_alert(&tenant(), name, Secret::new(secret)).await.unwrap();
        chosen.insert(name, channel);
    }
    let alerts: Alerts = serde_json::from_value(json!({"channels": chosen, "rules": [{"to": channels}]})).unwrap();
    assert!(world.app.store.set(&tenant(), Setting::Alerts(&alerts), None).await.unwrap());
    world
}

fn exception(world: &World, on: &Connection, code: &str, about: &str) -> Exception {
    Exception::new(&tenant(), code, about, "somebody's fault", &world.cx("a trace")).on(on)
}

/// Opens an exception of one of the connections.
pub(crate) async fn open(world: &World, code: &str, about: &str) -> Exception {
    let exception = exception(world, &world.stored(Crm::Zoho).await, code, about);
    world.app.store.raise(&exception).await.unwrap();
    exception
}

/// What lies in the queue.
async fn queued(world: &World) -> SqsEvent {
    let mut records = Vec::new();
    loop {
        let call = aws_sdk_sqs::Client::new(&world.aws).receive_message().queue_url(&world.app.settings.alerts);
        let call = call.max_number_of_messages(10).message_system_attribute_names(MessageSystemAttributeName::All);
        let got = call.send().await.unwrap().messages.unwrap_or_default();
        if got.is_empty() {
            return serde_json::from_value(json!({"Records": records})).unwrap();
        }
        records.extend(got.into_iter().map(|m| {
            json!({"messageId": m.message_id, "receiptHandle": m.receipt_handle, "body": m.body, "attributes": {}, "messageAttributes": {}})
        }));
    }
}

/// The function is given these messages; how many it hands back.
async fn handle(world: &World, event: SqsEvent) -> usize {
    let cx = world.cx("alert");
    let done = handler::alert(&world.app, &cx, event.clone()).await.unwrap();
    world.report(&cx).await;
    let sqs = aws_sdk_sqs::Client::new(&world.aws);
    for message in event.records {
        let is_kept =
            done.batch_item_failures.iter().any(|kept| Some(&kept.item_identifier) == message.message_id.as_ref());
        if !is_kept {
            let receipt = message.receipt_handle.unwrap();
            // One that was handed in twice is gone by now.
            drop(sqs.delete_message().queue_url(&world.app.settings.alerts).receipt_handle(receipt).send().await);
        }
    }
    done.batch_item_failures.len()
}

/// What happened is told of; how many messages come back later.
pub(crate) async fn tell(world: &World) -> usize {
    world.journal().await;
    handle(world, queued(world).await).await
}

/// What was taken since the last time, by channel.
async fn taken(world: &World, before: &mut usize) -> Vec<(String, Json)> {
    let all = world.shown("alerts").await;
    let all = all.as_array().unwrap();
    let new = all[*before..].iter().map(|one| (one["channel"].as_str().unwrap().to_owned(), one["message"].clone()));
    *before = all.len();
    new.collect()
}

fn channels(taken: &[(String, Json)]) -> Vec<&str> {
    let mut names: Vec<&str> = taken.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

const ALL: [&str; 4] = ["pagerduty", "slack", "telegram", "webhook"];

#[tokio::test]
async fn each_channel_is_told_once_and_told_that_it_is_over() {
    let (world, mut before) = (told_by(&ALL).await, 0);
    let dead = open(&world, "needs_reauth", "zoho").await;
    world.journal().await;
    let messages = queued(&world).await;
    assert_eq!(handle(&world, messages.clone()).await, 0);
    let begun = taken(&world, &mut before).await;
    assert_eq!(channels(&begun), ALL);
    let told = json!(begun).to_string();
    assert!(
        told.contains("needs_reauth") && told.contains("Zoho CRM") && told.contains("/tenants/demo/exceptions"),
        "{told}"
    );
    assert!(!told.contains("somebody's fault"), "a reason may name somebody: {told}");
    // The queue hands out what it likes, and so does the stream.
    assert_eq!(handle(&world, messages).await, 0);
    open(&world, "needs_reauth", "zoho").await;
    assert_eq!((tell(&world).await, taken(&world, &mut before).await.len()), (0, 0), "told once while it is open");
    world.app.store.resolve(&tenant(), &dead.id).await.unwrap();
    assert_eq!(tell(&world).await, 0);
    let over = taken(&world, &mut before).await;
    assert_eq!(channels(&over), ALL);
    let of = |told: &[(String, Json)], name: &str| told.iter().find(|(channel, _)| channel == name).unwrap().1.clone();
    assert_eq!(of(&over, "pagerduty")["event_action"], "resolve");
    assert_eq!(of(&over, "pagerduty")["dedup_key"], of(&begun, "pagerduty")["dedup_key"]);
    assert_eq!(of(&over, "webhook")["body"]["type"], "alert.over");
    open(&world, "needs_reauth", "zoho").await;
    tell(&world).await;
    assert_eq!(taken(&world, &mut before).await.len(), ALL.len(), "it is another time");
}

#[tokio::test]
async fn a_storm_is_one_message_with_a_count() {
    let (world, mut before) = (told_by(&["slack"]).await, 0);
    for n in 0..25 {
        open(&world, "refused_by_crm", &format!("zoho:r{n}")).await;
    }
    while world.journal().await {}
    assert_eq!(handle(&world, queued(&world).await).await, 0);
    let told = taken(&world, &mut before).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1["text"].as_str().unwrap().starts_with("refused_by_crm, 25 times on demo / zoho"), "{told:?}");
}

#[tokio::test]
async fn functions_that_hear_of_it_at_the_same_time_tell_it_once() {
    let (world, mut before) = (told_by(&ALL).await, 0);
    open(&world, "needs_reauth", "zoho").await;
    world.journal().await;
    let messages = queued(&world).await;
    let all = (0..4).map(|_| handle(&world, messages.clone()));
    futures::future::join_all(all).await;
    assert_eq!(channels(&taken(&world, &mut before).await), ALL);
}

#[tokio::test]
async fn what_is_over_before_it_is_heard_of_is_not_told() {
    let (world, mut before) = (told_by(&["slack"]).await, 0);
    let brief = open(&world, "needs_reauth", "zoho").await;
    world.journal().await;
    let raised = queued(&world).await;
    world.app.store.resolve(&tenant(), &brief.id).await.unwrap();
    assert_eq!(tell(&world).await, 0);
    assert_eq!(handle(&world, raised).await, 0);
    assert_eq!(taken(&world, &mut before).await, []);
}

#[tokio::test]
async fn a_channel_that_asks_for_patience_is_told_later_and_the_others_now() {
    let (world, mut before) = (told_by(&["slack", "telegram"]).await, 0);
    // By their names, Slack is told first.
    world.sim("alerts", &json!([{"status": 429, "retry_after": 7}])).await;
    open(&world, "needs_reauth", "zoho").await;
    world.journal().await;
    let messages = queued(&world).await;
    assert_eq!(handle(&world, messages.clone()).await, 1, "it comes back");
    assert_eq!(channels(&taken(&world, &mut before).await), ["telegram"]);
    let hidden = aws_sdk_sqs::Client::new(&world.aws).get_queue_attributes().queue_url(&world.app.settings.alerts);
    let hidden =
        hidden.attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible).send().await.unwrap();
    assert_eq!(hidden.attributes.unwrap()[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible], "1");
    assert_eq!(queued(&world).await.records.len(), 0, "not at once");
    for status in [500, 503] {
        world.sim("alerts", &json!([{"status": status}])).await;
        assert_eq!(handle(&world, messages.clone()).await, 1, "{status}");
    }
    assert_eq!(handle(&world, messages).await, 0);
    assert_eq!(channels(&taken(&world, &mut before).await), ["slack"], "and nobody twice");
}

#[tokio::test]
async fn a_channel_that_refuses_is_an_exception_and_no_circle() {
    let (world, mut before) = (told_by(&["slack"]).await, 0);
    world.sim("alerts", &json!([{"status": 404}])).await;
    open(&world, "needs_reauth", "zoho").await;
    assert_eq!(tell(&world).await, 0, "nothing comes back");
    let refused = async || {
        let all = world.app.store.exceptions(&tenant()).await.unwrap();
        all.into_iter().find(|exception| exception.code == "alert_refused").unwrap()
    };
    assert_eq!(refused().await.state, Open::Open);
    assert!(!refused().await.reason.contains("hooks.slack.com"), "its URL is a secret: {}", refused().await.reason);
    for _ in 0..3 {
        assert_eq!(tell(&world).await, 0);
    }
    assert_eq!(taken(&world, &mut before).await, [], "nobody is told that nobody can be told");
    open(&world, "mass_write", "zoho").await;
    tell(&world).await;
    assert_eq!(taken(&world, &mut before).await.len(), 1);
    assert_eq!(refused().await.state, Open::Resolved, "it takes something again");
}

#[tokio::test]
async fn whoever_wants_nothing_is_told_nothing_and_nothing_is_kept_for_them() {
    let (world, mut before) = (told_by(&["slack"]).await, 0);
    let rules = json!({"channels": {"slack": {"is": "slack"}}, "rules": [{"to": ["slack"], "least": "critical"}]});
    let alerts: Alerts = serde_json::from_value(rules).unwrap();
    world.app.store.set(&tenant(), Setting::Alerts(&alerts), None).await.unwrap();
    let mild = open(&world, "refused_by_crm", "zoho:r1").await;
    assert_eq!(tell(&world).await, 0);
    assert_eq!(taken(&world, &mut before).await, []);
    assert!(world.app.store.marks(&tenant(), &[mild.id]).await.unwrap().is_empty());
}
