//! What only Pipedrive lacks: a way to make somebody once.

use crate::{
    engine::{ada, codes, hub},
    laws::tenant_of,
    story::request,
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{provider::Crm, record::Object};

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

/// A world whose persons have their leads in the inbox, with a filler or without.
async fn with_leads(filler: Option<&str>) -> World {
    let world = tenant_of(CRM).await;
    map(&world, filler).await;
    world
}

/// Adds the rule of leads to those of persons; the connection joins by them.
async fn map(world: &World, filler: Option<&str>) {
    let mut rule = json!({"hub": "lead_title", "remote": "lead.title", "direction": "to_crm"});
    if let Some(filler) = filler {
        rule["default"] = json!(filler);
    }
    let stored = world.stored(CRM).await;
    let mapping = stored.mapping(&Object::Person).unwrap();
    let mut rules = json!({"object": mapping.object, "id_field": mapping.id_field, "rules": mapping.rules});
    rules["rules"].as_array_mut().unwrap().push(rule);
    let (rules, origin) = (serde_json::from_value(rules).unwrap(), world.app.settings.public_url.clone().unwrap());
    world.app.remap(&world.cx("remap"), &stored, &Object::Person, rules, &origin).await.unwrap().unwrap();
    world.settle().await;
    world.app.activate(&world.cx("approve"), &tenant(), &connection(CRM)).await.unwrap();
    world.settle().await;
    world.calls(CRM).await;
}

/// The titles of the leads of the only person.
async fn titles(world: &World) -> Vec<String> {
    let person: u64 = world.only(CRM).await.id.parse().unwrap();
    let leads = world.shown("pipedrive/leads").await;
    let leads = leads.as_array().unwrap().iter();
    assert!(leads.clone().all(|lead| lead["fields"]["person_id"] == person), "{leads:?}");
    leads.map(|lead| lead["fields"]["title"].as_str().unwrap().to_owned()).collect()
}

fn titled(id: &str, title: &str) -> Json {
    let mut asked = request(id, json!({"id": "lead-7", "email": "ada@example.com", "lead_title": title}));
    asked["occurred_at"] = json!(format!("2026-11-21T1{}:00:00Z", &id[1..]));
    asked
}

async fn routes(world: &World) -> Vec<(String, u64)> {
    world.calls(CRM).await.into_iter().filter(|(route, _)| !route.starts_with("GET /api/v2")).collect()
}

fn route(route: &str) -> (String, u64) {
    (route.to_owned(), 1)
}

#[tokio::test]
async fn a_person_has_one_lead_in_the_inbox_and_its_title_follows() {
    let world = with_leads(Some("New lead")).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(titles(&world).await, ["New lead"]);
    let expected = ["GET /api/v1/leads", "POST /api/v1/leads", "POST /api/v2/persons"];
    assert_eq!(routes(&world).await, expected.map(route));
    for title in ["Engine", "Difference engine"] {
        world.send(&[titled(if title == "Engine" { "r2" } else { "r3" }, title)]).await;
        world.settle().await;
        assert_eq!(titles(&world).await, [title]);
        let expected = ["GET /api/v1/leads", "PATCH /api/v1/leads/{id}"];
        assert_eq!(routes(&world).await, expected.map(route), "the person itself is left alone");
    }
    world.send(&[titled("r4", "")]).await;
    world.settle().await;
    assert_eq!(titles(&world).await, ["Difference engine"], "a blank closes and renames nothing");
    assert!(!world.app.inspect(&world.cx("inspect"), &world.stored(CRM).await).await.unwrap(), "the field is there");
    assert!(codes(&world).await.is_empty());
}

#[tokio::test]
async fn a_lead_whose_answer_is_lost_is_not_made_twice() {
    let world = with_leads(None).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(titles(&world).await, [""; 0], "without a title there is none");
    world.sim("faults", &json!({"pipedrive": {"timeout_after_commit_next": 1}})).await;
    world.send(&[titled("r2", "Engine")]).await;
    world.settle().await;
    assert_eq!(titles(&world).await, ["Engine"]);
}

#[tokio::test]
async fn a_person_and_a_lead_whose_answers_are_lost_are_made_once() {
    for lost in [1, 2, 3] {
        let world = with_leads(Some("New lead")).await;
        world.sim("faults", &json!({"pipedrive": {"timeout_after_commit_next": lost}})).await;
        world.send(&[ada("r1")]).await;
        world.settle().await;
        assert_eq!(titles(&world).await, ["New lead"], "{lost} answers lost");
    }
}

#[tokio::test]
async fn a_lead_that_is_refused_leaves_its_person_there() {
    let world = with_leads(Some("New lead")).await;
    let refuses = json!({"pipedrive": {"refuse_values": [{"field": "title", "contains": "New"}]}});
    world.sim("faults", &refuses).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(titles(&world).await, [""; 0]);
    let exceptions = world.app.store.exceptions(&tenant()).await.unwrap();
    let told: Vec<_> = exceptions.iter().map(|e| (e.code.as_str(), e.field.as_deref())).collect();
    assert_eq!(told, [("refused_by_crm", Some("lead.title"))]);
    world.sim("faults", &json!({})).await;
    world.send(&[titled("r2", "Engine")]).await;
    world.settle().await;
    assert_eq!(titles(&world).await, ["Engine"]);
}

#[tokio::test]
async fn those_who_were_there_before_have_their_leads_too() {
    let world = tenant_of(CRM).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    map(&world, Some("New lead")).await;
    assert_eq!(titles(&world).await, ["New lead"]);
}

#[tokio::test]
async fn our_filler_leaves_a_users_own_lead_alone() {
    let world = tenant_of(CRM).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let person: u64 = world.only(CRM).await.id.parse().unwrap();
    world.sim("pipedrive/leads", &json!({"fields": {"title": "By hand", "person_id": person}})).await;
    map(&world, Some("New lead")).await;
    assert_eq!(titles(&world).await, ["By hand"]);
    world.send(&[titled("r2", "Engine")]).await;
    world.settle().await;
    assert_eq!(titles(&world).await, ["Engine"]);
}
