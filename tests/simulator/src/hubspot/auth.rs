//! Tokens: `/oauth/{version}/token` and what is beside it, and the bearer check (HubSpot docs: manage OAuth tokens).

use super::portal::{Grant, Portal};
use crate::calls::Crm;
use crate::codes::{Flaw, Presented};
use crate::wire::{Call, Reply};
use crate::world::World;
use serde_json::{Value, json};

const EXPIRES_IN: i64 = 1800;
const USER_ID: u64 = 123;
const USER: &str = "admin@hubspot.example";

/// Which portal a call is for, or the 401 that answers it.
pub fn portal_of(world: &mut World, call: &Call) -> Result<usize, Reply> {
    let now = world.clock.now();
    let bearer = call.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).unwrap_or_default();
    let found = world.portals.iter().enumerate().find_map(|(i, p)| {
        let static_token = p.private_app_token.as_deref() == Some(bearer) && !bearer.is_empty();
        match p.tokens.get(bearer) {
            // An access token outlives its revoked refresh token.
            Some(dies) => Some((i, now < *dies && p.grant != Grant::Uninstalled)),
            None => static_token.then_some((i, p.grant == Grant::Alive)),
        }
    });
    let (category, message) = match found {
        Some((at, true)) => return Ok(at),
        Some((_, false)) => ("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired."),
        None => (
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication.",
        ),
    };
    Err(Reply::json(
        401,
        json!({"status": "error", "message": message, "correlationId": world.rng.uuid(), "category": category}),
    ))
}

pub fn token(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    let grant_type = get("grant_type");
    if !["authorization_code", "refresh_token"].contains(&grant_type) {
        return refused("BAD_GRANT_TYPE", "unsupported grant type", "unsupported_grant_type");
    }
    if let Err(refusal) = client(world, call) {
        return refusal;
    }
    let (now, client_id) = (world.clock.now(), get("client_id"));
    let access_token = format!("CKsim{}", world.rng.hex(507));
    let portal = match grant_type {
        "authorization_code" => exchanged(world, &Presented::read(Crm::Hubspot, client_id, &form), now),
        _ => refreshed(world, client_id, get("refresh_token")),
    };
    let portal = match portal {
        Ok(portal) => portal,
        Err(refusal) => return refusal,
    };
    portal.tokens.retain(|_, dies| *dies > now - EXPIRES_IN * 1000);
    portal.tokens.insert(access_token.clone(), now + EXPIRES_IN * 1000);
    portal.tokens_given += 1;
    Reply::json(
        200,
        json!({
            "token_type": "bearer", "access_token": access_token, "refresh_token": portal.refresh_token, "expires_in": EXPIRES_IN,
            "hub_id": portal.id, "user_id": USER_ID, "token_use": "access_token", "scopes": portal.scopes,
        }),
    )
}

fn client(world: &World, call: &Call) -> Result<(), Reply> {
    let (id, secret) = (call.field("client_id"), call.field("client_secret"));
    let mut known = world.portals.iter().filter(|p| p.app.client_id == id).peekable();
    if known.peek().is_none() {
        return Err(refused("BAD_CLIENT_ID", "missing or unknown client id", "invalid_client"));
    }
    match known.any(|p| p.app.client_secret == secret) {
        true => Ok(()),
        false => Err(refused("BAD_CLIENT_SECRET", "missing or invalid client secret", "invalid_client")),
    }
}

fn refreshed<'w>(world: &'w mut World, client_id: &str, refresh_token: &str) -> Result<&'w mut Portal, Reply> {
    let own = |p: &&mut Portal| p.app.client_id == client_id && p.refresh_token == refresh_token;
    let portal = world.portals.iter_mut().find(own).ok_or_else(bad_refresh_token)?;
    match portal.grant {
        Grant::Alive => Ok(portal),
        Grant::Revoked => Err(bad_refresh_token()),
        Grant::Uninstalled => Err(Reply::json(
            400,
            json!({"status": "BAD_HUB", "message": "missing or unknown hub id", "error": "access_denied"}),
        )),
    }
}

/// An app is installed once in an account: its earlier refresh token is no more.
fn exchanged<'w>(world: &'w mut World, presented: &Presented<'_>, now: i64) -> Result<&'w mut Portal, Reply> {
    let code = world.consents.codes.redeem(presented, now).map_err(flawed)?;
    let portal = world.portals.iter_mut().find(|p| p.id.to_string() == code.account_id);
    let portal = portal.ok_or_else(|| flawed(Flaw::Unknown))?;
    portal.refresh_token = format!("na1-{}", world.rng.uuid());
    portal.scopes = code.scope.split_whitespace().map(str::to_owned).collect();
    portal.grant = Grant::Alive;
    Ok(portal)
}

fn flawed(flaw: Flaw) -> Reply {
    match flaw {
        Flaw::Unknown | Flaw::Expired => refused("BAD_AUTH_CODE", "missing or unknown auth code", "invalid_grant"),
        Flaw::Redirect => refused("BAD_REDIRECT_URI", "missing or invalid redirect uri", "invalid_grant"),
        Flaw::NoVerifier | Flaw::Verifier => {
            refused("BAD_AUTH_CODE", "missing or invalid code verifier", "invalid_grant")
        }
    }
}

/// What a token is good for, of either kind (HubSpot docs: OAuth tokens, introspect).
pub fn introspect(world: &World, call: &Call) -> Reply {
    if let Err(refusal) = client(world, call) {
        return refusal;
    }
    let (now, token) = (world.clock.now(), named_token(call));
    let of_client = |p: &&Portal| p.app.client_id == call.field("client_id");
    for portal in world.portals.iter().filter(of_client) {
        let mut body = match portal.tokens.get(&token) {
            Some(dies) if now < *dies && portal.grant != Grant::Uninstalled => {
                json!({"token_use": "access_token", "expires_in": (dies - now) / 1000})
            }
            _ if portal.refresh_token == token && portal.grant == Grant::Alive => json!({"token_use": "refresh_token"}),
            _ => continue,
        };
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), about(portal)) {
            body.extend(more);
        }
        body["active"] = json!(true);
        body["client_id"] = json!(portal.app.client_id);
        body["token_type"] = json!("bearer");
        return Reply::json(200, body);
    }
    Reply::json(200, json!({"active": false}))
}

/// The same of an access token, in version 1, which takes it in the path (HubSpot docs: OAuth tokens v1).
pub fn access_token(world: &mut World, token: &str) -> Reply {
    let now = world.clock.now();
    let found = world.portals.iter().find_map(|p| p.tokens.get(token).filter(|dies| now < **dies).map(|d| (p, *d)));
    let Some((portal, dies)) = found.filter(|(p, _)| p.grant != Grant::Uninstalled) else {
        let message = "The access token is expired or invalid";
        return Reply::json(
            404,
            json!({"status": "error", "message": message, "correlationId": world.rng.uuid(), "category": "OBJECT_NOT_FOUND"}),
        );
    };
    let mut body = about(portal);
    body["token"] = json!(token);
    body["expires_in"] = json!((dies - now) / 1000);
    body["token_type"] = json!("access");
    Reply::json(200, body)
}

/// The same of a private app's token, which proves itself (HubSpot docs: private apps, access token information).
pub fn private_app(world: &mut World, call: &Call) -> Reply {
    let token = call.json().and_then(|body| body["tokenKey"].as_str()).unwrap_or_default();
    let own = |p: &&Portal| p.private_app_token.as_deref() == Some(token) && p.grant == Grant::Alive;
    let Some(portal) = world.portals.iter().find(own) else {
        let body = json!({"status": "error", "message": "The access token is expired or invalid", "correlationId": world.rng.uuid(), "category": "OBJECT_NOT_FOUND"});
        return Reply::json(404, body);
    };
    let scopes: Vec<&String> = portal.scopes.iter().filter(|scope| *scope != "oauth").collect();
    Reply::json(200, json!({"userId": USER_ID, "hubId": portal.id, "appId": portal.app.app_id, "scopes": scopes}))
}

fn about(portal: &Portal) -> Value {
    json!({
        "hub_id": portal.id, "app_id": portal.app.app_id, "user_id": USER_ID, "user": USER, "scopes": portal.scopes,
        "hub_domain": format!("hub-{}.example", portal.id),
    })
}

pub fn revoke(world: &mut World, call: &Call) -> Reply {
    if let Err(refusal) = client(world, call) {
        return refusal;
    }
    end(world, &named_token(call));
    Reply::empty(200)
}

/// Ends one token; access tokens outlive their refresh token.
pub fn end(world: &mut World, token: &str) {
    for portal in &mut world.portals {
        portal.tokens.remove(token);
        if portal.refresh_token == token && portal.grant == Grant::Alive {
            portal.grant = Grant::Revoked;
        }
    }
}

/// The specification calls the field `token`, the guide by the kind of token.
fn named_token(call: &Call) -> String {
    let fields = ["token", "access_token", "refresh_token"].map(|name| call.field(name));
    fields.into_iter().find(|token| !token.is_empty()).unwrap_or_default()
}

/// HubSpot's token errors carry its own keys and OAuth's.
fn bad_refresh_token() -> Reply {
    refused("BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked", "invalid_grant")
}

fn refused(status: &str, message: &str, error: &str) -> Reply {
    Reply::json(400, json!({"status": status, "message": message, "error": error, "error_description": message}))
}
