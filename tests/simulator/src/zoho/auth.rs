//! Zoho's accounts server and the token check (Zoho docs: OAuth, access and refresh tokens).

use super::errors;
use super::org::{Org, Token};
use crate::calls::Crm;
use crate::codes::{Flaw, Presented};
use crate::grants::Grant;
use crate::wire::{Call, Reply};
use crate::world::World;
use serde_json::{Value, json};

const EXPIRES_IN: i64 = 3600;
/// At most 30 live access tokens per refresh token; ten new ones in ten minutes.
const LIVE: usize = 30;
const REFRESHES: usize = 10;
const TEN_MINUTES: i64 = 600_000;
/// Refresh tokens per user and client: one more ends the oldest.
const GRANTS: usize = 20;

/// Which organisation a call is for. The scheme is `Zoho-oauthtoken`, although the token answer says Bearer.
pub fn org_of(world: &World, call: &Call) -> Result<usize, Reply> {
    let now = world.clock.now();
    let token = call.header("authorization").and_then(|h| h.strip_prefix("Zoho-oauthtoken ")).unwrap_or_default();
    let live = |t: &Token| t.text == token && now < t.dies;
    world.orgs.iter().position(|o| o.tokens.iter().any(live)).ok_or_else(errors::invalid_token)
}

/// Form or query. A dead grant or code is HTTP **200** with `error`; too many refreshes is HTTP 400 "Access Denied".
pub fn token(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    let (now, client_id) = (world.clock.now(), get("client_id"));
    let of_client = || world.orgs.iter().filter(|o| o.client_id == client_id);
    if of_client().next().is_none() {
        return error("invalid_client");
    }
    if !of_client().any(|o| o.client_secret == get("client_secret")) {
        return error("invalid_client_secret");
    }
    let given = match get("grant_type") {
        "authorization_code" => exchanged(world, &Presented::read(Crm::Zoho, client_id, &form), now),
        "refresh_token" => refreshed(world, client_id, get("refresh_token"), now),
        "client_credentials" => self_client(world, client_id, get("soid"), get("scope")),
        _ => return error("invalid_code"),
    };
    let (at, refresh_token, more) = match given {
        Ok(given) => given,
        Err(refusal) => return refusal,
    };
    let lives = world.faults.zoho.tokens_live_s.unwrap_or(EXPIRES_IN);
    let access_token = format!("1000.{}.{}", world.rng.hex(32), world.rng.hex(32));
    world.orgs[at].issue(Token { text: access_token.clone(), dies: now + lives * 1000, refresh_token }, now);
    // The API domain is this face itself.
    let api_domain = format!("{}/zoho", call.base);
    let mut body =
        json!({"access_token": access_token, "api_domain": api_domain, "token_type": "Bearer", "expires_in": lives});
    errors::extend(&mut body, more);
    Reply::json(200, body)
}

/// The organisation, the refresh token that new access tokens go with, and what else the answer says.
type Given = (usize, String, Value);

/// No refresh token in this answer: it is not rotated.
fn refreshed(world: &mut World, client_id: &str, refresh_token: &str, now: i64) -> Result<Given, Reply> {
    let mut orgs = world.orgs.iter_mut().enumerate().filter(|(_, o)| o.client_id == client_id);
    let found = orgs.find_map(|(at, o)| o.grants.live(refresh_token).is_some().then_some((at, o)));
    let (at, org) = found.ok_or_else(|| error("invalid_code"))?;
    while org.refreshes.front().is_some_and(|(at, _)| *at <= now - TEN_MINUTES) {
        org.refreshes.pop_front();
    }
    if org.refreshes.iter().filter(|(_, with)| with == refresh_token).count() >= REFRESHES {
        let description = "You have made too many requests continuously. Please try again after some time.";
        return Err(Reply::json(
            400,
            json!({"error_description": description, "error": "Access Denied", "status": "failure"}),
        ));
    }
    org.refreshes.push_back((now, refresh_token.to_owned()));
    Ok((at, refresh_token.to_owned(), json!({})))
}

/// A token of the account's own self client, for one organisation, and no refresh token (Zoho docs: Self client, client
/// credentials flow).
fn self_client(world: &mut World, client_id: &str, soid: &str, scope: &str) -> Result<Given, Reply> {
    let Some(organisation) = soid.strip_prefix("ZohoCRM.") else { return Err(error("missing_org_info")) };
    if scope.is_empty() {
        return Err(error("invalid_scope"));
    }
    let of_client = |o: &Org| o.client_id == client_id && o.id == organisation;
    let at = world.orgs.iter_mut().position(|o| of_client(o) && o.grants.any());
    let at = at.ok_or_else(|| error("invalid_client"))?;
    Ok((at, String::new(), json!({"scope": scope.replace(',', " ")})))
}

/// A refresh token comes only with `access_type=offline`, and where the app is known already only with `prompt=consent`.
fn exchanged(world: &mut World, presented: &Presented<'_>, now: i64) -> Result<Given, Reply> {
    let code = world.consents.codes.redeem(presented, now).map_err(|flaw| match flaw {
        Flaw::Redirect => error("invalid_redirect_uri"),
        Flaw::Unknown | Flaw::Expired | Flaw::NoVerifier | Flaw::Verifier => error("invalid_code"),
    })?;
    let at = world.orgs.iter().position(|o| o.id == code.account_id).ok_or_else(|| error("invalid_code"))?;
    let grants = &mut world.orgs[at].grants;
    // Scopes come back apart from each other by spaces.
    let scope = code.scope.replace(',', " ");
    if !code.offline || (grants.any() && !code.consent) {
        return Ok((at, String::new(), json!({"scope": scope})));
    }
    let refresh_token = format!("1000.{}.{}", world.rng.hex(32), world.rng.hex(32));
    grants.add(Grant::new(refresh_token.clone(), code.scope), GRANTS);
    let more = json!({"refresh_token": refresh_token, "scope": scope});
    Ok((at, refresh_token, more))
}

impl Org {
    fn issue(&mut self, token: Token, now: i64) {
        self.tokens.retain(|t| now < t.dies);
        let mut beside = self.tokens.iter().enumerate().filter(|(_, t)| t.refresh_token == token.refresh_token);
        if let Some(oldest) = beside.next().map(|(at, _)| at).filter(|_| beside.count() + 1 >= LIVE) {
            self.tokens.remove(oldest);
        }
        self.tokens.push(token);
        self.tokens_given += 1;
    }
}

/// A refresh token takes its access tokens with it (Zoho docs: revoke tokens).
pub fn revoke(world: &mut World, call: &Call) -> Reply {
    let token = call.field("token");
    for org in &mut world.orgs {
        if org.grants.end(&token) {
            org.tokens.retain(|t| t.refresh_token != token);
            return Reply::json(200, json!({"status": "success"}));
        }
    }
    Reply::json(400, json!({"error": "invalid_token"}))
}

fn error(name: &str) -> Reply {
    Reply::json(200, json!({"error": name}))
}
