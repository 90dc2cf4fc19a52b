//! Tokens without a person: client credentials and the JWT bearer (Salesforce help: OAuth 2.0 client credentials flow,
//! OAuth 2.0 JWT bearer flow). An org where the app has no grant any more gives none.

use super::auth::{Given, refused};
use crate::clock::real_now;
use crate::grants::Grant;
use crate::wire::Reply;
use crate::world::World;
use base64::Engine as _;
use serde_json::Value;

pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that an assertion may still live, in seconds.
const LIVES: i64 = 300;
const HOSTS: [&str; 2] = ["https://login.salesforce.com", "https://test.salesforce.com"];

/// The app itself, as the user that is set for it.
pub fn client_credentials(world: &World, client_id: &str) -> Result<Given, Reply> {
    without_person(world, client_id).ok_or_else(|| refused("invalid_grant", "no client credentials user enabled"))
}

/// A signed assertion, whose signature nobody checks here. Its times are the machine's, as all signatures' are.
pub fn jwt_bearer(world: &World, base: &str, assertion: &str) -> Result<Given, Reply> {
    let claims = claims(assertion).ok_or_else(|| refused("invalid_grant", "invalid assertion"))?;
    let get = |name: &str| claims[name].as_str().unwrap_or_default();
    let client_id = get("iss");
    if !world.salesforce_orgs.iter().any(|o| o.client_id == client_id) {
        return Err(refused("invalid_client_id", "client identifier invalid"));
    }
    let own = format!("{base}/salesforce");
    if !HOSTS.contains(&get("aud")) && get("aud") != own {
        return Err(refused("invalid_grant", "audience is invalid"));
    }
    let left = claims["exp"].as_i64().unwrap_or_default() - real_now() / 1000;
    if !(1..=LIVES).contains(&left) {
        return Err(refused("invalid_grant", "assertion has expired or lives too long"));
    }
    let approved = without_person(world, client_id).filter(|_| !get("sub").is_empty());
    approved.ok_or_else(|| refused("invalid_grant", "user hasn't approved this consumer"))
}

/// A session that goes with no refresh token.
fn without_person(world: &World, client_id: &str) -> Option<Given> {
    let at = world.salesforce_orgs.iter().position(|o| o.client_id == client_id && o.grants.any())?;
    Some(Given { at, grant: Grant::new(String::new(), "api".to_owned()), told: None })
}

/// What is in three parts of base64url, the first of which says RS256.
fn claims(assertion: &str) -> Option<Value> {
    let parts: Vec<_> = assertion.split('.').map(|part| decode(part).filter(|bytes| !bytes.is_empty())).collect();
    let [Some(header), Some(claims), Some(_)] = parts.as_slice() else { return None };
    let header: Value = serde_json::from_slice(header).ok()?;
    if header["alg"] != "RS256" {
        return None;
    }
    serde_json::from_slice(claims).ok()
}

fn decode(part: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).ok()
}
