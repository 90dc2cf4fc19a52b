//! Fields that are somebody else's to write, and fields whose conflicts are settled by a rule of their own.

use super::{peer, tenant_of};
use crate::{
    engine::{ada, codes, hub},
    story::request,
    verdicts::{end, ends},
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    cause::{Denied, Status},
    history::Entry,
    planner::{Apart, Policy, Strategy, Take},
    provider::Crm,
    record::{Object, Value},
};

crate::laws::laws_of! {
    an_edit_of_what_another_owns_is_undone
    a_request_about_what_another_owns_is_told_so
    what_another_owns_is_set_in_no_crm_alone
    a_conflict_is_settled_by_the_narrowest_rule
    nobody_comes_to_be_by_a_key_that_is_not_the_sources_to_write
    a_filler_takes_nobodys_place
}

async fn owned(world: &World, matrix: Json) {
    world.app.store.set_ownership(&tenant(), &serde_json::from_value(matrix).unwrap()).await.unwrap();
}

/// What was denied, by the record's history.
async fn denied(world: &World) -> Vec<(String, String, Option<Value>)> {
    let record = hub(world, "ada@example.com").await;
    let entries = world.app.history.of(&tenant(), &record.id).await.unwrap();
    let of = |entry| if let Entry::Change { cause, .. } = entry { cause.denied } else { Vec::new() };
    let told = |Denied { field, source, value }| (field, source.to_string(), value);
    entries.into_iter().flat_map(of).map(told).collect()
}

fn refused(field: &str, source: &str, value: &str) -> (String, String, Option<Value>) {
    (field.to_owned(), source.to_owned(), Value::text(value))
}

fn phoned(id: &str, source: &str) -> Json {
    let mut asked = ada(id);
    (asked["source"], asked["lead"]["phone"]) = (json!(source), json!("+14155550100"));
    asked
}

async fn an_edit_of_what_another_owns_is_undone(crm: Crm) {
    let world = tenant_of(crm).await;
    owned(&world, json!({"phone": ["sms_platform"]})).await;
    world.send(&[phoned("r1", "sms_platform")]).await;
    world.settle().await;
    let id = world.only(crm).await.id;
    world.edit(crm, &id, &[("phone", "+14155550199"), ("last_call", "by hand")]).await;
    world.settle().await;
    for shown in [world.only(crm).await, world.only(peer(crm)).await] {
        assert_eq!((shown.get("phone"), shown.get("last_call")), ("+14155550100", "by hand"));
    }
    assert_eq!(denied(&world).await, [refused("phone", connection(crm).as_str(), "+14155550199")]);
    assert!(codes(&world).await.is_empty());
}

async fn a_request_about_what_another_owns_is_told_so(crm: Crm) {
    let world = tenant_of(crm).await;
    owned(&world, json!({"phone": ["crm", "sms_platform"]})).await;
    world.send(&[phoned("r1", "sms_platform")]).await;
    world.settle().await;
    let mut billing = phoned("r2", "billing");
    (billing["occurred_at"], billing["lead"]["phone"]) = (json!("2026-11-21T10:00:00Z"), json!("+14155550177"));
    world.send(&[billing]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("phone"), "+14155550100");
    assert_eq!(denied(&world).await, [refused("phone", "billing", "+14155550177")]);
    let record = hub(&world, "ada@example.com").await;
    let told = ends(&world, &record, "r2").await;
    assert!(told.contains(&end(connection(crm).as_str(), Status::Skipped, "not_owner")), "{told:?}");
    world.edit(crm, &world.only(crm).await.id, &[("phone", "+14155550199")]).await;
    world.settle().await;
    assert_eq!(world.only(peer(crm)).await.get("phone"), "+14155550199", "a CRM may");
}

/// By the CRM's own name for it, either.
async fn what_another_owns_is_set_in_no_crm_alone(crm: Crm) {
    let world = tenant_of(crm).await;
    owned(&world, json!({"phone": ["sms_platform"]})).await;
    let stored = world.stored(crm).await;
    let phone = stored.mappings[&Object::Person].remote_of("phone").unwrap();
    world.send(&[phoned("r1", "sms_platform")]).await;
    world.settle().await;
    let mut billing = ada("r2");
    (billing["source"], billing["connection_id"]) = (json!("billing"), json!(connection(crm)));
    billing["sync_fields"] = json!({phone: "+14155550177"});
    world.send(&[billing]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("phone"), "+14155550100");
    assert_eq!(denied(&world).await, [refused("phone", "billing", "+14155550177")]);
}

async fn a_conflict_is_settled_by_the_narrowest_rule(crm: Crm) {
    let world = tenant_of(crm).await;
    let apart = Apart { conflicts: None, fields: [("phone".to_owned(), Strategy::Manual)].into() };
    let policy = Policy { conflicts: Strategy::CrmWins, apart: [(Object::Person, apart)].into(), ..Policy::default() };
    world.app.set_policy(&tenant(), &connection(crm), policy).await.unwrap();
    world.send(&[phoned("r1", "workflow")]).await;
    world.settle().await;
    let id = world.only(crm).await.id;
    world.edit_silently(crm, &id, &[("last_call", "theirs"), ("phone", "+14155550199")]).await;
    let mut newer = phoned("r2", "workflow");
    newer["occurred_at"] = json!("2026-11-21T10:00:00Z");
    (newer["lead"]["last_call"], newer["lead"]["phone"]) = (json!("ours"), json!("+14155550177"));
    world.send(&[newer]).await;
    world.settle().await;
    let (here, there) = (world.only(crm).await, world.only(peer(crm)).await);
    assert_eq!((here.get("phone"), here.get("last_call")), ("+14155550199", "theirs"), "{crm}");
    assert_eq!((there.get("phone"), there.get("last_call")), ("+14155550177", "theirs"), "{crm}");
    assert_eq!(codes(&world).await, ["conflict"]);
    decided_and_taken_back(&world, crm).await;
    let odd = Apart { conflicts: None, fields: [("shoe_size".to_owned(), Strategy::Manual)].into() };
    let odd = Policy { apart: [(Object::Person, odd)].into(), ..Policy::default() };
    let error = world.app.set_policy(&tenant(), &connection(crm), odd).await.unwrap_err();
    assert!(error.to_string().contains("person.shoe_size"), "{error}");
}

/// A person takes the CRM's value, then the hub's after all, then the CRM's again; both CRMs have it each time. An edit ends that.
async fn decided_and_taken_back(world: &World, crm: Crm) {
    let (ours, theirs) = ("+14155550177", "+14155550199");
    let asked = world.stored(crm).await;
    let conflict = async || world.app.store.exceptions(&tenant()).await.unwrap().pop().unwrap();
    let cx = world.cx("decide");
    assert_eq!(world.app.resolve(&cx, &asked, &[conflict().await], Take::Theirs).await.unwrap().ended, 1);
    world.settle().await;
    for phone in [theirs, ours, theirs] {
        for crm in [crm, peer(crm)] {
            assert_eq!(world.only(crm).await.get("phone"), phone, "{crm}");
        }
        world.app.take_back(&cx, &asked, &conflict().await).await.unwrap();
        world.settle().await;
    }
    world.edit(crm, &world.only(crm).await.id, &[("phone", "+14155550155")]).await;
    world.settle().await;
    let error = world.app.take_back(&cx, &asked, &conflict().await).await.unwrap_err();
    assert!(error.to_string().contains("written this field since"), "{error}");
}

/// Each such request would make another.
async fn nobody_comes_to_be_by_a_key_that_is_not_the_sources_to_write(crm: Crm) {
    let world = tenant_of(crm).await;
    let asked = |id: &str| {
        let mut asked = request(id, json!({"phone": "+14155550100", "last_call": "today"}));
        asked["source"] = json!("commerce");
        asked
    };
    world.send(&[asked("r1"), asked("r2")]).await;
    world.settle().await;
    assert!(world.people(crm).await.is_empty());
    assert_eq!(codes(&world).await, ["no_identity", "no_identity"]);
    world.send(&[phoned("r3", "workflow"), asked("r4")]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "today", "who is known is found by it");
}

/// The CRM insists on a last name, and has one that is not its own to tell.
async fn a_filler_takes_nobodys_place(crm: Crm) {
    let world = tenant_of(crm).await;
    let names = json!({"first_name": ["workflow"], "last_name": ["workflow"]});
    owned(&world, names).await;
    world.type_in(crm, &[vec![("last_name", "Aaron"), ("email", "ada@example.com")]]).await;
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    let mut asked = request("r1", json!({"email": "ada@example.com", "last_call": "today"}));
    asked["occurred_at"] = json!(world.now());
    world.send(&[asked]).await;
    world.settle().await;
    let shown = world.only(crm).await;
    assert_eq!((shown.name().as_str(), shown.get("last_call")), ("Aaron", "today"));
}
