//! What one event costs, counted: DynamoDB units, SQS calls, API calls. `--nocapture` shows the table.

use crate::{
    meter::Spent,
    story::request,
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    planner::Mass,
    profile::Known,
    provider::Crm,
    record::{Object, Region},
};

fn ada(id: &str, at: &str, company: &str) -> Json {
    let about = "x".repeat(2_200);
    let mut asked = request(
        id,
        json!({"id": "lead-7", "email": "ada@example.com", "phone": "+14155550100", "last_name": "Byron", "company": company, "about": about}),
    );
    asked["occurred_at"] = json!(at);
    asked
}

/// What no design with one record per person and an entry per change could do without.
///
/// Writes: one commit, and one settle per CRM that is written to; each has its history entry, and each step that the
/// workflow hears of has one too. Reads: who it is, and the record. Sends: one call per queue. Lambda: one invocation
/// per queue that something waits in, and one of journal; those of echoes (a webhook and a hint each) come on top.
/// CRMs: find it, create it, and read it back where the CRM does not show what it stored.
#[derive(Default)]
struct Floor {
    writes: u64,
    entries: u64,
    reads: u64,
    sends: u64,
    lambda: u64,
    hubspot: u64,
    zoho: u64,
}

fn tell(what: &str, spent: &Spent, lambda: u64, calls: &Json, floor: &Floor) {
    let made = |crm: &str| -> u64 {
        calls[crm].as_object().map_or(0, |routes| routes.values().filter_map(Json::as_u64).sum())
    };
    let (writes, entries, reads) = (spent.writes(), spent.entries(), spent.reads());
    let calls = [
        format!("{}/{} ({:.0} WCU)", writes.calls, floor.writes, writes.units),
        format!("{:.0}/{} WCU", entries.units, floor.entries),
        format!("{}/{} ({:.1} RCU)", reads.calls, floor.reads, reads.units),
        format!("{}/{}", spent.queue_calls(), floor.sends),
        format!("{}", spent.events()),
        format!("{lambda}/{}", floor.lambda),
        format!("{}/{}", made("hubspot"), floor.hubspot),
        format!("{}/{}", made("zoho"), floor.zoho),
    ];
    print(what, &calls);
}

fn print(what: &str, columns: &[impl AsRef<str>]) {
    let columns: String = columns.iter().map(|column| format!(" {:>14}", column.as_ref())).collect();
    println!("{what:<44}{columns}");
}

#[tokio::test]
async fn each_kind_of_event_costs_what_it_must() {
    let (world, meter) = World::metered().await;
    world.settle().await;
    let spend = async |what: &str, floor: Floor| {
        let spent = meter.spent();
        tell(what, &spent, world.invocations(), &world.shown("calls?reset=1").await, &floor);
        spent
    };
    print("each as spent/floor", &["writes", "history", "reads", "SQS", "EventBridge", "Lambda", "HubSpot", "Zoho"]);
    spend("connecting two CRMs", Floor::default()).await;

    world.send(&[ada("r1", "2026-11-21T09:00:00Z", "Before")]).await;
    meter.spent();
    world.settle().await;
    spend(
        "a request that creates a lead in two CRMs",
        Floor { writes: 3, entries: 7, reads: 2, sends: 1, lambda: 4, hubspot: 2, zoho: 3 },
    )
    .await;

    world.send(&[ada("r2", "2026-11-21T09:01:00Z", "After")]).await;
    meter.spent();
    world.settle().await;
    let changed = spend(
        "a request that changes a lead in two CRMs",
        Floor { writes: 3, entries: 7, reads: 2, sends: 1, lambda: 4, hubspot: 2, zoho: 3 },
    )
    .await;
    assert_eq!(changed.writes().calls, 3, "one commit with its request, and one settle per CRM: {changed:?}");

    let mut told = request("r3", json!({"id": "lead-7"}));
    told["events"] = json!([{"id": "e1", "type": "question", "at": "2026-11-21T09:02:00Z", "attributes": {"question": "How much?"}}]);
    world.send(&[told]).await;
    meter.spent();
    world.settle().await;
    let counted = spend(
        "a request that tells an event, which scores",
        Floor { writes: 1, entries: 2, reads: 3, lambda: 2, ..Floor::default() },
    )
    .await;
    assert_eq!(counted.writes().calls, 1, "record, event and request at once: {counted:?}");

    let contact = world.shown("hubspot/contacts").await[0]["id"].clone();
    world.sim("hubspot/contacts", &json!({"id": contact, "fields": {"phone": "+14155550199"}})).await;
    world.settle().await;
    let hooked = spend(
        "a webhook that changes a lead in the other CRM",
        Floor { writes: 2, entries: 2, reads: 2, sends: 2, lambda: 4, hubspot: 1, zoho: 3 },
    )
    .await;
    let counted = counts(&world, "lead-7").await;
    assert_eq!(hooked.writes().calls, 2 + counted, "one commit, one settle: {hooked:?}");

    world.sim("hubspot/contacts", &json!({"id": contact, "fields": {"hs_lead_status": "OPEN"}})).await;
    world.settle().await;
    spend(
        "a webhook about a field that is only sent",
        Floor { reads: 1, sends: 1, lambda: 2, hubspot: 1, ..Floor::default() },
    )
    .await;

    let deliveries = world.shown("deliveries?last=1").await;
    world.redeliver(&deliveries["deliveries"][0]).await;
    world.settle().await;
    let echo =
        spend("a delivery that tells nothing new", Floor { reads: 1, sends: 1, lambda: 2, ..Floor::default() }).await;
    assert_eq!(echo.writes().calls, 0, "{echo:?}");

    world.wait(jiff::SignedDuration::from_mins(40)).await;
    world.tick().await;
    world.settle().await;
    spend("a tick and two pulls after 40 minutes", Floor::default()).await;
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    spend(
        "a tick and two empty pulls",
        Floor { writes: 2, reads: 2, sends: 1, lambda: 3, hubspot: 1, zoho: 1, ..Floor::default() },
    )
    .await;
    assert!(world.app.store.exceptions(&tenant()).await.unwrap().is_empty());
}

/// Whether this person is the one in fifteen by whom unasked writes are counted.
async fn counts(world: &World, id: &str) -> u64 {
    let known = Known::read(&Object::Person, "id", id, &Region::default()).unwrap();
    let profile = world.app.profile(&tenant(), &Object::Person, &known).await.unwrap().unwrap();
    let zoho = world.app.store.connection(&tenant(), &connection(Crm::Zoho)).await.unwrap().unwrap();
    u64::from(zoho.policy.guards(Mass::Writes).weight(&profile.record_id) > 0)
}

/// Bytes of logs are billed: an invocation writes a line for each CRM, however many records it was about.
#[tokio::test]
async fn metrics_are_a_line_for_an_invocation_and_a_crm() {
    let world = World::new().await;
    world.settle().await;
    world.invocations();
    world.emitted.lock().unwrap().clear();
    let people: Vec<Json> = (0..300)
        .map(|n| request(&format!("r{n}"), json!({"email": format!("p{n}@example.com"), "last_name": "Byron"})))
        .collect();
    world.send(&people).await;
    world.settle().await;
    let (lines, invocations) = (world.emitted.lock().unwrap().clone(), world.invocations());
    let bytes: usize = lines.iter().map(String::len).sum();
    println!("300 people in two CRMs: {} lines, {bytes} bytes, {invocations} invocations", lines.len());
    assert!(lines.len() as u64 <= 2 * invocations, "{} lines", lines.len());
    assert!(lines.iter().all(|line| line.len() < 2_000), "{lines:?}");
    let sum = |name: &str| -> f64 {
        let values = lines.iter().map(|line| serde_json::from_str::<Json>(line).unwrap()[name].as_f64().unwrap_or(0.0));
        values.sum()
    };
    assert_eq!((sum("Inserted"), sum("Rejected")), (600.0, 0.0), "each in both");
}

/// Two connections that do well, every five minutes: nothing is written, and no metric is there to be paid for but one.
#[tokio::test]
async fn a_look_at_each_connection_costs_two_small_reads() {
    let (world, meter) = World::metered().await;
    world.settle().await;
    world.tick().await;
    world.settle().await;
    world.watch(&world.cx("first")).await.unwrap();
    world.emitted.lock().unwrap().clear();
    meter.spent();
    world.watch(&world.cx("second")).await.unwrap();
    let spent = meter.spent();
    tell("a look at two connections that do well", &spent, 1, &json!({}), &Floor { reads: 7, ..Floor::default() });
    assert_eq!((spent.writes().calls, spent.reads().calls), (0, 3 + 2 * 2), "{spent:?}");
    let lines = world.emitted.lock().unwrap().clone();
    assert!(lines.len() == 1 && lines[0].contains("SinceSuccess") && !lines[0].contains("Connections"), "{lines:?}");
}

/// What a page is personalised by must be quick: a key, and the record that it points to.
#[tokio::test]
async fn a_profile_is_two_reads_and_a_fetch_of_who_is_known_only_counts_itself() {
    let (world, meter) = World::metered().await;
    world.settle().await;
    let people: Vec<Json> = (0..100)
        .map(|n| {
            request(
                &format!("r{n}"),
                json!({"id": format!("lead-{n}"), "email": format!("p{n}@example.com"), "last_name": "Byron"}),
            )
        })
        .collect();
    world.send(&people).await;
    world.settle().await;
    for (field, value, reads) in [("id", "lead-7", 2), ("email", "p7@example.com", 2)] {
        let known = Known::read(&Object::Person, field, value, &Region::default()).unwrap();
        meter.spent();
        let profile = world.app.profile(&tenant(), &Object::Person, &known).await.unwrap().unwrap();
        let spent = meter.spent();
        assert_eq!(spent.reads().calls, reads, "{spent:?}");
        assert_eq!(profile.crms.len(), 2);
        tell("a profile", &spent, 0, &json!({}), &Floor { reads: 2, ..Floor::default() });
        let remote = &profile.crms[&"zoho".parse().unwrap()];
        let known = Known::read(&Object::Person, "zoho_lead_id", remote.as_str(), &Region::default()).unwrap();
        let same = world.app.profile(&tenant(), &Object::Person, &known).await.unwrap().unwrap();
        assert_eq!((same.record_id, meter.spent().reads().calls), (profile.record_id, 2));
    }
    let fetch = json!({
        "version": 1, "id": "f1", "tenant_id": "demo", "connection_id": "hubspot", "direction": "fetch", "workflow": {"id": "wf-1"},
    });
    world.send(&[fetch]).await;
    meter.spent();
    world.invocations();
    world.shown("calls?reset=1").await;
    world.settle().await;
    let spent = meter.spent();
    let calls = world.shown("calls?reset=1").await;
    let floor = Floor { reads: 4, sends: 1, lambda: 2, hubspot: 1, ..Floor::default() };
    tell("a fetch of 100 people who are known", &spent, world.invocations(), &calls, &floor);
    assert_eq!((spent.writes().calls, spent.events()), (0, 11), "ten events to a call, and the end: {spent:?}");
    assert_eq!(calls["hubspot"].as_object().unwrap().values().filter_map(Json::as_u64).sum::<u64>(), 1, "{calls}");
}
