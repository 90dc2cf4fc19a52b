//! A person logs in at their issuer: authorization code with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636).
//!
//! Nothing is stored before the issuer has spoken: what goes along with the browser (state, nonce, verifier) is derived from a secret
//! that only it has. The token comes from the issuer itself over TLS, so its signature proves nothing more (section 3.1.3.7, point 6).

use super::session::Session;
use crate::{
    app::{App, Login},
    context::Context,
    error::{Error, Result},
    provider::Secret,
    store::tickets::digest,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::{collections::HashMap, time::Duration};
use subtle::ConstantTimeEq;

/// What a browser brings back from the issuer.
pub struct Answer {
    pub state: String,
    /// What it was given when it began.
    pub browser: Option<Secret>,
    /// `None` where the issuer let nobody in.
    pub code: Option<Secret>,
    pub redirect_uri: String,
}

/// Why somebody is not logged in. Nothing in it came from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    #[error(
        "This answer is not to anything that this browser has asked. Log in once more, in one window from begin to end."
    )]
    NotAsked,
    #[error("Your issuer did not let you in. Log in once more, or ask whoever runs it for an account.")]
    Denied,
    #[error("What your issuer says of you does not hold: {0}. Whoever runs this stack can correct it in its settings.")]
    Unproved(&'static str),
    #[error(
        "Your account names no tenant and no role here. Whoever runs your issuer gives you one tenant, and the role viewer, operator or admin."
    )]
    Nobody,
}

/// What an issuer tells of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Issuer {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

const PATIENCE: Duration = Duration::from_secs(8);

impl App {
    /// The issuer's page, for the browser that holds this secret.
    pub async fn begin_login(&self, browser: &Secret, redirect_uri: &str) -> Result<String> {
        let known = self.issuer().await?;
        let mut page = Url::parse(&known.authorization_endpoint).map_err(|_| unfit("authorization_endpoint"))?;
        if page.scheme() != "https" && !self.is_issuers(&page) {
            return Err(unfit("authorization_endpoint"));
        }
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(derived("verifier", browser)));
        page.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.login.client)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", "openid profile")
            .append_pair("state", &derived("state", browser))
            .append_pair("nonce", &derived("nonce", browser))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(page.into())
    }

    /// Takes the issuer's answer.
    pub async fn finish_login(&self, cx: &Context, answer: Answer) -> Result<Result<Session, Turned>> {
        let Answer { state, browser, code, redirect_uri } = answer;
        let Some(browser) = browser else { return Ok(Err(Turned::NotAsked)) };
        if !bool::from(derived("state", &browser).as_bytes().ct_eq(state.as_bytes())) {
            return Ok(Err(Turned::NotAsked));
        }
        let Some(code) = code else { return Ok(Err(Turned::Denied)) };
        let Some(token) = self.redeem(&code, &redirect_uri, &derived("verifier", &browser)).await? else {
            return Ok(Err(Turned::Denied));
        };
        let Some(claims) = claims(&token) else { return Ok(Err(Turned::Unproved("its token cannot be read"))) };
        let ends = match proved(&claims, &self.settings.login, &derived("nonce", &browser), cx.now()) {
            Ok(ends) => ends,
            Err(why) => return Ok(Err(Turned::Unproved(why))),
        };
        let names = &self.settings.claims;
        let kept = |name: &str| claims.get(name).map(|claim| (name.to_owned(), written(claim)));
        let who: HashMap<String, String> = ["sub", &names.tenant, &names.role].into_iter().filter_map(kept).collect();
        let session = Session::new(who, claims["name"].as_str().map(str::to_owned), ends, cx);
        Ok(session.caller(names).map(|_| session).ok_or(Turned::Nobody))
    }

    /// An id token for a code; `None` where the code is not good.
    async fn redeem(&self, code: &Secret, redirect_uri: &str, verifier: &str) -> Result<Option<Secret>> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: Secret,
        }
        let (known, secret) = futures::try_join!(self.issuer(), self.secrets.login())?;
        let at = Url::parse(&known.token_endpoint).ok().filter(|at| self.is_issuers(at));
        let at = at.ok_or_else(|| unfit("token_endpoint"))?;
        let client = self.settings.login.client.as_str();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.reveal()),
            ("redirect_uri", redirect_uri),
            ("client_id", client),
            ("code_verifier", verifier),
        ];
        let mut call = self.http()?.post(at).timeout(PATIENCE);
        let ways = known.token_endpoint_auth_methods_supported;
        let has = |way: &str| ways.iter().any(|one| one == way);
        if let Some(secret) = &secret {
            // OpenID Connect Discovery 1.0: where nothing is said, it is Basic; RFC 6749, 2.3.1: each half encoded.
            if ways.is_empty() || has("client_secret_basic") {
                let [id, secret] =
                    [client, secret.reveal()].map(|half| utf8_percent_encode(half, NON_ALPHANUMERIC).to_string());
                call = call.basic_auth(id, Some(secret));
            } else {
                form.push(("client_secret", secret.reveal()));
            }
        }
        let answer = call.form(&form).send().await.map_err(unreached)?;
        match answer.status() {
            StatusCode::OK => {
                let tokens: Tokens = answer.json().await.map_err(|_| Error::Config {
                    reason: "the issuer gives no id token: let our client ask for the scope openid".to_owned(),
                })?;
                Ok(Some(tokens.id_token))
            }
            StatusCode::BAD_REQUEST => Ok(None),
            StatusCode::UNAUTHORIZED => Err(Error::Config {
                reason: "the issuer does not accept our client: see to LoginClient and its secret".to_owned(),
            }),
            other => Err(Error::retryable(format!("the issuer answers {other}"))),
        }
    }

    async fn issuer(&self) -> Result<Issuer> {
        let lacking = || Error::Config { reason: "no issuer is named: deploy with Issuer=…".to_owned() };
        let issuer = self.settings.login.issuer.as_ref().ok_or_else(lacking)?;
        let at = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let at = Url::parse(&at).ok().filter(|at| self.is_issuers(at)).ok_or_else(|| unfit("name"))?;
        let answer = self.http()?.get(at).timeout(PATIENCE).send().await.map_err(unreached)?;
        let known: Issuer = answer.json().await.map_err(unreached)?;
        if known.issuer != *issuer {
            return Err(Error::Config { reason: "Issuer is not spelt as the issuer spells itself".to_owned() });
        }
        Ok(known)
    }

    fn is_issuers(&self, url: &Url) -> bool {
        may_be_called(url, &self.settings.login, self.settings.hosts.local.is_some())
    }
}

/// Whether it is the issuer's own host, or the other one that the stack's settings name. Without TLS, only in a local stack.
fn may_be_called(url: &Url, login: &Login, local: bool) -> bool {
    let issuer = login.issuer.as_ref().and_then(|issuer| Url::parse(issuer).ok());
    let own = issuer.is_some_and(|issuer| issuer.origin() == url.origin());
    let other = login.host.is_some() && url.host_str() == login.host.as_deref() && url.port().is_none();
    match url.scheme() {
        "https" => own || other,
        _ => own && local,
    }
}

/// What goes along with a login, of which only its browser knows where it comes from.
fn derived(what: &str, browser: &Secret) -> String {
    digest(&Secret::new(format!("login {what} of {}", browser.reveal())))
}

fn unfit(what: &str) -> Error {
    Error::Config { reason: format!("the issuer's {what} is nowhere that we may go: see to Issuer and LoginHost") }
}

/// What lies beneath may name the URL, which has no secret in it, and nothing of an answer.
fn unreached(error: reqwest::Error) -> Error {
    Error::retryable("the issuer is out of reach").because(error)
}

/// What a token says, unproved.
fn claims(token: &Secret) -> Option<Json> {
    let claims = token.reveal().split('.').nth(1)?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// Until when a token's claims hold, for us and for this login (OpenID Connect Core 1.0, section 3.1.3.7).
fn proved(claims: &Json, login: &Login, nonce: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    let client = login.client.as_str();
    let (for_us, alone) = match &claims["aud"] {
        Json::Array(all) => (all.iter().any(|one| one == client), all.len() == 1),
        one => (one == client, true),
    };
    let ends = claims["exp"].as_i64().and_then(|second| Timestamp::from_second(second).ok());
    match ends {
        _ if claims["iss"].as_str() != login.issuer.as_deref() => Err("it is another issuer's"),
        _ if !for_us || !alone && claims["azp"] != client => Err("it is for somebody else"),
        _ if claims["nonce"] != nonce => Err("it is of another login"),
        Some(ends) if ends > now => Ok(ends),
        _ => Err("it is too old"),
    }
}

/// A claim as the gateway hands it on: each is a text, and a list is one in brackets.
fn written(claim: &Json) -> String {
    match claim {
        Json::String(text) => text.clone(),
        Json::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nobody_is_called_but_the_issuer() {
        let login = Login {
            issuer: Some("https://issuer.example/pool".to_owned()),
            host: Some("codes.example".to_owned()),
            ..Login::default()
        };
        let called = |url: &str, login: &Login, local| may_be_called(&Url::parse(url).unwrap(), login, local);
        for url in ["https://issuer.example/token", "https://codes.example/oauth2/token"] {
            assert!(called(url, &login, false), "{url}");
        }
        for url in [
            "http://issuer.example/token",
            "https://issuer.example:8443/token",
            "https://issuer.example@evil.example/token",
            "https://evil.example/issuer.example",
            "http://codes.example/token",
            "https://codes.example:8443/token",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
        ] {
            assert!(!called(url, &login, false) && !called(url, &login, true), "{url}");
        }
        let local = Login { issuer: Some("http://127.0.0.1:9/issuer".to_owned()), ..Login::default() };
        assert!(called("http://127.0.0.1:9/issuer/token", &local, true));
        assert!(!called("http://127.0.0.1:9/issuer/token", &local, false), "without TLS only in a local stack");
        assert!(!called("https://issuer.example/token", &Login::default(), true), "where no issuer is named, nobody");
    }

    #[test]
    fn a_token_holds_only_for_us_for_now_and_for_this_login() {
        let now = Timestamp::from_second(1_000).unwrap();
        let login =
            Login { issuer: Some("https://issuer.example".to_owned()), client: "us".to_owned(), ..Login::default() };
        let sound = json!({"iss": "https://issuer.example", "aud": "us", "exp": 1_001, "nonce": "n"});
        let with = |name: &str, value: Json| {
            let mut claims = sound.clone();
            claims[name] = value;
            proved(&claims, &login, "n", now)
        };
        assert_eq!(with("sub", json!("somebody")), Ok(Timestamp::from_second(1_001).unwrap()));
        assert!(with("aud", json!(["us"])).is_ok());
        for (name, value) in [
            ("iss", json!("https://issuer.example/")),
            ("iss", Json::Null),
            ("aud", json!("them")),
            ("aud", json!(["them"])),
            ("aud", json!(["us", "them"])),
            ("exp", json!(1_000)),
            ("exp", Json::Null),
            ("nonce", json!("m")),
            ("nonce", Json::Null),
        ] {
            assert!(with(name, value.clone()).is_err(), "{name} {value}");
        }
        let mut for_both = sound.clone();
        (for_both["aud"], for_both["azp"]) = (json!(["us", "them"]), json!("us"));
        assert!(proved(&for_both, &login, "n", now).is_ok());
    }
}
