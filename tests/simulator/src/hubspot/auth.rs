//! Tokens: `/oauth/{version}/token` and the bearer check (HubSpot docs: manage OAuth tokens).

use super::portal::Grant;
use crate::wire::{Call, Reply};
use crate::world::World;
use serde_json::json;

const EXPIRES_IN: i64 = 1800;

/// Which portal a call is for, or the 401 that answers it.
pub fn portal_of(world: &mut World, call: &Call) -> Result<usize, Reply> {
    let now = world.clock.now();
    let bearer = call.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).unwrap_or_default();
    let found = world.portals.iter().enumerate().find_map(|(i, p)| {
        let static_token = p.private_app_token.as_deref() == Some(bearer) && !bearer.is_empty();
        p.tokens.get(bearer).copied().or(static_token.then_some(i64::MAX)).map(|dies| (i, dies, p.grant))
    });
    let (category, message) = match found {
        Some((at, dies, Grant::Alive)) if now < dies => return Ok(at),
        Some(_) => ("EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired."),
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
    if get("grant_type") != "refresh_token" {
        return refused("BAD_GRANT_TYPE", "unsupported grant type", "unsupported_grant_type");
    }
    if !world.portals.iter().any(|p| p.app.client_id == get("client_id")) {
        return refused("BAD_CLIENT_ID", "missing or unknown client id", "invalid_client");
    }
    let now = world.clock.now();
    let access_token = format!("CKsim{}", world.rng.hex(507));
    let (client_id, client_secret, refresh_token) = (get("client_id"), get("client_secret"), get("refresh_token"));
    if !world.portals.iter().any(|p| p.app.client_id == client_id && p.app.client_secret == client_secret) {
        return refused("BAD_CLIENT_SECRET", "missing or invalid client secret", "invalid_client");
    }
    let Some(portal) =
        world.portals.iter_mut().find(|p| p.app.client_id == client_id && p.refresh_token == refresh_token)
    else {
        return bad_refresh_token();
    };
    match portal.grant {
        Grant::Alive => {}
        Grant::Revoked => return bad_refresh_token(),
        Grant::Uninstalled => {
            return Reply::json(
                400,
                json!({"status": "BAD_HUB", "message": "missing or unknown hub id", "error": "access_denied"}),
            );
        }
    }
    portal.tokens.retain(|_, dies| *dies > now - EXPIRES_IN * 1000);
    portal.tokens.insert(access_token.clone(), now + EXPIRES_IN * 1000);
    portal.tokens_given += 1;
    Reply::json(
        200,
        json!({
            "token_type": "bearer", "access_token": access_token, "refresh_token": portal.refresh_token, "expires_in": EXPIRES_IN,
            "hub_id": portal.id, "user_id": 123, "token_use": "access_token",
            "scopes": ["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read", "crm.schemas.contacts.write"],
        }),
    )
}

/// HubSpot's token errors carry its own keys and OAuth's.
fn bad_refresh_token() -> Reply {
    refused("BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked", "invalid_grant")
}

fn refused(status: &str, message: &str, error: &str) -> Reply {
    Reply::json(400, json!({"status": status, "message": message, "error": error, "error_description": message}))
}
