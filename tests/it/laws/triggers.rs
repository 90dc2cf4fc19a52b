//! What begins when a condition comes to hold: once, whoever makes it hold, and however often that is told.

use crate::{
    engine::{ada, codes, hub},
    world::{World, tenant},
};
use serde_json::{Value as Json, json};
use shared::{provider::Crm, record::Object};

crate::laws::laws_of! {
    who_becomes_a_hot_lead_is_qualified_and_called_once
    what_a_user_of_the_crm_enters_begins_something_elsewhere
    an_automation_that_undoes_it_is_not_fed
    who_does_nothing_for_two_weeks_is_nurtured_once
}

const TASK: Object = Object::Task;

/// A tenant with these triggers.
async fn tenant_of(crm: Crm, triggers: Json) -> World {
    let world = World::of_objects(&[crm], &[Object::Company, Object::Person, Object::Deal, TASK]).await;
    world.settle().await;
    world.app.store.set_effects(&tenant(), &serde_json::from_value(json!([])).unwrap()).await.unwrap();
    world.app.store.set_triggers(&tenant(), &serde_json::from_value(triggers).unwrap()).await.unwrap();
    world
}

fn clicked(id: &str, event: &str) -> Json {
    let mut asked = ada(id);
    asked["events"] = json!([{"id": event, "type": "cta_clicked", "at": "2026-11-21T08:59:00Z"}]);
    asked
}

async fn subjects(world: &World, crm: Crm) -> Vec<String> {
    world.cards(crm, &TASK).await.iter().map(|task| task.get("subject").to_owned()).collect()
}

/// Each click is 30 points; every message is handled twice, and the stream tells everything twice.
async fn who_becomes_a_hot_lead_is_qualified_and_called_once(crm: Crm) {
    let task =
        json!({"object": "task", "fields": {"subject": "Call {{full_name}}", "due_date": "at", "status": "'open'"}});
    let hot = json!({"name": "hot", "when": "lead_score >= 75", "set": {"last_call": "'sales_qualified_lead'"}, "make": task});
    let mut world = tenant_of(crm, json!([hot])).await;
    world.chaos.twice = true;
    world.send(&[clicked("r1", "e1"), clicked("r2", "e2")]).await;
    world.settle().await;
    assert_eq!((world.only(crm).await.get("last_call"), subjects(&world, crm).await), ("", vec![]), "60 points");
    world.send(&[clicked("r3", "e3"), clicked("r4", "e4")]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "sales_qualified_lead");
    assert_eq!(subjects(&world, crm).await, ["Call Ada Byron"]);
    let record = hub(&world, "ada@example.com").await;
    let told = world.app.history.of(&tenant(), &record.id).await.unwrap();
    assert_eq!(
        json!(told).to_string().matches("\"trigger\":\"hot\"").count(),
        1,
        "the change that it began in says so"
    );
    assert!(codes(&world).await.is_empty());
}

async fn what_a_user_of_the_crm_enters_begins_something_elsewhere(crm: Crm) {
    let moved = json!({"name": "moved", "when": "last_call == 'she moved'", "make": {"object": "task", "fields": {"subject": "'Ask for the address'"}}});
    let world = tenant_of(crm, json!([moved])).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let id = world.only(crm).await.id;
    world.edit(crm, &id, &[("last_call", "she moved")]).await;
    world.settle().await;
    assert_eq!(subjects(&world, crm).await, ["Ask for the address"]);
    world.edit(crm, &id, &[("phone", "+14155550123")]).await;
    world.settle().await;
    assert_eq!(subjects(&world, crm).await.len(), 1, "it holds still");
}

/// Something in the CRM enters again and again what a trigger answers by undoing it.
async fn an_automation_that_undoes_it_is_not_fed(crm: Crm) {
    let rule = json!({"name": "reset", "when": "last_call == 'new'", "set": {"last_call": "'seen'"}});
    let world = tenant_of(crm, json!([rule])).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let id = world.only(crm).await.id;
    for _ in 0..7 {
        world.wait(jiff::SignedDuration::from_secs(5)).await;
        world.edit(crm, &id, &[("last_call", "new")]).await;
        world.settle().await;
    }
    let codes = codes(&world).await;
    assert!(codes.iter().any(|code| code == "trigger_stopped" || code == "conflict"), "{codes:?}");
    let record = hub(&world, "ada@example.com").await;
    assert!(record.standing["reset"].times <= 4, "{:?}", record.standing);
}

/// "Add to nurture campaign if low engagement": nothing happens, and the schedule notices.
async fn who_does_nothing_for_two_weeks_is_nurtured_once(crm: Crm) {
    let rule =
        json!({"name": "nurture", "when": "lead_score < 75 and quiet_days >= 14", "set": {"last_call": "'nurture'"}});
    let world = tenant_of(crm, json!([rule])).await;
    world.send(&[clicked("r1", "e1")]).await;
    world.settle().await;
    let mut began = Vec::new();
    for days in [1, 10, 5, 1] {
        world.wait(jiff::SignedDuration::from_hours(24 * days)).await;
        world.tick().await;
        world.settle().await;
        began.push(hub(&world, "ada@example.com").await.standing.get("nurture").map_or(0, |standing| standing.times));
    }
    assert_eq!(began, [0, 0, 1, 1], "after 1, 11, 16 and 17 days");
    assert_eq!(world.only(crm).await.get("last_call"), "nurture");
    assert!(codes(&world).await.is_empty());
}
