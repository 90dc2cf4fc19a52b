//! Authorization codes: short-lived, for one client and one callback, good once.

use crate::calls::Crm;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

#[derive(Debug, Clone)]
pub struct Code {
    pub crm: Crm,
    pub text: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub account_id: String,
    /// As it was asked for.
    pub scope: String,
    /// The S256 challenge of PKCE.
    pub challenge: Option<String>,
    /// Zoho: a refresh token was asked for, and whether consent was asked for anew.
    pub offline: bool,
    pub consent: bool,
    pub dies: i64,
}

/// What a client presents for its tokens.
#[derive(Debug)]
pub struct Presented<'a> {
    pub crm: Crm,
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub code: &'a str,
    pub verifier: &'a str,
}

impl<'a> Presented<'a> {
    pub fn read(crm: Crm, client_id: &'a str, form: &'a [(String, String)]) -> Self {
        let get = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
        Self { crm, client_id, redirect_uri: get("redirect_uri"), code: get("code"), verifier: get("code_verifier") }
    }
}

/// Why a code is not taken. Each vendor spells it its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Never given, given to another client, or used already.
    Unknown,
    Expired,
    Redirect,
    NoVerifier,
    Verifier,
}

/// Codes that were not used yet.
#[derive(Debug, Default)]
pub struct Codes(Vec<Code>);

impl Codes {
    pub fn add(&mut self, code: Code) {
        self.0.push(code);
    }

    /// Takes the code out, if all that it is bound to is right.
    pub fn redeem(&mut self, presented: &Presented<'_>, now: i64) -> Result<Code, Flaw> {
        let Presented { crm, client_id, redirect_uri, code, verifier } = *presented;
        let found = self.0.iter().position(|c| c.crm == crm && c.text == code && c.client_id == client_id);
        let at = found.ok_or(Flaw::Unknown)?;
        let code = &self.0[at];
        if now >= code.dies {
            return Err(Flaw::Expired);
        }
        if code.redirect_uri != redirect_uri {
            return Err(Flaw::Redirect);
        }
        match &code.challenge {
            Some(_) if verifier.is_empty() => return Err(Flaw::NoVerifier),
            Some(challenge) if *challenge != s256(verifier) => return Err(Flaw::Verifier),
            Some(_) | None => {}
        }
        Ok(self.0.remove(at))
    }
}

/// RFC 7636, 4.2.
fn s256(verifier: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_challenge_is_that_of_the_rfc() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(super::s256(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
