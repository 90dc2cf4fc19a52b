//! Who is named by a CRM's own id.

use super::{peer, tenant_of};
use crate::{
    engine::codes,
    story::request,
    world::{World, connection},
};
use serde_json::{Value as Json, json};
use shared::provider::Crm;

crate::laws::laws_of! {
    a_person_is_found_by_the_crms_own_id
    a_person_whom_only_the_crm_knows_is_named_by_its_id
    an_id_of_another_person_is_no_name_of_this_one
}

async fn typed_in(world: &World, crm: Crm) -> String {
    world.type_in(crm, &[vec![("last_name", "Aaron"), ("phone", "+14155550100")]]).await;
    world.only(crm).await.id
}

fn named(id: &str, mut lead: Json, crm: Crm, remote: &str) -> Json {
    lead[format!("{crm}_id")] = json!(remote);
    request(id, lead)
}

async fn a_person_is_found_by_the_crms_own_id(crm: Crm) {
    let world = tenant_of(crm).await;
    let id = typed_in(&world, crm).await;
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    world.send(&[named("r1", json!({"last_call": "today"}), crm, &id)]).await;
    world.settle().await;
    for shown in [world.only(crm).await, world.only(peer(crm)).await] {
        assert_eq!((shown.get("phone"), shown.get("last_call")), ("+14155550100", "today"));
    }
    assert!(codes(&world).await.is_empty());
}

/// Nothing was pulled yet: it is linked by the request, looked at, and not made again.
async fn a_person_whom_only_the_crm_knows_is_named_by_its_id(crm: Crm) {
    let world = tenant_of(crm).await;
    let id = typed_in(&world, crm).await;
    let asked = json!({"email": "ada@example.com", "last_call": "today"});
    world.send(&[named("r1", asked.clone(), crm, &id), named("r2", asked, crm, &id)]).await;
    world.settle().await;
    for shown in [world.only(crm).await, world.only(peer(crm)).await] {
        let all = ["email", "phone", "last_call"].map(|field| shown.get(field).to_owned());
        assert_eq!(all, ["ada@example.com", "+14155550100", "today"], "{crm}");
    }
    assert!(codes(&world).await.is_empty());
}

async fn an_id_of_another_person_is_no_name_of_this_one(crm: Crm) {
    let world = tenant_of(crm).await;
    let id = typed_in(&world, crm).await;
    world.send(&[named("r1", json!({"email": "ada@example.com"}), crm, &id)]).await;
    world.settle().await;
    let other = if crm.remote_id("4711").is_some() { "4711" } else { "00Q0500000x00ZZZAA" };
    world
        .send(&[
            named("r2", json!({"email": "ada@example.com", "last_call": "today"}), crm, other),
            named("r3", json!({"email": "grace@example.com", "last_call": "today"}), crm, "no id"),
            named("r4", json!({"last_call": "today"}), crm, "nor this"),
        ])
        .await;
    world.settle().await;
    let mut found = codes(&world).await;
    found.sort();
    assert_eq!(found, ["bad_value", "no_identity", "same_identity"], "{}", connection(crm));
    let there = world.people(crm).await;
    let calls: Vec<(&str, &str)> = there.iter().map(|one| (one.get("email"), one.get("last_call"))).collect();
    assert_eq!(calls, [("ada@example.com", ""), ("grace@example.com", "today")]);
}
