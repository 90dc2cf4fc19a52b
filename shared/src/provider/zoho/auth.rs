//! Data centres and tokens.

use crate::{
    error::{Error, Result},
    id::AccountId,
    provider::{
        oauth::{self, Ask, Authorized, Code},
        session::{Answer, AppCredentials, Grant, Hosts, Request, Secret, Session, read},
        ways::{By, Means, Need, Way},
    },
    record::Object,
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Accounts server and API host of each data centre: the only hosts that are ever given a token or a secret.
///
/// Zoho docs: Multi-DC, <https://www.zoho.com/crm/developer/docs/api/v8/multi-dc.html>. The UK's API host is not listed there.
const DATA_CENTRES: &[(&str, &str)] = &[
    ("https://accounts.zoho.com", "https://www.zohoapis.com"),
    ("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    ("https://accounts.zoho.in", "https://www.zohoapis.in"),
    ("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
    ("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
    ("https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
    ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    ("https://accounts.zoho.sa", "https://www.zohoapis.sa"),
];

/// A token request must end within the lease that it is made under.
const PATIENCE: Duration = Duration::from_secs(10);
/// Access tokens live an hour (Zoho docs: OAuth, <https://www.zoho.com/crm/developer/docs/api/v8/refresh.html>).
const HOUR: i64 = 3600;
/// How long a client that asked for too many tokens is blocked (Zoho docs: OAuth, token limits).
const BLOCKED: Duration = Duration::from_secs(600);

/// Where the account's API is.
pub(super) fn base(hosts: &Hosts, grant: &Grant) -> Result<String> {
    match (&hosts.local, &grant.api_domain) {
        (Some(local), _) => Ok(format!("{local}/zoho")),
        (None, None) => Ok("https://www.zohoapis.com".to_owned()),
        (None, Some(named)) => known(named, |dc| dc.1).map(str::to_owned).ok_or_else(|| Error::Config {
            reason: "the account's API domain is none of Zoho's known data centres".to_owned(),
        }),
    }
}

fn accounts_server(hosts: &Hosts, grant: &Grant) -> Result<String> {
    match (&hosts.local, &grant.accounts_server) {
        (Some(local), _) => Ok(format!("{local}/zoho")),
        // The data centre of the API is that of the tokens.
        (None, None) => Ok(beside(grant.api_domain.as_deref()).to_owned()),
        (None, Some(named)) => known(named, |dc| dc.0).map(str::to_owned).ok_or_else(|| Error::Config {
            reason: "the account's server for tokens is none of Zoho's known data centres".to_owned(),
        }),
    }
}

/// The accounts server of the data centre that an API host is in.
fn beside(api_domain: Option<&str>) -> &'static str {
    let of = |named: &str| DATA_CENTRES.iter().find(|dc| dc.1 == named.strip_suffix('/').unwrap_or(named));
    api_domain.and_then(of).map_or("https://accounts.zoho.com", |dc| dc.0)
}

/// The table's own spelling of a host that it has.
fn known(named: &str, which: fn(&(&'static str, &'static str)) -> &'static str) -> Option<&'static str> {
    let named = named.strip_suffix('/').unwrap_or(named);
    DATA_CENTRES.iter().map(which).find(|host| *host == named)
}

/// What we ask for: the modules that are mapped, their fields, changes told, queries, and which organisation it is.
pub(super) fn scopes(objects: &[Object]) -> Vec<String> {
    let mapped = objects.iter().filter_map(super::fields::default_mapping).map(|mapping| mapping.object.to_lowercase());
    let of = |module: String| {
        ["READ", "CREATE", "UPDATE", "DELETE"].map(|right| format!("ZohoCRM.modules.{module}.{right}"))
    };
    let others = ["settings.fields.READ", "settings.fields.CREATE", "notifications.ALL", "coql.READ", "org.READ"];
    mapped.flat_map(of).chain(others.map(|scope| format!("ZohoCRM.{scope}"))).collect()
}

/// A self client of the account's own (Zoho docs: Self client, client credentials flow,
/// <https://www.zoho.com/accounts/protocol/oauth/self-client/client-credentials-flow.html>).
pub(super) const WAYS: &[Way] = &[Way {
    by: By::ClientCredentials,
    header: None,
    needs: &[Need::ClientId, Need::Subject],
    clicks: "As an admin of the organisation open the API console of its data centre (https://api-console.zoho.com), choose Self \
             Client and create it; id and secret are under Client Secret. The organisation's id (zgid) is in Zoho CRM under \
             Setup, Developer Hub, APIs and SDKs.",
}];

/// The data centre's server for tokens.
pub(super) fn login_host(named: &str) -> Option<String> {
    let named = if named.starts_with("https://") { named.to_owned() } else { format!("https://{named}") };
    known(&named, |dc| dc.0).map(str::to_owned)
}

/// Whatever data centre the account is in, its people are sent on from here, unless it is known (Zoho docs: Authorization request,
/// <https://www.zoho.com/crm/developer/docs/api/v8/auth-request.html>).
pub(super) fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> Result<String> {
    let server =
        accounts_server(hosts, &Grant { accounts_server: ask.login_host.map(str::to_owned), ..Grant::none() })?;
    let scopes = scopes(ask.objects).join(",");
    let query = [
        ("response_type", "code"),
        ("client_id", ask.client_id),
        ("scope", &scopes),
        ("redirect_uri", ask.redirect_uri),
        // Only so is there a refresh token, and another one when people connect again.
        ("access_type", "offline"),
        ("prompt", "consent"),
        ("state", ask.state),
    ];
    Ok(oauth::url(&format!("{server}/oauth/v2/auth"), &query))
}

/// The code is good in the data centre that the callback names.
pub(super) async fn exchange(
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    code: &Code,
    now: Timestamp,
) -> Result<Authorized> {
    let before = Grant { accounts_server: code.server.clone().or_else(|| code.login_host.clone()), ..Grant::none() };
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.code.reveal()),
        ("redirect_uri", &code.redirect_uri),
        ("client_id", &app.client_id),
        ("client_secret", app.client_secret.reveal()),
    ];
    let url = format!("{}/oauth/v2/token", accounts_server(hosts, &before)?);
    let grant = granted(&read(http.post(url).form(&form).timeout(PATIENCE)).await?, &before, hosts, now)?;
    let call = http
        .get(format!("{}/crm/v8/org", base(hosts, &grant)?))
        .header(reqwest::header::AUTHORIZATION, format!("Zoho-oauthtoken {}", grant.access_token.reveal()));
    let account = organisation(&read(call.timeout(PATIENCE)).await?.body)?;
    Ok(Authorized { grant, account })
}

/// Zoho docs: Get organization data, <https://www.zoho.com/crm/developer/docs/api/v8/get-org-data.html>.
pub(super) async fn account(session: &Session) -> Result<AccountId> {
    organisation(&session.send(&Request::get("/crm/v8/org"), super::failure::of_call).await?.body)
}

pub(super) fn organisation(body: &serde_json::Value) -> Result<AccountId> {
    oauth::account(body.pointer("/org/0/zgid").and_then(|id| id.as_str()).map(str::to_owned))
}

/// Zoho docs: Revoke tokens, <https://www.zoho.com/crm/developer/docs/api/v8/revoke-tokens.html>.
pub(super) async fn revoke(http: &reqwest::Client, hosts: &Hosts, grant: &Grant) -> Result<()> {
    let Some(token) = &grant.refresh_token else { return Ok(()) };
    let url = format!("{}/oauth/v2/token/revoke", accounts_server(hosts, grant)?);
    oauth::revoked(&read(http.post(url).form(&[("token", token.reveal())]).timeout(PATIENCE)).await?)
}

/// One token request (Zoho docs: Refresh access token, <https://www.zoho.com/crm/developer/docs/api/v8/refresh.html>).
pub(super) async fn refresh(
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    grant: &Grant,
    now: Timestamp,
) -> Result<Grant> {
    let url = format!("{}/oauth/v2/token", accounts_server(hosts, grant)?);
    let (scopes, organisation);
    let mut form = vec![("client_id", app.client_id.as_str()), ("client_secret", app.client_secret.reveal())];
    match (&grant.means, &grant.refresh_token) {
        (Means::ClientCredentials { subject, .. }, _) => {
            scopes = grant.scopes.join(",");
            organisation = format!("ZohoCRM.{}", subject.as_deref().unwrap_or_default());
            form.extend([("grant_type", "client_credentials"), ("scope", &scopes), ("soid", &organisation)]);
        }
        (Means::Consent, Some(token)) => {
            form.extend([("grant_type", "refresh_token"), ("refresh_token", token.reveal())]);
        }
        (Means::Consent | Means::Token | Means::JwtBearer { .. }, _) => {
            return Err(Error::AuthExpired { reason: "there is no refresh token".to_owned() });
        }
    }
    let answer = read(http.post(url).form(&form).timeout(PATIENCE)).await?;
    granted(&answer, grant, hosts, now)
}

/// The grant to keep from now on. The refresh token is not rotated: the answer has none.
fn granted(answer: &Answer, grant: &Grant, hosts: &Hosts, now: Timestamp) -> Result<Grant> {
    let text = |name: &str| answer.body.get(name).and_then(|v| v.as_str()).filter(|t| !t.is_empty());
    let Some(access_token) = text("access_token").filter(|_| answer.status.is_success() && text("error").is_none())
    else {
        return Err(refused(answer));
    };
    let lives = answer.body.get("expires_in").and_then(serde_json::Value::as_i64).unwrap_or(HOUR).clamp(60, HOUR);
    let named = text("api_domain").filter(|_| hosts.local.is_none()).and_then(|named| known(named, |dc| dc.1));
    Ok(Grant {
        scopes: oauth::scopes(answer, grant),
        access_token: Secret::new(access_token),
        refresh_token: text("refresh_token").map(Secret::new).or_else(|| grant.refresh_token.clone()),
        expires_at: Some(now + SignedDuration::from_secs(lives)),
        api_domain: named.map(str::to_owned).or_else(|| grant.api_domain.clone()),
        ..grant.clone()
    })
}

/// The name of the error that no repetition cures. It comes with HTTP 200
/// (<https://github.com/tristanjahier/zoho-crm-php/issues/9>).
const DEAD: &str = "invalid_code";
/// Names of errors that are about our app, and so about every connection at once.
const OURS: &[&str] = &["invalid_client", "invalid_client_secret"];

fn refused(answer: &Answer) -> Error {
    let named = answer.body.get("error").and_then(|v| v.as_str()).unwrap_or_default();
    match (answer.status.as_u16(), named) {
        (..500, DEAD) => Error::AuthExpired { reason: format!("Zoho says {DEAD}") },
        (..500, named) if OURS.contains(&named) => {
            Error::Config { reason: format!("Zoho does not know our app or its secret: {named}") }
        }
        (429, _) => Error::RateLimited { after: BLOCKED },
        (..500, named) if named.eq_ignore_ascii_case("Access Denied") => Error::RateLimited { after: BLOCKED },
        (status, _) => Error::retryable(format!("Zoho answered a token request with {status}")),
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
