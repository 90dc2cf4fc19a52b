//! What can go wrong does, from seeds that are printed; afterwards hub and CRMs equal an oracle made from the inputs alone.

use crate::{
    audit::the_history_is_the_difference,
    chaos::{Chaos, Random},
    story::request,
    world::{World, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    cause::Status,
    handler,
    history::Entry,
    record::{Email, Key, Record},
};
use std::time::Duration;

const PEOPLE: usize = 30;

fn email(n: usize) -> String {
    format!("person-{n}@example.com")
}

/// Requests for all, then an edit of the phone in HubSpot and one of the company in Zoho, as people would make them.
async fn live(world: &World, random: &Random) {
    let mut requests: Vec<Json> = (0..PEOPLE)
        .map(|n| request(&format!("first-{n}"), json!({"id": format!("lead-{n}"), "email": email(n), "last_name": format!("Name {n}"), "company": "Before"})))
        .collect();
    random.shuffle(&mut requests);
    world.send(&requests).await;
    world.settle().await;
    edit(world, "hubspot/contacts", "properties", "email", |n| json!({"phone": format!("+141555501{n:02}")})).await;
    edit(world, "zoho/leads", "fields", "Email", |n| json!({"Company": format!("Company {n}")})).await;
    world.settle().await;
}

async fn edit(world: &World, route: &str, shown_in: &str, mailbox: &str, fields: impl Fn(usize) -> Json) {
    let shown = world.shown(route).await;
    let edits: Vec<Json> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let address = one[shown_in][mailbox].as_str().unwrap();
            let n: usize = address.trim_start_matches("person-").split('@').next().unwrap().parse().unwrap();
            json!({"id": one["id"], "fields": fields(n)})
        })
        .collect();
    world.sim(route, &json!(edits)).await;
}

/// What every side must show of everyone, whatever happened in between.
async fn equals_the_oracle(world: &World) {
    let (contacts, leads) = (world.shown("hubspot/contacts").await, world.shown("zoho/leads").await);
    let side = |all: &Json, shown_in: &str, mailbox: &str, n: usize| -> Vec<Json> {
        let all = all.as_array().unwrap().iter();
        all.filter(|one| one[shown_in][mailbox] == json!(email(n))).map(|one| one[shown_in].clone()).collect()
    };
    for n in 0..PEOPLE {
        let (phone, company, name) = (format!("+141555501{n:02}"), format!("Company {n}"), format!("Name {n}"));
        let (hubspot, zoho) = (side(&contacts, "properties", "email", n), side(&leads, "fields", "Email", n));
        assert_eq!((hubspot.len(), zoho.len()), (1, 1), "{} exists exactly once", email(n));
        let shown =
            |side: &Json, names: [&str; 3]| names.map(|name| side[name].as_str().unwrap_or_default().to_owned());
        let expected = [name, company, phone];
        assert_eq!(shown(&hubspot[0], ["lastname", "company", "phone"]), expected, "HubSpot, {}", email(n));
        assert_eq!(shown(&zoho[0], ["Last_Name", "Company", "Phone"]), expected, "Zoho, {}", email(n));
        let key = Key::Email(Email::parse(&email(n)).unwrap());
        let holders = world
            .app
            .store
            .holders(&tenant(), &shared::record::Object::Person, std::slice::from_ref(&key))
            .await
            .unwrap();
        let record = world.app.store.record(&tenant(), &holders[&key][0]).await.unwrap().unwrap();
        let hub = ["last_name", "company", "phone"]
            .map(|name| record.fields.get(name).map(ToString::to_string).unwrap_or_default());
        assert_eq!(hub, expected, "the hub, {}", email(n));
        is_told(world, &record, n).await;
    }
    assert_eq!(contacts.as_array().unwrap().len(), PEOPLE);
    assert_eq!(leads.as_array().unwrap().len(), PEOPLE);
    let raised = world.app.store.exceptions(&tenant()).await.unwrap();
    assert!(raised.is_empty(), "{raised:?}");
    the_history_is_the_difference(&world.app).await;
}

/// Every change of the record has its entry, and its request ended once in each CRM.
async fn is_told(world: &World, record: &Record, n: usize) {
    let entries = world.app.history.of(&tenant(), &record.id).await.unwrap();
    let mut versions = Vec::new();
    let mut ends = Vec::new();
    for entry in entries {
        match entry {
            Entry::Change { version, .. } => versions.push(version),
            Entry::Timeline { step, .. } if step.request.as_str() == format!("first-{n}") => {
                let ended = matches!(step.status, Status::Succeeded | Status::Failed | Status::Skipped);
                ends.extend(ended.then(|| step.connection.unwrap().as_str().to_owned()));
            }
            Entry::Timeline { .. } => {}
        }
    }
    assert_eq!(versions, (1..=record.version).collect::<Vec<_>>(), "the history of {}", email(n));
    ends.sort_unstable();
    assert_eq!(ends, ["hubspot", "zoho"], "how the request of {} ended", email(n));
}

async fn under(name: &str, seed: u64, chaos: Chaos, faults: Json) {
    println!("{name}: seed {seed}");
    let mut world = World::new().await;
    world.settle().await;
    world.chaos = chaos;
    world.sim("faults", &faults).await;
    live(&world, &Random::new(seed)).await;
    world.sim("faults", &json!({})).await;
    world.settle().await;
    equals_the_oracle(&world).await;
}

#[tokio::test]
async fn nothing_goes_wrong() {
    under("calm", 1, Chaos::default(), json!({})).await;
}

#[tokio::test]
async fn every_message_comes_twice_and_in_any_order() {
    for seed in [2, 3] {
        let chaos = Chaos { twice: true, shuffle: Some(Random::new(seed)) };
        let webhooks = json!({"double_rate": 0.5, "shuffle": true});
        under(
            "twice and shuffled",
            seed,
            chaos,
            json!({"seed": seed, "hubspot": {"webhooks": webhooks}, "zoho": {"webhooks": webhooks}}),
        )
        .await;
    }
}

#[tokio::test]
async fn one_call_in_five_fails_and_some_fail_after_they_were_done() {
    for seed in [4, 5] {
        let faults = json!({"fail_rate": 0.2, "fail_after_commit_rate": 0.1});
        under("5xx", seed, Chaos::default(), json!({"seed": seed, "hubspot": faults, "zoho": faults})).await;
    }
}

#[tokio::test]
async fn answers_are_lost_after_the_crm_did_its_work() {
    let faults = json!({"timeout_after_commit_next": 3});
    under("timeout after commit", 6, Chaos::default(), json!({"hubspot": faults, "zoho": faults})).await;
}

/// The push dies between what the CRM did and what we remember of it.
#[tokio::test]
async fn outbound_is_killed_after_the_crm_answered() {
    let world = World::new().await;
    world.settle().await;
    let route = "batch/upsert";
    world.sim("faults", &json!({"hubspot": {"hold_next": route}})).await;
    world.send(&[request("killed", json!({"id": "lead-0", "email": email(0), "last_name": "Name 0"}))]).await;
    while !world.turn("sync-requests").await {}
    let event = loop {
        let event = world.receive("pushes").await;
        if !event.records.is_empty() {
            break event;
        }
    };
    {
        let killed = world.handle("pushes", event.clone());
        let held = async {
            while world.shown("held").await.as_array().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            _ = killed => panic!("the answer was to be held back"),
            () = held => {}
        }
    }
    world.sim("release", &json!({})).await;
    world.sim("faults", &json!({})).await;
    world.handle("pushes", event).await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 1);
}

/// An edit in HubSpot is learned of by a hint, by a pull, or by the look before a push; and whoever learned it dies before
/// anybody is told. Nothing else ever tells of it.
#[tokio::test]
async fn what_was_learned_is_handed_on_though_its_worker_died() {
    for queue in ["changes", "pulls", "pushes"] {
        let world = World::new().await;
        world.settle().await;
        let lead = json!({"id": "lead-0", "email": email(0), "last_name": "Name 0", "company": "Before"});
        world.send(&[request("first", lead)]).await;
        world.settle().await;
        if queue == "pushes" {
            world.send(&[request("second", json!({"id": "lead-0", "company": "After"}))]).await;
            while !world.turn("sync-requests").await {}
        }
        let contact = world.shown("hubspot/contacts").await[0]["id"].clone();
        let edit = json!({"id": contact, "fields": {"phone": "+14155550100"}, "silent": queue != "changes"});
        world.sim("hubspot/contacts", &edit).await;
        if queue == "pulls" {
            world.tick().await;
        }
        let event = loop {
            let event = world.receive(queue).await;
            if !event.records.is_empty() {
                break event;
            }
        };
        let mut dying = world.twin();
        dying.settings.pushes = format!("{}-that-nobody-made", dying.settings.pushes);
        let cx = world.cx("dying");
        let kept = match queue {
            "changes" => handler::reconcile(&dying, &cx, event).await,
            "pulls" => handler::delta_pull(&dying, &cx, handler::PullEvent::Messages(event)).await,
            _ => handler::outbound(&dying, &cx, event).await,
        };
        assert!(!kept.unwrap().batch_item_failures.is_empty(), "{queue}: its messages come back");
        world.settle().await;
        assert_eq!(world.shown("zoho/leads").await[0]["fields"]["Phone"], "+14155550100", "{queue}");
    }
}
