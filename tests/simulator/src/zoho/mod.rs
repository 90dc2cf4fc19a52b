//! Zoho CRM's wire face: `/zoho/…` is both the accounts server and the API domain, in API version 8.

pub mod auth;
pub mod check;
pub mod coql;
pub mod coql_parse;
pub mod delete;
pub mod errors;
pub mod list;
pub mod new_fields;
pub mod notify;
pub mod org;
pub mod search;
pub mod settings;
pub mod show;
pub mod watch;
pub mod write;

use crate::calls::Crm;
use crate::clock::Rng;
use crate::consent;
use crate::faults::CrmFaults;
use crate::webhooks::Outbox;
use crate::wire::{Call, Reply};
use crate::world::World;
use http::Method;
use org::Org;

/// Everything that an operation in one organisation needs.
#[derive(Debug)]
pub struct Desk<'a> {
    pub org: &'a mut Org,
    pub faults: &'a mut CrmFaults,
    pub outbox: &'a mut Outbox,
    pub rng: &'a mut Rng,
    pub now: i64,
}

/// Calls under way at once in the Enterprise edition (Zoho docs: API limits, concurrency).
const CONCURRENCY: usize = 20;

pub fn answer(world: &mut World, call: &Call) -> Reply {
    match (&call.method, call.segments().as_slice()) {
        (&Method::GET | &Method::POST, ["oauth", "v2", "auth"]) => return consent::authorize(world, Crm::Zoho, call),
        (&Method::POST, ["oauth", "v2", "token"]) => return auth::token(world, call),
        (&Method::POST, ["oauth", "v2", "token", "revoke"]) => return auth::revoke(world, call),
        _ => {}
    }
    let at = match auth::org_of(world, call) {
        Ok(at) => at,
        Err(unauthorised) => return unauthorised,
    };
    if world.zoho_in_flight > CONCURRENCY * world.orgs.len() {
        return errors::too_many();
    }
    let Some(mut desk) = world.org(at) else { return Reply::empty(500) };
    let now = desk.now;
    if let Some(burst) = desk.faults.burst
        && !desk.org.room(now, burst)
    {
        return errors::too_many();
    }
    let Some(used) = desk.org.spend(now, credits(call)) else { return errors::too_many() };
    let reply = dispatch(&mut desk, call).unwrap_or_else(|refusal| refusal);
    // Shown only from half of the day's credits on (Zoho docs: API limits).
    let limit = desk.org.credits;
    if used * 2 >= limit { reply.with("X-API-CREDITS-REMAINING", &(limit - used)) } else { reply }
}

/// What a call costs (Zoho docs: API limits, credits).
fn credits(call: &Call) -> u64 {
    let body = call.json().unwrap_or(&serde_json::Value::Null);
    let rows = body["data"].as_array().map_or(1, Vec::len) as u64;
    match (call.method.as_str(), call.segments().as_slice()) {
        ("POST", [.., "coql"]) => coql::credits(body),
        ("GET", [.., "deleted"]) => 2,
        ("POST" | "PUT", _) => rows.div_ceil(10).max(1),
        _ => 1,
    }
}

/// Answers, or the bare error object of a call refused as a whole.
fn dispatch(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let segments = call.segments();
    let ["crm", "v8", rest @ ..] = segments.as_slice() else { return Err(errors::no_such_url()) };
    match (call.method.as_str(), rest) {
        ("GET", ["org"]) => Ok(settings::org(desk)),
        ("GET", ["users"]) => Ok(settings::users(desk)),
        ("GET", ["settings", "fields"]) => settings::fields(desk, call),
        ("POST", ["settings", "fields"]) => new_fields::create(desk, call),
        ("GET", ["settings", "modules"]) => Ok(settings::modules(desk)),
        ("POST", ["coql"]) => coql::query(desk, call),
        ("POST" | "PUT", ["actions", "watch"]) => watch::subscribe(desk, call),
        ("PATCH", ["actions", "watch"]) => watch::change(desk, call),
        ("GET", ["actions", "watch"]) => Ok(watch::list(desk, call)),
        ("DELETE", ["actions", "watch"]) => watch::unsubscribe(desk, call),
        (method, [module, rest @ ..]) => {
            if !desk.org.modules.contains_key(*module) {
                return Err(errors::invalid_module());
            }
            on_module(desk, module, method, rest, call)
        }
        _ => Err(errors::no_such_url()),
    }
}

fn on_module(desk: &mut Desk<'_>, module: &str, method: &str, rest: &[&str], call: &Call) -> Result<Reply, Reply> {
    match (method, rest) {
        ("GET", []) => list::list(desk, module, call),
        ("POST", []) => write::insert(desk, module, call),
        ("PUT", []) => write::update(desk, module, None, call),
        ("POST", ["upsert"]) => write::upsert(desk, module, call),
        ("DELETE", []) => delete::many(desk, module, call),
        ("GET", ["deleted"]) => delete::list(desk, module, call),
        ("GET", ["search"]) => search::search(desk, module, call),
        ("GET", [id]) => Ok(list::one(desk, module, id, call)),
        ("PUT", [id]) => write::update(desk, module, Some(id), call),
        ("DELETE", [id]) => Ok(delete::one(desk, module, id)),
        _ => Err(errors::no_such_url()),
    }
}
