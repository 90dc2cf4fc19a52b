//! What makes each alarm fire. Whatever AWS itself measures is asked of the emulator.

use super::{Stage, definition::resources};
use crate::{
    alerts::{self, told_by},
    story::request,
    world::{World, tenant},
};
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::{
    connection::{Allowance, Connection},
    handler,
    provider::Crm,
    queue::Outgoing,
    store::Open,
};

/// The codes of what waits for a person.
async fn open(stage: &Stage) -> Vec<String> {
    let all = stage.world.app.store.exceptions(&tenant()).await.unwrap();
    all.into_iter().filter(|exception| exception.state == Open::Open).map(|exception| exception.code).collect()
}

/// So many people, whom the workflow service sends.
fn people(of: &str, count: usize, company: &str) -> Vec<Json> {
    let lead = |n: usize| json!({"id": format!("{of}-{n}"), "email": format!("{of}{n}@example.com"), "last_name": "Byron", "company": company});
    (0..count).map(|n| request(&format!("{of}-{n}"), lead(n))).collect()
}

/// It is an exception, too.
async fn is_told(stage: &Stage, code: &str) {
    let open = open(stage).await;
    assert!(open.iter().any(|one| one == code), "{code}: {open:?}");
}

pub(super) async fn no_pull_succeeds(stage: &mut Stage) {
    stage.pull().await;
    stage.watch().await;
    stage.calm();
    stage.world.wait(SignedDuration::from_mins(11)).await;
    stage.watch().await;
    is_told(stage, "no_success").await;
    assert!(stage.fires());
    stage.pull().await;
    stage.watch().await;
    assert!(!open(stage).await.iter().any(|code| code == "no_success"), "it ends by itself");
}

pub(super) async fn a_pull_comes_late(stage: &mut Stage) {
    stage.pull().await;
    stage.watch().await;
    stage.calm();
    stage.world.type_in(Crm::Zoho, &[vec![("last_name", "Byron"), ("email", "ada@example.com")]]).await;
    stage.world.wait(SignedDuration::from_mins(20)).await;
    stage.pull().await;
    stage.watch().await;
    is_told(stage, "sync_lags").await;
}

pub(super) async fn a_push_waits(stage: &mut Stage) {
    stage.world.send(&people("early", 1, "Fine Ltd")).await;
    stage.world.settle().await;
    stage.watch().await;
    stage.calm();
    stage.world.sim("faults", &json!({"zoho": {"rate_limit_for_ms": 600_000}})).await;
    stage.world.send(&people("late", 1, "Fine Ltd")).await;
    for _ in 0..4 {
        stage.world.turns().await;
    }
    stage.world.wait(SignedDuration::from_secs(40)).await;
    stage.watch().await;
    is_told(stage, "sync_lags").await;
}

pub(super) async fn a_crm_refuses_many(stage: &mut Stage) {
    stage.world.sim("faults", &json!({"zoho": {"refuse_values": [{"field": "Company", "contains": "poison"}]}})).await;
    stage.world.send(&people("fine", 20, "Fine Ltd")).await;
    stage.world.settle().await;
    stage.watch().await;
    stage.calm();
    stage.world.send(&people("bad", 6, "poison Ltd")).await;
    stage.world.settle().await;
    stage.watch().await;
    is_told(stage, "many_refused").await;
}

pub(super) async fn much_less_happens(stage: &mut Stage) {
    let (hour, day) = (SignedDuration::from_hours(1), SignedDuration::from_hours(24));
    // Well within an hour, so that none of it falls into the next.
    let into = stage.world.now().as_second().rem_euclid(3_600);
    stage.world.wait(SignedDuration::from_secs(3_600 - into + 60)).await;
    for nth in 0..4 {
        stage.world.send(&people(&format!("day{nth}x"), 20, "Fine Ltd")).await;
        stage.world.settle().await;
        stage.world.wait(hour).await;
        stage.watch().await;
        stage.world.wait(day - hour).await;
    }
    stage.calm();
    stage.world.wait(hour).await;
    stage.watch().await;
    is_told(stage, "volume_dropped").await;
}

pub(super) async fn a_crm_fails(stage: &mut Stage) {
    stage.pull().await;
    stage.watch().await;
    stage.calm();
    stage.world.sim("faults", &json!({"zoho": {"fail_rate": 1.0}})).await;
    for _ in 0..5 {
        stage.world.wait(SignedDuration::from_mins(6)).await;
        stage.world.reappear().await;
        stage.world.tick().await;
        stage.world.turns().await;
    }
    stage.watch().await;
    is_told(stage, "many_errors").await;
}

/// The account's budget for a day.
async fn credits(world: &World, budget: u64) {
    world.sim("accounts", &json!({"crm": "zoho", "credits": budget})).await;
    let stored = world.stored(Crm::Zoho).await;
    let allowance = Allowance { left_to_others: 0, per_day: Some(budget) };
    assert!(world.app.store.update_connection(&stored, &Connection { allowance, ..stored.clone() }).await.unwrap());
}

pub(super) async fn the_day_is_nearly_spent(stage: &mut Stage) {
    credits(&stage.world, 10_000).await;
    stage.world.send(&people("early", 3, "Fine Ltd")).await;
    stage.world.settle().await;
    stage.watch().await;
    stage.calm();
    let used = stage.world.shown("counters").await["zoho"][0]["day_used"].as_u64().unwrap();
    assert!(used > 8, "{used}");
    credits(&stage.world, used + 2).await;
    stage.world.wait(SignedDuration::from_mins(6)).await;
    stage.world.tick().await;
    stage.world.turns().await;
    stage.watch().await;
    is_told(stage, "quota_low").await;
}

pub(super) async fn a_grant_is_revoked(stage: &mut Stage) {
    stage.pull().await;
    stage.watch().await;
    stage.calm();
    stage.world.sim("faults", &json!({"zoho": {"revoke_grant": true, "expire_tokens": true}})).await;
    stage.world.wait(SignedDuration::from_mins(6)).await;
    stage.pull().await;
    stage.watch().await;
    let told = open(stage).await;
    assert_eq!(told.iter().filter(|code| *code == "needs_reauth").count(), 1, "once: {told:?}");
}

pub(super) async fn nobody_watches(stage: &mut Stage) {
    stage.watch().await;
    stage.calm();
    stage.world.wait(SignedDuration::from_mins(16)).await;
}

pub(super) async fn the_watchdog_fails(stage: &mut Stage) {
    stage.watch().await;
    stage.calm();
    let tables = aws_sdk_dynamodb::Client::new(&stage.world.aws);
    tables.delete_table().table_name(&stage.world.app.settings.state_table).send().await.unwrap();
    for _ in 0..2 {
        stage.world.wait(SignedDuration::from_mins(5)).await;
        stage.watch().await;
    }
}

fn sqs(stage: &Stage) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&stage.world.aws)
}

/// A message lies in a queue of the template's name for longer than the alarm allows.
async fn waits(stage: &mut Stage, logical: &str, queue: &str, longer_than: SignedDuration) {
    let url = stage.world.url(queue).to_owned();
    let message = Outgoing::new(&json!({"nobody": "reads it"}), &"one").unwrap().deduplicated("once");
    stage.world.app.queue.send(&url, &[message]).await.unwrap();
    age(stage, logical, &url).await;
    stage.calm();
    stage.world.wait(longer_than + SignedDuration::from_secs(1)).await;
    age(stage, logical, &url).await;
}

/// How old the oldest message is, by what the queue says of it.
async fn age(stage: &mut Stage, logical: &str, url: &str) {
    let call = sqs(stage).receive_message().queue_url(url).visibility_timeout(0);
    let got = call.message_system_attribute_names(MessageSystemAttributeName::SentTimestamp).send().await.unwrap();
    let sent =
        got.messages.unwrap()[0].attributes.as_ref().unwrap()[&MessageSystemAttributeName::SentTimestamp].clone();
    let age = stage.world.now().as_millisecond() - sent.parse::<i64>().unwrap();
    let name = format!("{logical}.QueueName");
    stage.told("AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName", &name), age as f64 / 1e3);
}

pub(super) async fn a_hint_waits(stage: &mut Stage) {
    waits(stage, "ChangesQueue", "changes", SignedDuration::from_mins(15)).await;
}

pub(super) async fn a_request_waits(stage: &mut Stage) {
    waits(stage, "SyncRequestsQueue", "sync-requests", SignedDuration::from_mins(15)).await;
}

pub(super) async fn a_pull_waits(stage: &mut Stage) {
    waits(stage, "PullsQueue", "pulls", SignedDuration::from_hours(1)).await;
}

pub(super) async fn a_push_waits_for_hours(stage: &mut Stage) {
    waits(stage, "PushesQueue", "pushes", SignedDuration::from_hours(6)).await;
}

/// A message comes back as often as the template lets it.
async fn given_up(stage: &mut Stage, logical: &str, queue: &str) {
    let (sqs, url) = (sqs(stage), stage.world.url(queue).to_owned());
    let of_queue = resources("AWS::SQS::Queue")[format!("{logical}Queue").as_str()];
    let most = of_queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap();
    let name = if url.ends_with(".fifo") { "dead.fifo" } else { "dead" };
    let call = sqs.create_queue().queue_name(name);
    let call = if url.ends_with(".fifo") { call.attributes(QueueAttributeName::FifoQueue, "true") } else { call };
    let dead = call.send().await.unwrap().queue_url.unwrap();
    let asked = sqs.get_queue_attributes().queue_url(&dead).attribute_names(QueueAttributeName::QueueArn);
    let arn = asked.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::QueueArn].clone();
    let redrive = json!({"deadLetterTargetArn": arn, "maxReceiveCount": most}).to_string();
    let call = sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::RedrivePolicy, redrive);
    call.send().await.unwrap();
    lies_dead(stage, logical, &dead).await;
    stage.calm();
    let message = Outgoing::new(&json!({"nobody": "reads it"}), &"one").unwrap().deduplicated("once");
    stage.world.app.queue.send(&url, &[message]).await.unwrap();
    for _ in 0..=most {
        sqs.receive_message().queue_url(&url).visibility_timeout(0).send().await.unwrap();
    }
    lies_dead(stage, logical, &dead).await;
}

async fn lies_dead(stage: &mut Stage, logical: &str, url: &str) {
    let call = sqs(stage).get_queue_attributes().queue_url(url);
    let call = call.attribute_names(QueueAttributeName::ApproximateNumberOfMessages);
    let told = call.send().await.unwrap().attributes.unwrap();
    let visible: f64 = told[&QueueAttributeName::ApproximateNumberOfMessages].parse().unwrap();
    let name = format!("{logical}DeadLetters.QueueName");
    stage.told("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", &name), visible);
}

pub(super) async fn a_hint_is_given_up(stage: &mut Stage) {
    given_up(stage, "Changes", "changes").await;
}

pub(super) async fn a_request_is_given_up(stage: &mut Stage) {
    given_up(stage, "SyncRequests", "sync-requests").await;
}

pub(super) async fn a_pull_is_given_up(stage: &mut Stage) {
    given_up(stage, "Pulls", "pulls").await;
}

pub(super) async fn a_push_is_given_up(stage: &mut Stage) {
    given_up(stage, "Pushes", "pushes").await;
}

pub(super) async fn a_file_waits(stage: &mut Stage) {
    waits(stage, "ImportsQueue", "imports", SignedDuration::from_hours(1)).await;
}

pub(super) async fn a_file_is_given_up(stage: &mut Stage) {
    given_up(stage, "Imports", "imports").await;
}

pub(super) async fn an_alert_waits(stage: &mut Stage) {
    waits(stage, "AlertsQueue", "alerts", SignedDuration::from_mins(15)).await;
}

pub(super) async fn an_alert_is_given_up(stage: &mut Stage) {
    given_up(stage, "Alerts", "alerts").await;
}

pub(super) async fn a_channel_refuses(stage: &mut Stage) {
    stage.world = told_by(&["slack"]).await;
    alerts::open(&stage.world, "needs_reauth", "zoho").await;
    alerts::tell(&stage.world).await;
    stage.calm();
    stage.world.sim("alerts", &json!([{"status": 410}])).await;
    alerts::open(&stage.world, "mass_write", "zoho").await;
    alerts::tell(&stage.world).await;
    is_told(stage, "alert_refused").await;
}

/// How old what is read of the stream is, as Lambda measures it: by the last record of a batch.
async fn read_the_stream(stage: &mut Stage) {
    for batch in stage.world.stream.read().await {
        let last = batch["Records"].as_array().unwrap().last().unwrap().clone();
        let made = last["dynamodb"]["ApproximateCreationDateTime"].as_f64().unwrap();
        let age = stage.world.now().as_millisecond() as f64 - made * 1e3;
        stage.told("AWS/Lambda", "IteratorAge", ("FunctionName", "Journal"), age);
    }
}

pub(super) async fn the_stream_is_read_late(stage: &mut Stage) {
    stage.world.send(&people("early", 1, "Fine Ltd")).await;
    stage.world.turns().await;
    read_the_stream(stage).await;
    stage.calm();
    stage.world.send(&people("late", 1, "Fine Ltd")).await;
    stage.world.turns().await;
    stage.world.wait(SignedDuration::from_mins(16)).await;
    read_the_stream(stage).await;
}

pub(super) async fn a_change_cannot_be_read(stage: &mut Stage) {
    let record = |image: Json| {
        json!({"Records": [{"eventID": "1", "eventName": "INSERT", "awsRegion": "us-east-1",
            "dynamodb": {"ApproximateCreationDateTime": 1_700_000_000, "Keys": {}, "NewImage": image, "SequenceNumber": "1", "SizeBytes": 1}}]})
    };
    for (kind, fails) in [("nothing of ours", false), ("record", true)] {
        let event = serde_json::from_value(record(json!({"kind": {"S": kind}}))).unwrap();
        let done = handler::journal(&stage.world.app, &stage.world.cx("journal"), event).await;
        assert_eq!(done.is_err(), fails);
        stage.invoked("Journal", &done);
        if !fails {
            stage.calm();
        }
    }
}
