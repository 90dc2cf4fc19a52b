//! An OpenID Connect issuer for the people who run a tenant: not a CRM, but who says who they are.
//!
//! OpenID Connect Core 1.0 (authorization code flow), OpenID Connect Discovery 1.0, RFC 7636 (PKCE, S256). Its times are real: it
//! is no part of the world whose clock can be advanced.

mod page;
mod token;

pub use token::signed;

use crate::clock::real_now;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Somebody who can log in.
#[derive(Debug)]
pub struct Person {
    pub name: &'static str,
    pub tenant: &'static str,
    pub role: &'static str,
}

pub const PEOPLE: &[Person] = &[
    Person { name: "vera", tenant: "demo", role: "viewer" },
    Person { name: "oscar", tenant: "demo", role: "operator" },
    Person { name: "ada", tenant: "demo", role: "admin" },
    Person { name: "eve", tenant: "elsewhere", role: "admin" },
    Person { name: "root", tenant: "*", role: "admin" },
];

/// Whom tokens are for.
pub const AUDIENCE: &str = "crm-sync";
/// How long a token is good, and a code.
const TOKEN_S: i64 = 3_600;
const CODE_MS: i64 = 60_000;

/// Codes that are not redeemed yet.
type Codes = Arc<Mutex<BTreeMap<String, Code>>>;
type Form = BTreeMap<String, String>;
type Answer = (StatusCode, HeaderMap, String);

#[derive(Debug)]
struct Code {
    person: &'static Person,
    client: String,
    redirect: String,
    challenge: String,
    nonce: Option<String>,
    until: i64,
}

pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/issuer/.well-known/openid-configuration", get(discovery))
        .route("/issuer/jwks", get(keys))
        .route("/issuer/authorize", get(authorize).post(log_in))
        .route("/issuer/token", post(redeem))
        .with_state(Codes::default())
}

/// The issuer's name, as tokens tell it: where it was asked.
fn issuer(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}/issuer")
}

async fn discovery(headers: HeaderMap) -> Answer {
    let issuer = issuer(&headers);
    let told = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"), "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"), "response_types_supported": ["code"], "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"], "scopes_supported": ["openid"],
    });
    json_answer(StatusCode::OK, &told)
}

async fn keys() -> Answer {
    json_answer(StatusCode::OK, &token::key_set().unwrap_or_default())
}

fn form(text: &str) -> Form {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// Why an application is not let on; the person stays here (OpenID Connect Core 1.0, 3.1.2.6).
fn unsound(asked: &Form) -> Option<&'static str> {
    let is = |name: &str, value: &str| asked.get(name).is_some_and(|given| given == value);
    let redirect = asked.get("redirect_uri").map(String::as_str).unwrap_or_default();
    let local = ["http://127.0.0.1:", "http://localhost:"].iter().any(|host| redirect.starts_with(host));
    match () {
        () if !is("client_id", AUDIENCE) => Some("no such client"),
        () if !local => Some("that is no page of the client"),
        () if !is("response_type", "code") => Some("response_type must be code"),
        () if !is("code_challenge_method", "S256") || !asked.contains_key("code_challenge") => {
            Some("PKCE with S256 is required")
        }
        () => None,
    }
}

async fn authorize(RawQuery(query): RawQuery) -> Answer {
    match unsound(&form(query.as_deref().unwrap_or_default())) {
        Some(why) => html(StatusCode::BAD_REQUEST, page::problem(why)),
        None => html(StatusCode::OK, page::who(PEOPLE)),
    }
}

async fn log_in(State(codes): State<Codes>, RawQuery(query): RawQuery, body: String) -> Answer {
    let (asked, said) = (form(query.as_deref().unwrap_or_default()), form(&body));
    if let Some(why) = unsound(&asked) {
        return html(StatusCode::BAD_REQUEST, page::problem(why));
    }
    let Some(person) = PEOPLE.iter().find(|one| said.get("person").is_some_and(|name| name == one.name)) else {
        return html(StatusCode::BAD_REQUEST, page::problem("nobody of that name"));
    };
    let text = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let code = token::secret();
    let kept = Code {
        person,
        client: text("client_id"),
        redirect: text("redirect_uri"),
        challenge: text("code_challenge"),
        nonce: asked.get("nonce").cloned(),
        until: real_now() + CODE_MS,
    };
    codes.lock().unwrap_or_else(PoisonError::into_inner).insert(code.clone(), kept);
    let back = form_urlencoded::Serializer::new(String::new())
        .append_pair("code", &code)
        .append_pair("state", &text("state"))
        .finish();
    let mut headers = HeaderMap::new();
    if let Ok(to) = format!("{}?{back}", text("redirect_uri")).parse() {
        headers.insert(header::LOCATION, to);
    }
    (StatusCode::FOUND, headers, String::new())
}

async fn redeem(State(codes): State<Codes>, headers: HeaderMap, body: Bytes) -> Answer {
    let said = form(&String::from_utf8_lossy(&body));
    let text = |name: &str| said.get(name).cloned().unwrap_or_default();
    let code = codes.lock().unwrap_or_else(PoisonError::into_inner).remove(&text("code"));
    let challenge = BASE64.encode(Sha256::digest(text("code_verifier")));
    let sound = |code: &Code| {
        code.until > real_now()
            && code.client == text("client_id")
            && code.redirect == text("redirect_uri")
            && code.challenge == challenge
    };
    let Some(code) = code.filter(sound).filter(|_| text("grant_type") == "authorization_code") else {
        return json_answer(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant"}));
    };
    let mut claims = claims(&issuer(&headers), code.person);
    if let Some(nonce) = code.nonce {
        claims["nonce"] = json!(nonce);
    }
    let token = signed(&claims, false);
    json_answer(
        StatusCode::OK,
        &json!({"access_token": token, "id_token": token, "token_type": "Bearer", "expires_in": TOKEN_S}),
    )
}

/// As people write it.
fn named(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

/// What a token says of somebody.
pub fn claims(issuer: &str, person: &Person) -> Value {
    let now = real_now() / 1_000;
    json!({"iss": issuer, "sub": format!("person-{}", person.name), "aud": AUDIENCE, "iat": now, "exp": now + TOKEN_S, "name": named(person.name), "tenant": person.tenant, "role": person.role})
}

fn html(status: StatusCode, page: String) -> Answer {
    (
        status,
        HeaderMap::from_iter([(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=utf-8"))]),
        page,
    )
}

fn json_answer(status: StatusCode, json: &Value) -> Answer {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    let headers = headers.map(|(name, value)| (name, header::HeaderValue::from_static(value)));
    (status, HeaderMap::from_iter(headers), json.to_string())
}
