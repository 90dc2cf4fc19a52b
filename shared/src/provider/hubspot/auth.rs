//! Where HubSpot is, and its tokens.

use super::failure;
use crate::{
    error::{Error, Result},
    id::AccountId,
    mapping::Mapping,
    provider::{
        oauth::{self, Ask, Authorized, Code},
        session::{Answer, AppCredentials, Grant, Hosts, Request, Secret, Session, read},
        ways::{By, Need, Way},
    },
    record::Object,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use std::{collections::BTreeSet, time::Duration};

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

/// Where people consent (HubSpot docs: working with OAuth, "Authorization URL").
const APP: &str = "https://app.hubspot.com";
/// What we ask for: the objects that are mapped, and the properties that we need of our own (HubSpot docs: scopes).
pub(super) fn scopes(objects: &[Object]) -> Vec<String> {
    let mapped = objects.iter().filter_map(super::fields::default_mapping);
    let of = |name: String| {
        let rights = [("objects", "read"), ("objects", "write"), ("schemas", "read"), ("schemas", "write")];
        rights.map(|(part, right)| format!("crm.{part}.{name}.{right}"))
    };
    // Notes and tasks are read and written by the rights over contacts (HubSpot docs: notes API, tasks API, scope requirements).
    let right = |mapping: Mapping| match mapping.object.as_str() {
        "notes" | "tasks" => "contacts".to_owned(),
        _ => mapping.object,
    };
    let names: BTreeSet<String> = mapped.map(right).collect();
    names.into_iter().flat_map(of).collect()
}

/// A private app of the account's own (HubSpot docs: private apps). Its deliveries are signed with its own client secret
/// (HubSpot docs: validating requests).
pub(super) const WAYS: &[Way] = &[Way {
    by: By::Token,
    header: None,
    needs: &[Need::WebhookSecret],
    clicks: "In HubSpot open Development, then Legacy apps (or Settings, Integrations, Private Apps), make a private app with the \
             scopes crm.objects.contacts.read, crm.objects.contacts.write, crm.schemas.contacts.read and \
             crm.schemas.contacts.write, which are good for notes and tasks too, and the same of companies and deals if they are to \
             be kept in step, and crm.lists.read and crm.lists.write if lists are to be fetched or mapped; access token and client secret are under Auth.",
}];

/// To read and write lists, whatever is on them. Who has no right to give it connects all the same (HubSpot docs: working with OAuth, `optional_scope`; lists
/// API, scopes).
const LISTS: &str = "crm.lists.read crm.lists.write";

pub(super) fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> String {
    let scopes = format!("oauth {}", scopes(ask.objects).join(" "));
    let page = hosts.local.as_ref().map_or_else(|| APP.to_owned(), |_| base(hosts));
    let query = [
        ("client_id", ask.client_id),
        ("redirect_uri", ask.redirect_uri),
        ("scope", &scopes),
        ("optional_scope", LISTS),
        ("state", ask.state),
        ("code_challenge", ask.challenge),
        ("code_challenge_method", "S256"),
    ];
    oauth::url(&format!("{page}/oauth/authorize"), &query)
}

/// The answer names the account (HubSpot docs: manage OAuth tokens, "Generate initial access and refresh tokens").
pub(super) async fn exchange(
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    code: &Code,
    now: Timestamp,
) -> Result<Authorized> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.code.reveal()),
        ("redirect_uri", &code.redirect_uri),
        ("code_verifier", code.verifier.reveal()),
    ];
    let answer = ask_for("token", http, hosts, app, &form).await?;
    let grant = granted(&answer, &Grant::none(), now)?;
    let account = oauth::account(answer.body.get("hub_id").and_then(Json::as_u64).map(|id| id.to_string()))?;
    Ok(Authorized { grant, account })
}

pub(super) async fn account(session: &Session) -> Result<AccountId> {
    portal(&session.send(&details(), failure::of_call).await?.body)
}

/// HubSpot docs: account information API.
pub(super) fn details() -> Request {
    Request::get(format!("/account-info/{}/details", super::VERSION))
}

pub(super) fn portal(details: &Json) -> Result<AccountId> {
    oauth::account(details.get("portalId").and_then(Json::as_u64).map(|id| id.to_string()))
}

/// HubSpot docs: manage OAuth tokens, "Revoke a token".
pub(super) async fn revoke(http: &reqwest::Client, hosts: &Hosts, app: &AppCredentials, grant: &Grant) -> Result<()> {
    let Some(token) = &grant.refresh_token else { return Ok(()) };
    let form = [("token_type_hint", "refresh_token"), ("token", token.reveal())];
    oauth::revoked(&ask_for("token/revoke", http, hosts, app, &form).await?)
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
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.reveal())];
    granted(&ask_for("token", http, hosts, app, &form).await?, grant, now)
}

async fn ask_for(
    what: &str,
    http: &reqwest::Client,
    hosts: &Hosts,
    app: &AppCredentials,
    form: &[(&str, &str)],
) -> Result<Answer> {
    let url = format!("{}/oauth/{}/{what}", base(hosts), super::VERSION);
    let ours = [("client_id", app.client_id.as_str()), ("client_secret", app.client_secret.reveal())];
    read(http.post(url).form(&[form, &ours].concat()).timeout(PATIENCE)).await
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
        scopes: oauth::scopes(answer, grant),
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
