//! Hosts and tokens.

use super::records::text_at;
use crate::{
    error::{Error, Result},
    provider::{
        oauth::{self, Ask, Authorized, Code},
        session::{Answer, AppCredentials, Grant, Hosts, Secret, read},
    },
};
use std::time::Duration;

/// A token request must end within the lease that it is made under.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where people log in (Salesforce docs: OAuth Endpoints); an org's own host may stand for it.
const LOGIN: &str = "https://login.salesforce.com";
/// Every host of an org ends so: `acme.my.salesforce.com`, `acme--dev.sandbox.my.salesforce.com`.
const OURS: &str = ".salesforce.com";

/// Where the org's API is. It may move, so each token answer says it anew.
pub(super) fn base(hosts: &Hosts, grant: &Grant) -> Result<String> {
    match (&hosts.local, &grant.api_domain) {
        (Some(local), _) => Ok(format!("{local}/salesforce")),
        (None, Some(named)) => known(named),
        (None, None) => Err(Error::Config { reason: "the grant does not say where the org is".to_owned() }),
    }
}

fn login(hosts: &Hosts, grant: &Grant) -> Result<String> {
    match (&hosts.local, &grant.accounts_server) {
        (Some(local), _) => Ok(format!("{local}/salesforce")),
        (None, Some(named)) => known(named),
        (None, None) => Ok(LOGIN.to_owned()),
    }
}

/// A URL that came from the network, if it is nothing but a host of Salesforce's.
fn known(named: &str) -> Result<String> {
    let host = named.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    host.filter(|host| host.ends_with(OURS) && host.bytes().all(plain))
        .map(|host| format!("https://{host}"))
        .ok_or_else(|| Error::Config { reason: "the org's host is none of Salesforce's".to_owned() })
}

pub(super) fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> String {
    let server = hosts.local.as_ref().map_or_else(|| LOGIN.to_owned(), |local| format!("{local}/salesforce"));
    let query = [
        ("response_type", "code"),
        ("client_id", ask.client_id),
        ("redirect_uri", ask.redirect_uri),
        // Without the second there is no refresh token.
        ("scope", "api refresh_token"),
        // Whoever is logged in already is asked all the same.
        ("prompt", "login consent"),
        ("state", ask.state),
        ("code_challenge", ask.challenge),
        ("code_challenge_method", "S256"),
    ];
    oauth::url(&format!("{server}/services/oauth2/authorize"), &query)
}

/// The answer names user and org: `https://login.salesforce.com/id/00D…/005…` (Salesforce docs: OAuth 2.0 Web Server Flow;
/// Identity URLs).
pub(super) async fn exchange(
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    code: &Code,
) -> Result<Authorized> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.code.reveal()),
        ("redirect_uri", &code.redirect_uri),
        ("code_verifier", code.verifier.reveal()),
    ];
    let answer = ask_for("token", http, hosts, app, &Grant::none(), &form).await?;
    let grant = granted(&answer, &Grant::none(), hosts)?;
    let org = text_at(&answer.body, "/id").and_then(|id| id.rsplit('/').nth(1)).filter(|org| org.len() == 18);
    Ok(Authorized { grant, account: oauth::account(org.map(str::to_owned))? })
}

/// With the refresh token its sessions end too (Salesforce docs: Revoke OAuth Tokens).
pub(super) async fn revoke(http: &reqwest::Client, hosts: &Hosts, app: &AppCredentials, grant: &Grant) -> Result<()> {
    let Some(token) = &grant.refresh_token else { return Ok(()) };
    oauth::revoked(&ask_for("revoke", http, hosts, app, grant, &[("token", token.reveal())]).await?)
}

/// One token request (Salesforce docs: OAuth 2.0 Refresh Token Flow).
pub(super) async fn refresh(
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    grant: &Grant,
) -> Result<Grant> {
    let Some(refresh_token) = &grant.refresh_token else {
        return Err(Error::AuthExpired { reason: "there is no refresh token".to_owned() });
    };
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.reveal())];
    granted(&ask_for("token", http, hosts, app, grant, &form).await?, grant, hosts)
}

async fn ask_for(
    what: &str,
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    grant: &Grant,
    form: &[(&str, &str)],
) -> Result<Answer> {
    let url = format!("{}/services/oauth2/{what}", login(hosts, grant)?);
    let ours = [("client_id", app.client_id.as_str()), ("client_secret", app.client_secret.reveal())];
    read(http.post(url).form(&[form, &ours].concat()).timeout(PATIENCE)).await
}

/// The grant to keep from now on. It says no time of expiry: a session lives as long as it is used, two hours without
/// use by default, so it is refreshed when it is refused. Where the app rotates refresh tokens, the old one is dead already.
fn granted(answer: &Answer, grant: &Grant, hosts: &Hosts) -> Result<Grant> {
    let text = |name: &str| answer.body.get(name).and_then(|v| v.as_str()).filter(|text| !text.is_empty());
    let Some(access_token) = text("access_token").filter(|_| answer.status.is_success()) else {
        return Err(refused(answer));
    };
    // An unknown host is not followed, but what rotates must be kept whatever else the answer says.
    let moved = text("instance_url").filter(|_| hosts.local.is_none()).and_then(|named| known(named).ok());
    Ok(Grant {
        access_token: Secret::new(access_token),
        refresh_token: text("refresh_token").map(Secret::new).or_else(|| grant.refresh_token.clone()),
        expires_at: None,
        user: text("id").and_then(|id| id.rsplit('/').next()).map(str::to_owned).or_else(|| grant.user.clone()),
        api_domain: moved.or_else(|| grant.api_domain.clone()),
        ..grant.clone()
    })
}

/// Names of errors that no repetition cures: the grant, its user or the org is no more, or an admin must approve the app
/// (Salesforce docs: OAuth 2.0 Authorization Errors).
const DEAD: &[&str] = &["invalid_grant", "inactive_user", "inactive_org", "invalid_app_access"];
/// Names of errors that are about our app, and so about every connection at once.
const OURS_ALONE: &[&str] = &["invalid_client", "invalid_client_id", "unsupported_grant_type"];

fn refused(answer: &Answer) -> Error {
    let named = text_at(&answer.body, "/error").unwrap_or("no error named");
    let status = answer.status.as_u16();
    let told = format!("Salesforce answers {status} {named} to a token request");
    match (status, named) {
        (400..=499, dead) if DEAD.contains(&dead) => Error::AuthExpired { reason: told },
        (400..=499, ours) if OURS_ALONE.contains(&ours) => Error::Config { reason: told },
        (429, _) => Error::RateLimited { after: Duration::from_secs(60) },
        _ => Error::retryable(told),
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
