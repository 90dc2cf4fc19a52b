//! Salesforce's wire face: `/salesforce/…` is the login host and every instance host, in any living API version.

pub mod auth;
pub mod batch;
pub mod bulk;
pub mod changed;
pub mod check;
pub mod collections;
pub mod describe;
pub mod edits;
pub mod errors;
pub mod fields;
pub mod ids;
pub mod org;
pub mod outbound;
pub mod query;
pub mod relay;
pub mod retrieve;
pub mod servers;
pub mod show;
pub mod single;
pub mod soql;
pub mod soql_parse;
pub mod soql_tokens;
pub mod store;

use crate::calls::Crm;
use crate::clock::Rng;
use crate::consent;
use crate::faults::CrmFaults;
use crate::webhooks::Outbox;
use crate::wire::{Call, Reply};
use crate::world::World;
use org::Org;

/// Everything that an operation in one org needs.
#[derive(Debug)]
pub struct Desk<'a> {
    pub org: &'a mut Org,
    pub faults: &'a mut CrmFaults,
    pub outbox: &'a mut Outbox,
    pub rng: &'a mut Rng,
    pub now: i64,
    /// How the program that calls names itself; a person has none.
    pub client: Option<String>,
}

/// Longest address, and address with headers (Salesforce docs: REST API, limits).
const ADDRESS: usize = 16_384;
/// Summer '26 and Winter '27 are 67 and 68; what is older than 31 was retired (Salesforce help: API versions retirement).
const VERSIONS: std::ops::RangeInclusive<u32> = 31..=68;

pub fn answer(world: &mut World, call: &Call) -> Reply {
    match (call.method.as_str(), call.segments().as_slice()) {
        ("GET" | "POST", ["services", "oauth2", "authorize"]) => {
            return consent::authorize(world, Crm::Salesforce, call);
        }
        ("POST", ["services", "oauth2", "token"]) => return auth::token(world, call),
        ("POST" | "GET", ["services", "oauth2", "revoke"]) => return auth::revoke(world, call),
        ("POST", ["services", "oauth2", "introspect"]) => return auth::introspect(world, call),
        ("POST" | "GET", ["services", "oauth2", "userinfo"]) => return auth::userinfo(world, call),
        ("GET", ["id", org, user]) => return auth::identity(world, call, org, user),
        ("GET", ["services", "data"]) => return describe::versions(),
        _ => {}
    }
    if let Some(status) = too_long(call) {
        return Reply::empty(status);
    }
    let at = match auth::org_of(world, call) {
        Ok(at) => at,
        Err(unauthorised) => return unauthorised,
    };
    let Some(mut desk) = world.salesforce(at) else { return Reply::empty(500) };
    desk.client = Some(client(call).to_owned());
    let (now, daily) = (desk.now, desk.org.daily);
    if let Some(burst) = desk.faults.burst
        && !desk.org.room(now, burst)
    {
        return errors::too_many();
    }
    if !desk.org.spend(now) {
        return errors::over(daily);
    }
    let reply = dispatch(&mut desk, call).unwrap_or_else(|refusal| refusal);
    reply.with("Sforce-Limit-Info", &format!("api-usage={}/{daily}", desk.org.used()))
}

/// What a caller calls itself (Salesforce docs: REST API, Call Options Header).
fn client(call: &Call) -> &str {
    let options = call.header("sforce-call-options").unwrap_or_default().split(',');
    options.filter_map(|option| option.trim().strip_prefix("client=")).next().unwrap_or_default()
}

/// Answers, or the error of a call refused as a whole.
fn dispatch(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let segments = call.segments();
    let ["services", "data", version, rest @ ..] = segments.as_slice() else { return Err(errors::not_found()) };
    let number = version.strip_prefix('v').and_then(|v| v.strip_suffix(".0")).and_then(|v| v.parse::<u32>().ok());
    match number {
        Some(n) if VERSIONS.contains(&n) => {}
        Some(n) if n < *VERSIONS.start() => {
            return Err(errors::error(410, "UNSUPPORTED_API_VERSION", "This API version was retired."));
        }
        _ => return Err(errors::not_found()),
    }
    match (call.method.as_str(), rest) {
        ("GET", ["limits"]) => Ok(describe::limits(desk)),
        ("GET", ["query"]) => query::run(desk, call, false),
        ("GET", ["queryAll"]) => query::run(desk, call, true),
        ("GET", ["query" | "queryAll", locator]) => query::more(desk, call, locator),
        ("POST", ["jobs", "query"]) => bulk::create(desk, call),
        (method, ["jobs", "query", id, rest @ ..]) => bulk::on_job(desk, method, id, rest, call),
        ("GET", ["sobjects"]) => Ok(describe::objects(desk)),
        (method, ["sobjects", object, rest @ ..]) => {
            let object = ids::object(object).ok_or_else(errors::not_found)?;
            on_object(desk, object, method, rest, call)
        }
        ("POST", ["composite", "batch"]) => batch::run(desk, call),
        ("POST", ["composite", "sobjects"]) => collections::create(desk, call),
        ("PATCH", ["composite", "sobjects"]) => collections::update(desk, call),
        ("DELETE", ["composite", "sobjects"]) => collections::delete(desk, call),
        ("PATCH", ["composite", "sobjects", object, key]) => {
            collections::upsert(desk, ids::object(object).ok_or_else(errors::not_found)?, key, call)
        }
        ("GET" | "POST", ["composite", "sobjects", object]) => {
            retrieve::retrieve(desk, ids::object(object).ok_or_else(errors::not_found)?, call)
        }
        _ => Err(errors::not_found()),
    }
}

fn on_object(desk: &mut Desk<'_>, object: &str, method: &str, rest: &[&str], call: &Call) -> Result<Reply, Reply> {
    match (method, rest) {
        ("POST", []) => single::create(desk, object, call),
        ("GET", ["describe"]) => Ok(describe::object(desk, object)),
        ("GET", ["deleted"]) => changed::deleted(desk, object, call),
        ("GET", ["updated"]) => changed::updated(desk, object, call),
        ("GET", ["listviews", id, "describe"]) => describe::view(desk, object, id),
        ("GET", [id]) => single::read(desk, object, id, call),
        ("PATCH", [id]) => single::update(desk, object, id, call),
        ("DELETE", [id]) => single::delete(desk, object, id),
        ("GET", [key, value]) => single::read_by(desk, object, key, value, call),
        ("PATCH", [key, value]) => single::upsert(desk, object, key, value, call),
        ("DELETE", [key, value]) => single::delete_by(desk, object, key, value, call),
        _ => Err(errors::error(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed.")),
    }
}

/// Whether a POST only reads: it commits nothing.
pub fn only_reads(call: &Call) -> bool {
    match call.segments().as_slice() {
        ["services", "data", _, "composite", "sobjects", _] => call.method == http::Method::POST,
        ["services", "data", _, "jobs", "query", ..] => true,
        ["services", "data", _, "composite", "batch"] => {
            let parts = call.json().and_then(|body| body["batchRequests"].as_array());
            parts.is_some_and(|parts| parts.iter().all(|part| part["method"] == "GET"))
        }
        _ => false,
    }
}

fn too_long(call: &Call) -> Option<u16> {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish();
    let address = call.path.len() + 1 + query.len();
    let headers: usize = call.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    match (address, address + headers) {
        (address, _) if address > ADDRESS => Some(414),
        (_, both) if both > ADDRESS => Some(431),
        _ => None,
    }
}
