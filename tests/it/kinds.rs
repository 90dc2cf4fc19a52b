//! What each kind of event is billed for, counted for `cargo dev bench --only cost`: a line of JSON for each, after the lines that the
//! functions logged meanwhile.

use crate::{
    meter::Meter,
    story::request,
    world::{World, tenant},
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::handler;
use std::collections::BTreeSet;

/// As many at once as come within a batch window where there are many.
const MANY: usize = 20;
/// Records of a page of HubSpot's.
const PAGE: usize = 100;
/// How long nothing happens, in steps of five minutes.
const STEPS: usize = 36;

struct Counter {
    world: World,
    meter: Meter,
    /// How the events come.
    regime: &'static str,
}

#[tokio::test]
#[ignore = "`cargo dev bench --only cost` reads what it counts"]
async fn each_kind_of_event_is_counted() {
    // Whatever the test runner wrote is on a line of its own.
    println!();
    shared::telemetry::init();
    for (regime, many, cold) in [("minutes apart", 1, true), ("one by one", 1, false), ("together", MANY, false)] {
        let counter = Counter::new(regime).await;
        counter.world.instances.forget(cold);
        requests(&counter, many).await;
        webhooks(&counter, many).await;
    }
    pulls(&Counter::new("a page").await).await;
    rest(&Counter::new("at rest").await).await;
}

impl Counter {
    async fn new(regime: &'static str) -> Counter {
        let (world, meter) = World::metered().await;
        world.settle().await;
        let counter = Counter { world, meter, regime };
        counter.told("connecting", 2).await;
        counter
    }

    /// Says what was billed since the last time, for so many events of a kind. AWS answers what it does for many as for one.
    async fn told(&self, kind: &str, events: usize) -> Json {
        let (items, spent) = (self.meter.items(), self.meter.spent());
        let emitted = std::mem::take(&mut *self.world.emitted.lock().unwrap());
        let crm = self.world.shown("calls?reset=1").await;
        let routes = crm.as_object().into_iter().flatten().filter_map(|(_, routes)| routes.as_object());
        let counted = json!({
            "kind": kind,
            "regime": self.regime,
            "events": events,
            "items": items,
            "invoked": self.world.invoked.take(),
            "aws_calls": spent.0.values().map(|cost| cost.calls).sum::<u64>(),
            "crm_calls": routes.flat_map(|routes| routes.values()).filter_map(Json::as_u64).sum::<u64>(),
            "emitted": emitted.iter().map(|line| line.len() + 1).sum::<usize>(),
            "metrics": metrics(&emitted),
        });
        println!("{counted}");
        counted
    }

    async fn settled(&self, kind: &str, events: usize) -> Json {
        self.world.settle().await;
        self.told(kind, events).await
    }

    async fn contacts(&self) -> Vec<Json> {
        self.world.shown("hubspot/contacts").await.as_array().unwrap().clone()
    }
}

/// Each with the CRM that it is of: CloudWatch bills a metric for each.
fn metrics(emitted: &[String]) -> BTreeSet<String> {
    let lines = emitted.iter().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let named = lines.flat_map(|line| {
        let crm = line["crm"].as_str().unwrap_or_default().to_owned();
        let names = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().clone();
        names.into_iter().map(move |metric| format!("{} {crm}", metric["Name"].as_str().unwrap()))
    });
    named.collect()
}

fn people(many: usize, round: &str, minute: u32) -> Vec<Json> {
    let one = |n: usize| {
        let mut asked = request(
            &format!("{round}-{n}"),
            json!({"id": format!("lead-{n}"), "first_name": "Ada", "last_name": "Byron", "email": format!("p{n}@example.com"),
                   "phone": format!("+1415555{:04}", 1000 + n), "company": round, "callStatus": "completed", "duration": 184}),
        );
        asked["occurred_at"] = json!(format!("2026-11-21T09:{minute:02}:00Z"));
        asked
    };
    (0..many).map(one).collect()
}

async fn requests(counter: &Counter, many: usize) {
    counter.world.send(&people(many, "created", 0)).await;
    counter.settled("request, new, two CRMs", many).await;
    assert_eq!(counter.contacts().await.len(), many);
    counter.world.send(&people(many, "changed", 1)).await;
    counter.settled("request, changed, two CRMs", many).await;
    let mut asked = people(many, "again", 2);
    asked.iter_mut().for_each(|one| one["connection_id"] = json!("hubspot"));
    counter.world.send(&asked).await;
    counter.settled("request, changed, one CRM", many).await;
    assert!(counter.contacts().await.iter().all(|one| one["properties"]["company"] == "again"));
    let mut known = people(many, "again", 3);
    known.iter_mut().for_each(|one| one["id"] = json!(format!("{}-known", one["id"].as_str().unwrap())));
    counter.world.send(&known).await;
    counter.settled("request, nothing new", many).await;
}

async fn webhooks(counter: &Counter, many: usize) {
    let world = &counter.world;
    let edit = async |field: &str, value: &str| {
        for (n, contact) in counter.contacts().await.iter().enumerate() {
            let value = value.replace("{n}", &format!("{n:02}"));
            world.sim("hubspot/contacts", &json!({"id": contact["id"], "fields": {field: value}})).await;
        }
    };
    edit("company", "Analytical {n}").await;
    counter.settled("webhook, changed, into the other CRM", many).await;
    edit("phone", "+141555501{n}").await;
    counter.settled("webhook, another phone, into the other CRM", many).await;
    edit("hs_lead_status", "OPEN").await;
    counter.settled("webhook, a field that is only sent", many).await;
    edit("jobtitle", "Countess").await;
    counter.settled("webhook, a field that is not mapped", many).await;
    if many == 1 {
        world.redeliver(&world.shown("deliveries?last=1").await["deliveries"][0]).await;
        let told = counter.settled("webhook, told once more", 1).await;
        assert!(told["items"]["state writes"].is_null(), "{told}");
    }
    assert!(world.app.store.exceptions(&tenant()).await.unwrap().is_empty());
}

/// Edits whose webhooks are lost, so that only a pull finds them.
async fn pulls(counter: &Counter) {
    let world = &counter.world;
    let pull = async |kind: &str, records: usize| {
        world.wait(SignedDuration::from_mins(6)).await;
        world.tick().await;
        counter.settled(kind, records).await
    };
    pull("pull, warming up", 2).await;
    let made: Vec<Json> = (0..PAGE)
        .map(|n| json!({"silent": true, "fields": {"email": format!("p{n}@example.com"), "lastname": "Byron", "phone": format!("+1415555{:04}", 1000 + n)}}))
        .collect();
    world.sim("hubspot/contacts", &Json::Array(made)).await;
    pull("pulled record, new, into the other CRM", PAGE).await;
    assert_eq!(world.shown("zoho/leads").await.as_array().unwrap().len(), PAGE);
    let edit = async |field: &str, value: &str| {
        let edits = counter.contacts().await;
        let edits = edits.iter().map(|one| json!({"id": one["id"], "silent": true, "fields": {field: value}}));
        world.sim("hubspot/contacts", &edits.collect()).await;
    };
    edit("company", "Analytical Ltd").await;
    pull("pulled record, changed, into the other CRM", PAGE).await;
    edit("jobtitle", "Countess").await;
    let told = pull("pulled record, unchanged", PAGE).await;
    assert!(told["invoked"]["outbound"].is_null(), "{told}");
}

/// Two connections to which nothing happens.
async fn rest(counter: &Counter) {
    let world = &counter.world;
    for step in 0..STEPS + 12 {
        world.wait(SignedDuration::from_mins(5)).await;
        world.instances.forget(step % 2 == 0);
        world.tick().await;
        let kind = |kind: &str| if step < 12 { "warming up".to_owned() } else { kind.to_owned() };
        counter.settled(&kind("pulls"), 2).await;
        world.tick().await;
        counter.settled(&kind("a tick of pulls"), 1).await;
        world.invoked.note("token-refresh", 0);
        let (app, cx) = (world.instances.one(), world.cx("tokens"));
        handler::token_refresh(&app, &cx, serde_json::from_value(json!({"tick": "tokens"})).unwrap()).await.unwrap();
        world.report_of(&app, &cx).await;
        counter.settled(&kind("tokens"), 2).await;
        world.invoked.note("watchdog", 0);
        world.watch(&world.cx("watch")).await.unwrap();
        counter.settled(&kind("a look"), 2).await;
    }
}
