//! Tokens: one request however many callers, nothing lost, nothing deleted.

use crate::world::{TENANT, World, connection, tenant};
use aws_sdk_secretsmanager::Client as Secrets;
use serde_json::{Value as Json, json};
use shared::{connection::State, handler, provider::Crm};

fn token_requests(calls: &Json) -> u64 {
    calls["zoho"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(route, _)| route.contains("oauth"))
        .filter_map(|(_, n)| n.as_u64())
        .sum()
}

#[tokio::test]
async fn fifty_callers_at_once_make_one_token_request() {
    let world = World::new().await;
    world.settle().await;
    world.sim("faults", &json!({"zoho": {"expire_tokens": true}})).await;
    world.shown("calls?reset=1").await;
    let zoho = world.app.store.connection(&tenant(), &connection(Crm::Zoho)).await.unwrap().unwrap();
    let stale = world.app.secrets.current_grant(&tenant(), &zoho.id).await.unwrap();
    let cx = world.cx("fifty");
    let refreshes = (0..50).map(|_| world.app.refresh(&zoho, &stale, &cx));
    let held: Vec<_> = futures::future::join_all(refreshes).await.into_iter().map(|held| held.unwrap()).collect();
    assert_eq!(token_requests(&world.shown("calls").await), 1);
    assert!(held.iter().all(|h| h.version != stale.version && h.version == held[0].version));
}

#[tokio::test]
async fn a_grant_stored_before_a_crash_is_adopted_and_not_asked_for_again() {
    let world = World::new().await;
    world.settle().await;
    let zoho = world.app.store.connection(&tenant(), &connection(Crm::Zoho)).await.unwrap().unwrap();
    let current = world.app.secrets.current_grant(&tenant(), &zoho.id).await.unwrap();
    let fresh = world.app.secrets.store(&tenant(), &zoho.id, &current, &current.grant).await.unwrap();
    world.shown("calls?reset=1").await;
    let held = world.app.refresh(&zoho, &current, &world.cx("after the crash")).await.unwrap();
    assert_eq!(held.version, fresh.version);
    assert_eq!(token_requests(&world.shown("calls").await), 0);
}

#[tokio::test]
async fn a_dead_grant_asks_for_reauthorisation_and_deletes_nothing() {
    let world = World::new().await;
    world.settle().await;
    world.sim("faults", &json!({"zoho": {"revoke_grant": true}})).await;
    let tick = serde_json::from_value(json!({"tick": "tokens"})).unwrap();
    world.wait(jiff::SignedDuration::from_mins(55)).await;
    handler::token_refresh(&world.app, &world.cx("tick"), tick).await.unwrap();
    let zoho = world.app.store.connection(&tenant(), &connection(Crm::Zoho)).await.unwrap().unwrap();
    assert!(matches!(zoho.state, State::NeedsReauth { .. }), "{:?}", zoho.state);
    let secret = Secrets::new(&world.aws)
        .get_secret_value()
        .secret_id(format!("crm-sync/connection/{TENANT}/zoho"))
        .send()
        .await
        .unwrap();
    assert!(secret.secret_string.unwrap().contains("refresh-zoho"));
}

#[tokio::test]
async fn the_schedule_renews_what_runs_out_and_leaves_the_rest() {
    let world = World::new().await;
    world.settle().await;
    world.shown("calls?reset=1").await;
    let tick = || serde_json::from_value(json!({"tick": "tokens"})).unwrap();
    handler::token_refresh(&world.app, &world.cx("early"), tick()).await.unwrap();
    assert_eq!(token_requests(&world.shown("calls").await), 0);
    world.wait(jiff::SignedDuration::from_mins(50)).await;
    handler::token_refresh(&world.app, &world.cx("in time"), tick()).await.unwrap();
    assert_eq!(token_requests(&world.shown("calls").await), 1);
}
