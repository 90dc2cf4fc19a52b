//! The OAuth server and the token check (Pipedrive docs: OAuth authorization; API v1: OAuth).

use super::company::Company;
use super::{OUR_USER, errors};
use crate::calls::Crm;
use crate::codes::{Flaw, Presented};
use crate::wire::{Call, Reply};
use crate::world::World;
use base64::Engine as _;
use serde_json::json;

const EXPIRES_IN: i64 = 3599;
/// A refresh token dies when it is not used for 60 days; every use begins them anew.
const IDLE_MS: i64 = 60 * 24 * 3600 * 1000;
pub const SCOPE: &str = "base,deals:full,contacts:full,leads:full,activities:full,users:read,search:read,contact-fields:full,deal-fields:full,admin";

/// Which company a call is for, and whether its user's API token said so rather than an app's access token.
pub fn company_of(world: &World, call: &Call) -> Result<(usize, bool), Reply> {
    let now = world.clock.now();
    if let Some(token) = call.header("x-api-token") {
        let at = world.companies.iter().position(|c| c.api_token.as_deref() == Some(token));
        return at.map(|at| (at, true)).ok_or_else(errors::unauthorised);
    }
    let token = call.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).unwrap_or_default();
    let live = |t: &(String, i64)| t.0 == token && now < t.1;
    let at = world.companies.iter().position(|c| c.alive && c.tokens.iter().any(live));
    at.map(|at| (at, false)).ok_or_else(errors::unauthorised)
}

/// HTTP Basic with the client's id and secret; to refresh does not rotate the refresh token.
pub fn token(world: &mut World, call: &Call) -> Reply {
    let Some(client) = client(world, call) else { return refused(401, "invalid_client") };
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    let now = world.clock.now();
    let company = match get("grant_type") {
        "authorization_code" => exchanged(world, &Presented::read(Crm::Pipedrive, &client, &form), now),
        "refresh_token" => refreshed(world, &client, get("refresh_token"), now),
        _ => return refused(400, "unsupported_grant_type"),
    };
    let at = match company {
        Ok(at) => at,
        Err(refusal) => return refusal,
    };
    let lives = world.faults.pipedrive.tokens_live_s.unwrap_or(EXPIRES_IN);
    let access_token = format!("v1u:AQIB{}", world.rng.hex(300));
    let scope = world.consents.granted(Crm::Pipedrive, SCOPE);
    let company = &mut world.companies[at];
    company.grant_used = Some(now);
    company.tokens.retain(|(_, dies)| *dies > now);
    company.tokens.push((access_token.clone(), now + lives * 1000));
    company.tokens_given += 1;
    let body = json!({
        "access_token": access_token, "token_type": "Bearer", "refresh_token": company.refresh_token, "scope": scope,
        // The company's API domain is this face itself.
        "expires_in": lives, "api_domain": format!("{}/pipedrive", call.base),
    });
    Reply::json(200, body)
}

fn refreshed(world: &World, client: &str, refresh_token: &str, now: i64) -> Result<usize, Reply> {
    let idle = |used: Option<i64>| used.is_some_and(|at| now - at > IDLE_MS);
    let of_client = |c: &Company| c.client_id == client && c.refresh_token == refresh_token;
    let found = world.companies.iter().position(|c| c.alive && of_client(c) && !idle(c.grant_used));
    found.ok_or_else(|| refused(400, "invalid_grant"))
}

/// An app is installed once in a company: its earlier refresh token is no more.
fn exchanged(world: &mut World, presented: &Presented<'_>, now: i64) -> Result<usize, Reply> {
    let code = world.consents.codes.redeem(presented, now).map_err(flawed)?;
    let found = world.companies.iter().position(|c| c.id.to_string() == code.account_id);
    let at = found.ok_or_else(|| flawed(Flaw::Unknown))?;
    let company = &mut world.companies[at];
    company.refresh_token = format!("{}:{OUR_USER}:{}", company.id, world.rng.hex(40));
    company.alive = true;
    Ok(at)
}

/// Pipedrive docs: OAuth status codes.
fn flawed(flaw: Flaw) -> Reply {
    let (error, message) = match flaw {
        Flaw::Unknown => ("invalid_grant", "Invalid grant: authorization_code is invalid"),
        Flaw::Expired => ("invalid_grant", "Invalid grant: authorization_code has expired"),
        Flaw::Redirect => ("invalid_request", "Invalid request: redirect_uri is invalid"),
        Flaw::NoVerifier | Flaw::Verifier => ("invalid_grant", "Invalid grant: code_verifier is invalid"),
    };
    Reply::json(400, json!({"success": false, "message": message, "error": error}))
}

/// To revoke the refresh token is to uninstall the app (Pipedrive docs: app uninstallation).
pub fn revoke(world: &mut World, call: &Call) -> Reply {
    let Some(client) = client(world, call) else { return refused(401, "invalid_client") };
    let token = call.form().into_iter().find(|(k, _)| k == "token").map(|(_, v)| v).unwrap_or_default();
    for company in world.companies.iter_mut().filter(|c| c.client_id == client) {
        if company.refresh_token == token {
            company.uninstall();
        }
        company.tokens.retain(|(t, _)| *t != token);
    }
    Reply::json(200, json!({"success": true}))
}

/// The client that HTTP Basic names, if its secret is right.
fn client(world: &World, call: &Call) -> Option<String> {
    let basic = call.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(basic).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let known = world.companies.iter().any(|c| c.client_id == id && c.client_secret == secret);
    known.then(|| id.to_owned())
}

fn refused(status: u16, error: &str) -> Reply {
    Reply::json(status, json!({"success": false, "message": error, "error": error}))
}
