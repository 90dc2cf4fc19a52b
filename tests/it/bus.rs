//! Changes that a CRM tells by an event bus: Salesforce's, by Event Relay and Amazon EventBridge. No webhook helps here.

use crate::{
    engine::{ada, codes, hub},
    laws::{peer, tenant_of},
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    planner::{Deletes, Policy},
    provider::Crm,
    record::Object,
};
use std::time::Duration;

const CRM: Crm = Crm::Salesforce;

/// A tenant whose account has an event bus and whose webhooks are lost, with Ada in both CRMs.
async fn with_a_bus() -> World {
    let world = tenant_of(CRM).await;
    relays(&world).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world
}

async fn relays(world: &World) {
    let account = world.stored(CRM).await.account;
    world.sim("accounts", &json!({"crm": CRM.name(), "account_id": account.as_str(), "relays": true})).await;
    world.sim("faults", &json!({CRM.name(): {"webhooks": {"lose_rate": 1.0}}})).await;
}

/// What lies on the bus since the last time.
async fn relayed(world: &World) -> Vec<Json> {
    world.shown("relayed").await.as_array().unwrap().clone()
}

/// The rule of the template hands events to the queue as they are.
async fn hand_on(world: &World, events: &[Json]) {
    let sqs = aws_sdk_sqs::Client::new(&world.aws);
    for event in events {
        let call = sqs.send_message().queue_url(world.url("changes")).message_body(event.to_string());
        call.send().await.unwrap();
    }
    world.settle().await;
}

fn header(event: &Json) -> &Json {
    &event["detail"]["payload"]["ChangeEventHeader"]
}

/// Calls to the CRM since the last time.
async fn calls(world: &World) -> Json {
    world.shown("calls?reset=1").await[CRM.name()].clone()
}

#[tokio::test]
async fn an_edit_told_by_an_event_reaches_the_other_crm_and_a_repeat_changes_nothing() {
    let world = with_a_bus().await;
    relayed(&world).await;
    world.edit(CRM, &world.only(CRM).await.id, &[("phone", "+14155550199")]).await;
    world.settle().await;
    assert_eq!(world.only(peer(CRM)).await.get("phone"), "", "no webhook told it");
    let events = relayed(&world).await;
    assert_eq!(events.len(), 1, "{events:?}");
    hand_on(&world, &events).await;
    assert_eq!(world.only(peer(CRM)).await.get("phone"), "+14155550199");
    let before = hub(&world, "ada@example.com").await.version;
    hand_on(&world, &[events.clone(), events].concat()).await;
    assert_eq!(hub(&world, "ada@example.com").await.version, before);
}

#[tokio::test]
async fn the_echo_of_our_own_write_costs_no_call() {
    let world = with_a_bus().await;
    let made = relayed(&world).await;
    assert_eq!(header(&made[0])["changeType"], "CREATE");
    calls(&world).await;
    hand_on(&world, &made).await;
    assert_eq!(calls(&world).await, json!({}), "{made:?}");
    let there = world.only(peer(CRM)).await.id;
    world.edit(peer(CRM), &there, &[("phone", "+14155550199"), ("first_name", "Augusta")]).await;
    world.settle().await;
    let changed = relayed(&world).await;
    assert_eq!(header(&changed[0])["changeOrigin"], "com/salesforce/api/rest/66.0;client=crm-sync");
    calls(&world).await;
    hand_on(&world, &changed).await;
    assert_eq!(calls(&world).await, json!({}), "{changed:?}");
}

/// Whoever says that they are us is believed only if nothing they tell is new.
#[tokio::test]
async fn what_a_flow_changed_along_with_our_write_is_looked_at() {
    let world = with_a_bus().await;
    let mut events = relayed(&world).await;
    world.edit(CRM, &world.only(CRM).await.id, &[("phone", "+14155550199")]).await;
    for event in &mut events {
        event["detail"]["payload"]["Phone"] = json!("+14155550199");
    }
    hand_on(&world, &events).await;
    assert_eq!(world.only(peer(CRM)).await.get("phone"), "+14155550199");
}

#[tokio::test]
async fn a_deletion_told_by_an_event_is_looked_at_and_a_restored_record_is_followed() {
    let world = with_a_bus().await;
    world
        .app
        .set_policy(&tenant(), &connection(CRM), Policy { deletes: Deletes::Propagate, ..Policy::default() })
        .await
        .unwrap();
    relayed(&world).await;
    let lead = world.only(CRM).await.id;
    world.sim("salesforce/lead", &json!({"id": lead, "delete": true})).await;
    let events = relayed(&world).await;
    assert_eq!(header(&events[0])["changeType"], "DELETE");
    world.sim("salesforce/lead", &json!({"id": lead, "restore": true, "silent": true})).await;
    hand_on(&world, &events).await;
    assert_eq!(world.people(peer(CRM)).await.len(), 1, "it is there: nothing is deleted because an event says so");
    world.sim("salesforce/lead", &json!({"id": lead, "delete": true})).await;
    hand_on(&world, &relayed(&world).await).await;
    assert!(world.people(peer(CRM)).await.is_empty());
    assert!(hub(&world, "ada@example.com").await.links[&connection(CRM)].gone.is_some());
    world.sim("salesforce/lead", &json!({"id": lead, "restore": true})).await;
    let back = relayed(&world).await;
    assert_eq!(header(&back[0])["changeType"], "UNDELETE");
    hand_on(&world, &back).await;
    assert!(hub(&world, "ada@example.com").await.links[&connection(CRM)].gone.is_none());
}

#[tokio::test]
async fn one_event_is_about_several_records_and_several_objects_are_told() {
    let world = World::of_objects(&[CRM, peer(CRM)], &[Object::Company, Object::Person]).await;
    world.settle().await;
    relays(&world).await;
    for name in ["Countess", "Augusta"] {
        let fields = json!({"LastName": name, "Company": "C", "Email": format!("{name}@example.com")});
        world.sim("salesforce/lead", &json!({"fields": fields})).await;
    }
    world.sim("salesforce/account", &json!({"fields": {"Name": "Engines", "Website": "engines.example"}})).await;
    let events = relayed(&world).await;
    let mut both = events[0].clone();
    let id = header(&events[1])["recordIds"][0].clone();
    both["detail"]["payload"]["ChangeEventHeader"]["recordIds"].as_array_mut().unwrap().push(id);
    hand_on(&world, &[both, events[2].clone()]).await;
    assert_eq!(world.people(peer(CRM)).await.len(), 2);
    assert_eq!(world.shown("hubspot/companies").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn where_more_changed_than_an_event_lists_the_connection_is_pulled() {
    let world = with_a_bus().await;
    world.tick().await;
    world.settle().await;
    relayed(&world).await;
    world.edit(CRM, &world.only(CRM).await.id, &[("phone", "+14155550199")]).await;
    let mut overflow = relayed(&world).await.remove(0);
    overflow["detail"]["payload"]["ChangeEventHeader"]["changeType"] = json!("GAP_OVERFLOW");
    overflow["detail"]["payload"]["ChangeEventHeader"]["recordIds"] = json!(["00Q*"]);
    hand_on(&world, &[overflow]).await;
    assert_eq!(world.only(peer(CRM)).await.get("phone"), "");
    world.tick().await;
    world.settle().await;
    assert_eq!(world.only(peer(CRM)).await.get("phone"), "+14155550199", "long before it was due");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_told_to_a_person_and_pulled() {
    let world = with_a_bus().await;
    let mut odd = relayed(&world).await.remove(0);
    odd["detail"] = json!({"payload": {"Order__c": "a platform event"}});
    hand_on(&world, &[odd.clone(), odd]).await;
    assert_eq!(codes(&world).await, ["unreadable_event"]);
    assert!(world.stored(CRM).await.due_at <= world.now());
}

#[tokio::test]
async fn an_event_of_another_org_is_nobodys() {
    let world = with_a_bus().await;
    let mut foreign = relayed(&world).await.remove(0);
    foreign["source"] = json!("aws.partner/salesforce.com/00Dxx0000001gPLAAA/0YLxx000000CabWGAS");
    calls(&world).await;
    let before = hub(&world, "ada@example.com").await.version;
    hand_on(&world, &[foreign]).await;
    assert_eq!((calls(&world).await, hub(&world, "ada@example.com").await.version), (json!({}), before));
    assert!(codes(&world).await.is_empty());
}

#[tokio::test]
async fn an_event_waits_as_long_as_its_connection_pauses() {
    let world = with_a_bus().await;
    relayed(&world).await;
    world.edit(CRM, &world.only(CRM).await.id, &[("phone", "+14155550199")]).await;
    let (pause, until) = (Duration::from_secs(120), world.now() + Duration::from_secs(120));
    world.app.store.pause(&tenant(), &connection(CRM), pause, false, world.now()).await.unwrap();
    hand_on(&world, &relayed(&world).await).await;
    assert!(world.now() > until);
    assert_eq!(world.only(peer(CRM)).await.get("phone"), "+14155550199");
}
