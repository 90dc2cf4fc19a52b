//! The OAuth server and the token check (Pipedrive docs: OAuth authorization; API v1: OAuth).

use super::errors;
use crate::wire::{Call, Reply};
use crate::world::World;
use base64::Engine as _;
use serde_json::json;

const EXPIRES_IN: i64 = 3599;
/// A refresh token dies when it is not used for 60 days; every use begins them anew.
const IDLE_MS: i64 = 60 * 24 * 3600 * 1000;
const SCOPE: &str = "base,deals:full,contacts:full,leads:full,activities:full,users:read,search:read,contact-fields:full,deal-fields:full,admin";

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

/// HTTP Basic with the client's id and secret; the refresh token is not rotated.
pub fn token(world: &mut World, call: &Call) -> Reply {
    let Some(client) = client(world, call) else { return refused(401, "invalid_client") };
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    if get("grant_type") != "refresh_token" {
        return refused(400, "unsupported_grant_type");
    }
    let now = world.clock.now();
    let lives = world.faults.pipedrive.tokens_live_s.unwrap_or(EXPIRES_IN);
    let access_token = format!("v1u:AQIB{}", world.rng.hex(300));
    let idle = |used: Option<i64>| used.is_some_and(|at| now - at > IDLE_MS);
    let grant = |c: &&mut super::company::Company| {
        c.alive && c.client_id == client && c.refresh_token == get("refresh_token") && !idle(c.grant_used)
    };
    let Some(company) = world.companies.iter_mut().find(grant) else { return refused(400, "invalid_grant") };
    company.grant_used = Some(now);
    company.tokens.retain(|(_, dies)| *dies > now);
    company.tokens.push((access_token.clone(), now + lives * 1000));
    company.tokens_given += 1;
    let body = json!({
        "access_token": access_token, "token_type": "Bearer", "refresh_token": company.refresh_token, "scope": SCOPE,
        // The company's API domain is this face itself.
        "expires_in": lives, "api_domain": format!("{}/pipedrive", call.base),
    });
    Reply::json(200, body)
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
