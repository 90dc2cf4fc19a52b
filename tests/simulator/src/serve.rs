//! What happens around a CRM's answer: delays, concurrency, the log, answers held back or never given.

use crate::calls::{Crm, Exchange, Logged, route};
use crate::clock::{http_date, iso_ms, real_now};
use crate::faults::CrmFaults;
use crate::wire::{Call, Payload, Reply};
use crate::world::{Shared, World};
use crate::{hubspot, pipedrive, salesforce, zoho};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use http::{Response, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Marks a response whose connection closes instead.
#[derive(Debug, Clone, Copy)]
pub struct NeverAnswered;

/// Answers any call to a CRM.
pub async fn face(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let Some((crm, call)) = read(request).await else {
        return Reply::json(
            404,
            json!({"error": "paths begin with /hubspot, /zoho, /salesforce, /pipedrive or /_sim"}),
        )
        .into_response();
    };
    let delay = {
        let mut world = shared.lock();
        world.zoho_in_flight += usize::from(crm == Crm::Zoho);
        world.faults.of(crm).delay_ms
    };
    let _in_flight = InFlight(&shared, crm);
    if delay > 0 {
        shared.pass(Duration::from_millis(delay)).await;
    }
    let Served { reply, then } = serve(&mut shared.lock(), crm, &call);
    shared.outbox_changed.notify_one();
    match then {
        Then::Answer => reply.into_response(),
        Then::Hold(ticket) => {
            loop {
                let released = shared.released.notified();
                if !shared.lock().held.iter().any(|h| h.0 == ticket) {
                    break;
                }
                released.await;
            }
            reply.into_response()
        }
        Then::Hang(ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(NeverAnswered);
            response
        }
    }
}

struct InFlight<'a>(&'a Shared, Crm);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut world = self.0.lock();
        world.zoho_in_flight = world.zoho_in_flight.saturating_sub(usize::from(self.1 == Crm::Zoho));
    }
}

struct Served {
    reply: Reply,
    then: Then,
}

enum Then {
    Answer,
    /// Until its ticket is no longer among the held.
    Hold(u64),
    Hang(u64),
}

fn serve(world: &mut World, crm: Crm, call: &Call) -> Served {
    let route = route(&call.segments());
    let named = format!("{} {route}", call.method);
    let (reply, mut fault) = answer(world, crm, call);
    let reply = reply.with("date", &http_date(world.clock.now()));
    let committed = reply.status < 300 && writes_records(call);
    let faults = world.faults.of_mut(crm);
    let mut then = Then::Answer;
    if committed && CrmFaults::take(&mut faults.timeout_after_commit_next) {
        fault = Some("timeout_after_commit");
        then = Then::Hang(faults.hang_ms);
    } else if faults.hold_next.as_ref().is_some_and(|h| named.contains(h.as_str())) {
        faults.hold_next = None;
        fault = Some("held");
        let ticket = world.rng.draw();
        then = Then::Hold(ticket);
        world.held.push((ticket, crm, named));
    }
    let status = if matches!(then, Then::Hang(_)) { 0 } else { reply.status };
    log(world, crm, call, route, status, fault);
    if let Some(transcript) = &mut world.calls.transcript {
        let answer = if let Payload::Json(answer) = &reply.payload { answer.clone() } else { Value::Null };
        transcript.push(Exchange {
            method: call.method.to_string(),
            path: call.path.clone(),
            query: call.query.clone(),
            body: call.json().cloned().unwrap_or_default(),
            status,
            answer,
        });
    }
    Served { reply, then }
}

/// The face's answer, unless a fault answers first or instead.
fn answer(world: &mut World, crm: Crm, call: &Call) -> (Reply, Option<&'static str>) {
    let token_route = call.segments.iter().take(2).any(|s| s == "oauth" || s == "oauth2");
    let limited = !token_route && {
        let until = world.limited_until[crm as usize];
        until > real_now() || CrmFaults::take(&mut world.faults.of_mut(crm).rate_limit_next)
    };
    if limited {
        let reply = match crm {
            Crm::Hubspot => hubspot::errors::too_many(&mut world.rng, "TEN_SECONDLY_ROLLING"),
            Crm::Zoho => zoho::errors::too_many(),
            Crm::Salesforce => salesforce::errors::too_many(),
            Crm::Pipedrive => pipedrive::errors::too_many(),
        };
        return (reply, Some("rate_limit"));
    }
    let World { faults, rng, .. } = world;
    let own = faults.of(crm);
    if own.fails(rng) {
        return (server_error(world, crm), Some("fail"));
    }
    if own.scope_missing && !token_route {
        return (scope_missing(world, crm), Some("scope_missing"));
    }
    let after = rng.chance(own.fail_after_commit_rate);
    let reply = match crm {
        Crm::Hubspot => hubspot::answer(world, call),
        Crm::Zoho => zoho::answer(world, call),
        Crm::Salesforce => salesforce::answer(world, call),
        Crm::Pipedrive => pipedrive::answer(world, call),
    };
    if after { (server_error(world, crm), Some("fail_after_commit")) } else { (reply, None) }
}

fn server_error(world: &mut World, crm: Crm) -> Reply {
    let id = world.rng.uuid();
    match (world.rng.below(3), crm) {
        (0, _) => Reply::html(502, "<html><head><title>502 Bad Gateway</title></head></html>"),
        (1, _) => Reply::empty(503),
        (_, Crm::Hubspot) => {
            Reply::json(500, json!({"status": "error", "message": "internal error", "correlationId": id}))
        }
        (_, Crm::Zoho) => Reply::json(
            500,
            json!({"code": "INTERNAL_ERROR", "details": {}, "message": "Internal Server Error", "status": "error"}),
        ),
        (_, Crm::Salesforce) => salesforce::errors::unknown_exception(),
        (_, Crm::Pipedrive) => pipedrive::errors::internal(),
    }
}

/// HubSpot docs: error handling, `MISSING_SCOPES`. Zoho docs: Status codes, `OAUTH_SCOPE_MISMATCH`.
fn scope_missing(world: &mut World, crm: Crm) -> Reply {
    let id = world.rng.uuid();
    match crm {
        Crm::Hubspot => Reply::json(
            403,
            json!({"status": "error", "message": "This app hasn't been granted all required scopes to make this call.", "correlationId": id, "category": "MISSING_SCOPES"}),
        ),
        Crm::Zoho => Reply::json(
            401,
            json!({"code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "invalid oauth scope to access this URL", "status": "error"}),
        ),
        Crm::Salesforce => salesforce::errors::scope_missing(),
        Crm::Pipedrive => pipedrive::errors::scope_missing(),
    }
}

/// Creates, updates or deletes records (POST also reads, at both vendors).
fn writes_records(call: &Call) -> bool {
    let path = call.path.as_str();
    let reads = path.ends_with("/batch/read")
        || path.ends_with("/search")
        || path.ends_with("/coql")
        || salesforce::only_reads(call);
    let other = path.contains("/oauth")
        || path.contains("/actions/")
        || path.starts_with("/crm/properties")
        || path.contains("/settings/")
        || path.contains("/webhooks");
    call.method != http::Method::GET && !reads && !other
}

fn log(world: &mut World, crm: Crm, call: &Call, route: String, status: u16, fault: Option<&'static str>) {
    let body = call.json().unwrap_or(&serde_json::Value::Null);
    let records = ["inputs", "data", "records", "ids"]
        .iter()
        .find_map(|k| body[*k].as_array())
        .map_or_else(|| call.param("ids").map_or(0, |ids| ids.split(',').count()), Vec::len);
    let at = iso_ms(world.clock.now());
    let correlation_id = call.header("x-correlation-id").map(str::to_owned);
    let path = call.path.clone();
    world.calls.add(Logged {
        n: 0,
        at,
        crm,
        method: call.method.to_string(),
        route,
        path,
        status,
        records,
        correlation_id,
        fault,
    });
}

async fn read(request: Request) -> Option<(Crm, Call)> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.ok()?;
    let (prefix, rest) = parts.uri.path().trim_start_matches('/').split_once('/')?;
    let crm = Crm::parse(prefix)?;
    let host = parts.headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("127.0.0.1");
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let call = Call {
        path: format!("/{rest}"),
        segments: Call::split(rest),
        query,
        base: format!("http://{host}"),
        method: parts.method,
        headers: parts.headers,
        json: serde_json::from_slice(&body).ok(),
        body,
    };
    Some((crm, call))
}
