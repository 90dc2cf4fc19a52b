//! What a request hears, and what stops a connection.

use crate::{
    engine::{ada, codes, hub},
    world::{World, connection, tenant},
};
use serde_json::json;
use shared::{
    cause::Status, connection::State, handler, history::Entry, id::ConnectionId, provider::Crm, record::Record,
};
use std::time::Duration;

/// How a request ended, by connection: status and code.
pub(crate) async fn ends(world: &World, record: &Record, request: &str) -> Vec<(String, Status, String)> {
    let entries = world.app.history.of(&tenant(), &record.id).await.unwrap();
    let mut ends: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Timeline { step, .. } if step.request.as_str() == request => Some(step),
            _ => None,
        })
        .filter(|step| matches!(step.status, Status::Succeeded | Status::Failed | Status::Skipped))
        .map(|step| (step.connection.unwrap().to_string(), step.status, step.code.unwrap_or_default()))
        .collect();
    ends.sort_by(|a, b| a.0.cmp(&b.0));
    ends
}

pub(crate) fn end(crm: &str, status: Status, code: &str) -> (String, Status, String) {
    (crm.to_owned(), status, code.to_owned())
}

async fn state(world: &World, crm: Crm) -> State {
    world.stored(crm).await.state
}

#[tokio::test]
async fn a_misspelt_sync_field_is_set_aside_and_the_lead_goes_on() {
    let world = World::new().await;
    world.settle().await;
    let mut asked = ada("r1");
    asked["sync_fields"] = json!({"hs_leed_status": "{{name}}", "last_call": "{{name}}"});
    world.send(&[asked]).await;
    world.settle().await;
    let contacts = world.shown("hubspot/contacts").await;
    assert_eq!(contacts[0]["properties"]["last_call"], "Ada Byron", "{contacts}");
    assert_eq!(codes(&world).await, ["refused_by_crm"]);
    let record = hub(&world, "ada@example.com").await;
    let expected = [end("hubspot", Status::Succeeded, "written"), end("zoho", Status::Succeeded, "written")];
    assert_eq!(ends(&world, &record, "r1").await, expected);
}

#[tokio::test]
async fn the_fields_by_which_remotes_are_known_are_nobodys_to_set() {
    let world = World::new().await;
    world.settle().await;
    let mut asked = ada("r1");
    asked["connection_id"] = json!("zoho");
    asked["sync_fields"] = json!({"id": "4150868000003194003", "CRM_Sync_Id": "another"});
    world.send(&[asked]).await;
    world.settle().await;
    assert_eq!(codes(&world).await, ["unknown_field", "unknown_field"]);
    let record = hub(&world, "ada@example.com").await;
    assert_eq!(world.shown("zoho/leads").await[0]["fields"]["CRM_Sync_Id"], record.id.as_str());
}

#[tokio::test]
async fn a_missing_scope_stops_the_connection_and_loses_nothing() {
    let world = World::new().await;
    world.settle().await;
    world.sim("faults", &json!({"hubspot": {"scope_missing": true}})).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert!(matches!(state(&world, Crm::HubSpot).await, State::Paused { .. }));
    assert_eq!(codes(&world).await, ["connection_stopped"]);
    assert_eq!(world.shown("zoho/leads").await.as_array().unwrap().len(), 1, "the other one goes on");
    world.sim("faults", &json!({})).await;
    world.app.activate(&world.cx("activate"), &tenant(), &connection(Crm::HubSpot)).await.unwrap();
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 1);
    let record = hub(&world, "ada@example.com").await;
    let expected = [end("hubspot", Status::Succeeded, "written"), end("zoho", Status::Succeeded, "written")];
    assert_eq!(ends(&world, &record, "r1").await, expected);
}

/// While the connection was dead somebody typed the same into the CRM: nothing is left to push, and still it ends.
#[tokio::test]
async fn a_request_whose_wish_came_true_by_itself_ends_too() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let hubspot = world.app.store.connection(&tenant(), &connection(Crm::HubSpot)).await.unwrap().unwrap();
    world.app.store.set_state(&hubspot, &State::NeedsReauth { since: world.now() }).await.unwrap();
    let mut asked = ada("r2");
    asked["occurred_at"] = json!("2026-11-21T10:00:00Z");
    asked["lead"]["company"] = json!("After");
    world.send(&[asked]).await;
    world.settle().await;
    let contact = world.shown("hubspot/contacts").await[0]["id"].clone();
    world.sim("hubspot/contacts", &json!({"id": contact, "fields": {"company": "After"}, "silent": true})).await;
    world.wait(jiff::SignedDuration::from_secs(5)).await;
    world.app.activate(&world.cx("activate"), &tenant(), &hubspot.id).await.unwrap();
    world.settle().await;
    let record = hub(&world, "ada@example.com").await;
    let ended: Vec<(String, Status)> =
        ends(&world, &record, "r2").await.into_iter().map(|(crm, status, _)| (crm, status)).collect();
    assert_eq!(ended, [("hubspot".to_owned(), Status::Skipped), ("zoho".to_owned(), Status::Succeeded)]);
}

#[tokio::test]
async fn a_push_that_meets_a_deletion_ends_its_request() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let contact = world.shown("hubspot/contacts").await[0]["id"].clone();
    world.sim("hubspot/contacts", &json!({"id": contact, "delete": true, "silent": true})).await;
    let mut asked = ada("r2");
    asked["occurred_at"] = json!("2026-11-21T10:00:00Z");
    asked["lead"]["company"] = json!("After");
    world.send(&[asked]).await;
    world.settle().await;
    let record = hub(&world, "ada@example.com").await;
    assert!(record.links[&connection(Crm::HubSpot)].gone.is_some());
    let expected = [end("hubspot", Status::Skipped, "deleted_in_crm"), end("zoho", Status::Succeeded, "written")];
    assert_eq!(ends(&world, &record, "r2").await, expected);
}

#[tokio::test]
async fn a_request_that_kills_twice_becomes_an_exception_and_the_rest_is_done() {
    let world = World::new().await;
    world.settle().await;
    let mut poison = ada("poison");
    poison["lead"] = json!({"id": "lead-9", "last_name": "Poison"});
    world.send(&[poison, ada("r1")]).await;
    let mut event = world.receive("sync-requests").await;
    for message in &mut event.records {
        message.attributes.insert("ApproximateReceiveCount".to_owned(), "4".to_owned());
        let id = message.message_id.clone().unwrap();
        world.app.store.begin_suspect("sync-requests", &id, world.now()).await.unwrap();
        if message.body.as_deref().unwrap().contains("Poison") {
            for _ in 0..2 {
                world.app.store.begin_suspect("sync-requests.alone", &id, world.now()).await.unwrap();
            }
        }
    }
    let kept = world.handle("sync-requests", event).await;
    assert!(kept.batch_item_failures.is_empty());
    let sqs = aws_sdk_sqs::Client::new(&world.aws);
    sqs.purge_queue().queue_url(&world.app.settings.sync_requests).send().await.unwrap();
    world.settle().await;
    assert_eq!(codes(&world).await, ["kills_its_function"]);
    assert_eq!(world.shown("zoho/leads").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_words_in_another_order_are_the_same_request() {
    let world = World::new().await;
    world.settle().await;
    let body = ada("r1").to_string();
    let again = format!("{{\"id\": \"r1\", {}", body.replace("\"id\":\"r1\",", "").trim_start_matches('{'));
    assert_ne!(body, again);
    for body in [body, again] {
        let sqs = aws_sdk_sqs::Client::new(&world.aws);
        sqs.send_message().queue_url(&world.app.settings.sync_requests).message_body(body).send().await.unwrap();
        world.settle().await;
    }
    assert!(codes(&world).await.is_empty());
}

#[tokio::test]
async fn nobody_asks_for_a_token_during_a_pause() {
    let world = World::new().await;
    world.settle().await;
    world.wait(jiff::SignedDuration::from_mins(55)).await;
    let zoho: ConnectionId = connection(Crm::Zoho);
    let minutes = |n: u64| Duration::from_secs(60 * n);
    world.app.store.pause(&tenant(), &zoho, minutes(10), false, world.now()).await.unwrap();
    let shorter = world.app.store.pause(&tenant(), &zoho, minutes(1), false, world.now()).await.unwrap();
    assert!(shorter > world.now() + jiff::SignedDuration::from_mins(8), "a longer pause stays");
    world.shown("calls?reset=1").await;
    let tick = serde_json::from_value(json!({"tick": "tokens"})).unwrap();
    handler::token_refresh(&world.app, &world.cx("tick"), tick).await.unwrap();
    assert_eq!(world.shown("calls").await["zoho"].as_object().map_or(0, serde_json::Map::len), 0);
}

#[tokio::test]
async fn a_pause_soon_after_another_is_twice_as_long() {
    let world = World::new().await;
    let zoho: ConnectionId = connection(Crm::Zoho);
    let mut now = world.now();
    for expected in [5, 10, 20, 40] {
        let until = world.app.store.pause(&tenant(), &zoho, Duration::from_secs(5), false, now).await.unwrap();
        assert_eq!(until.duration_since(now).as_secs(), expected);
        now = until + jiff::SignedDuration::from_secs(1);
    }
    // A call that was under way is refused shortly before the end of the last one, and for less.
    let late = now - jiff::SignedDuration::from_secs(4);
    let until = world.app.store.pause(&tenant(), &zoho, Duration::from_secs(5), false, late).await.unwrap();
    now = until + jiff::SignedDuration::from_secs(1);
    let until = world.app.store.pause(&tenant(), &zoho, Duration::from_secs(5), false, now).await.unwrap();
    assert_eq!(until.duration_since(now).as_secs(), 80, "it goes on growing");
    now = until + jiff::SignedDuration::from_secs(1);
    let until = world.app.store.pause(&tenant(), &zoho, Duration::from_secs(5), true, now).await.unwrap();
    assert_eq!(until.duration_since(now).as_secs(), 5, "calls went well in between");
    let later = now + jiff::SignedDuration::from_mins(5);
    let until = world.app.store.pause(&tenant(), &zoho, Duration::from_secs(5), false, later).await.unwrap();
    assert_eq!(until.duration_since(later).as_secs(), 5);
    let beside = later + jiff::SignedDuration::from_millis(50);
    let until = world.app.store.pause(&tenant(), &zoho, Duration::from_secs(5), false, beside).await.unwrap();
    assert_eq!(until.duration_since(beside).as_secs(), 5, "what was under way beside the first is no second one");
}

/// The vendor has refused our app: no connection's fault, so none of them is stopped.
#[tokio::test]
async fn a_wrong_app_secret_stops_no_connection() {
    let world = World::new().await;
    world.settle().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&world.aws);
    let wrong = json!({"client_id": "client-zoho", "client_secret": "mistyped"}).to_string();
    secrets.put_secret_value().secret_id("crm-sync/app/zoho").secret_string(wrong).send().await.unwrap();
    let app = shared::App::new(&world.aws, world.app.settings.clone()).unwrap();
    world.sim("faults", &json!({"zoho": {"expire_tokens": true}})).await;
    let zoho = app.store.connection(&tenant(), &connection(Crm::Zoho)).await.unwrap().unwrap();
    let stale = app.secrets.current_grant(&tenant(), &zoho.id).await.unwrap();
    assert!(app.refresh(&zoho, &stale, &world.cx("refresh")).await.is_err());
    assert_eq!(state(&world, Crm::Zoho).await, State::Active);
    assert_eq!(codes(&world).await, ["app_refused"]);
}
