//! Deliveries: proved, heard, and never believed more than they must be.

use super::{peer, tenant_of};
use crate::engine::{ada, hub};
use serde_json::Value as Json;
use shared::provider::Crm;

crate::laws::laws_of! {
    an_edit_reaches_the_other_crm_by_its_webhook
    an_echo_changes_nothing
    a_delivery_without_its_proof_is_refused
    a_delivery_that_comes_again_changes_nothing
    edits_of_different_fields_at_the_same_time_both_survive
}

async fn an_edit_reaches_the_other_crm_by_its_webhook(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.edit(crm, &world.only(crm).await.id, &[("phone", "+14155550199")]).await;
    world.settle().await;
    assert_eq!(world.only(peer(crm)).await.get("phone"), "+14155550199");
}

async fn an_echo_changes_nothing(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let before = hub(&world, "ada@example.com").await;
    world.edit(peer(crm), &world.only(peer(crm)).await.id, &[("phone", "+14155550199")]).await;
    world.settle().await;
    let after = hub(&world, "ada@example.com").await;
    assert_eq!(world.only(crm).await.get("phone"), "+14155550199");
    assert_eq!(after.version, before.version + 2, "one look and one settle: the echo of our write is no change");
}

async fn a_delivery_without_its_proof_is_refused(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.edit(crm, &world.only(crm).await.id, &[("phone", "+14155550199")]).await;
    world.settle().await;
    for forged in forgeries(&genuine(&world, crm).await) {
        let status = send(&forged).await;
        assert_eq!(status, 401, "{forged}");
    }
}

async fn a_delivery_that_comes_again_changes_nothing(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.edit(crm, &world.only(crm).await.id, &[("phone", "+14155550199")]).await;
    world.settle().await;
    let before = hub(&world, "ada@example.com").await.version;
    for _ in 0..3 {
        world.redeliver(&genuine(&world, crm).await).await;
        world.settle().await;
    }
    assert_eq!(hub(&world, "ada@example.com").await.version, before);
}

async fn edits_of_different_fields_at_the_same_time_both_survive(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let (here, there) = (world.only(crm).await.id, world.only(peer(crm)).await.id);
    world.edit(crm, &here, &[("phone", "+14155550199")]).await;
    world.edit(peer(crm), &there, &[("last_call", "yesterday")]).await;
    world.settle().await;
    for crm in [crm, peer(crm)] {
        let shown = world.only(crm).await;
        assert_eq!((shown.get("phone"), shown.get("last_call")), ("+14155550199", "yesterday"), "{crm}");
    }
}

/// The newest delivery of a CRM that was taken.
pub(super) async fn genuine(world: &crate::world::World, crm: Crm) -> Json {
    let all = world.shown("deliveries?last=200").await["deliveries"].clone();
    let taken = all.as_array().unwrap().iter().rev().find(|one| one["crm"] == crm.name() && one["status"] == 200);
    taken.unwrap_or_else(|| panic!("{crm} delivered nothing: {all}")).clone()
}

/// The same delivery with each thing that may prove it taken away or changed.
fn forgeries(genuine: &Json) -> Vec<Json> {
    let mut forged = Vec::new();
    let mut bare = genuine.clone();
    bare["headers"].as_object_mut().unwrap().retain(|name, _| name == "content-type");
    bare["url"] = bare["url"].as_str().unwrap().split('?').next().unwrap().into();
    let body = bare["body"].as_str().unwrap().to_owned();
    bare["body"] = body.replace("token-of-the-channel", "").into();
    forged.push(bare.clone());
    bare["body"] = body.replace("token-of-the-channel", "another-token").into();
    bare["headers"]["authorization"] = "Basic Y3JtLXN5bmM6YW5vdGhlcg==".into();
    bare["headers"]["x-hubspot-signature-v3"] = "AAAA".into();
    bare["headers"]["x-hubspot-request-timestamp"] = "1790000000000".into();
    bare["url"] = format!("{}?token=another", bare["url"].as_str().unwrap()).into();
    forged.push(bare);
    forged
}

pub(super) async fn send(delivery: &Json) -> u16 {
    let mut call = reqwest::Client::new().post(delivery["url"].as_str().unwrap());
    for (name, value) in delivery["headers"].as_object().unwrap() {
        call = call.header(name, value.as_str().unwrap());
    }
    call.body(delivery["body"].as_str().unwrap().to_owned()).send().await.unwrap().status().as_u16()
}
