//! The login host and the session check (Salesforce help: OAuth 2.0 refresh token flow, token revocation, introspection).

use super::{errors, ids};
use crate::records::Source;
use crate::wire::{Call, Payload, Reply};
use crate::world::World;
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

const SCOPE: &str = "refresh_token api";

/// Which org a call is for; to use a session is to keep it alive.
pub fn org_of(world: &mut World, call: &Call) -> Result<usize, Reply> {
    let now = world.clock.now();
    let token = call.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).unwrap_or_default();
    let lives = world.faults.salesforce.tokens_live_s;
    for (at, org) in world.salesforce_orgs.iter_mut().enumerate().filter(|(_, o)| o.alive) {
        let idle = lives.unwrap_or(org.session_s) * 1000;
        if let Some((_, used)) = org.sessions.iter_mut().find(|(t, used)| t == token && now - *used < idle) {
            *used = now;
            return Ok(at);
        }
    }
    Err(errors::session_expired())
}

fn refused(error: &str, description: &str) -> Reply {
    Reply::json(400, json!({"error": error, "error_description": description}))
}

/// The answer never says how long the token lives, and has a refresh token only where they rotate.
pub fn token(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    if let Err(refusal) = client(world, get("client_id"), get("client_secret")) {
        return refusal;
    }
    if get("grant_type") != "refresh_token" {
        return refused("unsupported_grant_type", "grant type not supported");
    }
    let (now, issued) = (world.clock.now(), world.rng.hex(64));
    let own = |o: &&mut super::org::Org| o.client_id == get("client_id");
    let sent = get("refresh_token");
    for org in world.salesforce_orgs.iter_mut().filter(own) {
        org.refresh_reused += u64::from(org.spent_tokens.iter().any(|t| t == sent));
    }
    let found = world.salesforce_orgs.iter_mut().filter(own).find(|o| o.refresh_token == sent && o.alive);
    let Some(org) = found else { return refused("invalid_grant", "expired access/refresh token") };
    let idle = world.faults.salesforce.tokens_live_s.unwrap_or(org.session_s) * 1000;
    org.sessions.retain(|(_, used)| now - used < idle);
    let access_token = format!("{}!AQ{issued}", &org.id[..org.id.len().min(15)]);
    org.sessions.push((access_token.clone(), now));
    org.tokens_given += 1;
    let id = format!("{}/salesforce/id/{}/{}", call.base, org.id, ids::user(Source::App));
    let issued_at = now.to_string();
    let mut body = json!({
        "access_token": access_token, "signature": signature(&org.client_secret, &id, &issued_at), "scope": SCOPE,
        "instance_url": format!("{}/salesforce", call.base), "id": id, "token_type": "Bearer", "issued_at": issued_at,
    });
    if org.rotates {
        let next = format!("5Aep-sim-refresh-not-real.{}.{}", org.id, &issued[..16]);
        org.spent_tokens.push(std::mem::replace(&mut org.refresh_token, next.clone()));
        body["refresh_token"] = json!(next);
    }
    Reply::json(200, body)
}

fn client(world: &World, id: &str, secret: &str) -> Result<(), Reply> {
    let mut known = world.salesforce_orgs.iter().filter(|o| o.client_id == id).peekable();
    if known.peek().is_none() {
        return Err(refused("invalid_client_id", "client identifier invalid"));
    }
    match known.any(|o| o.client_secret == secret) {
        true => Ok(()),
        false => Err(refused("invalid_client", "invalid client credentials")),
    }
}

/// Of the identity URL and the time of issue, keyed with the client's secret.
fn signature(secret: &str, id: &str, issued_at: &str) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{id}{issued_at}").as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// A revoked refresh token takes its sessions with it.
pub fn revoke(world: &mut World, call: &Call) -> Reply {
    let token = call.form().into_iter().find(|(k, _)| k == "token").map(|(_, v)| v).unwrap_or_default();
    if let Some(org) = world.salesforce_orgs.iter_mut().find(|o| o.alive && o.refresh_token == token) {
        org.alive = false;
        org.sessions.clear();
        return Reply::empty(200);
    }
    for org in &mut world.salesforce_orgs {
        let before = org.sessions.len();
        org.sessions.retain(|(t, _)| *t != token);
        if org.sessions.len() < before {
            return Reply::empty(200);
        }
    }
    refused("unsupported_token_type", "this token type is not supported")
}

pub fn introspect(world: &World, call: &Call) -> Reply {
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    if let Err(refusal) = client(world, get("client_id"), get("client_secret")) {
        return refusal;
    }
    let (now, token) = (world.clock.now(), get("token"));
    for org in world.salesforce_orgs.iter().filter(|o| o.alive) {
        let idle = world.faults.salesforce.tokens_live_s.unwrap_or(org.session_s);
        let session = org.sessions.iter().find(|(t, used)| t == token && now - used < idle * 1000);
        let (kind, times) = match session {
            Some((_, used)) => {
                ("access_token", json!({"exp": used / 1000 + idle, "iat": used / 1000, "nbf": used / 1000}))
            }
            None if org.refresh_token == token => ("refresh_token", json!({})),
            None => continue,
        };
        let mut body = json!({
            "active": true, "scope": SCOPE, "client_id": org.client_id, "username": "connected@salesforce.example",
            "sub": format!("{}/salesforce/id/{}/{}", call.base, org.id, ids::user(Source::App)), "token_type": kind,
        });
        if let (Some(body), Some(times)) = (body.as_object_mut(), times.as_object()) {
            body.extend(times.clone());
        }
        return Reply::json(200, body);
    }
    Reply::json(200, json!({"active": false}))
}

pub fn userinfo(world: &mut World, call: &Call) -> Reply {
    let Ok(at) = org_of(world, call) else {
        return Reply { status: 403, headers: Vec::new(), payload: Payload::Html("Bad_OAuth_Token") };
    };
    let (org, user) = (world.salesforce_orgs[at].id.as_str(), ids::user(Source::App));
    Reply::json(
        200,
        json!({
            "sub": format!("{}/salesforce/id/{org}/{user}", call.base), "user_id": user, "organization_id": org,
            "preferred_username": "connected@salesforce.example", "nickname": "connected", "name": "Connected User",
            "email": "connected@salesforce.example", "email_verified": true, "given_name": "Connected", "family_name": "User",
            "zoneinfo": "America/Los_Angeles", "active": true, "user_type": "STANDARD", "language": "en_US", "locale": "en_US",
        }),
    )
}
