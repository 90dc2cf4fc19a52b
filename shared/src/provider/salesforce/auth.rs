//! Hosts and tokens.

use super::records::text_at;
use crate::{
    error::{Error, Result},
    id::AccountId,
    provider::{
        assertion,
        oauth::{self, Ask, Authorized, Code},
        session::{Answer, AppCredentials, Grant, Hosts, Secret, read},
        ways::{By, Means, Need, Way},
    },
    record::Object,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::time::Duration;

/// A token request must end within the lease that it is made under.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where people log in (Salesforce docs: OAuth Endpoints); an org's own host may stand for it.
const LOGIN: &str = "https://login.salesforce.com";
/// Every host of an org ends so: `acme.my.salesforce.com`, `acme--dev.sandbox.my.salesforce.com`.
const OURS: &str = ".salesforce.com";
/// Where people of any production org, and of any sandbox, log in.
const SHARED: &[&str] = &["login.salesforce.com", "test.salesforce.com"];
/// What stands after an org's own name: `acme`, or `acme--dev.sandbox`.
const MY_DOMAIN: &str = ".my.salesforce.com";
/// How long an assertion is good: Salesforce takes three minutes at most (Salesforce docs: OAuth 2.0 JWT Bearer Flow).
const ASSERTED: SignedDuration = SignedDuration::from_mins(2);

/// Which objects a user may see is their profile's business.
pub(super) fn scopes(_: &[Object]) -> Vec<String> {
    vec!["api".to_owned()]
}

/// Apps without a person (Salesforce docs: OAuth 2.0 Client Credentials Flow, which is only at the org's own host; OAuth 2.0 JWT
/// Bearer Flow).
pub(super) const WAYS: &[Way] = &[
    Way {
        by: By::ClientCredentials,
        header: None,
        needs: &[Need::ClientId, Need::LoginHost],
        clicks: "In Setup open External Client App Manager, make an app with the OAuth scope \"Manage user data via APIs (api)\", \
                 enable Client Credentials Flow and name the user whom it runs as; the secret is under Settings, OAuth Settings, \
                 Consumer Key and Secret.",
    },
    Way {
        by: By::JwtBearer,
        header: None,
        needs: &[Need::ClientId, Need::Subject],
        clicks: "Make a key and a certificate (openssl req -x509 -newkey rsa:2048 -nodes -days 730 -keyout key.pem -out \
                 certificate.pem). In Setup open External Client App Manager, make an app with the OAuth scopes \"Manage user data \
                 via APIs (api)\" and \"Perform requests at any time (refresh_token)\", enable JWT Bearer Flow with \
                 certificate.pem, and let the user's profile or permission set use it without being asked.",
    },
];

/// Where the org's API is. It may move, so each token answer says it anew.
pub(super) fn base(hosts: &Hosts, grant: &Grant) -> Result<String> {
    match (&hosts.local, &grant.api_domain) {
        (Some(local), _) => Ok(format!("{local}/salesforce")),
        (None, Some(named)) => known(named),
        (None, None) => Err(Error::Config { reason: "the grant does not say where the org is".to_owned() }),
    }
}

fn login(hosts: &Hosts, named: Option<&str>) -> Result<String> {
    match (&hosts.local, named) {
        (Some(local), _) => Ok(format!("{local}/salesforce")),
        (None, Some(named)) => login_host(named)
            .ok_or_else(|| Error::Config { reason: "the org's login host is none of Salesforce's".to_owned() }),
        (None, None) => Ok(LOGIN.to_owned()),
    }
}

/// The vendor's two, for production and sandboxes, and every org's own (Salesforce docs: OAuth Endpoints; My Domain).
pub(super) fn login_host(named: &str) -> Option<String> {
    let named = named.strip_prefix("https://").unwrap_or(named);
    let host = named.strip_suffix('/').unwrap_or(named).to_ascii_lowercase();
    let plain = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let ours = host.strip_suffix(MY_DOMAIN).is_some_and(|org| org.split('.').all(plain));
    (ours || SHARED.contains(&host.as_str())).then(|| format!("https://{host}"))
}

/// A URL that came from the network, if it is nothing but a host of Salesforce's.
fn known(named: &str) -> Result<String> {
    let host = named.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    host.filter(|host| host.ends_with(OURS) && host.bytes().all(plain))
        .map(|host| format!("https://{host}"))
        .ok_or_else(|| Error::Config { reason: "the org's host is none of Salesforce's".to_owned() })
}

pub(super) fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> Result<String> {
    let server = login(hosts, ask.login_host)?;
    // Without the last there is no refresh token.
    let scopes = format!("{} refresh_token", scopes(ask.objects).join(" "));
    let query = [
        ("response_type", "code"),
        ("client_id", ask.client_id),
        ("redirect_uri", ask.redirect_uri),
        ("scope", &scopes),
        // Whoever is logged in already is asked all the same.
        ("prompt", "login consent"),
        ("state", ask.state),
        ("code_challenge", ask.challenge),
        ("code_challenge_method", "S256"),
    ];
    Ok(oauth::url(&format!("{server}/services/oauth2/authorize"), &query))
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
    let before = Grant { accounts_server: code.login_host.clone(), ..Grant::none() };
    let answer = ask_for("token", http, hosts, app, &before, &form).await?;
    let grant = granted(&answer, &before, hosts)?;
    let account = account(&grant)?;
    Ok(Authorized { grant, account })
}

/// Token answers tell it; to ask for it takes a scope that we have no other use for (Salesforce docs: Identity URLs).
pub(super) fn account(grant: &Grant) -> Result<AccountId> {
    oauth::account(grant.account.as_ref().map(AccountId::to_string))
}

/// With the refresh token its sessions end too (Salesforce docs: Revoke OAuth Tokens).
pub(super) async fn revoke(http: &reqwest::Client, hosts: &Hosts, app: &AppCredentials, grant: &Grant) -> Result<()> {
    let token = grant.refresh_token.as_ref().unwrap_or(&grant.access_token);
    oauth::revoked(&ask_for("revoke", http, hosts, app, grant, &[("token", token.reveal())]).await?)
}

/// One token request (Salesforce docs: OAuth 2.0 Refresh Token Flow).
pub(super) async fn refresh(
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    grant: &Grant,
    now: Timestamp,
) -> Result<Grant> {
    let asserted;
    let form = match (&grant.means, &grant.refresh_token) {
        (Means::ClientCredentials { .. }, _) => vec![("grant_type", "client_credentials")],
        (Means::JwtBearer { client_id, subject, key }, _) => {
            let aud = login(hosts, grant.accounts_server.as_deref())?;
            let exp = (now + ASSERTED).as_second();
            asserted = assertion::signed(&json!({"iss": client_id, "sub": subject, "aud": aud, "exp": exp}), key)?;
            vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", asserted.reveal())]
        }
        (Means::Consent, Some(token)) => vec![("grant_type", "refresh_token"), ("refresh_token", token.reveal())],
        (Means::Consent | Means::Token, _) => {
            return Err(Error::AuthExpired { reason: "there is no refresh token".to_owned() });
        }
    };
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
    let url = format!("{}/services/oauth2/{what}", login(hosts, grant.accounts_server.as_deref())?);
    let ours = [("client_id", app.client_id.as_str()), ("client_secret", app.client_secret.reveal())];
    // What an assertion or a revocation proves by itself has no secret beside it.
    let ours = ours.into_iter().filter(|(_, value)| !value.is_empty());
    read(http.post(url).form(&form.iter().copied().chain(ours).collect::<Vec<_>>()).timeout(PATIENCE)).await
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
    let org = text("id").and_then(|id| id.rsplit('/').nth(1)).filter(|org| org.len() == 18);
    Ok(Grant {
        scopes: oauth::scopes(answer, grant),
        account: org.and_then(|org| org.parse().ok()).or_else(|| grant.account.clone()),
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
