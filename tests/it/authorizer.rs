//! API Gateway's JWT authorizer: which tokens it lets pass, and how it hands their claims on.
//!
//! API Gateway docs: control access to HTTP APIs with JWT authorizers.

use crate::world::now;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Map, Value as Json, json};
use simulator::issuer::AUDIENCE;
use std::sync::atomic::AtomicI64;

/// The claims of a token that holds.
pub(crate) async fn claims(issuer: &str, authorization: Option<&str>) -> Option<Map<String, Json>> {
    let token = authorization?;
    let token = token.strip_prefix("Bearer ").unwrap_or(token);
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let [header, claims] =
        [header, claims].map(|part| BASE64.decode(part).ok().and_then(|json| serde_json::from_slice(&json).ok()));
    let (header, claims): (Json, Json) = (header?, claims?);
    let key = key(issuer, &header["kid"]).await?;
    let number = |name: &str| BASE64.decode(key[name].as_str()?).ok();
    let key = RsaPublicKeyComponents { n: number("n")?, e: number("e")? };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &BASE64.decode(signature).ok()?).ok()?;
    let now = now(&AtomicI64::new(0)).as_second();
    let at = |name: &str| claims[name].as_i64();
    let audiences = match &claims["aud"] {
        Json::Null => vec![claims["client_id"].clone()],
        Json::Array(several) => several.clone(),
        one => vec![one.clone()],
    };
    let holds = header["alg"] == "RS256"
        && claims["iss"] == issuer
        && audiences.contains(&json!(AUDIENCE))
        && at("exp").is_some_and(|exp| exp > now)
        && at("nbf").is_none_or(|nbf| nbf <= now)
        && at("iat").is_none_or(|iat| iat <= now);
    let handed = claims.as_object()?.iter().map(|(name, value)| (name.clone(), json!(written(value))));
    holds.then(|| handed.collect())
}

async fn key(issuer: &str, id: &Json) -> Option<Json> {
    let get = async |url: &str| reqwest::get(url).await.ok()?.json::<Json>().await.ok();
    let known = get(&format!("{issuer}/.well-known/openid-configuration")).await?;
    let keys = get(known["jwks_uri"].as_str()?).await?;
    keys["keys"].as_array()?.iter().find(|key| key["kid"] == *id).cloned()
}

/// Every claim is a text to whoever gets it, and a list is one in brackets.
fn written(claim: &Json) -> String {
    match claim {
        Json::String(text) => text.clone(),
        Json::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}
