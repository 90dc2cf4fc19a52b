//! Whoever is forgotten is nowhere: not in the hub, its history, its exceptions, nor, where that is meant, in the CRMs; and does not come
//! back but by their own word.

use super::{peer, tenant_of};
use crate::{
    audit::the_history_is_the_difference,
    engine::{codes, hub},
    story::request,
    world::{World, tenant},
};
use aws_sdk_dynamodb::Client;
use serde_json::{Value as Json, json};
use shared::{
    erasure::Stands,
    id::RecordId,
    provider::Crm,
    record::{Record, Value},
};

crate::laws::laws_of! {
    who_is_erased_is_nowhere
    who_is_erased_stays_away_until_they_agree
    an_erasure_beats_whatever_happens_meanwhile
}

const MAILBOX: &str = "vanessa@example.com";
const PHONE: &str = "+14155550177";
const NAME: &str = "Vanishing";
const OWN: &str = "lead-vanish-1";

fn vanessa(id: &str) -> Json {
    request(id, json!({"id": OWN, "email": MAILBOX, "phone": PHONE, "last_name": NAME, "company": "Before"}))
}

/// Somebody known everywhere, with changes, events and what failed of them.
async fn known(crm: Crm) -> (World, Record) {
    let world = tenant_of(crm).await;
    let mut first = vanessa("r1");
    first["events"] = json!([{"type": "question", "id": "e1", "at": world.now(), "attributes": {"question": format!("Is it {MAILBOX}?")}}]);
    world.send(&[first]).await;
    world.settle().await;
    let mut second = vanessa("r2");
    second["lead"]["company"] = json!("After");
    // One that fails, and is kept as it came.
    let mut third = vanessa("r3");
    third["connection_id"] = json!("nobodys");
    world.send(&[second, third]).await;
    world.settle().await;
    let record = hub(&world, MAILBOX).await;
    (world, record)
}

/// Whether the tables tell anything of them, anywhere.
async fn told(world: &World) -> Vec<String> {
    let client = Client::new(&world.aws);
    let mut found = Vec::new();
    for table in [&world.app.settings.state_table, &world.app.settings.history_table] {
        let items = client.scan().table_name(table).into_paginator().items().send().collect::<Result<Vec<_>, _>>();
        for item in items.await.unwrap() {
            let said = format!("{item:?}");
            let tells = [MAILBOX, PHONE, NAME, OWN, "5550188", "5550199"].iter().any(|secret| said.contains(secret));
            found.extend(tells.then(|| format!("{:?} {:?}", item["pk"], item["sk"])));
        }
    }
    found
}

async fn erase(world: &World, record: &RecordId, in_crms: bool) {
    let record = world.app.store.record(&tenant(), record).await.unwrap().unwrap();
    world.app.erase(&world.cx("erasure"), &record, in_crms).await.unwrap();
    world.settle().await;
    the_history_is_the_difference(&world.app).await;
}

async fn record(world: &World, id: &RecordId) -> Record {
    world.app.store.record(&tenant(), id).await.unwrap().unwrap()
}

async fn ends(world: &World, crm: Crm, number: &str) -> bool {
    world.only(crm).await.get("phone").ends_with(number)
}

async fn mailboxes(world: &World, crm: Crm) -> Vec<String> {
    world.people(crm).await.iter().map(|person| person.get("email").to_owned()).collect()
}

async fn who_is_erased_is_nowhere(crm: Crm) {
    let (world, known) = known(crm).await;
    assert!(codes(&world).await.contains(&"unknown_connection".to_owned()));
    let before = world.app.traces(&world.cx("count"), &known).await.unwrap();
    assert!(before.values > 0 && before.events == 1 && before.changes > 1, "{before:?}");
    assert!(before.places.len() == 2 && before.places.iter().all(|place| place.stands == Stands::There), "{before:?}");
    assert!(!told(&world).await.is_empty());

    erase(&world, &known.id, true).await;
    assert_eq!(told(&world).await, Vec::<String>::new());
    for crm in [crm, peer(crm)] {
        assert!(!mailboxes(&world, crm).await.contains(&MAILBOX.to_owned()), "{crm}");
    }
    let left = world.app.traces(&world.cx("count"), &record(&world, &known.id).await).await.unwrap();
    assert!(left.nothing(true), "{left:?}");
    assert!(codes(&world).await.is_empty(), "{:?}", codes(&world).await);

    let versions = record(&world, &known.id).await.version;
    erase(&world, &known.id, true).await;
    assert_eq!(record(&world, &known.id).await.version, versions, "done twice is done once");
}

async fn who_is_erased_stays_away_until_they_agree(crm: Crm) {
    let (world, known) = known(crm).await;
    erase(&world, &known.id, false).await;
    let theirs = world.people(crm).await.into_iter().find(|person| person.get("email") == MAILBOX).unwrap();

    world.edit(crm, &theirs.id, &[("phone", "+14155550188")]).await;
    world.settle().await;
    world.edit_silently(peer(crm), &world.only(peer(crm)).await.id, &[("phone", "+14155550199")]).await;
    world.wait(jiff::SignedDuration::from_mins(30)).await;
    world.tick().await;
    world.settle().await;
    let mut asked = vanessa("r4");
    asked["occurred_at"] = json!(world.now());
    world.send(&[asked]).await;
    world.settle().await;
    assert_eq!(told(&world).await, Vec::<String>::new(), "neither a CRM nor a request brings them back");
    assert!(ends(&world, crm, "0188").await, "and nothing is written of them");

    let mut asked = vanessa("r5");
    asked["occurred_at"] = json!(world.now());
    asked["lead"]["phone"] = json!("+14155550111");
    asked["lead"]["consent_at"] = json!(world.now());
    world.send(&[asked]).await;
    world.settle().await;
    let again = hub(&world, MAILBOX).await;
    assert_eq!((&again.id, again.fields.get("phone")), (&known.id, Value::text("+14155550111").as_ref()));
    assert!(ends(&world, crm, "0111").await, "it is the same one there");
}

/// A request, an edit and a push that are under way when somebody is erased.
async fn an_erasure_beats_whatever_happens_meanwhile(crm: Crm) {
    for turns in [0, 1, 2, 4] {
        let (world, known) = known(crm).await;
        let theirs = world.people(crm).await.into_iter().find(|person| person.get("email") == MAILBOX).unwrap();
        world.edit(crm, &theirs.id, &[("phone", "+14155550188")]).await;
        let mut asked = vanessa("r6");
        (asked["lead"]["company"], asked["occurred_at"]) = (json!("Elsewhere"), json!(world.now()));
        world.send(&[asked]).await;
        for _ in 0..turns {
            world.turns().await;
        }
        erase(&world, &known.id, true).await;
        assert_eq!(told(&world).await, Vec::<String>::new());
        for crm in [crm, peer(crm)] {
            assert!(!mailboxes(&world, crm).await.contains(&MAILBOX.to_owned()), "{crm}");
        }
    }
}

/// Two contacts whom HubSpot merged, of whom neither did anything: the one that went had the name and the phone.
#[tokio::test]
async fn who_was_merged_is_erased_as_a_whole() {
    let (world, known) = known(Crm::HubSpot).await;
    let other = request("r8", json!({"id": "lead-other", "email": "other@example.com", "last_name": "Other"}));
    world.send(&[other]).await;
    world.settle().await;
    world.wait(jiff::SignedDuration::from_secs(5)).await;
    let people = world.people(Crm::HubSpot).await;
    let of = |mailbox: &str| people.iter().find(|person| person.get("email") == mailbox).unwrap().id.clone();
    let other = hub(&world, "other@example.com").await.id;
    world.sim("hubspot/contacts", &json!({"merge": [of("other@example.com"), of(MAILBOX)]})).await;
    world.settle().await;
    let both = [record(&world, &known.id).await, record(&world, &other).await];
    let (merged, stays): (Vec<&Record>, Vec<&Record>) = both.iter().partition(|one| one.merged_into.is_some());
    assert_eq!((merged.len(), stays.len()), (1, 1), "{both:?}");
    let survivor = stays[0].id.clone();
    erase(&world, &survivor, true).await;
    assert_eq!(told(&world).await, Vec::<String>::new());
}

/// What people did becomes notes; one that was under way tells of her, too.
#[tokio::test]
async fn no_note_about_who_was_erased_comes_late() {
    let (world, known) = known(Crm::HubSpot).await;
    erase(&world, &known.id, false).await;
    let mut note = request("note-1", json!({"contact_id": OWN, "body": format!("{NAME} asked for a call")}));
    note["object"] = json!("note");
    world.send(&[note]).await;
    world.settle().await;
    assert_eq!(told(&world).await, Vec::<String>::new());
}
