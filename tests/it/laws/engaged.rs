//! What people do is counted once each, scored by the tenant's rules, and told to the CRMs.

use super::{peer, tenant_of};
use crate::{
    engine::{ada, codes, hub},
    verdicts::{end, ends},
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    cause::Status,
    connection::Connection,
    mapping::{Formula, Rule},
    provider::Crm,
    record::{Object, Value},
};

crate::laws::laws_of! {
    a_score_reaches_the_crm_however_often_its_events_arrive
    rules_that_are_others_score_everybody_anew
    an_odd_event_is_kept_and_the_others_count
}

/// A tenant of whose people both CRMs are told the score, by a field for texts.
async fn scored(crm: Crm) -> World {
    let world = tenant_of(crm).await;
    for one in [crm, peer(crm)] {
        let told = |stored: &Connection| {
            let mut next = stored.clone();
            let mapping = next.mappings.get_mut(&Object::Person).unwrap();
            let rule = mapping.rules.iter_mut().find(|rule| rule.hub == "last_call").unwrap();
            *rule = Rule::computed("score", Formula::parse("{{lead_score}}").unwrap(), &rule.remote);
            Ok(Some(next))
        };
        world.app.store.revise(&tenant(), &connection(one), told).await.unwrap().unwrap();
    }
    world
}

fn event(id: &str, kind: &str, attributes: Json) -> Json {
    json!({"id": id, "type": kind, "at": "2026-11-21T08:59:00Z", "attributes": attributes})
}

fn did(id: &str, events: &[Json]) -> Json {
    let mut asked = ada(id);
    asked["events"] = json!(events);
    asked
}

fn number(n: i64) -> Value {
    Value::number(n.into())
}

/// Every message is handled twice, and two requests tell one event.
async fn a_score_reaches_the_crm_however_often_its_events_arrive(crm: Crm) {
    let mut world = scored(crm).await;
    world.chaos.twice = true;
    let (view, question) = (event("e1", "view", json!({})), event("e2", "question", json!({"question": "How much?"})));
    world
        .send(&[did("r1", &[view.clone(), question]), did("r2", &[view, event("e3", "cta_clicked", json!({}))])])
        .await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "45");
    assert_eq!(world.only(peer(crm)).await.get("last_call"), "45");
    let record = hub(&world, "ada@example.com").await;
    let totals = ["views", "questions", "cta_clicks"].map(|field| record.fields.get(field).cloned());
    assert_eq!(totals, [1, 1, 1].map(|n| Some(number(n))));
    let told = world.app.did(&record).await.unwrap();
    let points: i64 = told.iter().flat_map(|(_, one)| &one.contributions).map(|one| one.points).sum();
    assert_eq!((told.len(), points), (3, 45), "what explains it");
    assert!(codes(&world).await.is_empty());
}

async fn rules_that_are_others_score_everybody_anew(crm: Crm) {
    let world = scored(crm).await;
    let visit = |id: &str| event(id, "view", json!({"visit": "v1"}));
    world.send(&[did("r1", &[visit("e1"), visit("e2")])]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "10");
    for (per, score) in [("visit", "100"), ("event", "200"), ("lead", "100")] {
        let scoring = json!([{"name": "view", "on": "view", "points": 100, "per": per}]);
        world.app.store.set_scoring(&tenant(), &serde_json::from_value(scoring).unwrap()).await.unwrap();
        assert_eq!(world.app.rescore(&world.cx("rescore"), &tenant()).await.unwrap(), 1);
        assert_eq!(world.app.rescore(&world.cx("again"), &tenant()).await.unwrap(), 0);
        world.settle().await;
        assert_eq!(world.only(crm).await.get("last_call"), score, "once per {per}");
    }
    world.send(&[did("r2", &[visit("e2"), visit("e3")])]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "100", "the rule has scored for this person");
    let view = json!({"name": "view", "on": "view", "points": 100, "per": "lead"});
    let returned = json!({"name": "returned", "on": "brochure_returned", "points": 7});
    for (rules, score) in [(json!([view, returned]), "107"), (json!([]), "0"), (json!([view, returned]), "107")] {
        world.app.store.set_scoring(&tenant(), &serde_json::from_value(rules).unwrap()).await.unwrap();
        world.send(&[did(&format!("r3-{score}"), &[event("e9", "brochure_returned", json!({}))])]).await;
        world.settle().await;
        world.app.rescore(&world.cx("rescore"), &tenant()).await.unwrap();
        world.settle().await;
        assert_eq!(world.only(crm).await.get("last_call"), score);
    }
}

async fn an_odd_event_is_kept_and_the_others_count(crm: Crm) {
    let world = scored(crm).await;
    let odd = [event("e1", "brochure_returned", json!({})), json!({"id": "e2"}), event("e3", "view", json!({}))];
    world.send(&[did("r1", &odd)]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "5");
    let mut found = codes(&world).await;
    found.sort();
    assert_eq!(found, ["bad_event", "unknown_event"]);
    let many: Vec<Json> = (0..21).map(|n| event(&format!("n{n}"), "view", json!({}))).collect();
    world.send(&[did("r2", &many), did("r3", &many[..20])]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "105");
    let record = hub(&world, "ada@example.com").await;
    let told = ends(&world, &record, "r3").await;
    assert!(told.contains(&end(connection(crm).as_str(), Status::Succeeded, "written")), "{told:?}");
    assert!(codes(&world).await.contains(&"too_many_events".to_owned()));
}

/// An event that is told again of somebody who was merged meanwhile is known.
#[tokio::test]
async fn who_is_merged_has_done_what_both_did() {
    let crm = Crm::HubSpot;
    let world = scored(crm).await;
    let mut grace = did("r2", &[event("e2", "question", json!({}))]);
    grace["lead"] = json!({"id": "lead-8", "email": "grace@example.com", "last_name": "Hopper"});
    world.send(&[did("r1", &[event("e1", "view", json!({}))]), grace.clone()]).await;
    world.settle().await;
    let people = world.people(crm).await;
    world.sim("hubspot/contacts", &json!({"merge": [people[0].id, people[1].id]})).await;
    world.settle().await;
    grace["id"] = json!("r3");
    grace["lead"] = json!({"id": "lead-8"});
    world.send(&[grace]).await;
    world.settle().await;
    let record = hub(&world, "ada@example.com").await;
    assert_eq!((record.engagement.score, record.fields.get("lead_score")), (15, Some(&number(15))), "{crm}");
}

/// Whoever scores anew has read the events before somebody forgets them.
#[tokio::test]
async fn scoring_anew_brings_back_no_forgotten_event() {
    let world = scored(Crm::HubSpot).await;
    world.send(&[did("r1", &[event("e1", "view", json!({})), event("e2", "view", json!({}))])]).await;
    world.settle().await;
    let record = hub(&world, "ada@example.com").await;
    let mut told = world.app.did(&record).await.unwrap();
    assert_eq!(told.len(), 2);
    told.iter_mut().for_each(|(_, one)| one.contributions.clear());
    world.app.store.rewrite(&record, &told, &[], &Default::default()).await.unwrap();
    let there = world.app.did(&record).await.unwrap();
    assert!(
        there.len() == 2 && there.iter().all(|(_, one)| one.contributions.is_empty()),
        "what is there is written anew"
    );
    world.app.store.forget_events(&record.tenant, &record.id).await.unwrap();
    world.app.store.rewrite(&record, &told, &[], &Default::default()).await.unwrap();
    assert_eq!(world.app.did(&record).await.unwrap(), []);
}
