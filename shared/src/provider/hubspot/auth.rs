//! Where HubSpot is, and its tokens.

use super::failure;
use crate::{
    error::{Error, Result},
    provider::session::{Answer, AppCredentials, Grant, Hosts, Secret, read},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use std::time::Duration;

/// One host for every account, those of the EU data centre too (HubSpot docs: working with OAuth).
const HOST: &str = "https://api.hubapi.com";
/// How long an access token lives where the answer does not say (HubSpot docs: manage OAuth tokens).
const LIVES: i64 = 1800;
/// A token request must end within the lease that it is made under.
const PATIENCE: Duration = Duration::from_secs(10);

/// Only the vendor's own host, or the local stack's: HubSpot never names another one.
pub(super) fn base(hosts: &Hosts) -> String {
    hosts.local.as_ref().map_or_else(|| HOST.to_owned(), |local| format!("{}/hubspot", local.trim_end_matches('/')))
}

/// One token request (HubSpot docs: manage OAuth tokens, "Refresh an access token").
pub(super) async fn refresh(
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    grant: &Grant,
    now: Timestamp,
) -> Result<Grant> {
    let Some(refresh_token) = &grant.refresh_token else {
        return Err(Error::AuthExpired { reason: "there is no refresh token".to_owned() });
    };
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", app.client_id.as_str()),
        ("client_secret", app.client_secret.reveal()),
        ("refresh_token", refresh_token.reveal()),
    ];
    let url = format!("{}/oauth/{}/token", base(hosts), super::VERSION);
    let answer = read(http.post(url).form(&form).timeout(PATIENCE)).await?;
    granted(&answer, grant, now)
}

/// The grant to keep from now on. The answer normally repeats the refresh token; whatever comes back is kept.
fn granted(answer: &Answer, grant: &Grant, now: Timestamp) -> Result<Grant> {
    if !answer.status.is_success() {
        return Err(refused(answer));
    }
    let text = |name: &str| answer.body.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    let access_token = text("access_token").ok_or_else(|| Error::retryable("HubSpot gave no token"))?;
    let lives = answer.body.get("expires_in").and_then(Json::as_i64).unwrap_or(LIVES).clamp(60, 86_400);
    Ok(Grant {
        access_token: Secret::new(access_token),
        refresh_token: text("refresh_token").map(Secret::new).or_else(|| grant.refresh_token.clone()),
        expires_at: Some(now + SignedDuration::from_secs(lives)),
        ..grant.clone()
    })
}

/// The account no longer wants us: refused, revoked, uninstalled, deleted. Only connecting again helps.
const DEAD: &[&str] = &["BAD_REFRESH_TOKEN", "BAD_HUB", "BAD_AUTH_CODE", "invalid_grant", "access_denied"];
/// Our app is set up wrongly: no account can be blamed for it.
const OURS: &[&str] = &["BAD_CLIENT_ID", "BAD_CLIENT_SECRET", "BAD_REDIRECT_URI", "invalid_client"];

/// `{"status":"BAD_REFRESH_TOKEN","error":"invalid_grant",…}` with HTTP 400; the keys are HubSpot's and OAuth's.
fn refused(answer: &Answer) -> Error {
    let said = ["status", "error"].map(|key| answer.body.get(key).and_then(Json::as_str).unwrap_or_default());
    let among = |names: &[&'static str]| said.iter().find_map(|said| names.iter().copied().find(|name| name == said));
    match answer.status.as_u16() {
        400..=403 => match (among(OURS), among(DEAD)) {
            (Some(code), _) => Error::Config { reason: format!("HubSpot does not know our app: {code}") },
            (None, Some(code)) => Error::AuthExpired { reason: format!("HubSpot says {code}") },
            (None, None) => {
                Error::retryable(format!("HubSpot answered a token request with {}", answer.status.as_u16()))
            }
        },
        429 => failure::limited(answer),
        status => Error::Retryable {
            what: format!("HubSpot answered a token request with {status}"),
            after: failure::retry_after(answer),
            source: None,
        },
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
