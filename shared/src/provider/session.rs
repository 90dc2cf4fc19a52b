//! One authorised conversation with one CRM account. `send` is the only door out.

use super::{
    quota::{Budget, Limits},
    ways::Means,
};
use crate::{
    context::{Clock, until},
    error::{Error, Result},
    id::AccountId,
    mapping::Mapping,
};
use backon::{ExponentialBuilder, Retryable};
use jiff::Timestamp;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A credential. It has no `Display`, and its `Debug` tells nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }
    /// The secret itself: for the call that needs it, nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Our app, as the CRM's vendor registered it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppCredentials {
    pub client_id: String,
    pub client_secret: Secret,
    /// The secret before the last rotation: deliveries signed with it are genuine for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret: Option<Secret>,
    /// For how long; one of which this is not known is good until the next rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<Timestamp>,
}

impl AppCredentials {
    /// Whatever signs a delivery now.
    pub fn proofs(&self, now: Timestamp) -> Vec<Secret> {
        let is_good = self.previous_until.is_none_or(|until| until > now);
        let before = self.previous_secret.as_ref().filter(|_| is_good);
        [&self.client_secret].into_iter().chain(before).cloned().collect()
    }
}

/// What one account gave us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    pub access_token: Secret,
    /// `None` for a token that does not expire, such as HubSpot's private apps have.
    #[serde(default)]
    pub refresh_token: Option<Secret>,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Where the account's API is, in the CRM's own words. Not to be trusted: see [`Hosts`].
    #[serde(default)]
    pub api_domain: Option<String>,
    #[serde(default)]
    pub accounts_server: Option<String>,
    /// How it came to us, and so how it is renewed.
    #[serde(default)]
    pub means: Means,
    /// What it is good for, where token answers tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Which account it is for, where token answers tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Who we are in the account, where deliveries say whose change they tell of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What the CRM gives back in each delivery, where it signs none.
    #[serde(default)]
    pub webhook_token: Option<Secret>,
    /// Since when it has been that; one of which this is not known is old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_token: Option<OtherToken>,
}

/// A second token that proves deliveries too, while one follows another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum OtherToken {
    /// The CRM does not know it yet.
    Next { token: Secret, since: Timestamp },
    /// The CRM may still send it.
    Before { token: Secret, until: Timestamp },
}

impl Grant {
    /// Whatever proves a delivery now.
    pub fn proofs(&self, now: Timestamp) -> Vec<Secret> {
        let other = self.other_token.as_ref().and_then(|other| match other {
            OtherToken::Before { until, .. } if *until <= now => None,
            OtherToken::Next { token, .. } | OtherToken::Before { token, .. } => Some(token),
        });
        self.webhook_token.iter().chain(other).cloned().collect()
    }
}

/// Where CRMs may be. In production nothing but each vendor's own hosts; a local stack names one URL under which
/// each CRM has a path of its own, such as `http://127.0.0.1:9000/hubspot`.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    pub local: Option<String>,
}

/// One conversation.
pub struct Session {
    pub http: reqwest::Client,
    /// Scheme, host and perhaps a path prefix; no slash at the end.
    pub base: String,
    /// The header that authorises a call, and what stands in it.
    pub header: &'static str,
    pub authorization: Secret,
    /// Sent along, so that one id runs through message, record, call and log.
    pub trace: String,
    pub clock: Arc<dyn Clock>,
    /// No call is begun, and none may last, beyond this.
    pub deadline: Timestamp,
    pub limits: Limits,
    pub budget: Budget,
    /// Whether any call was answered well: then a rate limit that follows is a short one.
    pub answered: Arc<AtomicBool>,
}

/// An answer, read whole. A body that is no JSON is `Null`.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Json,
}

impl Answer {
    /// When it was given, by the CRM's own clock.
    pub fn date(&self) -> Option<Timestamp> {
        let date = self.headers.get(reqwest::header::DATE)?.to_str().ok()?;
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()
    }
}

/// A text as one part of a query.
pub fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A request of a provider.
pub struct Request {
    pub method: Method,
    /// Path and query, below the base.
    pub path: String,
    pub body: Option<Json>,
    pub headers: Vec<(&'static str, String)>,
}

impl Request {
    pub fn get(path: impl Into<String>) -> Request {
        Request { method: Method::GET, path: path.into(), body: None, headers: Vec::new() }
    }
    pub fn post(path: impl Into<String>, body: Json) -> Request {
        Request { method: Method::POST, path: path.into(), body: Some(body), headers: Vec::new() }
    }
}

/// What an answer larger than this holds is not read.
const MOST_BYTES: usize = 32 << 20;
/// How long one call may take.
const CALL: Duration = Duration::from_secs(15);

impl Session {
    /// Sends a request that can be repeated without harm; `judge` makes the vendor's errors ours. Tries twice more where that
    /// is [`Error::Retryable`].
    pub async fn send(&self, request: &Request, judge: fn(&Answer) -> Option<Error>) -> Result<Answer> {
        let retry =
            ExponentialBuilder::default().with_min_delay(Duration::from_millis(200)).with_max_times(2).with_jitter();
        let worth_it = |error: &Error| matches!(error, Error::Retryable { after: None, .. }) && self.left() > CALL;
        (async || self.send_once(request, judge).await).retry(retry).when(worth_it).await
    }

    /// Sends a write, which is repeated only where that is the same write: without our id a create would make another record.
    pub async fn send_write(
        &self,
        mapping: &Mapping,
        request: &Request,
        judge: fn(&Answer) -> Option<Error>,
    ) -> Result<Answer> {
        match request.method == Method::POST && !mapping.has_room() {
            true => self.send_once(request, judge).await,
            false => self.send(request, judge).await,
        }
    }

    /// Sends a request whose repetition would do it twice.
    pub async fn send_once(&self, request: &Request, judge: fn(&Answer) -> Option<Error>) -> Result<Answer> {
        let answer = self.once(request).await?;
        match judge(&answer) {
            Some(error) => Err(error),
            None => {
                self.answered.store(true, Ordering::Relaxed);
                Ok(answer)
            }
        }
    }

    fn left(&self) -> Duration {
        until(self.clock.now(), self.deadline)
    }

    async fn once(&self, request: &Request) -> Result<Answer> {
        let _admitted = self.budget.admit((self.limits.weigh)(request), self.deadline).await?;
        let patience = self.left().min(CALL);
        if patience.is_zero() {
            return Err(Error::retryable("no time is left for another call"));
        }
        let mut call = self
            .http
            .request(request.method.clone(), format!("{}{}", self.base, request.path))
            .header(self.header, self.authorization.reveal())
            .header("x-correlation-id", &self.trace)
            .timeout(patience);
        for (name, value) in &request.headers {
            call = call.header(*name, value);
        }
        if let Some(body) = &request.body {
            call = call.json(body);
        }
        let answer = read(call).await?;
        self.budget.told((self.limits.told)(&answer.headers));
        Ok(answer)
    }
}

/// Sends a request and reads its answer whole.
pub async fn read(call: reqwest::RequestBuilder) -> Result<Answer> {
    let lost = |error: reqwest::Error| Error::retryable("the CRM did not answer").because(error.without_url());
    let mut response = call.send().await.map_err(lost)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let told = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(told.min(MOST_BYTES));
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(Error::retryable("the CRM's answer is too large"));
        }
        bytes.extend_from_slice(&chunk);
    }
    let body = match serde_json::from_slice(&bytes) {
        Ok(body) => body,
        Err(error) if status.is_success() && !bytes.is_empty() => {
            return Err(Error::retryable("the CRM's answer is cut short or no JSON").because(error));
        }
        Err(_) => Json::Null,
    };
    Ok(Answer { status, headers, body })
}
