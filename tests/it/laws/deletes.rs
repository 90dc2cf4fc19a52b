//! What a deletion in one CRM means for the hub and for the others.

use super::{peer, tenant_of};
use crate::{
    audit::the_history_is_the_difference,
    engine::{codes, hub},
    story::request,
    world::{World, connection, tenant},
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::{
    connection::State,
    planner::{Deletes, Guard, Policy},
    provider::{Crm, Restores},
    record::Record,
};

crate::laws::laws_of! {
    by_default_a_deletion_is_nobody_elses
    a_soft_deletion_stops_every_push
    an_edit_elsewhere_brings_a_soft_deleted_person_back
    a_deletion_that_spreads_reaches_the_other_crm
    a_deletion_that_spreads_is_carried_out_here
    what_is_deleted_is_made_again_where_that_can_be
    a_restored_person_is_followed
    an_edit_at_the_time_of_a_deletion_is_not_lost
    too_many_deletions_told_wait_for_a_person
    too_many_deletions_read_wait_for_a_person
    what_a_person_says_was_no_deletion_is_followed_by_nobody
    a_decision_waits_until_the_connection_works_again
}

async fn set(world: &World, crm: Crm, policy: Policy) {
    world.app.set_policy(&tenant(), &connection(crm), policy).await.unwrap();
}

async fn deletes(world: &World, crm: Crm, deletes: Deletes) {
    set(world, crm, Policy { deletes, ..Policy::default() }).await;
}

async fn later(world: &World, minutes: i64) {
    world.wait(SignedDuration::from_mins(minutes)).await;
    world.tick().await;
    world.settle().await;
}

fn person(n: usize) -> Json {
    let lead = json!({"id": format!("l{n}"), "email": format!("p{n:02}@example.com"), "last_name": "Lovelace"});
    request(&format!("r{n}"), lead)
}

/// A tenant with some people in both CRMs, whom both have shown since.
async fn crowd(crm: Crm, count: usize) -> World {
    let world = tenant_of(crm).await;
    world.send(&(0..count).map(person).collect::<Vec<_>>()).await;
    world.settle().await;
    later(&world, 90).await;
    world
}

fn mailbox(n: usize) -> String {
    format!("p{n:02}@example.com")
}

async fn id_of(world: &World, crm: Crm, n: usize) -> String {
    world.people(crm).await.into_iter().find(|one| one.get("email") == mailbox(n)).unwrap().id
}

async fn record(world: &World, n: usize) -> Record {
    hub(world, &mailbox(n)).await
}

/// Deletes somebody, and lets it be heard of by webhook; by the next pull where webhooks tell of no deletions.
async fn told(world: &World, crm: Crm, n: usize) {
    world.delete(crm, &id_of(world, crm, n).await).await;
    world.settle().await;
    if record(world, n).await.links[&connection(crm)].gone.is_none() {
        later(world, 90).await;
    }
}

/// Deletes somebody without a webhook, and pulls. Whether that can be heard of at all.
async fn read(world: &World, crm: Crm, n: usize) -> bool {
    if crm.capabilities().deletions.is_none() {
        return false;
    }
    world.delete_silently(crm, &id_of(world, crm, n).await).await;
    later(world, 90).await;
    true
}

async fn by_default_a_deletion_is_nobody_elses(crm: Crm) {
    let world = crowd(crm, 3).await;
    told(&world, crm, 0).await;
    read(&world, crm, 1).await;
    assert_eq!(world.people(peer(crm)).await.len(), 3);
    assert_eq!(record(&world, 0).await.deleted, None);
    assert!(codes(&world).await.is_empty());
}

async fn a_soft_deletion_stops_every_push(crm: Crm) {
    let world = crowd(crm, 3).await;
    deletes(&world, crm, Deletes::SoftDelete).await;
    told(&world, crm, 0).await;
    let heard = read(&world, crm, 1).await;
    for n in if heard { vec![0, 1] } else { vec![0] } {
        let deleted = record(&world, n).await.deleted.unwrap();
        assert_eq!((deleted.by, deleted.spreads), (Some(connection(crm)), false));
        let mut newer = person(n);
        (newer["id"], newer["occurred_at"]) = (json!(format!("again-{n}")), json!("2026-11-21T10:00:00Z"));
        newer["lead"]["phone"] = json!("+14155550177");
        world.send(&[newer]).await;
        world.settle().await;
        assert!(record(&world, n).await.deleted.is_some(), "a request brings nobody back");
    }
    let there = world.people(peer(crm)).await;
    assert_eq!(there.len(), 3, "the other CRM keeps its own");
    assert!(there.iter().all(|one| one.get("phone").is_empty()), "{there:?}");
}

async fn an_edit_elsewhere_brings_a_soft_deleted_person_back(crm: Crm) {
    let world = crowd(crm, 2).await;
    deletes(&world, crm, Deletes::SoftDelete).await;
    told(&world, crm, 0).await;
    assert!(record(&world, 0).await.deleted.is_some());
    world.edit(peer(crm), &id_of(&world, peer(crm), 0).await, &[("phone", "+14155550177")]).await;
    world.settle().await;
    let back = record(&world, 0).await;
    assert_eq!(back.deleted, None);
    assert_eq!(back.fields.get("phone").unwrap().to_string(), "+14155550177");
    assert_eq!(world.people(crm).await.len(), 1, "a push does not bring a deletion back");
}

async fn a_deletion_that_spreads_reaches_the_other_crm(crm: Crm) {
    let world = crowd(crm, 4).await;
    deletes(&world, crm, Deletes::Propagate).await;
    told(&world, crm, 0).await;
    let heard = read(&world, crm, 1).await;
    let left: Vec<String> = world.people(peer(crm)).await.iter().map(|one| one.get("email").to_owned()).collect();
    assert_eq!(left, (if heard { 2 } else { 1 }..4).map(mailbox).collect::<Vec<_>>());
    assert!(record(&world, 0).await.links[&connection(peer(crm))].gone.is_some());
    later(&world, 90).await;
    assert!(record(&world, 0).await.deleted.is_some(), "the echo of our own deletion is no news");
    assert!(codes(&world).await.is_empty());
}

/// As the law before it, with this CRM as the one where we delete.
async fn a_deletion_that_spreads_is_carried_out_here(crm: Crm) {
    let world = crowd(crm, 3).await;
    deletes(&world, peer(crm), Deletes::Propagate).await;
    told(&world, peer(crm), 0).await;
    told(&world, peer(crm), 2).await;
    assert_eq!(world.only(crm).await.get("email"), mailbox(1));
    later(&world, 90).await;
    assert!(codes(&world).await.is_empty());
    assert!(record(&world, 1).await.deleted.is_none());
}

async fn what_is_deleted_is_made_again_where_that_can_be(crm: Crm) {
    let world = crowd(crm, 3).await;
    let policy = Policy { deletes: Deletes::Restore, ..Policy::default() };
    if let Restores::Never(why) = crm.capabilities().restores {
        let refused = world.app.set_policy(&tenant(), &connection(crm), policy).await.unwrap_err();
        assert!(shared::telemetry::chain(&refused).contains(why), "{refused}");
        return;
    }
    set(&world, crm, policy).await;
    let before = id_of(&world, crm, 0).await;
    told(&world, crm, 0).await;
    let after = id_of(&world, crm, 0).await;
    assert_ne!(before, after);
    assert_eq!(record(&world, 0).await.links[&connection(crm)].remote.as_ref().unwrap().as_str(), after);
    read(&world, crm, 1).await;
    assert_eq!((world.people(crm).await.len(), world.people(peer(crm)).await.len()), (3, 3));
    // Whoever deletes the person again means it.
    world.delete(crm, &after).await;
    world.settle().await;
    later(&world, 90).await;
    assert_eq!(world.people(crm).await.len(), 2);
    assert_eq!(codes(&world).await, ["deleted_again"]);
}

async fn a_restored_person_is_followed(crm: Crm) {
    let world = crowd(crm, 2).await;
    deletes(&world, crm, Deletes::SoftDelete).await;
    let id = id_of(&world, crm, 0).await;
    told(&world, crm, 0).await;
    assert!(record(&world, 0).await.deleted.is_some());
    world.wait(SignedDuration::from_mins(1)).await;
    world.restore(crm, &id).await;
    world.settle().await;
    later(&world, 6).await;
    let back = record(&world, 0).await;
    assert_eq!((back.deleted, back.links[&connection(crm)].gone.clone()), (None, None));
    world.edit(crm, &id, &[("phone", "+14155550188")]).await;
    world.settle().await;
    let there = world.people(peer(crm)).await;
    assert_eq!(there[0].get("phone"), "+14155550188");
}

/// In both orders: the deletion is heard of first, or the edit.
async fn an_edit_at_the_time_of_a_deletion_is_not_lost(crm: Crm) {
    let world = crowd(crm, 3).await;
    deletes(&world, crm, Deletes::Propagate).await;
    world.edit_silently(peer(crm), &id_of(&world, peer(crm), 0).await, &[("phone", "+14155550100")]).await;
    told(&world, crm, 0).await;
    let (here, there) = (id_of(&world, crm, 1).await, id_of(&world, peer(crm), 1).await);
    world.edit(peer(crm), &there, &[("phone", "+14155550111")]).await;
    world.delete(crm, &here).await;
    world.settle().await;
    later(&world, 90).await;
    for (n, phone) in [(0, "+14155550100"), (1, "+14155550111")] {
        let kept = record(&world, n).await;
        assert_eq!(kept.deleted, None);
        assert_eq!(kept.fields.get("phone").unwrap().to_string(), phone);
    }
    let there = world.people(peer(crm)).await;
    assert_eq!(there.len(), 3, "{there:?}");
    assert_eq!(codes(&world).await, ["edited_and_deleted", "edited_and_deleted"]);
}

const GUARD: Guard = Guard { most: 3, share: 100, few: 1 };

async fn guarded(crm: Crm) -> World {
    let world = crowd(crm, 10).await;
    set(&world, crm, Policy { deletes: Deletes::Propagate, guard: GUARD, ..Policy::default() }).await;
    world
}

/// Everything else goes on while deletions rest.
async fn goes_on(world: &World, crm: Crm) {
    world.edit(crm, &id_of(world, crm, 9).await, &[("phone", "+14155550199")]).await;
    world.settle().await;
    assert_eq!(world.people(peer(crm)).await.pop().unwrap().get("phone"), "+14155550199");
}

async fn decide(world: &World, crm: Crm, meant: bool) {
    let connection = world.stored(crm).await;
    assert!(world.app.decide_deletions(&world.cx("decide"), &connection, meant).await.unwrap());
    world.settle().await;
    assert!(!world.app.decide_deletions(&world.cx("decide"), &connection, meant).await.unwrap(), "only once");
}

async fn too_many_deletions_told_wait_for_a_person(crm: Crm) {
    let world = guarded(crm).await;
    for n in 0..6 {
        world.delete(crm, &id_of(&world, crm, n).await).await;
    }
    world.settle().await;
    later(&world, 90).await;
    assert!(world.people(peer(crm)).await.len() >= 7, "what the guard allows may go, and no more");
    assert_eq!(codes(&world).await, ["mass_delete"]);
    goes_on(&world, crm).await;
    decide(&world, crm, true).await;
    assert_eq!(world.people(peer(crm)).await.len(), 4);
}

async fn too_many_deletions_read_wait_for_a_person(crm: Crm) {
    if crm.capabilities().deletions.is_none() {
        return;
    }
    let world = guarded(crm).await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(id_of(&world, crm, n).await);
        world.delete_silently(crm, &ids[n]).await;
    }
    later(&world, 90).await;
    assert_eq!(world.people(peer(crm)).await.len(), 10, "a pull is seen as a whole");
    assert_eq!(codes(&world).await, ["mass_delete"]);
    goes_on(&world, crm).await;
    // Two of them are restored before the person confirms.
    for id in &ids[..2] {
        world.restore(crm, id).await;
    }
    decide(&world, crm, true).await;
    assert_eq!(world.people(peer(crm)).await.len(), 6);
    assert!(record(&world, 0).await.deleted.is_none());
}

/// Its rules were changed meanwhile: it reads everything anew, and the decision keeps nobody from that.
async fn a_decision_waits_until_the_connection_works_again(crm: Crm) {
    let world = guarded(crm).await;
    for n in 0..6 {
        world.delete(crm, &id_of(&world, crm, n).await).await;
    }
    world.settle().await;
    later(&world, 90).await;
    assert_eq!(codes(&world).await, ["mass_delete"]);
    let before = world.stored(crm).await;
    assert!(world.app.store.set_state(&before, &State::Joining).await.unwrap());
    assert!(world.app.decide_deletions(&world.cx("decide"), &before, true).await.unwrap());
    world.edit_silently(crm, &id_of(&world, crm, 9).await, &[("phone", "+14155550199")]).await;
    world.wait(SignedDuration::from_mins(6)).await;
    world.tick().await;
    // It does not come to rest: the decision's messages come back again and again.
    for _ in 0..8 {
        world.turns().await;
    }
    assert_eq!(world.people(peer(crm)).await.pop().unwrap().get("phone"), "+14155550199");
    assert!(world.people(peer(crm)).await.len() >= 7);
    world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    world.settle().await;
    later(&world, 20).await;
    assert_eq!(world.people(peer(crm)).await.len(), 4);
    assert_eq!(codes(&world).await, ["mass_delete"], "which is resolved");
}

async fn what_a_person_says_was_no_deletion_is_followed_by_nobody(crm: Crm) {
    let world = guarded(crm).await;
    for n in 0..6 {
        world.delete(crm, &id_of(&world, crm, n).await).await;
    }
    world.settle().await;
    later(&world, 90).await;
    let before = world.people(peer(crm)).await.len();
    assert!(before >= 7);
    decide(&world, crm, false).await;
    assert_eq!(world.people(peer(crm)).await.len(), before);
    for n in 0..6 {
        assert!(record(&world, n).await.links[&connection(crm)].gone.is_some(), "its link has ended");
    }
    // Nothing of it is counted any more.
    told(&world, crm, 6).await;
    assert_eq!(world.people(peer(crm)).await.len(), before - 1);
}

/// Zoho does not say that two leads were merged. The mailbox does: the person lives, under another id.
#[tokio::test]
async fn a_merge_that_looks_like_a_deletion_is_none() {
    merged(Guard::default()).await;
}

#[tokio::test]
async fn a_merge_that_looks_like_a_deletion_is_none_after_it_rested() {
    merged(Guard { most: 0, share: 0, few: 0 }).await;
}

async fn merged(guard: Guard) {
    let crm = Crm::Zoho;
    let world = crowd(crm, 2).await;
    set(&world, crm, Policy { deletes: Deletes::Propagate, guard, ..Policy::default() }).await;
    let (first, mailbox) = (id_of(&world, crm, 0).await, mailbox(0));
    let typed = json!({"Last_Name": "Twice", "Company": "Typed Ltd", "Email": mailbox});
    let second = world.sim("zoho/leads", &json!({"fields": typed, "silent": true})).await;
    let second = second["id"].as_str().unwrap().to_owned();
    world.wait(SignedDuration::from_mins(1)).await;
    world.sim("zoho/leads", &json!({"merge": [second, first]})).await;
    world.settle().await;
    later(&world, 90).await;
    // Where the survivor is looked at before the deletion is heard of, nothing rests: it is known to be a merge already.
    let rested = world.app.decide_deletions(&world.cx("decide"), &world.stored(crm).await, true).await.unwrap();
    assert!(!rested || guard.most == 0);
    world.settle().await;
    let survivor = record(&world, 0).await;
    assert_eq!(survivor.deleted, None);
    assert_eq!(survivor.links[&connection(crm)].remote.as_ref().unwrap().as_str(), second);
    assert_eq!(world.people(peer(crm)).await.len(), 2);
    the_history_is_the_difference(&world.app).await;
}
