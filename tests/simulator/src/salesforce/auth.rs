//! The login host and the session check (Salesforce help: OAuth 2.0 refresh token flow, token revocation, introspection).

use super::org::{Org, Session};
use super::servers::{self, JWT_BEARER};
use super::{errors, ids};
use crate::calls::Crm;
use crate::codes::{Flaw, Presented};
use crate::grants::Grant;
use crate::records::Source;
use crate::wire::{Call, Reply};
use crate::world::World;
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

/// What the app has in an org where nobody asked for anything else.
pub const SCOPE: &str = "refresh_token api";
/// Authorizations of one user for one app, approximately: one more ends the oldest.
const GRANTS: usize = 5;

/// Which org a call is for; to use a session is to keep it alive.
pub fn org_of(world: &mut World, call: &Call) -> Result<usize, Reply> {
    let now = world.clock.now();
    let token = call.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).unwrap_or_default();
    let lives = world.faults.salesforce.tokens_live_s;
    for (at, org) in world.salesforce_orgs.iter_mut().enumerate() {
        let idle = lives.unwrap_or(org.session_s) * 1000;
        if let Some(session) = org.sessions.iter_mut().find(|s| s.token == token && now - s.used < idle) {
            session.used = now;
            return Ok(at);
        }
    }
    Err(errors::session_expired())
}

pub fn refused(error: &str, description: &str) -> Reply {
    Reply::json(400, json!({"error": error, "error_description": description}))
}

/// The answer never says how long the token lives. A refresh token comes with a code whose scope asks for one, and
/// where they rotate.
pub fn token(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    if get("grant_type") == JWT_BEARER {
        let given = servers::jwt_bearer(world, &call.base, get("assertion"));
        return given.map_or_else(|refusal| refusal, |given| session(world, call, given));
    }
    let client_id = get("client_id");
    if let Err(refusal) = client(world, client_id, get("client_secret")) {
        return refusal;
    }
    let now = world.clock.now();
    let given = match get("grant_type") {
        "authorization_code" => exchanged(world, &Presented::read(Crm::Salesforce, client_id, &form), now),
        "refresh_token" => refreshed(world, client_id, get("refresh_token")),
        "client_credentials" => servers::client_credentials(world, client_id),
        _ => return refused("unsupported_grant_type", "grant type not supported"),
    };
    given.map_or_else(|refusal| refusal, |given| session(world, call, given))
}

/// A session to open: in which org, with which grant, and a refresh token that the client does not have yet.
#[derive(Debug)]
pub struct Given {
    pub at: usize,
    pub grant: Grant,
    pub told: Option<String>,
}

fn session(world: &mut World, call: &Call, given: Given) -> Reply {
    let (now, issued) = (world.clock.now(), world.rng.hex(64));
    let Some(org) = world.salesforce_orgs.get_mut(given.at) else { return Reply::empty(500) };
    let idle = world.faults.salesforce.tokens_live_s.unwrap_or(org.session_s) * 1000;
    org.sessions.retain(|s| now - s.used < idle);
    let access_token = format!("{}!AQ{issued}", &org.id[..org.id.len().min(15)]);
    let Grant { refresh_token, scope, .. } = given.grant;
    org.sessions.push(Session { token: access_token.clone(), used: now, refresh_token, scope: scope.clone() });
    org.tokens_given += 1;
    let id = format!("{}/salesforce/id/{}/{}", call.base, org.id, ids::user(Source::App));
    let issued_at = now.to_string();
    let mut body = json!({
        "access_token": access_token, "signature": signature(&org.client_secret, &id, &issued_at), "scope": scope,
        "instance_url": format!("{}/salesforce", call.base), "id": id, "token_type": "Bearer", "issued_at": issued_at,
    });
    if let Some(refresh_token) = given.told {
        body["refresh_token"] = json!(refresh_token);
    }
    Reply::json(200, body)
}

fn refreshed(world: &mut World, client_id: &str, sent: &str) -> Result<Given, Reply> {
    let next = world.rng.hex(16);
    let own = |o: &&mut Org| o.client_id == client_id;
    for org in world.salesforce_orgs.iter_mut().filter(own) {
        org.refresh_reused += u64::from(org.spent_tokens.iter().any(|t| t == sent));
    }
    for (at, org) in world.salesforce_orgs.iter_mut().enumerate().filter(|(_, o)| o.client_id == client_id) {
        let Some(grant) = org.grants.live(sent) else { continue };
        if !org.rotates {
            return Ok(Given { at, grant: grant.clone(), told: None });
        }
        let next = format!("5Aep-sim-refresh-not-real.{}.{next}", org.id);
        grant.refresh_token.clone_from(&next);
        let grant = grant.clone();
        org.spent_tokens.push(sent.to_owned());
        org.sessions.iter_mut().filter(|s| s.refresh_token == sent).for_each(|s| s.refresh_token.clone_from(&next));
        return Ok(Given { at, grant, told: Some(next) });
    }
    Err(refused("invalid_grant", "expired access/refresh token"))
}

fn exchanged(world: &mut World, presented: &Presented<'_>, now: i64) -> Result<Given, Reply> {
    let code = world.consents.codes.redeem(presented, now).map_err(flawed)?;
    let at = world.salesforce_orgs.iter().position(|o| o.id == code.account_id);
    let at = at.ok_or_else(|| flawed(Flaw::Unknown))?;
    let offline = code.scope.split_whitespace().any(|s| ["refresh_token", "offline_access"].contains(&s));
    let refresh_token = if offline { format!("5Aep861{}", world.rng.hex(80)) } else { String::new() };
    let grant = Grant::new(refresh_token, code.scope);
    if offline {
        world.salesforce_orgs[at].grants.add(grant.clone(), GRANTS);
    }
    Ok(Given { at, told: offline.then(|| grant.refresh_token.clone()), grant })
}

/// Salesforce help: OAuth 2.0 authorization errors; web server flow, `code_challenge`.
fn flawed(flaw: Flaw) -> Reply {
    match flaw {
        Flaw::Unknown => refused("invalid_grant", "invalid authorization code"),
        Flaw::Expired => refused("invalid_grant", "expired authorization code"),
        Flaw::Redirect => refused("redirect_uri_mismatch", "redirect_uri must match configuration"),
        Flaw::NoVerifier => refused("invalid_grant", "code verifier required"),
        Flaw::Verifier => refused("invalid_request", "invalid code verifier"),
    }
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
    let token = call.field("token");
    for org in &mut world.salesforce_orgs {
        let before = org.sessions.len();
        let ended = org.grants.end(&token);
        org.sessions.retain(|s| s.token != token && !(ended && s.refresh_token == token));
        if ended || org.sessions.len() < before {
            return Reply::empty(200);
        }
    }
    refused("unsupported_token_type", "this token type is not supported")
}

pub fn introspect(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    if let Err(refusal) = client(world, get("client_id"), get("client_secret")) {
        return refusal;
    }
    let (now, token) = (world.clock.now(), get("token"));
    for org in &mut world.salesforce_orgs {
        let idle = world.faults.salesforce.tokens_live_s.unwrap_or(org.session_s);
        let session = org.sessions.iter().find(|s| s.token == token && now - s.used < idle * 1000);
        let (kind, scope, times) = match (session, org.grants.live(token)) {
            (Some(Session { used, scope, .. }), _) => {
                let used = used / 1000;
                ("access_token", scope, json!({"exp": used + idle, "iat": used, "nbf": used}))
            }
            (None, Some(grant)) => ("refresh_token", &grant.scope, json!({})),
            (None, None) => continue,
        };
        let mut body = json!({
            "active": true, "scope": scope, "client_id": org.client_id, "username": "connected@salesforce.example",
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
        return Reply::html(403, "Bad_OAuth_Token");
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

/// The identity URL of the token answer (Salesforce help: identity URLs).
pub fn identity(world: &mut World, call: &Call, org: &str, user: &str) -> Reply {
    let known = org_of(world, call).ok().filter(|at| world.salesforce_orgs[*at].id == org);
    if known.is_none() || user != ids::user(Source::App) {
        return Reply::html(403, "Bad_OAuth_Token");
    }
    Reply::json(
        200,
        json!({
            "id": format!("{}/salesforce/id/{org}/{user}", call.base), "asserted_user": true, "user_id": user, "organization_id": org,
            "username": "connected@salesforce.example", "nick_name": "connected", "display_name": "Connected User",
            "email": "connected@salesforce.example", "email_verified": true, "first_name": "Connected", "last_name": "User",
            "active": true, "user_type": "STANDARD", "language": "en_US", "locale": "en_US", "utcOffset": -28_800_000,
            "urls": {"rest": format!("{}/salesforce/services/data/v{{version}}/", call.base)},
        }),
    )
}
