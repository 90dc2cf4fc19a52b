//! Zoho's accounts server and the token check (Zoho docs: OAuth, refresh tokens).

use super::errors;
use crate::wire::{Call, Reply};
use crate::world::World;
use serde_json::json;

const EXPIRES_IN: i64 = 3600;
/// At most 30 live access tokens per refresh token; ten new ones in ten minutes.
const LIVE: usize = 30;
const REFRESHES: usize = 10;
const TEN_MINUTES: i64 = 600_000;

/// Which organisation a call is for. The scheme is `Zoho-oauthtoken`, although the token answer says Bearer.
pub fn org_of(world: &World, call: &Call) -> Result<usize, Reply> {
    let now = world.clock.now();
    let token = call.header("authorization").and_then(|h| h.strip_prefix("Zoho-oauthtoken ")).unwrap_or_default();
    let live = |t: &(String, i64)| t.0 == token && now < t.1;
    world.orgs.iter().position(|o| o.alive && o.tokens.iter().any(live)).ok_or_else(errors::invalid_token)
}

/// Form or query. A dead grant is HTTP **200** with `error`; too many refreshes is HTTP 400 "Access Denied".
pub fn token(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    let error = |name: &str| Reply::json(200, json!({"error": name}));
    let now = world.clock.now();
    let lives = world.faults.zoho.tokens_live_s.unwrap_or(EXPIRES_IN);
    let access_token = format!("1000.{}.{}", world.rng.hex(32), world.rng.hex(32));
    let of_client = || world.orgs.iter().filter(|o| o.client_id == get("client_id"));
    if of_client().next().is_none() {
        return error("invalid_client");
    }
    if !of_client().any(|o| o.client_secret == get("client_secret")) {
        return error("invalid_client_secret");
    }
    if get("grant_type") != "refresh_token" {
        return error("invalid_code");
    }
    let found =
        world.orgs.iter_mut().find(|o| o.client_id == get("client_id") && o.refresh_token == get("refresh_token"));
    let Some(org) = found.filter(|o| o.alive) else { return error("invalid_code") };
    while org.refreshes.front().is_some_and(|at| *at <= now - TEN_MINUTES) {
        org.refreshes.pop_front();
    }
    if org.refreshes.len() >= REFRESHES {
        let description = "You have made too many requests continuously. Please try again after some time.";
        return Reply::json(
            400,
            json!({"error_description": description, "error": "Access Denied", "status": "failure"}),
        );
    }
    org.refreshes.push_back(now);
    org.tokens.retain(|(_, dies)| *dies > now);
    if org.tokens.len() >= LIVE {
        org.tokens.remove(0);
    }
    org.tokens.push((access_token.clone(), now + lives * 1000));
    org.tokens_given += 1;
    // No refresh token in this answer: it is not rotated. The API domain is this face itself.
    let api_domain = format!("{}/zoho", call.base);
    Reply::json(
        200,
        json!({"access_token": access_token, "api_domain": api_domain, "token_type": "Bearer", "expires_in": lives}),
    )
}

pub fn revoke(world: &mut World, call: &Call) -> Reply {
    let token = call.form().into_iter().find(|(k, _)| k == "token").map(|(_, v)| v).unwrap_or_default();
    let Some(org) = world.orgs.iter_mut().find(|o| o.alive && o.refresh_token == token) else {
        return Reply::json(400, json!({"error": "invalid_token"}));
    };
    org.alive = false;
    org.tokens.clear();
    Reply::json(200, json!({"status": "success"}))
}
