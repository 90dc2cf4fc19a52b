//! Tokens, signed by RS256 (RFC 7515, RFC 7518 section 3.3), and the key that proves them (RFC 7517).

use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The issuer's key, and one that is not.
static KEYS: LazyLock<[Option<KeyPair>; 2]> =
    LazyLock::new(|| [0, 1].map(|_| KeyPair::generate(KeySize::Rsa2048).ok()));

const KEY_ID: &str = "simulated-1";

/// Claims with a signature. `forged`: by another key than the one that is published, under its name.
pub fn signed(claims: &Value, forged: bool) -> Option<String> {
    let key = KEYS[usize::from(forged)].as_ref()?;
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID});
    let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", BASE64.encode(signature)))
}

/// What anybody can prove tokens by.
pub fn key_set() -> Option<Value> {
    let key = KEYS[0].as_ref()?;
    // RFC 8017, A.1.1: the modulus of 2048 bits behind its head and a zero byte, then the exponent of three bytes.
    let der = key.public_key().as_ref();
    let (modulus, exponent) = (der.get(9..9 + 256)?, der.get(der.len() - 3..)?);
    let [n, e] = [modulus, exponent].map(|number| BASE64.encode(number));
    Some(json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": n, "e": e}]}))
}

/// What nobody guesses.
pub fn secret() -> String {
    let mut bytes = [0_u8; 24];
    let _ = fill(&mut bytes);
    BASE64.encode(bytes)
}
