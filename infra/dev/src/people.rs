//! The people who run a tenant: they log in at the stack's issuer as a browser does, and ask the control API.

use crate::http::{self, Hop};
use crate::stack::Stack;
use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Somebody who has logged in.
pub(crate) struct Person {
    pub(crate) token: String,
    api: String,
}

/// Where the issuer sends browsers back to: nobody listens there, the code is read from the address.
const CALLBACK: &str = "http://127.0.0.1:1/callback";
const CLIENT: &str = "crm-sync";

impl Person {
    /// The authorization code flow with PKCE (RFC 7636).
    pub(crate) fn log_in(stack: &Stack, name: &str) -> Result<Self> {
        let (issuer, api) =
            stack.issuer.as_deref().zip(stack.control.clone()).context("this stack has no control API")?;
        let known: Value = http::get_json(&format!("{issuer}/.well-known/openid-configuration"))?;
        let endpoint = |name: &str| known[name].as_str().with_context(|| format!("the issuer has no {name}"));
        // A person on their own machine: nobody else is there to guess it.
        let verifier = "a-verifier-of-forty-three-characters-or-more";
        let challenge = BASE64.encode(Sha256::digest(verifier));
        let page = format!(
            "{}?response_type=code&client_id={CLIENT}&redirect_uri={CALLBACK}&scope=openid&state=s&code_challenge={challenge}&code_challenge_method=S256",
            endpoint("authorization_endpoint")?
        );
        let form = [("person", name)];
        let back = http::hop(&Hop { form: Some(&form), ..Hop::get(&page) })?;
        let code = back.location.as_deref().and_then(|to| to.split("code=").nth(1)?.split('&').next());
        let code = code.with_context(|| format!("the issuer knows no {name}"))?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", CLIENT),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        let answer = http::hop(&Hop { form: Some(&form), ..Hop::get(endpoint("token_endpoint")?) })?;
        let answer: Value = serde_json::from_str(&answer.body)?;
        let token = answer["access_token"].as_str().context("the issuer gives no token")?.to_owned();
        Ok(Self { token, api })
    }

    /// What the API answers, which must be as asked.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (status, answer) = http::ask(method, &format!("{}{path}", self.api), &self.token, body)?;
        ensure!(status == 200, "{method} {path} answers {status}: {answer}");
        Ok(answer)
    }
}
