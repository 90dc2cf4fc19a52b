//! Tokens: renewed once, never lost, and without them nothing is forgotten.

use super::tenant_of;
use crate::{
    engine::ada,
    world::{TENANT, World, connection, tenant},
};
use futures::future::join_all;
use serde_json::{Value as Json, json};
use shared::{connection::State, provider::Crm};

crate::laws::laws_of! {
    a_token_that_died_is_renewed_on_the_way
    fifty_who_ask_at_once_make_one_request
    what_comes_while_a_grant_is_dead_arrives_after_it
}

async fn counter(world: &World, crm: Crm, name: &str) -> u64 {
    world.shown("counters").await[crm.name()][0][name].as_u64().unwrap_or_default()
}

async fn a_token_that_died_is_renewed_on_the_way(crm: Crm) {
    let world = tenant_of(crm).await;
    let before = counter(&world, crm, "tokens_given").await;
    world.sim("faults", &json!({crm.name(): {"expire_tokens": true}})).await;
    world.sim("faults", &json!({})).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Ada Byron");
    assert_eq!(counter(&world, crm, "tokens_given").await, before + 1);
}

async fn fifty_who_ask_at_once_make_one_request(crm: Crm) {
    let world = tenant_of(crm).await;
    rotates(&world, crm).await;
    let this = world.stored(crm).await;
    let held = world.app.secrets.current_grant(&tenant(), &this.id).await.unwrap();
    let before = counter(&world, crm, "tokens_given").await;
    let cx = world.cx("fifty");
    let asked = join_all((0..50).map(|_| world.app.refresh(&this, &held, &cx))).await;
    let versions: std::collections::BTreeSet<String> = asked.into_iter().map(|held| held.unwrap().version).collect();
    assert_eq!(versions.len(), 1);
    assert_eq!(counter(&world, crm, "tokens_given").await, before + 1);
    assert_eq!(counter(&world, crm, "refresh_reused").await, 0, "a rotated token is never used again");
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Ada Byron");
}

/// Refresh tokens that work once, where the CRM knows such.
async fn rotates(world: &World, crm: Crm) {
    let account = world.shown("accounts").await;
    let account = account.as_array().unwrap().iter().find(|one| one["crm"] == crm.name()).unwrap();
    let mut changed = json!({"crm": crm.name(), "account_id": account["account_id"]});
    changed["rotates"] = json!(true);
    world.sim("accounts", &changed).await;
}

async fn what_comes_while_a_grant_is_dead_arrives_after_it(crm: Crm) {
    let world = tenant_of(crm).await;
    world.sim("faults", &json!({crm.name(): {"revoke_grant": true, "expire_tokens": true}})).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let dead = world.stored(crm).await;
    assert!(matches!(dead.state, State::NeedsReauth { .. }), "{:?}", dead.state);
    assert!(world.people(crm).await.is_empty());
    world.sim("faults", &json!({})).await;
    reconnect(&world, crm).await;
    world.app.activate(&world.cx("reconnect"), &tenant(), &connection(crm)).await.unwrap();
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Ada Byron");
}

/// A person connects again: the account has another refresh token.
async fn reconnect(world: &World, crm: Crm) {
    let accounts = world.shown("accounts").await;
    let account = accounts.as_array().unwrap().iter().find(|one| one["crm"] == crm.name()).unwrap();
    let again: Json = json!({"crm": crm.name(), "account_id": account["account_id"], "refresh_token": "another"});
    world.sim("accounts", &again).await;
    let id = format!("crm-sync/connection/{TENANT}/{crm}");
    let grant = json!({"access_token": "none", "refresh_token": "another", "expires_at": "2026-01-01T00:00:00Z", "webhook_token": "token-of-the-channel"});
    let secrets = aws_sdk_secretsmanager::Client::new(&world.aws);
    secrets.put_secret_value().secret_id(id).secret_string(grant.to_string()).send().await.unwrap();
    world.app.secrets.current_grant(&tenant(), &connection(crm)).await.unwrap();
}
