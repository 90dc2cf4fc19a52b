//! `/_sim/…`: the world steered and watched over HTTP. None of it is a vendor's.

use crate::accounts::Account;
use crate::calls::Crm;
use crate::clock::iso_ms;
use crate::faults::Faults;
use crate::lists;
use crate::sim_edits;
use crate::wire::Reply;
use crate::world::Shared;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::routing::{get, post};
use http::Response;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

type World = State<Arc<Shared>>;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/calls", get(calls))
        .route("/_sim/log", get(log))
        .route("/_sim/transcript", get(transcript))
        .route("/_sim/deliveries", get(deliveries))
        .route("/_sim/relayed", get(relayed))
        .route("/_sim/counters", get(counters))
        .route("/_sim/held", get(held))
        .route("/_sim/release", post(release))
        .route("/_sim/faults", get(faults).post(set_faults))
        .route("/_sim/reset", post(reset))
        .route("/_sim/clock", get(clock).post(advance))
        .route("/_sim/lists", post(make_list))
        .route("/_sim/lists/members", post(members))
        .route("/_sim/accounts", get(accounts).post(register))
        .route("/_sim/{crm}/{object}", get(records).post(edit))
        .layer(DefaultBodyLimit::disable())
}

async fn calls(State(shared): World, RawQuery(query): RawQuery) -> Response<Body> {
    let mut world = shared.lock();
    let counts = json!(world.calls.counts());
    if param(query.as_deref(), "reset").is_some_and(|v| v != "0" && v != "false") {
        world.calls.reset();
    }
    ok(counts)
}

/// The newest `?last=N` calls (500 if not said), oldest first; `?correlation_id=` picks those of one trace.
async fn log(State(shared): World, RawQuery(query): RawQuery) -> Response<Body> {
    let last = param(query.as_deref(), "last").and_then(|n| n.parse().ok()).unwrap_or(500);
    let wanted = param(query.as_deref(), "correlation_id");
    let world = shared.lock();
    let mut found: Vec<_> =
        world.calls.log().rev().filter(|c| wanted.is_none() || c.correlation_id == wanted).take(last).collect();
    found.reverse();
    ok(json!(found))
}

/// Every call with all that was said since this was last asked for; the first time, nothing yet.
async fn transcript(State(shared): World) -> Response<Body> {
    let said = shared.lock().calls.transcript.replace(Vec::new());
    ok(json!(said.unwrap_or_default()))
}

/// Webhooks not yet delivered, those lost on purpose, and the newest delivered with headers and body.
async fn deliveries(State(shared): World, RawQuery(query): RawQuery) -> Response<Body> {
    let last = param(query.as_deref(), "last").and_then(|n| n.parse().ok()).unwrap_or(50);
    let world = shared.lock();
    let sent = &world.outbox.delivered().rev().take(last).rev().collect::<Vec<_>>();
    ok(json!({"pending": world.outbox.pending(), "lost": world.outbox.lost, "deliveries": sent}))
}

/// The events that were put on an event bus since this was last asked.
async fn relayed(State(shared): World) -> Response<Body> {
    let mut world = shared.lock();
    let relayed = world.salesforce_orgs.iter_mut().filter_map(|org| org.relayed.as_mut());
    ok(relayed.flat_map(std::mem::take).collect())
}

async fn counters(State(shared): World) -> Response<Body> {
    let world = shared.lock();
    let zoho: Vec<_> = world.orgs.iter().map(crate::zoho::org::Org::counters).collect();
    let hubspot: Vec<_> = world.portals.iter().map(crate::hubspot::portal::Portal::counters).collect();
    let salesforce: Vec<_> = world.salesforce_orgs.iter().map(crate::salesforce::org::Org::counters).collect();
    let pipedrive: Vec<_> = world.companies.iter().map(|c| c.counters(world.clock.now())).collect();
    ok(json!({"hubspot": hubspot, "zoho": zoho, "salesforce": salesforce, "pipedrive": pipedrive}))
}

async fn held(State(shared): World) -> Response<Body> {
    let world = shared.lock();
    ok(world.held.iter().map(|(_, crm, route)| json!({"crm": crm, "call": route})).collect())
}

async fn release(State(shared): World) -> Response<Body> {
    let held = std::mem::take(&mut shared.lock().held);
    shared.released.notify_waiters();
    ok(json!({"released": held.len()}))
}

async fn faults(State(shared): World) -> Response<Body> {
    ok(json!(shared.lock().faults))
}

async fn set_faults(State(shared): World, body: Bytes) -> Response<Body> {
    with(&body, |faults: Faults| {
        let mut world = shared.lock();
        world.set_faults(faults);
        shared.outbox_changed.notify_one();
        ok(json!(world.faults))
    })
}

async fn reset(State(shared): World) -> Response<Body> {
    let mut world = shared.lock();
    world.reset();
    world.held.clear();
    shared.released.notify_waiters();
    ok(json!({"reset": true}))
}

async fn clock(State(shared): World) -> Response<Body> {
    let now = shared.lock().clock.now();
    ok(json!({"now": iso_ms(now), "now_ms": now}))
}

async fn advance(State(shared): World, body: Bytes) -> Response<Body> {
    with(&body, |body: Value| {
        let mut world = shared.lock();
        let more = body["advance_ms"].as_i64().unwrap_or(0);
        world.clock.advanced_ms += more;
        world.clock.receivers_ms += if body["receivers"] == true { more } else { 0 };
        let now = world.clock.now();
        ok(json!({"now": iso_ms(now), "now_ms": now}))
    })
}

async fn accounts(State(shared): World) -> Response<Body> {
    ok(json!(shared.lock().accounts()))
}

async fn register(State(shared): World, body: Bytes) -> Response<Body> {
    with(&body, |account: Account| match shared.lock().register(&account) {
        Some(account) => ok(json!(account)),
        None => bad("crm is missing, or HubSpot's account_id is not a number"),
    })
}

async fn make_list(State(shared): World, body: Bytes) -> Response<Body> {
    with(&body, |wish: lists::Wish| match lists::make(&mut shared.lock(), wish) {
        Some(made) => ok(made),
        None => bad("the CRM has no account"),
    })
}

async fn members(State(shared): World, body: Bytes) -> Response<Body> {
    with(&body, |moves: lists::Moves| match lists::members(&mut shared.lock(), &moves) {
        Some(members) => ok(json!(members)),
        None => bad("there is no such list that is kept by hand"),
    })
}

async fn records(
    State(shared): World,
    Path((crm, object)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let Some(crm) = Crm::parse(&crm) else { return bad("crm is hubspot, zoho, salesforce or pipedrive") };
    let account = param(query.as_deref(), "account");
    let archived = param(query.as_deref(), "archived").is_some_and(|v| v == "true");
    match sim_edits::list(&mut shared.lock(), crm, &object, account.as_deref(), archived) {
        Ok(list) => ok(list),
        Err(message) => bad(&message),
    }
}

async fn edit(
    State(shared): World,
    Path((crm, object)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let Some(crm) = Crm::parse(&crm) else { return bad("crm is hubspot, zoho, salesforce or pipedrive") };
    let account = param(query.as_deref(), "account");
    let answer = match sim_edits::Body::read(&body) {
        Ok(body) => match sim_edits::edit(&mut shared.lock(), crm, &object, account.as_deref(), body) {
            Ok(shown) => ok(shown),
            Err(message) => bad(&message),
        },
        Err(error) => bad(&error.to_string()),
    };
    shared.outbox_changed.notify_one();
    answer
}

fn with<T: DeserializeOwned>(body: &[u8], f: impl FnOnce(T) -> Response<Body>) -> Response<Body> {
    match serde_json::from_slice(body) {
        Ok(value) => f(value),
        Err(error) => bad(&error.to_string()),
    }
}

fn param(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes()).find(|(k, _)| k == name).map(|(_, v)| v.into_owned())
}

fn ok(body: Value) -> Response<Body> {
    Reply::json(200, body).into_response()
}

fn bad(message: &str) -> Response<Body> {
    Reply::json(400, json!({"error": message})).into_response()
}
