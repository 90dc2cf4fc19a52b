//! What a person switches: when a connection exchanges what changed, whether anything does, and what is held back.

use super::{peer, tenant_of};
use crate::{
    engine::{ada, hub},
    face::Person,
    story::request,
    world::{World, connection, tenant},
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::{
    connection::{Connection, Mode},
    id::TenantId,
    planner::{Guard, Policy},
    provider::Crm,
    record::Object,
    store::Open,
};

crate::laws::laws_of! {
    what_an_hour_brings_is_exchanged_together
    nothing_moves_before_somebody_says_so
    a_stop_of_a_tenant_rests_everything_and_loses_nothing
    a_stop_of_all_rests_everything_and_loses_nothing
    too_many_writes_that_nobody_asked_for_wait_for_a_person
    too_many_lost_values_wait_for_a_person
}

/// A tenant with Ada in both CRMs.
async fn with_ada(crm: Crm) -> World {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world
}

/// A user's edit there, and a request for here.
async fn something_happens(world: &World, crm: Crm) {
    world.edit(crm, &world.only(crm).await.id, &[("phone", "+14155550111")]).await;
    let mut asked = ada("r2");
    asked["lead"]["last_name"] = json!("King");
    world.send(&[asked]).await;
    world.settle().await;
    world.wait(SignedDuration::from_mins(20)).await;
    world.tick().await;
    world.settle().await;
}

/// Pipedrive has whole names alone.
fn is_king(one: &Person) -> bool {
    one.get("last_name") == "King" || one.get("name").ends_with(" King")
}

/// Both edits, as the CRM and its peer have them.
async fn arrived(world: &World, crm: Crm) -> Vec<(bool, bool)> {
    let mut arrived = Vec::new();
    for crm in [crm, peer(crm)] {
        let ada = world.only(crm).await;
        arrived.push((ada.get("phone") == "+14155550111", is_king(&ada)));
    }
    arrived
}

async fn later(world: &World, minutes: i64) {
    world.wait(SignedDuration::from_mins(minutes)).await;
    world.tick().await;
    world.settle().await;
}

async fn mode(world: &World, crm: Crm, mode: Mode) {
    world.app.set_mode(&world.cx("mode"), &tenant(), &connection(crm), mode).await.unwrap();
}

async fn what_an_hour_brings_is_exchanged_together(crm: Crm) {
    let world = with_ada(crm).await;
    mode(&world, crm, Mode::Hourly).await;
    world.calls(crm).await;
    something_happens(&world, crm).await;
    assert_eq!(arrived(&world, crm).await, [(true, false), (false, true)]);
    assert!(world.calls(crm).await.is_empty(), "{crm} is left alone meanwhile");
    later(&world, 41).await;
    assert_eq!(arrived(&world, crm).await, [(true, true), (true, true)]);
    mode(&world, crm, Mode::RealTime).await;
    world.edit(crm, &world.only(crm).await.id, &[("phone", "+14155550122")]).await;
    world.settle().await;
    assert_eq!(world.only(peer(crm)).await.get("phone"), "+14155550122", "webhooks are listened to again");
}

async fn nothing_moves_before_somebody_says_so(crm: Crm) {
    let world = with_ada(crm).await;
    mode(&world, crm, Mode::Manual).await;
    world.calls(crm).await;
    something_happens(&world, crm).await;
    later(&world, 25 * 60).await;
    assert_eq!(arrived(&world, crm).await, [(true, false), (false, true)]);
    assert!(world.calls(crm).await.is_empty());
    world.app.sync_all(&world.cx("sync"), &world.stored(crm).await).await.unwrap();
    world.settle().await;
    assert_eq!(arrived(&world, crm).await, [(true, true), (true, true)]);
}

async fn a_stop_of_a_tenant_rests_everything_and_loses_nothing(crm: Crm) {
    stopped(crm, Some(&tenant())).await;
}

async fn a_stop_of_all_rests_everything_and_loses_nothing(crm: Crm) {
    stopped(crm, None).await;
}

async fn stopped(crm: Crm, whose: Option<&TenantId>) {
    let world = with_ada(crm).await;
    world.app.stop(&world.cx("stop"), whose, "a test").await.unwrap();
    world.calls(crm).await;
    something_happens(&world, crm).await;
    later(&world, 25 * 60).await;
    assert_eq!(arrived(&world, crm).await, [(true, false), (false, false)]);
    assert!(world.calls(crm).await.is_empty(), "{crm} is left alone");
    let record = hub(&world, "ada@example.com").await;
    assert_eq!(record.fields.get("last_name").unwrap().to_string(), "King", "requests are taken meanwhile");
    let told = json!(world.app.history.of(&tenant(), &record.id).await.unwrap()).to_string();
    assert!(told.contains("\"stopped\""), "whoever asked hears why it waits: {told}");
    assert_eq!(world.app.go(&world.cx("go"), whose).await.unwrap(), 2);
    world.tick().await;
    world.settle().await;
    assert_eq!(arrived(&world, crm).await, [(true, true), (true, true)]);
    assert!(asked(&world).await.is_empty());
}

fn person(n: usize) -> Json {
    let lead = json!({"id": format!("l{n}"), "email": format!("p{n:02}@example.com"), "last_name": "Lovelace", "phone": format!("+141555501{n:02}")});
    request(&format!("r{n}"), lead)
}

const GUARD: Guard = Guard { most: 3, share: 100, few: 3 };

/// Ten people in both CRMs, and a peer that may write this much.
async fn crowd(crm: Crm, policy: Policy) -> World {
    let world = tenant_of(crm).await;
    world.send(&(0..10).map(person).collect::<Vec<_>>()).await;
    world.settle().await;
    later(&world, 90).await;
    world.app.set_policy(&tenant(), &connection(peer(crm)), policy).await.unwrap();
    world
}

/// A user of the CRM gives six people this phone, in one go.
async fn six_are_edited(world: &World, crm: Crm, phone: &str) {
    let mut people = world.people(crm).await;
    people.sort_by_key(|one| one.get("email").to_owned());
    for one in &people[..6] {
        world.edit_silently(crm, &one.id, &[("phone", phone)]).await;
    }
    later(world, 90).await;
}

async fn phones(world: &World, crm: Crm, phone: &str) -> usize {
    world.people(crm).await.iter().filter(|one| one.get("phone") == phone).count()
}

async fn release(world: &World, crm: Crm) {
    world.app.release(&world.cx("release"), &tenant(), &connection(crm)).await.unwrap();
    world.settle().await;
    assert!(asked(world).await.is_empty(), "{:?}", asked(world).await);
}

/// What a person is asked.
async fn asked(world: &World) -> Vec<String> {
    let open = world.app.store.exceptions(&tenant()).await.unwrap().into_iter().filter(|one| one.state == Open::Open);
    open.map(|one| one.code).collect()
}

async fn too_many_writes_that_nobody_asked_for_wait_for_a_person(crm: Crm) {
    let (there, news) = (peer(crm), "+14155550777");
    let world = crowd(crm, Policy { writes: GUARD, ..Policy::default() }).await;
    six_are_edited(&world, crm, news).await;
    assert!(phones(&world, there, news).await <= 3, "what the guard allows may go, and no more");
    assert_eq!(asked(&world).await, ["mass_write"]);
    let mut wanted = person(9);
    (wanted["id"], wanted["lead"]["last_name"]) = (json!("r99"), json!("King"));
    world.send(&[wanted]).await;
    world.settle().await;
    let kings = world.people(there).await.into_iter().filter(is_king).count();
    assert_eq!(kings, 1, "what requests ask for goes on");
    let hello = world.people(there).await.into_iter().find(|one| one.get("email") == "p09@example.com").unwrap();
    world.edit(there, &hello.id, &[("phone", "+14155550888")]).await;
    world.settle().await;
    assert_eq!(phones(&world, crm, "+14155550888").await, 1, "and so does what is read there");
    release(&world, there).await;
    assert_eq!(phones(&world, there, news).await, 6);
    six_are_edited(&world, crm, "+14155550666").await;
    assert_eq!(phones(&world, there, "+14155550666").await, 6, "for a day nothing more is asked");
}

async fn too_many_lost_values_wait_for_a_person(crm: Crm) {
    let there = peer(crm);
    let few = Guard { most: 100, share: 50, few: 1 };
    let world = crowd(crm, Policy { blanks: few, ..Policy::default() }).await;
    let clears = |stored: &Connection| {
        let mut next = stored.clone();
        let rules = &mut next.mappings.get_mut(&Object::Person).unwrap().rules;
        rules.iter_mut().filter(|rule| rule.hub == "phone").for_each(|rule| rule.clears = true);
        Ok(Some(next))
    };
    world.app.store.revise(&tenant(), &connection(crm), clears).await.unwrap();
    six_are_edited(&world, crm, "").await;
    assert!(phones(&world, there, "").await <= 5, "half of them may lose it");
    assert_eq!(asked(&world).await, ["mass_blank"]);
    release(&world, there).await;
    assert_eq!(phones(&world, there, "").await, 6);
}
