//! Every event of `events/`, as Lambda would hand it to its function.

use crate::{
    aws,
    world::{World, tenant},
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use shared::{
    context::Context,
    handler,
    provider::{Crm, Hosts},
};
use std::{collections::BTreeSet, time::Duration};

fn event<E: DeserializeOwned>(file: &str) -> E {
    let path = format!("{}/../events/{file}", env!("CARGO_MANIFEST_DIR"));
    let json = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&json).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// When the events were made.
fn then() -> Context {
    let at: Timestamp = "2026-11-21T09:00:01Z".parse().unwrap();
    Context::new(at, Duration::from_secs(60), "sample")
}

/// An app that believes the gateway's own domain, as in production.
fn at_the_gateway(world: &World) -> shared::App {
    let mut settings = world.app.settings.clone();
    settings.public_url = None;
    shared::App::new(&world.aws, settings).unwrap()
}

async fn queued(world: &World, url: &str) -> Vec<String> {
    let sqs = aws_sdk_sqs::Client::new(&world.aws);
    let got = sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
    got.messages.unwrap_or_default().into_iter().filter_map(|m| m.body).collect()
}

#[tokio::test]
async fn webhook_hubspot() {
    let world = World::new().await;
    let app = at_the_gateway(&world);
    let answer = handler::webhook(&app, &then(), event("webhook/hubspot.json")).await.unwrap();
    assert_eq!(answer.status_code, 200);
    let messages = queued(&world, &app.settings.changes).await;
    assert_eq!(messages.len(), 1);
    assert!(messages[0].contains("1246965") && messages[0].contains("1246978"), "{messages:?}");
    assert!(!messages[0].contains("4155550199"), "a hint carries no values");
}

/// Whose account it is for is remembered for a moment; that it is nobody's is not.
#[tokio::test]
async fn webhook_hubspot_for_an_account_that_is_connected_since() {
    let world = World::of(&[Crm::Zoho]).await;
    world.account(Crm::HubSpot).await;
    let app = at_the_gateway(&world);
    let deliver = async || handler::webhook(&app, &then(), event("webhook/hubspot.json")).await.unwrap().status_code;
    assert_eq!(deliver().await, 200);
    assert!(queued(&world, &app.settings.changes).await.is_empty());
    world.connect(Crm::HubSpot).await;
    assert_eq!((deliver().await, deliver().await), (200, 200));
    assert_eq!(queued(&world, &app.settings.changes).await.len(), 2, "the first delivery after it, and the next");
}

#[tokio::test]
async fn webhook_hubspot_without_its_timestamped_signature() {
    let world = World::new().await;
    let app = at_the_gateway(&world);
    let answer = handler::webhook(&app, &then(), event("webhook/hubspot-legacy.json")).await.unwrap();
    assert_eq!(answer.status_code, 401, "stripping a header reopens replay");
    assert!(queued(&world, &app.settings.changes).await.is_empty());
    let hub = app.store.connection(&tenant(), &"hubspot".parse().unwrap()).await.unwrap().unwrap();
    let asks = shared::connection::Connection { accepts_legacy_signatures: true, ..hub.clone() };
    assert!(app.store.update_connection(&hub, &asks).await.unwrap());
    let answer = handler::webhook(&app, &then(), event("webhook/hubspot-legacy.json")).await.unwrap();
    assert_eq!(answer.status_code, 200, "its connection asks for the older signature");
}

#[tokio::test]
async fn webhook_zoho() {
    let world = World::new().await;
    let answer = handler::webhook(&world.app, &then(), event("webhook/zoho.json")).await.unwrap();
    assert_eq!(answer.status_code, 200);
    assert_eq!(queued(&world, &world.app.settings.changes).await.len(), 1);
}

#[tokio::test]
async fn webhook_salesforce() {
    let world = World::of(&[Crm::Salesforce]).await;
    let answer = handler::webhook(&world.app, &then(), event("webhook/salesforce.json")).await.unwrap();
    assert_eq!(
        (answer.status_code, answer.headers["content-type"].to_str().unwrap()),
        (200, "text/xml; charset=utf-8")
    );
    let body = String::from_utf8(answer.body.unwrap().to_vec()).unwrap();
    assert!(body.contains("<Ack>true</Ack>"), "anything else comes again for a day");
    let messages = queued(&world, &world.app.settings.changes).await;
    assert!(messages[0].contains("00Qxx0000004TmiEAE") && messages[0].contains("003xx000004TmiQAAS"), "{messages:?}");
    assert!(
        !messages[0].contains("ada@example.com") && !messages[0].contains("as_of"),
        "somebody else's change: {messages:?}"
    );
}

#[tokio::test]
async fn webhook_salesforce_from_another_org() {
    let world = World::of(&[Crm::Salesforce]).await;
    let mut foreign: serde_json::Value = event("webhook/salesforce.json");
    foreign["body"] = foreign["body"].as_str().unwrap().replace("00Dxx0000001gPLEAY", "00Dxx0000001gPLAAA").into();
    let foreign = serde_json::from_value(foreign).unwrap();
    let answer = handler::webhook(&world.app, &then(), foreign).await.unwrap();
    assert_eq!(answer.status_code, 401, "the token is not enough");
    assert!(queued(&world, &world.app.settings.changes).await.is_empty());
}

#[tokio::test]
async fn webhook_pipedrive() {
    let world = World::of(&[Crm::Pipedrive]).await;
    let answer = handler::webhook(&world.app, &then(), event("webhook/pipedrive.json")).await.unwrap();
    assert_eq!(answer.status_code, 200);
    let messages = queued(&world, &world.app.settings.changes).await;
    assert!(messages.len() == 1 && !messages[0].contains("4155550199"), "{messages:?}");
}

#[tokio::test]
async fn connect_without_a_good_link_or_state() {
    let world = World::new().await;
    for (file, status) in [("connect/link.json", 410), ("connect/callback.json", 400)] {
        let answer = handler::connect(&world.app, &then(), event(file)).await.unwrap();
        assert_eq!(answer.status_code, status, "{file}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.cookies.is_empty() && !answer.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn connect_hears_of_an_uninstallation() {
    let world = World::of(&[Crm::Pipedrive]).await;
    let answer = handler::connect(&world.app, &then(), event("connect/uninstalled.json")).await.unwrap();
    assert_eq!(answer.status_code, 200);
    let stored = world.app.store.connection(&tenant(), &"pipedrive".parse().unwrap()).await.unwrap().unwrap();
    assert!(matches!(stored.state, shared::connection::State::NeedsReauth { .. }));
}

#[tokio::test]
async fn control_connections() {
    let world = World::new().await;
    let answer = handler::control(&world.app, &then(), event("control/connections.json")).await.unwrap();
    assert_eq!((answer.status_code, answer.headers["cache-control"].to_str().unwrap()), (200, "no-store"));
    let body: serde_json::Value = serde_json::from_slice(&answer.body.unwrap()).unwrap();
    assert_eq!(body["items"].as_array().unwrap().len(), 2, "{body}");
}

#[tokio::test]
async fn control_set_scoring() {
    let world = World::new().await;
    let set = async || handler::control(&world.app, &then(), event("control/set-scoring.json")).await.unwrap();
    let answer = set().await;
    assert_eq!((answer.status_code, answer.headers["etag"].to_str().unwrap()), (200, "\"1\""));
    assert_eq!(set().await.status_code, 412, "the version that it was meant for is no more");
}

/// A browser whose session is no more is sent to log in, and then back.
#[tokio::test]
async fn control_page() {
    let world = World::new().await;
    let answer = handler::control(&world.app, &then(), event("control/page.json")).await.unwrap();
    let to = answer.headers["location"].to_str().unwrap();
    assert_eq!(answer.status_code, 302);
    assert!(to.ends_with("/login?to=%2Ftenants%2Fdemo%2Fexceptions%3Fcode%3Dconflict"), "{to}");
}

/// Whoever leaves the authorizer out opens nothing.
#[tokio::test]
async fn control_without_claims() {
    let world = World::new().await;
    let mut unproved: serde_json::Value = event("control/connections.json");
    unproved["requestContext"].as_object_mut().unwrap().remove("authorizer");
    let unproved = serde_json::from_value(unproved).unwrap();
    assert_eq!(handler::control(&world.app, &then(), unproved).await.unwrap().status_code, 401);
}

#[tokio::test]
async fn reconcile_sync_requests() {
    let world = World::new().await;
    let done = handler::reconcile(&world.app, &then(), event("reconcile/sync-requests.json")).await.unwrap();
    assert!(done.batch_item_failures.is_empty());
    assert_eq!(queued(&world, &world.app.settings.pushes).await.len(), 2, "one push per connection");
    assert!(world.app.store.exceptions(&tenant()).await.unwrap().is_empty());
}

#[tokio::test]
async fn reconcile_sync_requests_that_are_refused() {
    let world = World::new().await;
    let done = handler::reconcile(&world.app, &then(), event("reconcile/sync-requests-refused.json")).await.unwrap();
    assert!(done.batch_item_failures.is_empty(), "what is refused is not tried again");
    let mut raised = world.app.store.exceptions(&tenant()).await.unwrap();
    raised.extend(world.app.store.exceptions(&"unnamed".parse().unwrap()).await.unwrap());
    let codes: BTreeSet<&str> = raised.iter().map(|e| e.code.as_str()).collect();
    let expected = [
        "bad_value",
        "malformed_json",
        "no_identity",
        "unknown_connection",
        "unknown_placeholder",
        "unknown_version",
        "wrong_direction",
    ];
    assert_eq!(codes, expected.into());
    assert!(raised.iter().all(|e| !e.remedy.starts_with("Look at the reason")), "a code without its remedy: {codes:?}");
    let told: BTreeSet<&str> = raised.iter().flat_map(|e| &e.steps).map(|s| s.request.as_str()).collect();
    for id in ["bad-version", "bad-direction", "bad-connection", "bad-identity"] {
        assert!(told.contains(id), "the workflow of {id} hears nothing");
    }
}

#[tokio::test]
async fn reconcile_fetch() {
    let world = World::new().await;
    queued(&world, &world.app.settings.pulls).await;
    let done = handler::reconcile(&world.app, &then(), event("reconcile/fetch.json")).await.unwrap();
    assert!(done.batch_item_failures.is_empty());
    let messages = queued(&world, &world.app.settings.pulls).await;
    assert!(messages.len() == 1 && messages[0].contains("lead_score >= 75"), "{messages:?}");
    let raised = world.app.store.exceptions(&tenant()).await.unwrap();
    assert_eq!(raised.iter().map(|e| e.code.as_str()).collect::<Vec<_>>(), ["bad_filter"]);
    assert_eq!(raised[0].fetch.as_ref().unwrap().fetch.as_str(), "bad-filter", "its workflow hears of it");
}

#[tokio::test]
async fn reconcile_changes() {
    let world = World::new().await;
    world.sim("hubspot/contacts", &serde_json::json!({"fields": {"email": "eve@example.com"}, "silent": true})).await;
    let done = handler::reconcile(&world.app, &world.cx("sample"), event("reconcile/changes.json")).await.unwrap();
    assert!(done.batch_item_failures.is_empty());
}

#[tokio::test]
async fn reconcile_change_events() {
    let world = World::of(&[Crm::Salesforce]).await;
    world.settle().await;
    world.shown("calls?reset=1").await;
    let done =
        handler::reconcile(&world.app, &world.cx("sample"), event("reconcile/change-events.json")).await.unwrap();
    assert!(done.batch_item_failures.is_empty());
    let looked = &world.shown("calls").await["salesforce"]["POST /services/data/v66.0/composite/batch"];
    assert_eq!(looked, &serde_json::json!(1), "two leads that were edited and a contact that was deleted, in one call");
}

#[tokio::test]
async fn outbound_pushes() {
    let world = World::new().await;
    let done = handler::outbound(&world.app, &world.cx("sample"), event("outbound/pushes.json")).await.unwrap();
    assert!(done.batch_item_failures.is_empty(), "a record that is not there is nobody's fault");
}

#[tokio::test]
async fn delta_pull_tick_delta_sweep_and_fetch() {
    let world = World::new().await;
    let before = queued(&world, &world.app.settings.pulls).await.len();
    handler::delta_pull(&world.app, &world.cx("sample"), event("delta-pull/tick.json")).await.unwrap();
    assert!(queued(&world, &world.app.settings.pulls).await.len() + before > 0);
    for file in ["delta-pull/delta.json", "delta-pull/sweep.json", "delta-pull/fetch.json"] {
        let done = handler::delta_pull(&world.app, &world.cx("sample"), event(file)).await.unwrap();
        assert!(done.batch_item_failures.is_empty(), "{file}");
    }
}

#[tokio::test]
async fn import_of_what_is_not_there() {
    let world = World::new().await;
    for file in ["import/uploaded.json", "import/goes-on.json"] {
        let done = handler::import(&world.app, &then(), event(file)).await.unwrap();
        assert!(done.batch_item_failures.is_empty(), "{file}: what has expired is nobody's fault");
    }
    assert!(queued(&world, &world.app.settings.imports).await.iter().all(|body| body.contains("TestEvent")));
}

#[tokio::test]
async fn token_refresh_tick() {
    let world = World::new().await;
    handler::token_refresh(&world.app, &world.cx("sample"), event("token-refresh/tick.json")).await.unwrap();
}

#[tokio::test]
async fn alert_raised() {
    let world = World::new().await;
    let done = handler::alert(&world.app, &world.cx("sample"), event("alert/raised.json")).await.unwrap();
    assert!(done.batch_item_failures.is_empty(), "where nobody wants to hear of it, nobody does");
}

#[tokio::test]
async fn watchdog_tick() {
    let world = World::new().await;
    handler::watchdog(&world.app, &world.cx("sample"), event("watchdog/tick.json")).await.unwrap();
}

#[tokio::test]
async fn journal_record_and_exception() {
    let aws = aws::account().await;
    let app = aws::app(&aws, None, None).await;
    for _ in 0..2 {
        handler::journal(&app, &then(), event("journal/record.json")).await.unwrap();
        handler::journal(&app, &then(), event("journal/exception.json")).await.unwrap();
    }
    let entries = app.history.of(&tenant(), &"01KAHR00000000000000000001".parse().unwrap()).await.unwrap();
    assert_eq!(entries.len(), 4, "two changes and two steps, however often the stream tells of them");
    let _ = Hosts::default();
}

#[test]
fn every_event_file_has_its_test() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let source = include_str!("handlers.rs");
    let mut files = 0;
    for function in std::fs::read_dir(folder).unwrap() {
        let function = function.unwrap().path();
        for file in std::fs::read_dir(&function).unwrap() {
            let name = format!("{}/{}", function.file_name().unwrap().display(), file.unwrap().file_name().display());
            assert!(source.contains(&name), "{name} is used by no test");
            files += 1;
        }
    }
    assert!(files > 10);
}
