//! What goes wrong with every CRM, and leaves no trace.

use super::{peer, tenant_of};
use crate::{
    chaos::{Chaos, Random},
    engine::codes,
    story::request,
    world::World,
};
use serde_json::{Value as Json, json};
use shared::provider::Crm;

crate::laws::laws_of! {
    a_rate_limit_is_waited_for
    one_call_in_five_fails_and_some_fail_after_they_were_done
    answers_are_lost_after_the_crm_did_its_work
    every_message_comes_twice_and_in_any_order
}

const PEOPLE: usize = 12;

/// Requests for all, then an edit of each in the CRM, under these faults; at last everybody is as the oracle says.
async fn under(crm: Crm, seed: u64, chaos: Chaos, faults: Json) {
    println!("{crm}: seed {seed}");
    let mut world = tenant_of(crm).await;
    world.chaos = chaos;
    world.sim("faults", &json!({"seed": seed, crm.name(): faults})).await;
    let lead = |n: usize| {
        request(&format!("r{n}"), json!({"id": format!("l{n}"), "email": email(n), "last_name": format!("Name {n}")}))
    };
    let requests: Vec<Json> = (0..PEOPLE).map(lead).collect();
    world.send(&requests).await;
    world.settle().await;
    for person in world.people(crm).await {
        let phone = phone(person.get("email"));
        world.edit(crm, &person.id, &[("phone", &phone)]).await;
    }
    world.settle().await;
    world.sim("faults", &json!({})).await;
    world.wait(jiff::SignedDuration::from_mins(20)).await;
    world.tick().await;
    world.settle().await;
    equals_the_oracle(&world, crm).await;
}

fn email(n: usize) -> String {
    format!("person-{n:02}@example.com")
}

fn phone(email: &str) -> String {
    format!("+141555501{}", &email[7..9])
}

async fn equals_the_oracle(world: &World, crm: Crm) {
    for side in [crm, peer(crm)] {
        let people = world.people(side).await;
        let shown = people.iter().map(|one| (one.get("email").to_owned(), one.name(), one.get("phone").to_owned()));
        let shown: Vec<(String, String, String)> = shown.collect();
        let expected: Vec<_> = (0..PEOPLE).map(|n| (email(n), format!("Name {n}"), phone(&email(n)))).collect();
        assert_eq!(shown, expected, "{side}");
    }
    assert!(codes(world).await.is_empty());
}

async fn a_rate_limit_is_waited_for(crm: Crm) {
    under(crm, 1, Chaos::default(), json!({"rate_limit_next": 3})).await;
}

async fn one_call_in_five_fails_and_some_fail_after_they_were_done(crm: Crm) {
    under(crm, 4, Chaos::default(), json!({"fail_rate": 0.2, "fail_after_commit_rate": 0.1})).await;
}

async fn answers_are_lost_after_the_crm_did_its_work(crm: Crm) {
    under(crm, 6, Chaos::default(), json!({"timeout_after_commit_next": 3})).await;
}

async fn every_message_comes_twice_and_in_any_order(crm: Crm) {
    let chaos = Chaos { twice: true, shuffle: Some(Random::new(2)) };
    under(crm, 2, chaos, json!({"webhooks": {"double_rate": 0.5, "shuffle": true}})).await;
}
