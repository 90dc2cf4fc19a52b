//! Pipedrive's wire face: `/pipedrive/…` is the OAuth server and every company's API domain.

pub mod auth;
pub mod check;
pub mod company;
pub mod edits;
pub mod errors;
pub mod events;
pub mod fields;
pub mod kinds;
pub mod limits;
pub mod list;
pub mod merge;
pub mod search;
pub mod show;
pub mod store;
pub mod uninstall;
pub mod v1;
pub mod webhooks;

use crate::calls::Crm;
use crate::clock::Rng;
use crate::consent;
use crate::faults::CrmFaults;
use crate::webhooks::Outbox;
use crate::wire::{Call, Reply};
use crate::world::World;
use company::Company;
use http::Method;
use kinds::{Kind, parse_id};

/// The admin who connected our app: what the API writes is this user's.
pub const OUR_USER: u64 = 16_219_013;
/// Whoever edits in Pipedrive's own screens.
pub const CRM_USER: u64 = 16_219_014;

/// Everything that an operation in one company needs.
#[derive(Debug)]
pub struct Desk<'a> {
    pub company: &'a mut Company,
    pub faults: &'a mut CrmFaults,
    pub outbox: &'a mut Outbox,
    pub rng: &'a mut Rng,
    pub now: i64,
}

pub fn answer(world: &mut World, call: &Call) -> Reply {
    match (&call.method, call.segments().as_slice()) {
        (&Method::GET | &Method::POST, ["oauth", "authorize"]) => {
            return consent::authorize(world, Crm::Pipedrive, call);
        }
        (&Method::POST, ["oauth", "token"]) => return auth::token(world, call),
        (&Method::POST, ["oauth", "revoke"]) => return auth::revoke(world, call),
        _ => {}
    }
    let (at, by_api_token) = match auth::company_of(world, call) {
        Ok(found) => found,
        Err(unauthorised) => return unauthorised,
    };
    let Some(mut desk) = world.company(at) else { return errors::internal() };
    let admitted = desk.company.meter.admit(desk.now, call, by_api_token, desk.faults);
    let reply = admitted.and_then(|()| dispatch(&mut desk, call, by_api_token)).unwrap_or_else(|refusal| refusal);
    desk.company.meter.headers(reply, desk.faults)
}

fn dispatch(desk: &mut Desk<'_>, call: &Call, by_api_token: bool) -> Result<Reply, Reply> {
    let method = call.method.as_str();
    match call.segments().as_slice() {
        ["api", "v2", rest @ ..] => v2(desk, method, rest, call),
        ["api", "v1", rest @ ..] | ["v1", rest @ ..] => v1(desk, method, rest, call, by_api_token),
        _ => Err(errors::no_such_url()),
    }
}

fn v2(desk: &mut Desk<'_>, method: &str, rest: &[&str], call: &Call) -> Result<Reply, Reply> {
    if let [path, code @ ..] = rest
        && let Some(table) = fields::table_of(path)
    {
        return match (method, code) {
            ("GET", []) => Ok(fields::list(desk, table)),
            ("POST", []) => fields::create(desk, table, call),
            ("GET", [code]) => fields::one(desk, table, code),
            ("DELETE", [code]) => fields::delete(desk, table, code),
            _ => Err(errors::no_such_url()),
        };
    }
    let [table, rest @ ..] = rest else { return Err(errors::no_such_url()) };
    let kind = Kind::of_v2(table).ok_or_else(errors::no_such_url)?;
    let id = |id: &str| parse_id(kind, id).ok_or_else(errors::not_found);
    match (method, rest) {
        ("GET", []) => list::list(desk, kind, call),
        ("GET", ["search"]) if kind.table != "activities" => search::search(desk, kind, call),
        ("POST", []) => store::create(desk, kind, call),
        ("GET", [text]) => store::one(desk, kind, id(text)?),
        ("PATCH", [text]) => store::update(desk, kind, id(text)?, call),
        ("DELETE", [text]) => store::delete(desk, kind, id(text)?),
        _ => Err(errors::no_such_url()),
    }
}

fn v1(desk: &mut Desk<'_>, method: &str, rest: &[&str], call: &Call, by_api_token: bool) -> Result<Reply, Reply> {
    match (method, rest) {
        ("GET", ["users", "me"]) => Ok(v1::me(desk)),
        ("GET", ["webhooks"]) => Ok(webhooks::list(desk)),
        ("POST", ["webhooks"]) => webhooks::create(desk, call, !by_api_token),
        ("DELETE", ["webhooks", id]) => webhooks::delete(desk, id),
        (method, ["leads"]) => v1::leads(desk, method, None, call),
        (method, ["leads", id]) => v1::leads(desk, method, Some(id), call),
        (method, ["notes"]) => v1::notes(desk, method, None, call),
        (method, ["notes", id]) => v1::notes(desk, method, Some(id), call),
        ("PUT", [table @ ("persons" | "organizations" | "deals"), id, "merge"]) => {
            let kind = Kind::of_table(table).ok_or_else(errors::no_such_url)?;
            merge::merge(desk, kind, parse_id(kind, id).ok_or_else(errors::not_found)?, call)
        }
        _ => Err(errors::no_such_url()),
    }
}
