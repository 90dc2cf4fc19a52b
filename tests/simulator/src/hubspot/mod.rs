//! HubSpot's wire face: `/hubspot/…` is `https://api.hubapi.com/…`, in the date-versioned API of 2026-09. What other programs still read by
//! is there as well: version 3 of objects and properties and version 4 of associations, which are the same under older names, and
//! version 2 of properties (HubSpot docs: API versioning).

pub mod associations;
pub mod auth;
pub mod batch;
pub mod errors;
pub mod events;
pub mod lists;
pub mod objects;
pub mod portal;
pub mod properties;
pub mod schemas;
pub mod search;
pub mod show;
pub mod write;

use crate::calls::Crm;
use crate::clock::Rng;
use crate::consent;
use crate::faults::CrmFaults;
use crate::webhooks::Outbox;
use crate::wire::{Call, Reply};
use crate::world::World;
use errors::Refusal;
use http::Method;
use portal::{Grant, Portal};
use serde_json::json;
use std::collections::VecDeque;

/// Everything that an operation in one portal needs.
#[derive(Debug)]
pub struct Desk<'a> {
    pub portal: &'a mut Portal,
    pub faults: &'a mut CrmFaults,
    pub outbox: &'a mut Outbox,
    pub rng: &'a mut Rng,
    pub now: i64,
}

/// OAuth apps: 110 calls in ten seconds per account, private apps 100; search: five a second, counted
/// apart and without rate headers (HubSpot docs: usage guidelines, CRM search).
const TEN_SECONDS: i64 = 10_000;
const OAUTH_CALLS: usize = 110;
const PRIVATE_CALLS: usize = 100;
const SEARCHES: usize = 5;
const DAY: i64 = 24 * 3_600_000;
/// The accounts' time zone, as [`details`] shows it.
const OFFSET: i64 = -18_000_000;

pub fn answer(world: &mut World, call: &Call) -> Reply {
    match (&call.method, call.segments().as_slice()) {
        // The page is at app.hubspot.com, all else at api.hubapi.com.
        (&Method::GET | &Method::POST, ["oauth", "authorize"]) => {
            return consent::authorize(world, Crm::Hubspot, call);
        }
        (&Method::POST, ["oauth", "2026-09" | "v3" | "v1", "token"]) => return auth::token(world, call),
        (&Method::POST, ["oauth", "2026-09" | "v3", "token", "introspect"]) => return auth::introspect(world, call),
        (&Method::POST, ["oauth", "2026-09" | "v3", "token", "revoke"]) => return auth::revoke(world, call),
        (&Method::POST, ["oauth", "v2", "private-apps", "get", "access-token-info"]) => {
            return auth::private_app(world, call);
        }
        (&Method::GET, ["oauth", "v1", "access-tokens", token]) => return auth::access_token(world, token),
        (&Method::DELETE, ["oauth", "v1", "refresh-tokens", token]) => {
            auth::end(world, token);
            return Reply::empty(204);
        }
        _ => {}
    }
    let at = match auth::portal_of(world, call) {
        Ok(at) => at,
        Err(unauthorised) => return unauthorised,
    };
    let Some(mut desk) = world.portal(at) else { return Reply::empty(500) };
    let searching = call.segments.last().is_some_and(|s| s == "search");
    let today = match spend(&mut desk, call) {
        Ok(today) => today,
        Err(limited) => return limited,
    };
    let left = match admit(&mut desk, searching) {
        Ok(left) => left,
        Err(limited) => return limited,
    };
    let reply = dispatch(&mut desk, call).unwrap_or_else(|refusal| refusal.reply(desk.rng));
    let reply = match left {
        Some((max, left)) => reply
            .with("X-HubSpot-RateLimit-Interval-Milliseconds", &TEN_SECONDS)
            .with("X-HubSpot-RateLimit-Max", &max)
            .with("X-HubSpot-RateLimit-Remaining", &left),
        None => reply,
    };
    // The day's headers are there for private apps alone, and not on searches.
    match today.filter(|_| left.is_some()) {
        Some((daily, left)) => {
            reply.with("X-HubSpot-RateLimit-Daily", &daily).with("X-HubSpot-RateLimit-Daily-Remaining", &left)
        }
        None => reply,
    }
}

/// A private app's calls of a day, which ends at midnight in the account's time zone: how many there are, and how many are
/// left. OAuth apps have no such limit, and no such headers (HubSpot docs: usage guidelines).
fn spend(desk: &mut Desk<'_>, call: &Call) -> Result<Option<(u64, u64)>, Reply> {
    let portal = &mut *desk.portal;
    let bearer = call.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
    if bearer.is_none_or(|bearer| portal.private_app_token.as_deref() != Some(bearer)) {
        return Ok(None);
    }
    let day = (desk.now + OFFSET).div_euclid(DAY);
    let (on, spent) = portal.spent;
    let spent = if on == day { spent } else { 0 };
    if spent >= portal.daily {
        return Err(errors::too_many(desk.rng, "DAILY"));
    }
    portal.spent = (day, spent + 1);
    Ok(Some((portal.daily, portal.daily - spent - 1)))
}

fn private(desk: &Desk<'_>) -> bool {
    desk.portal.private_app_token.is_some()
}

/// Counts the call against its limit: what is left, for calls that are told.
fn admit(desk: &mut Desk<'_>, searching: bool) -> Result<Option<(usize, usize)>, Reply> {
    let now = desk.now;
    if searching {
        return match slide(&mut desk.portal.searches, now, 1_000, SEARCHES) {
            Some(_) => Ok(None),
            None => Err(errors::too_many(desk.rng, "SECONDLY")),
        };
    }
    let vendor = if private(desk) { PRIVATE_CALLS } else { OAUTH_CALLS };
    let (max, per_ms) = desk.faults.burst.map_or((vendor, TEN_SECONDS), |b| (b.calls, b.per_ms));
    match slide(&mut desk.portal.window, now, per_ms, max) {
        Some(left) => Ok(Some((max, left))),
        None => Err(errors::too_many(desk.rng, "TEN_SECONDLY_ROLLING")),
    }
}

/// A rolling window: how many calls are left after this one, `None` when there was no room.
fn slide(window: &mut VecDeque<i64>, now: i64, per_ms: i64, max: usize) -> Option<usize> {
    while window.front().is_some_and(|at| *at <= now - per_ms) {
        window.pop_front();
    }
    (window.len() < max).then(|| window.push_back(now))?;
    Some(max - window.len())
}

fn dispatch(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Refusal> {
    if CrmFaults::take(&mut desk.faults.migrate_next) {
        return Ok(errors::migrating(desk.rng));
    }
    let method = call.method.as_str();
    let segments = dated(call.segments());
    match (method, segments.as_slice()) {
        ("GET", ["account-info", "2026-09" | "v3", "details"]) => Ok(details(desk)),
        ("DELETE", ["appinstalls", "2026-09" | "v3", "external-install"]) => {
            desk.portal.grant = Grant::Uninstalled;
            Ok(Reply::empty(204))
        }
        ("GET", ["crm", "properties", "2026-09", object]) => Ok(properties::list(desk, name_of(object))),
        ("GET", ["crm", "properties", "2026-09", object, name]) => properties::one(desk, name_of(object), name),
        ("POST", ["crm", "properties", "2026-09", object]) => properties::create(desk, name_of(object), call),
        ("GET", ["properties", "v2", object, "properties"]) => Ok(properties::list_v2(desk, name_of(object))),
        ("GET", ["crm-object-schemas", "2026-09", "schemas"] | ["crm", "schemas", "2026-09"]) => {
            may(desk, schemas::SCOPE)?;
            Ok(schemas::list(desk))
        }
        ("POST", ["crm", "associations", "2026-09", from, to, "batch", verb @ ..]) => {
            let (from, to) = (name_of(from), name_of(to));
            for object in [from, to] {
                allowed(desk, object, if *verb == ["read"] { "read" } else { "write" })?;
            }
            associations::batch(desk, from, to, verb, call)
        }
        ("GET", ["crm", "lists", "2026-09", list, rest @ ..]) => {
            may(desk, lists::SCOPE)?;
            match rest {
                [] => lists::one(desk, list),
                ["memberships"] => lists::memberships(desk, list, call),
                _ => Err(Refusal::not_found()),
            }
        }
        ("PUT", ["crm", "lists", "2026-09", list, "memberships", "add-and-remove"]) => {
            may(desk, lists::WRITE)?;
            lists::add_and_remove(desk, list, call)
        }
        (_, ["crm", "objects", "2026-09", object, rest @ ..]) => {
            let object = name_of(object);
            if !desk.portal.tables.contains_key(object) {
                return Err(Refusal::validation(&format!("Unable to infer object type from: {object}")));
            }
            let reads = method == "GET" || matches!(rest, ["search"] | ["batch", "read"]);
            allowed(desk, object, if reads { "read" } else { "write" })?;
            on_object(desk, object, method, rest, call)
        }
        _ => Err(Refusal::not_found()),
    }
}

/// `/crm/v3/objects/…` and `/crm/v4/associations/…` as `/crm/objects/2026-09/…` and so on.
fn dated(segments: Vec<&str>) -> Vec<&str> {
    match segments.as_slice() {
        ["crm", "v3" | "v4", what, rest @ ..] => ["crm", what, "2026-09"].iter().chain(rest).copied().collect(),
        _ => segments,
    }
}

/// 403 where the app was not allowed so much (HubSpot docs: scopes). Notes and tasks go by the right over contacts (HubSpot docs:
/// notes API, tasks API, scope requirements).
fn allowed(desk: &Desk<'_>, object: &str, what: &str) -> Result<(), Refusal> {
    let scopes_of = match object {
        properties::CUSTOM => "custom",
        "notes" | "tasks" => "contacts",
        other => other,
    };
    may(desk, &format!("crm.objects.{scopes_of}.{what}"))
}

fn may(desk: &Desk<'_>, scope: &str) -> Result<(), Refusal> {
    match desk.portal.private_app_token.is_some() || desk.portal.scopes.iter().any(|one| one == scope) {
        true => Ok(()),
        false => Err(Refusal::missing_scope(scope)),
    }
}

fn on_object(desk: &mut Desk<'_>, object: &str, method: &str, rest: &[&str], call: &Call) -> Result<Reply, Refusal> {
    match (method, rest) {
        ("GET", []) => objects::list(desk, object, call),
        ("POST", []) => objects::create(desk, object, call),
        ("POST", ["search"]) => search::search(desk, object, call),
        ("POST", ["merge"]) => objects::merge(desk, object, call),
        ("POST", ["gdpr-delete"]) => objects::gdpr_delete(desk, object, call),
        ("POST", ["batch", what]) if *what != "read" && CrmFaults::take(&mut desk.faults.lock_next) => {
            Ok(errors::locked(desk.rng))
        }
        ("POST", ["batch", "read"]) => batch::read(desk, object, call),
        ("POST", ["batch", "create"]) => batch::create(desk, object, call),
        ("POST", ["batch", "update"]) => batch::update(desk, object, call),
        ("POST", ["batch", "upsert"]) => batch::upsert(desk, object, call),
        ("POST", ["batch", "archive"]) => batch::archive(desk, object, call),
        ("GET", [id]) => objects::get(desk, object, id, call),
        ("PATCH", [id]) => objects::patch(desk, object, id, call),
        ("DELETE", [id]) => Ok(objects::delete(desk, object, id)),
        _ => Err(Refusal::not_found()),
    }
}

/// Objects go by name or by type id (HubSpot docs: object types).
fn name_of(object: &str) -> &str {
    match object {
        "0-1" | "contact" => "contacts",
        "0-2" | "company" => "companies",
        "0-3" | "deal" => "deals",
        "0-27" | "task" => "tasks",
        "0-46" | "note" => "notes",
        other => other,
    }
}

fn details(desk: &Desk<'_>) -> Reply {
    Reply::json(
        200,
        json!({
            "portalId": desk.portal.id, "accountType": "DEVELOPER_TEST", "timeZone": "US/Eastern", "companyCurrency": "USD",
            "additionalCurrencies": [], "utcOffset": "-05:00", "utcOffsetMilliseconds": OFFSET, "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }),
    )
}
