//! What one event costs, counted: DynamoDB units, SQS calls, API calls. `--nocapture` shows the table.

use crate::{
    meter::Spent,
    story::request,
    world::{World, tenant},
};
use serde_json::{Value as Json, json};

fn ada(id: &str, at: &str, company: &str) -> Json {
    let about = "x".repeat(2_200);
    let mut asked = request(
        id,
        json!({"id": "lead-7", "email": "ada@example.com", "phone": "+14155550100", "last_name": "Byron", "company": company, "about": about}),
    );
    asked["occurred_at"] = json!(at);
    asked
}

fn tell(what: &str, spent: &Spent, calls: &Json) {
    let made = |crm: &str| calls[crm].as_object().map_or(0, |routes| routes.values().filter_map(Json::as_u64).sum());
    println!(
        "{what:<44} {:>2} writes {:>5.1} WCU  {:>2} reads {:>5.1} RCU  {:>2} SQS  {} HubSpot  {} Zoho",
        spent.writes().calls,
        spent.writes().units,
        spent.reads().calls,
        spent.reads().units,
        spent.queue_calls(),
        made("hubspot"),
        made("zoho"),
    );
}

#[tokio::test]
async fn each_kind_of_event_costs_what_it_must() {
    let (world, meter) = World::metered().await;
    world.settle().await;
    let spend = async |what: &str| {
        let spent = meter.spent();
        tell(what, &spent, &world.shown("calls?reset=1").await);
        spent
    };
    spend("connecting two CRMs").await;

    world.send(&[ada("r1", "2026-11-21T09:00:00Z", "Before")]).await;
    meter.spent();
    world.settle().await;
    spend("a request that creates a lead in two CRMs").await;

    world.send(&[ada("r2", "2026-11-21T09:01:00Z", "After")]).await;
    meter.spent();
    world.settle().await;
    let changed = spend("a request that changes a lead in two CRMs").await;
    assert_eq!(changed.writes().calls, 3, "one commit with its request, one settle per CRM: {changed:?}");

    let contact = world.shown("hubspot/contacts").await[0]["id"].clone();
    world.sim("hubspot/contacts", &json!({"id": contact, "fields": {"phone": "+14155550199"}})).await;
    world.settle().await;
    let hooked = spend("a webhook that changes a lead in the other CRM").await;
    assert_eq!(hooked.writes().calls, 2, "one commit, one settle: {hooked:?}");

    world.sim("hubspot/contacts", &json!({"id": contact, "fields": {"hs_lead_status": "OPEN"}})).await;
    world.settle().await;
    spend("a webhook about a field that is only sent").await;

    let deliveries = world.shown("deliveries?last=1").await;
    world.redeliver(&deliveries["deliveries"][0]).await;
    world.settle().await;
    let echo = spend("a delivery that tells nothing new").await;
    assert_eq!(echo.writes().calls, 0, "{echo:?}");

    world.wait(jiff::SignedDuration::from_mins(40)).await;
    world.tick().await;
    world.settle().await;
    spend("a tick and two pulls after 40 minutes").await;
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    spend("a tick and two empty pulls").await;
    assert!(world.app.store.exceptions(&tenant()).await.unwrap().is_empty());
}
