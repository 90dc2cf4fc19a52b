//! Assertions that stand for a client's secret: a JWT signed by RS256 (RFC 7515, RFC 7518 section 3.3, RFC 7523).

use super::session::Secret;
use crate::error::{Error, Result};
use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::{Value as Json, json};

/// The claims, signed.
pub(super) fn signed(claims: &Json, pem: &Secret) -> Result<Secret> {
    let key = read(pem)?;
    let [header, claims] = [json!({"alg": "RS256", "typ": "JWT"}).to_string(), claims.to_string()]
        .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    let signed = format!("{header}.{claims}");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| Error::bug("a key that does not sign"))?;
    Ok(Secret::new(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))))
}

/// An RSA key, as `openssl genpkey` writes it or in the older form. Nothing of it is told in the error.
fn read(pem: &Secret) -> Result<KeyPair> {
    let unfit = || Error::Config { reason: "the key is no RSA private key of 2048 bits or more in PEM".to_owned() };
    let key = match PrivateKeyDer::from_pem_slice(pem.reveal().as_bytes()).map_err(|_| unfit())? {
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(unfit()),
    };
    key.map_err(|_| unfit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
        rsa::KeySize,
        signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
    };
    use base64::prelude::BASE64_STANDARD;

    #[test]
    fn an_assertion_is_three_parts_that_the_public_key_proves() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(der.as_ref())
        );
        let told = signed(&json!({"iss": "client"}), &Secret::new(pem)).unwrap();
        let (signed, signature) = told.reveal().rsplit_once('.').unwrap();
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_ref())
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().1).unwrap();
        assert_eq!(claims, br#"{"iss":"client"}"#);
    }

    #[test]
    fn what_is_no_key_is_told_without_it() {
        for unfit in ["", "secret", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"] {
            let error = signed(&json!({}), &Secret::new(unfit)).unwrap_err();
            assert!(matches!(&error, Error::Config { reason } if !reason.contains("secret")), "{error}");
        }
    }
}
