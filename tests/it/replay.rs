//! What the journal cannot keep is parted until only that is left, lies whole in S3, and is kept after all once the cause is gone.

use crate::{
    alerts::open,
    audit::the_history_is_the_difference,
    engine::hub,
    meter::Meter,
    story::request,
    world::{World, tenant},
};
use aws_sdk_s3::Client;
use serde_json::{Value as Json, json};
use shared::{App, app::Settings, handler, history::Entry, id::RecordId};

const MAILBOX: &str = "poison@example.com";
/// What the history table takes no entry with.
const POISON: &str = "Poisonous";

struct Failing {
    world: World,
    meter: Meter,
    /// The functions, and whoever sees to what they could not do.
    app: App,
}

impl Failing {
    async fn new() -> Failing {
        let (world, meter) = World::metered().await;
        let bucket = format!("failures-{}", world.app.settings.files);
        Client::new(&world.aws).create_bucket().bucket(&bucket).send().await.unwrap();
        let metered = world.aws.to_builder().endpoint_url(&meter.url).build();
        let app = App::new(&metered, Settings { failures: bucket, ..world.app.settings.clone() }).unwrap();
        Failing { world, meter, app }
    }

    /// Three people, of whom the history table refuses one.
    async fn with_poison() -> Failing {
        let failing = Failing::new().await;
        let lead = |n: &str, email: &str, name: &str| request(n, json!({"id": n, "email": email, "last_name": name}));
        let asked = [
            lead("a", "ada@example.com", "Byron"),
            lead("p", MAILBOX, POISON),
            lead("g", "grace@example.com", "Hopper"),
        ];
        failing.world.send(&asked).await;
        failing.world.turn("sync-requests").await;
        failing.meter.refuse(Some(POISON));
        for batch in failing.world.stream.read().await {
            failing.invoke(batch).await;
        }
        failing
    }

    /// The one whom the history table refused is erased since, there and perhaps in the CRMs; the file that tells of what was missed.
    async fn with_one_erased(in_crms: bool) -> (Failing, String, RecordId) {
        let failing = Failing::with_poison().await;
        let Failing { world, meter, app } = &failing;
        let key = app.all_missed().await.unwrap().remove(0);
        meter.refuse(None);
        world.settle().await;
        let person = hub(world, MAILBOX).await;
        app.erase(&world.cx("erase"), &person, in_crms).await.unwrap();
        world.settle().await;
        (failing, key, person.id)
    }

    /// As the template's event source does: a batch that fails is halved, and what fails alone is given up after five more tries.
    async fn invoke(&self, batch: Json) {
        let records = batch["Records"].as_array().unwrap();
        let (tries, alone) = if records.len() > 1 { (1, false) } else { (6, true) };
        for _ in 0..tries {
            let event = serde_json::from_value(batch.clone()).unwrap();
            if handler::journal(&self.app, &self.world.cx("journal-invocation"), event).await.is_ok() {
                return;
            }
        }
        if alone {
            return self.give_up(&batch).await;
        }
        let (first, second) = records.split_at(records.len() / 2);
        for half in [first, second] {
            Box::pin(self.invoke(json!({"Records": half}))).await;
        }
    }

    /// The file's form and name are those of AWS's example:
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
    async fn give_up(&self, batch: &Json) {
        let number = &batch["Records"][0]["dynamodb"]["SequenceNumber"];
        let failure = json!({
            "requestContext": {
                "requestId": "316aa6d0-8154-4c3e-9af7-85d5f4a6bc81", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 6,
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:journal",
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": "2026-11-22T00:13:49.717Z",
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000001573689847184-864758bb", "startSequenceNumber": number, "endSequenceNumber": number,
                "approximateArrivalOfFirstRecord": "2026-11-22T00:13:19Z", "approximateArrivalOfLastRecord": "2026-11-22T00:13:19Z",
                "batchSize": 1, "streamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/state/stream/2026-11-14T00:04:06.388",
            },
            "payload": batch.to_string(),
        });
        let key = format!(
            "aws/lambda/177d7c2e-5a0f-4f0a-a3f9-3b1b5a2f8d11/shardId-00000001573689847184-864758bb/2026/11/22/2026-11-22T00.13.49-{}",
            number.as_str().unwrap()
        );
        self.put(&key, failure.to_string()).await;
    }

    async fn put(&self, key: &str, body: String) {
        let put = Client::new(&self.world.aws).put_object().bucket(&self.app.settings.failures).key(key);
        put.body(body.into_bytes().into()).send().await.unwrap();
    }

    async fn history(&self, record: &RecordId) -> Vec<Entry> {
        self.app.history.of(&tenant(), record).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_could_not_keep_is_kept_after_all() {
    let failing = Failing::with_poison().await;
    let Failing { world, meter, app } = &failing;
    let poisoned = hub(world, MAILBOX).await.id;
    let neighbour = hub(world, "grace@example.com").await.id;
    assert!(!failing.history(&neighbour).await.is_empty(), "the rest goes on");
    assert!(failing.history(&poisoned).await.is_empty());
    let keys = app.all_missed().await.unwrap();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let missed = app.missed(&keys[0]).await.unwrap();
    assert_eq!((missed.changes(), missed.tries, missed.condition.as_str()), (1, 6, "RetryAttemptsExhausted"));

    let again = app.replay(&world.cx("replay"), &missed).await;
    assert!(again.is_err(), "the cause is still there");
    assert_eq!(app.all_missed().await.unwrap(), keys, "and so is the file");

    meter.refuse(None);
    app.replay(&world.cx("replay"), &missed).await.unwrap();
    let kept = failing.history(&poisoned).await;
    assert!(kept.iter().any(|entry| matches!(entry, Entry::Change { version: 1, .. })), "{kept:?}");
    assert!(app.all_missed().await.unwrap().is_empty());
    app.replay(&world.cx("replay"), &missed).await.unwrap();
    assert_eq!(failing.history(&poisoned).await, kept, "what comes twice changes nothing");
    world.settle().await;
    the_history_is_the_difference(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replayed_of_somebody_erased_tells_no_values() {
    let (failing, key, person) = Failing::with_one_erased(false).await;
    let Failing { world, app, .. } = &failing;
    app.replay(&world.cx("replay"), &app.missed(&key).await.unwrap()).await.unwrap();
    let told = format!("{:?}", failing.history(&person).await);
    assert!(told.contains("version: 1,") && !told.contains(POISON) && !told.contains(MAILBOX), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_came_back_keeps_what_was_said_since() {
    let (failing, key, person) = Failing::with_one_erased(true).await;
    let Failing { world, app, .. } = &failing;
    let mut asked = request("r", json!({"id": "p", "email": MAILBOX, "last_name": "Anew"}));
    (asked["occurred_at"], asked["lead"]["consent_at"]) = (json!(world.now()), json!(world.now()));
    world.send(&[asked]).await;
    world.settle().await;
    app.replay(&world.cx("replay"), &app.missed(&key).await.unwrap()).await.unwrap();
    let told = format!("{:?}", failing.history(&person).await);
    assert!(told.contains("version: 1,") && !told.contains(POISON) && told.contains("Anew"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_alerted_of_what_has_ended() {
    let failing = Failing::new().await;
    let Failing { world, app, .. } = &failing;
    world.settle().await;
    let ended = open(world, "needs_reauth", "zoho").await;
    let lasts = open(world, "rate_limited", "zoho").await;
    for batch in world.stream.read().await {
        failing.give_up(&batch).await;
    }
    app.store.resolve(&tenant(), &ended.id, world.now()).await.unwrap();
    world.settle().await;
    let ear = world.listen(&["exception.raised"]).await;
    for key in app.all_missed().await.unwrap() {
        app.replay(&world.cx("replay"), &app.missed(&key).await.unwrap()).await.unwrap();
    }
    let heard = ear.heard().await;
    assert_eq!(heard.iter().map(|one| one.text("id")).collect::<Vec<_>>(), [&lasts.id], "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lambda_did_not_write_stays_and_is_named() {
    let failing = Failing::new().await;
    let key = "aws/lambda/source/shard/2026/11/22/2026-11-22T00.13.49-other";
    failing.put(key, json!({"payload": "ada@example.com"}).to_string()).await;
    failing.put("notes.txt", "ours".to_owned()).await;
    assert_eq!(failing.app.all_missed().await.unwrap(), [key], "only what Lambda writes");
    let error = failing.app.missed(key).await.unwrap_err().to_string();
    assert!(error.contains(key) && !error.contains("ada@"), "{error}");
}
