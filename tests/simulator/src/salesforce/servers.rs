//! Tokens without a person: client credentials and the JWT bearer (Salesforce help: OAuth 2.0 client credentials flow,
//! OAuth 2.0 JWT bearer flow). An org where the app has no grant any more gives none.

use super::auth::{Given, refused};
use crate::grants::Grant;
use crate::wire::Reply;
use crate::world::World;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};
use serde_json::Value;

pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that an assertion may still live, in seconds.
const LIVES: i64 = 300;
const HOSTS: [&str; 2] = ["https://login.salesforce.com", "https://test.salesforce.com"];

/// The app itself, as the user that is set for it.
pub fn client_credentials(world: &World, client_id: &str) -> Result<Given, Reply> {
    without_person(world, client_id).ok_or_else(|| refused("invalid_grant", "no client credentials user enabled"))
}

/// An assertion that the app's key has signed.
pub fn jwt_bearer(world: &World, base: &str, assertion: &str) -> Result<Given, Reply> {
    let claims = claims(assertion).ok_or_else(|| refused("invalid_grant", "invalid assertion"))?;
    let get = |name: &str| claims[name].as_str().unwrap_or_default();
    let client_id = get("iss");
    let mut orgs = world.salesforce_orgs.iter().filter(|o| o.client_id == client_id).peekable();
    if orgs.peek().is_none() {
        return Err(refused("invalid_client_id", "client identifier invalid"));
    }
    if !orgs.any(|o| o.public_key.as_ref().is_some_and(|key| proves(key, assertion))) {
        return Err(refused("invalid_grant", "invalid assertion"));
    }
    let own = format!("{base}/salesforce");
    if !HOSTS.contains(&get("aud")) && get("aud") != own {
        return Err(refused("invalid_grant", "audience is invalid"));
    }
    let left = claims["exp"].as_i64().unwrap_or_default() - world.clock.now() / 1000;
    if !(1..=LIVES).contains(&left) {
        return Err(refused("invalid_grant", "assertion has expired or lives too long"));
    }
    let approved = without_person(world, client_id).filter(|_| !get("sub").is_empty());
    approved.ok_or_else(|| refused("invalid_grant", "user hasn't approved this consumer"))
}

/// Whether a key, as PEM, has signed an assertion by RS256 (RFC 7518).
fn proves(key: &str, assertion: &str) -> bool {
    let Ok(key) = SubjectPublicKeyInfoDer::from_pem_slice(key.as_bytes()) else { return false };
    let Some((signed, signature)) = assertion.rsplit_once('.') else { return false };
    let Some(signature) = decode(signature) else { return false };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref());
    key.verify(signed.as_bytes(), &signature).is_ok()
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
