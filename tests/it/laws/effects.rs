//! What people do becomes notes, tasks and deals in every CRM, once each.

use super::peer;
use crate::{
    card::done,
    engine::{ada, codes, hub},
    world::{World, tenant},
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::{provider::Crm, record::Object};

crate::laws::laws_of! {
    what_people_do_is_noted_in_the_crm
    what_is_done_is_noted_once_whatever_is_lost
    what_was_made_is_known_though_it_is_to_say_something_else_by_now
    nothing_is_noted_of_nobody
    what_others_write_of_the_kind_stays_there
    a_rule_of_ones_own_makes_what_it_says
}

const TASK: Object = Object::Task;
const NOTE: Object = Object::Note;
const DEAL: Object = Object::Deal;

fn event(id: &str, kind: &str, attributes: &Json) -> Json {
    json!({"id": id, "type": kind, "at": "2026-11-21T08:59:00Z", "attributes": attributes})
}

fn did(id: &str, events: &[Json]) -> Json {
    let mut asked = ada(id);
    asked["events"] = json!(events);
    asked
}

fn of_all_kinds() -> [Json; 6] {
    [
        event("e1", "view", &json!({"content_id": "the brochure"})),
        event("e2", "question", &json!({"question": "How much is \"R&D\" <2026>?"})),
        event("e3", "email_sent", &json!({"campaign": "Spring"})),
        event("e4", "conversion", &json!({"subject": "An engine", "amount": 1200})),
        event("e5", "conversation", &json!({"summary": "She wants a copy.\nAnd a price."})),
        event("e6", "time_spent", &json!({"seconds": 400})),
    ]
}

async fn tenant_of(crms: &[Crm]) -> World {
    let world = World::of_objects(crms, &[Object::Company, Object::Person, DEAL, NOTE, TASK]).await;
    world.settle().await;
    world
}

/// What a field says in all of a CRM's records of an object, in the order of the alphabet.
async fn told(world: &World, crm: Crm, object: &Object, field: &str) -> Vec<String> {
    let cards = world.cards(crm, object).await;
    let mut told: Vec<String> = cards.iter().map(|card| card.get(field).to_owned()).collect();
    told.sort();
    told
}

/// As a CRM has it whose notes are HTML.
fn marked_up(crm: Crm, text: &str) -> String {
    match crm {
        Crm::HubSpot | Crm::Pipedrive => {
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>")
        }
        Crm::Zoho | Crm::Salesforce => text.to_owned(),
    }
}

/// That a CRM shows of all kinds of events what the default rules make of them, and nothing twice.
async fn all_is_there(world: &World, crm: Crm) {
    assert_eq!(told(world, crm, &TASK, "subject").await, ["Email: Spring", "Viewed the brochure"], "{crm}");
    let notes = ["Asked: How much is \"R&D\" <2026>?", "She wants a copy.\nAnd a price."];
    assert_eq!(told(world, crm, &NOTE, "body").await, notes.map(|note| marked_up(crm, note)), "{crm}");
    assert_eq!(told(world, crm, &DEAL, "name").await, ["An engine"], "{crm}");
    let person = world.only(crm).await.id;
    for object in [TASK, NOTE] {
        assert!(told(world, crm, &object, "contact_id").await.iter().all(|id| *id == person), "{crm}: {object}");
    }
    assert!(told(world, crm, &TASK, "status").await.iter().all(|status| status == done(crm)), "{crm}");
    assert!(told(world, crm, &TASK, "due_date").await.iter().all(|day| day.starts_with("2026-11-21")), "{crm}");
}

async fn what_people_do_is_noted_in_the_crm(crm: Crm) {
    let mut world = tenant_of(&[crm, peer(crm)]).await;
    world.chaos.twice = true;
    let [first, rest @ ..] = of_all_kinds();
    world.send(&[did("r1", std::slice::from_ref(&first)), did("r2", &rest), did("r3", &[first])]).await;
    world.settle().await;
    for crm in [crm, peer(crm)] {
        all_is_there(&world, crm).await;
    }
    assert!(codes(&world).await.is_empty());
}

/// Answers are lost after the CRM did its work, and each message is handled twice.
async fn what_is_done_is_noted_once_whatever_is_lost(crm: Crm) {
    for seed in 1..=2 {
        println!("{crm}: seed {seed}");
        let mut world = tenant_of(&[crm]).await;
        world.chaos.twice = true;
        let faults = json!({"fail_rate": 0.1, "fail_after_commit_rate": 0.4});
        world.sim("faults", &json!({"seed": seed, crm.name(): faults})).await;
        world.send(&[did("r1", &of_all_kinds()), did("r2", &of_all_kinds())]).await;
        world.settle().await;
        world.sim("faults", &json!({})).await;
        world.wait(SignedDuration::from_mins(20)).await;
        world.tick().await;
        world.settle().await;
        all_is_there(&world, crm).await;
        assert!(codes(&world).await.is_empty());
    }
}

/// Of a note and a task every answer is lost, and what they say is another before anybody looks again; whom the task is with is not even
/// there yet when it is made.
async fn what_was_made_is_known_though_it_is_to_say_something_else_by_now(crm: Crm) {
    let about = |id: &str, object: &Object, says: &Json, at: &str| {
        let mut asked = crate::story::request(id, says.clone());
        (asked["object"], asked["occurred_at"]) = (json!(object.as_str()), json!(at));
        asked
    };
    let note = |body: &str| json!({"id": "note-1", "body": body, "contact_id": "lead-7"});
    let task = |status: &str| json!({"id": "task-1", "subject": "Call", "status": status, "contact_id": "lead-7"});
    for seed in 1..=2 {
        println!("{crm}: seed {seed}");
        let world = tenant_of(&[crm]).await;
        let lose = json!({"seed": seed, crm.name(): {"fail_after_commit_rate": 0.5}});
        world.sim("faults", &lose).await;
        world.send(&[about("t1", &TASK, &task("open"), "2026-11-21T09:00:00Z")]).await;
        world.settle().await;
        world.send(&[ada("r1"), about("n1", &NOTE, &note("She asked for one."), "2026-11-21T09:00:00Z")]).await;
        world.settle().await;
        world.send(&[about("n2", &NOTE, &note("She asked for two."), "2026-11-21T09:05:00Z")]).await;
        world.send(&[about("t2", &TASK, &task("done"), "2026-11-21T09:05:00Z")]).await;
        world.settle().await;
        world.sim("faults", &json!({})).await;
        world.wait(SignedDuration::from_mins(20)).await;
        world.tick().await;
        world.settle().await;
        assert_eq!(told(&world, crm, &NOTE, "body").await, ["She asked for two."], "{crm}");
        assert_eq!(told(&world, crm, &TASK, "status").await, [done(crm)], "{crm}");
        assert_eq!(told(&world, crm, &TASK, "contact_id").await, [world.only(crm).await.id], "{crm}");
        assert!(codes(&world).await.is_empty());
    }
}

/// What a CRM's users write of the kind is none of the hub's business, where it has no room for our ids.
async fn what_others_write_of_the_kind_stays_there(crm: Crm) {
    let only_made = |object: &Object| crm.default_mapping(object).is_some_and(|mapping| !mapping.has_room());
    let world = tenant_of(&[crm]).await;
    world.send(&[did("r1", &of_all_kinds())]).await;
    world.settle().await;
    let (person, before) = (world.only(crm).await.id, records(&world).await);
    if only_made(&NOTE) {
        world
            .fill_in(
                crm,
                &NOTE,
                None,
                &[("title", "Hers"), ("body", "A note of hers."), ("contact_id", &person)],
                false,
            )
            .await;
    }
    world.settle().await;
    world.wait(SignedDuration::from_hours(1)).await;
    world.tick().await;
    world.settle().await;
    assert_eq!(records(&world).await, before);
    assert!(codes(&world).await.is_empty());
}

async fn records(world: &World) -> usize {
    let mut records = 0;
    for shard in 0..shared::store::keys::RECORD_SHARDS {
        records += world.app.store.record_page(&tenant(), shard, None, 100).await.unwrap().0.len();
    }
    records
}

/// Where no CRM has such an object, nothing is made in the hub.
async fn nothing_is_noted_of_nobody(crm: Crm) {
    let world = World::of_objects(&[crm], &[Object::Person]).await;
    world.settle().await;
    world.send(&[did("r1", &of_all_kinds())]).await;
    world.settle().await;
    assert_eq!(records(&world).await, 1, "the person alone");
    assert_eq!(hub(&world, "ada@example.com").await.engagement.events, 6);
}

async fn a_rule_of_ones_own_makes_what_it_says(crm: Crm) {
    let world = tenant_of(&[crm]).await;
    let rules = json!([
        {"name": "call", "on": "cta_clicked", "when": "price > 1000", "make": "task",
         "fields": {"subject": "Call {{first_name}} about {{product}}", "status": "'open'", "due_date": "at"}},
        {"name": "visit", "on": "garden_visited", "make": "note", "fields": {"body": "'In the garden'"}},
    ]);
    world.app.store.set_effects(&tenant(), &serde_json::from_value(rules).unwrap()).await.unwrap();
    let clicked = |id, price| event(id, "cta_clicked", &json!({"product": "engines", "price": price}));
    let visit = event("e3", "garden_visited", &json!({}));
    world.send(&[did("r1", &[clicked("e1", 1200), clicked("e2", 800), visit])]).await;
    world.settle().await;
    assert_eq!(told(&world, crm, &TASK, "subject").await, ["Call Ada about engines"]);
    assert_eq!(told(&world, crm, &NOTE, "body").await, ["In the garden"]);
    assert!(told(&world, crm, &DEAL, "name").await.is_empty());
    assert!(codes(&world).await.is_empty());
}

/// Four CRMs, several people, every message handled twice, and of the CRMs' answers every other one lost after its work was done:
/// tasks, notes and deals are in content and number what rules × distinct events predict.
#[tokio::test]
async fn in_four_crms_what_is_there_is_what_the_rules_predict() {
    const PEOPLE: usize = 4;
    let mut world = tenant_of(&Crm::ALL).await;
    world.chaos.twice = true;
    let rates = json!({"fail_after_commit_rate": 0.5});
    let faults =
        Crm::ALL.iter().map(|crm| (crm.name().to_owned(), rates.clone())).chain([("seed".to_owned(), json!(7))]);
    world.sim("faults", &faults.collect::<serde_json::Map<_, _>>().into()).await;
    let person = |n: usize| json!({"id": format!("l{n}"), "email": format!("person-{n}@example.com"), "last_name": format!("Name {n}")});
    let events = |n: usize| {
        [
            event(&format!("q{n}"), "question", &json!({"question": format!("Question {n}")})),
            event(&format!("v{n}"), "view", &json!({"content_id": format!("page {n}")})),
            event(&format!("w{n}"), "view", &json!({"content_id": "the same page"})),
            event(&format!("c{n}"), "conversion", &json!({"subject": format!("Deal {n}")})),
        ]
    };
    let mut asked = Vec::new();
    for n in 0..PEOPLE {
        for round in ["a", "b"] {
            let mut request = crate::story::request(&format!("{round}{n}"), person(n));
            request["events"] = json!(events(n));
            asked.push(request);
        }
    }
    world.send(&asked).await;
    world.settle().await;
    world.sim("faults", &json!({})).await;
    world.wait(SignedDuration::from_mins(20)).await;
    world.tick().await;
    world.settle().await;
    let each = |of: &dyn Fn(usize) -> String| (0..PEOPLE).map(of).collect::<Vec<_>>();
    let mut viewed = each(&|n| format!("Viewed page {n}"));
    viewed.extend(each(&|_| "Viewed the same page".to_owned()));
    for crm in Crm::ALL {
        assert_eq!(told(&world, crm, &NOTE, "body").await, each(&|n| format!("Asked: Question {n}")), "{crm}");
        assert_eq!(told(&world, crm, &TASK, "subject").await, viewed, "{crm}");
        assert_eq!(told(&world, crm, &DEAL, "name").await, each(&|n| format!("Deal {n}")), "{crm}");
        let people: Vec<String> = world.people(crm).await.iter().map(|person| person.id.clone()).collect();
        for object in [NOTE, TASK] {
            for person in &people {
                let theirs = told(&world, crm, &object, "contact_id").await;
                let expected = if object == NOTE { 1 } else { 2 };
                assert_eq!(theirs.iter().filter(|id| *id == person).count(), expected, "{crm}: {object}");
            }
        }
    }
    assert!(codes(&world).await.is_empty());
}
