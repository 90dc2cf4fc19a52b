//! Fields that an admin removes, and makes again.

use super::{peer, tenant_of};
use crate::{
    engine::{ada, codes},
    face::field,
    story::request,
    world::{World, connection, tenant},
};
use serde_json::json;
use shared::{connection::State, provider::Crm};

crate::laws::laws_of! {
    a_field_that_is_removed_is_set_aside_and_the_rest_goes_on
}

/// What an admin has taken away.
async fn without(world: &World, crm: Crm, fields: &[&str]) {
    let accounts = world.shown("accounts").await;
    let account = accounts.as_array().unwrap().iter().find(|one| one["crm"] == crm.name()).unwrap();
    let account = json!({"crm": crm.name(), "account_id": account["account_id"], "hidden_fields": fields});
    world.sim("accounts", &account).await;
}

async fn later(world: &World) {
    world.wait(jiff::SignedDuration::from_mins(10)).await;
    world.tick().await;
    world.settle().await;
}

async fn a_field_that_is_removed_is_set_aside_and_the_rest_goes_on(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    without(&world, crm, &[field(crm, "last_call")]).await;
    // Time has passed since it was last asked which fields there are.
    let grace = json!({"id": "lead-8", "email": "grace@example.com", "last_name": "Hopper", "last_call": "yesterday"});
    let ada = json!({"id": "lead-7", "email": "ada@example.com", "last_call": "tomorrow"});
    // Whom it knows and whom it does not know are asked for beside each other: one refusal is told of, and nobody is stopped.
    world.send(&[request("r2", grace), request("r3", ada)]).await;
    world.settle().await;
    later(&world).await;
    let people = world.people(crm).await;
    assert_eq!(people.len(), 2, "{people:?}");
    assert_eq!(people[1].get("email"), "grace@example.com");
    assert_eq!(world.people(peer(crm)).await[1].get("last_call"), "yesterday");
    let stored = world.stored(crm).await;
    assert_eq!(stored.state, State::Active);
    // A CRM that ignores what it does not know refuses nothing: the next look at its fields finds it.
    let noticed = !stored.mapping(&shared::record::Object::Person).unwrap().set_aside.is_empty();
    assert_eq!(codes(&world).await.contains(&"field_gone".to_owned()), noticed);
    without(&world, crm, &[]).await;
    world.app.activate(&world.cx("back"), &tenant(), &connection(crm)).await.unwrap();
    world.settle().await;
    later(&world).await;
    let stored = world.stored(crm).await;
    assert!(stored.mapping(&shared::record::Object::Person).unwrap().set_aside.is_empty());
    if noticed {
        assert_eq!(world.people(crm).await[1].get("last_call"), "yesterday", "what waited for the field is written");
    }
}
