//! The company's own host, and tokens.

use crate::{
    error::{Error, Result},
    id::AccountId,
    provider::{
        oauth::{self, Ask, Authorized, Code},
        session::{Answer, AppCredentials, Grant, Hosts, Request, Secret, Session, read},
        ways::{By, Way},
    },
    record::Object,
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// A token request must end within the lease that it is made under.
const PATIENCE: Duration = Duration::from_secs(10);
/// Access tokens live an hour, less a second (Pipedrive docs: OAuth authorization, step 7).
const HOUR: i64 = 3599;
const OAUTH: &str = "https://oauth.pipedrive.com";
const OURS: &str = ".pipedrive.com";

/// Where the company's API is: it may be renamed, so each token answer says it anew.
pub(super) fn base(hosts: &Hosts, grant: &Grant) -> Result<String> {
    match (&hosts.local, &grant.api_domain) {
        (Some(local), _) => Ok(format!("{local}/pipedrive")),
        (None, Some(named)) => known(named)
            .ok_or_else(|| Error::Config { reason: "the company's API domain is none of Pipedrive's".to_owned() }),
        (None, None) => Ok("https://api.pipedrive.com".to_owned()),
    }
}

/// A URL that came from the network, if it is nothing but a company's host.
fn known(named: &str) -> Option<String> {
    let host = named.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest))?;
    let company = host.strip_suffix(OURS)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!company.is_empty() && company.bytes().all(plain)).then(|| format!("https://{host}"))
}

/// What the app must be allowed; webhooks need the last (Pipedrive docs: Scopes and permissions explanations).
pub(super) fn scopes(objects: &[Object]) -> Vec<String> {
    let deals = objects.contains(&Object::Deal).then_some(["deals:full", "deal-fields:full"]);
    let tasks = objects.contains(&Object::Task).then_some("activities:full");
    let all = ["contacts:full", "search:read", "contact-fields:full", "admin"].into_iter();
    all.chain(deals.into_iter().flatten()).chain(tasks).map(str::to_owned).collect()
}

/// A user's own token, in a header of its own (Pipedrive docs: API v2, Authentication).
pub(super) const WAYS: &[Way] = &[Way {
    by: By::Token,
    header: Some("x-api-token"),
    needs: &[],
    clicks: "As an admin of the company open Personal preferences from the menu under your picture, then API, and copy your \
             personal API token.",
}];

/// Scopes are the app's own (Pipedrive docs: OAuth authorization, steps 1 to 4).
pub(super) fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> String {
    let query = [("client_id", ask.client_id), ("redirect_uri", ask.redirect_uri), ("state", ask.state)];
    oauth::url(&format!("{}/oauth/authorize", server(hosts)), &query)
}

fn server(hosts: &Hosts) -> String {
    hosts.local.as_ref().map_or_else(|| OAUTH.to_owned(), |local| format!("{local}/pipedrive"))
}

/// Who we are in the account says which company it is (Pipedrive docs: API v1, Users, "Get current user data").
pub(super) async fn exchange(
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    code: &Code,
    now: Timestamp,
) -> Result<Authorized> {
    let form =
        [("grant_type", "authorization_code"), ("code", code.code.reveal()), ("redirect_uri", &code.redirect_uri)];
    let grant = granted(&ask_for("token", http, hosts, app, &form).await?, &Grant::none(), hosts, now)?;
    let call = http.get(format!("{}{ME}", base(hosts, &grant)?)).bearer_auth(grant.access_token.reveal());
    let me = read(call.timeout(PATIENCE)).await?.body;
    Ok(Authorized { grant, account: company(&me)? })
}

/// Who we are (Pipedrive docs: API v1, Users, "Get current user data").
pub(super) const ME: &str = "/api/v1/users/me";

pub(super) async fn account(session: &Session) -> Result<AccountId> {
    company(&session.send(&Request::get(ME), super::failure::of_call).await?.body)
}

pub(super) fn company(me: &serde_json::Value) -> Result<AccountId> {
    oauth::account(me.pointer("/data/company_id").and_then(serde_json::Value::as_u64).map(|id| id.to_string()))
}

/// It uninstalls our app there, webhooks and all (Pipedrive docs: OAuth authorization, revoking tokens).
pub(super) async fn revoke(http: &reqwest::Client, hosts: &Hosts, app: &AppCredentials, grant: &Grant) -> Result<()> {
    let Some(token) = &grant.refresh_token else { return Ok(()) };
    let form = [("token", token.reveal()), ("token_type_hint", "refresh_token")];
    oauth::revoked(&ask_for("revoke", http, hosts, app, &form).await?)
}

/// One token request (Pipedrive docs: OAuth authorization, refreshing the tokens).
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
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.reveal())];
    granted(&ask_for("token", http, hosts, app, &form).await?, grant, hosts, now)
}

/// Our app is named by HTTP Basic.
async fn ask_for(
    what: &str,
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    form: &[(&str, &str)],
) -> Result<Answer> {
    let call = http.post(format!("{}/oauth/{what}", server(hosts)));
    read(call.basic_auth(&app.client_id, Some(app.client_secret.reveal())).form(form).timeout(PATIENCE)).await
}

/// The grant to keep from now on. Refresh tokens live 60 days from their last use, and are not rotated.
fn granted(answer: &Answer, grant: &Grant, hosts: &Hosts, now: Timestamp) -> Result<Grant> {
    let text = |name: &str| answer.body.get(name).and_then(|v| v.as_str()).filter(|text| !text.is_empty());
    let Some(access_token) = text("access_token").filter(|_| answer.status.is_success()) else {
        return Err(refused(answer));
    };
    let lives = answer.body.get("expires_in").and_then(serde_json::Value::as_i64).unwrap_or(HOUR).clamp(60, 24 * HOUR);
    let moved = text("api_domain").filter(|_| hosts.local.is_none()).and_then(known);
    Ok(Grant {
        scopes: oauth::scopes(answer, grant),
        access_token: Secret::new(access_token),
        refresh_token: text("refresh_token").map(Secret::new).or_else(|| grant.refresh_token.clone()),
        expires_at: Some(now + SignedDuration::from_secs(lives)),
        api_domain: moved.or_else(|| grant.api_domain.clone()),
        ..grant.clone()
    })
}

fn refused(answer: &Answer) -> Error {
    let named = answer.body.get("error").and_then(|v| v.as_str()).unwrap_or("no error named");
    let told = format!("Pipedrive answers {} {named} to a token request", answer.status.as_u16());
    match (answer.status.as_u16(), named) {
        (400 | 401, "invalid_grant") => Error::AuthExpired { reason: told },
        (400 | 401, "invalid_client" | "unauthorized_client") => Error::Config { reason: told },
        (429, _) => Error::RateLimited { after: Duration::from_secs(60) },
        _ => Error::retryable(told),
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
