//! What only Pipedrive lacks: a way to make somebody once.

use crate::{
    engine::{ada, hub},
    laws::tenant_of,
    story::request,
    world::connection,
};
use serde_json::json;
use shared::provider::Crm;

const CRM: Crm = Crm::Pipedrive;

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_though_the_search_lags() {
    let world = tenant_of(CRM).await;
    let faults = json!({"pipedrive": {"timeout_after_commit_next": 2, "search_lag_ms": 3_600_000}});
    world.sim("faults", &faults).await;
    let grace = request("r2", json!({"id": "lead-8", "email": "grace@example.com", "last_name": "Hopper"}));
    world.send(&[ada("r1"), grace]).await;
    world.settle().await;
    let people = world.people(CRM).await;
    assert_eq!(people.len(), 2, "{people:?}");
    let link = hub(&world, "ada@example.com").await.links[&connection(CRM)].clone();
    assert_eq!((link.remote.unwrap().as_str(), link.intent), (people[0].id.as_str(), None));
}

#[tokio::test]
async fn a_new_mailbox_takes_the_place_of_the_primary_one_alone() {
    let world = tenant_of(CRM).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let id = world.only(CRM).await.id;
    let emails = json!([{"value": "ada@example.com", "primary": true, "label": "work"}, {"value": "home@example.com", "primary": false, "label": "home"}]);
    world.sim("pipedrive/persons", &json!({"id": id, "fields": {"emails": emails}})).await;
    world.settle().await;
    let mut newer = request("r2", json!({"id": "lead-7", "email": "king@example.com"}));
    newer["occurred_at"] = json!("2026-11-21T10:00:00Z");
    world.send(&[newer]).await;
    world.settle().await;
    let shown = world.shown("pipedrive/persons").await[0]["fields"]["emails"].clone();
    let values: Vec<&str> = shown.as_array().unwrap().iter().map(|one| one["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["king@example.com", "home@example.com"]);
}

#[tokio::test]
async fn two_persons_that_were_merged_are_one_record() {
    let world = tenant_of(CRM).await;
    let second = request("r2", json!({"id": "lead-8", "email": "countess@example.com", "last_name": "Lovelace"}));
    world.send(&[ada("r1"), second]).await;
    world.settle().await;
    let people = world.people(CRM).await;
    world.sim("pipedrive/persons", &json!({"merge": [people[0].id, people[1].id]})).await;
    world.settle().await;
    let survivor = hub(&world, "ada@example.com").await;
    let link = &survivor.links[&connection(CRM)];
    assert_eq!((link.remote.as_ref().unwrap().as_str(), link.gone.is_none()), (people[0].id.as_str(), true));
    let merged = hub(&world, "countess@example.com").await;
    assert!(merged.id == survivor.id || merged.merged_into == Some(survivor.id), "{merged:?}");
}

#[tokio::test]
async fn a_create_costs_a_search_and_a_call() {
    let world = tenant_of(CRM).await;
    world.calls(CRM).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let calls = world.calls(CRM).await;
    let calls: Vec<(&str, u64)> = calls.iter().map(|(route, n)| (route.as_str(), *n)).collect();
    assert_eq!(calls, [("GET /api/v2/persons/search", 1), ("POST /api/v2/persons", 1)], "and its echo costs nothing");
}

/// Ten searches fit into two seconds. The eleventh does not stop the connection for a quarter of an hour.
#[tokio::test]
async fn a_crowd_is_made_within_the_limit_of_searches() {
    const PEOPLE: usize = 35;
    let world = tenant_of(CRM).await;
    world.sim("faults", &json!({"pipedrive": {"search_burst": {"calls": 10, "per_ms": 2000}}})).await;
    let lead = |n: usize| {
        request(
            &format!("r{n}"),
            json!({"id": format!("l{n}"), "email": format!("p{n:02}@example.com"), "last_name": "X"}),
        )
    };
    world.send(&(0..PEOPLE).map(lead).collect::<Vec<_>>()).await;
    let begun = world.now();
    world.settle().await;
    assert_eq!(world.people(CRM).await.len(), PEOPLE);
    let took = world.now().duration_since(begun);
    assert!(took < jiff::SignedDuration::from_mins(3), "{took:?} of the world's time");
}
