//! Pulls: everything there is, everything that changed, and nothing for nothing.

use super::{peer, tenant_of};
use crate::{
    engine::{ada, hub},
    story::request,
    world::{World, connection},
};
use jiff::SignedDuration;
use serde_json::json;
use shared::{provider::Crm, record::Gone};

crate::laws::laws_of! {
    an_edit_whose_webhook_is_lost_comes_with_the_next_pull
    an_empty_pull_is_one_call
    everybody_is_read_a_page_to_a_call
    everybody_of_one_second_is_read
    a_deletion_whose_webhook_is_lost_is_found
    an_edit_that_is_pulled_twice_is_made_once
}

async fn later(world: &World, minutes: i64) {
    world.wait(SignedDuration::from_mins(minutes)).await;
    world.tick().await;
    world.settle().await;
}

async fn an_edit_whose_webhook_is_lost_comes_with_the_next_pull(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.wait(SignedDuration::from_secs(5)).await;
    world.edit_silently(crm, &world.only(crm).await.id, &[("phone", "+14155550199")]).await;
    world.settle().await;
    assert_eq!(world.only(peer(crm)).await.get("phone"), "");
    later(&world, 6).await;
    assert_eq!(world.only(peer(crm)).await.get("phone"), "+14155550199");
}

async fn an_empty_pull_is_one_call(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    later(&world, 30).await;
    later(&world, 30).await;
    world.calls(crm).await;
    later(&world, 6).await;
    let calls = world.calls(crm).await;
    assert_eq!(calls.values().sum::<u64>(), 1, "{calls:?}");
}

/// Pages are as large as the CRM allows: ten thousand people are 100, 50, 20 or 5 calls.
async fn everybody_is_read_a_page_to_a_call(crm: Crm) {
    const PEOPLE: usize = 1_050;
    let world = World::of(&[]).await;
    world.account(crm).await;
    let mailboxes: Vec<String> = (0..PEOPLE).map(|n| format!("p{n:04}@example.com")).collect();
    let people: Vec<Vec<(&str, &str)>> =
        mailboxes.iter().map(|mailbox| vec![("last_name", "Typed"), ("email", mailbox.as_str())]).collect();
    world.type_in(crm, &people).await;
    world.wait(SignedDuration::from_mins(1)).await;
    world.connect(crm).await;
    world.calls(crm).await;
    world.settle().await;
    let calls = world.calls(crm).await;
    let pages = PEOPLE.div_ceil(crate::face::page(crm)) as u64;
    let made: u64 = calls.values().sum();
    assert!(made <= pages + 2, "{calls:?} for {pages} pages");
    assert!(hub(&world, "p1049@example.com").await.links[&connection(crm)].remote.is_some());
}

/// More than a page of every CRM's, typed in at once.
async fn everybody_of_one_second_is_read(crm: Crm) {
    const PEOPLE: usize = 620;
    let world = tenant_of(crm).await;
    let mailboxes: Vec<String> = (0..PEOPLE).map(|n| format!("p{n:04}@example.com")).collect();
    let people: Vec<Vec<(&str, &str)>> =
        mailboxes.iter().map(|mailbox| vec![("last_name", "Typed"), ("email", mailbox.as_str())]).collect();
    world.type_in(crm, &people).await;
    later(&world, 6).await;
    let there = world.people(peer(crm)).await;
    assert_eq!(there.len(), PEOPLE);
    assert!(there.iter().zip(&mailboxes).all(|(person, mailbox)| person.get("email") == mailbox));
    assert_eq!(world.people(crm).await.len(), PEOPLE, "none was made twice");
}

async fn a_deletion_whose_webhook_is_lost_is_found(crm: Crm) {
    let world = tenant_of(crm).await;
    world
        .send(&[ada("r1"), request("r2", json!({"id": "l2", "email": "grace@example.com", "last_name": "Hopper"}))])
        .await;
    world.settle().await;
    later(&world, 90).await;
    let ada = world.people(crm).await.remove(0);
    world.delete_silently(crm, &ada.id).await;
    later(&world, 90).await;
    let gone = hub(&world, "ada@example.com").await.links[&connection(crm)].gone.clone();
    match crm.capabilities().deletions {
        Some(_) => assert!(matches!(gone, Some(Gone::Deleted { .. })), "{gone:?}"),
        None => assert_eq!(gone, None, "nothing lists deletions: the next look finds it"),
    }
    assert_eq!(world.people(peer(crm)).await.len(), 2, "the other CRM keeps its own");
    assert!(hub(&world, "grace@example.com").await.links[&connection(crm)].gone.is_none());
}

async fn an_edit_that_is_pulled_twice_is_made_once(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.wait(SignedDuration::from_secs(5)).await;
    world.edit_silently(crm, &world.only(crm).await.id, &[("phone", "+14155550199")]).await;
    later(&world, 6).await;
    let version = hub(&world, "ada@example.com").await.version;
    let this = world.stored(crm).await;
    world.app.read(&world.cx("again"), &this).await.unwrap();
    world.settle().await;
    assert_eq!(hub(&world, "ada@example.com").await.version, version);
}
