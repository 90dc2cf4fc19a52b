//! How a person lets us into an account, and how we leave it (RFC 6749, authorization code grant; RFC 7636, PKCE; RFC 7009).

use super::{
    session::{Answer, Grant, Secret, encoded},
    ways::Means,
};
use crate::{error::Error, id::AccountId, record::Object};

/// What a consent page is asked with.
pub struct Ask<'a> {
    pub client_id: &'a str,
    /// The account's own place to log in, where it has one.
    pub login_host: Option<&'a str>,
    pub redirect_uri: &'a str,
    /// What of the account we ask for.
    pub objects: &'a [Object],
    /// Given back to us, so that nobody can finish what they did not begin.
    pub state: &'a str,
    /// The digest of a secret that only the exchange tells, where the CRM asks for one.
    pub challenge: &'a str,
}

/// What the consent page gave us.
pub struct Code {
    pub code: Secret,
    pub redirect_uri: String,
    pub verifier: Secret,
    /// Where the code is good, in the CRM's own words. Not to be trusted.
    pub server: Option<String>,
    /// Where the account logs in, as the link said.
    pub login_host: Option<String>,
}

/// An account that let us in.
#[derive(Debug)]
pub struct Authorized {
    pub grant: Grant,
    pub account: AccountId,
}

impl Grant {
    /// Before anything was granted.
    pub(crate) fn none() -> Grant {
        Grant {
            access_token: Secret::new(""),
            refresh_token: None,
            expires_at: None,
            api_domain: None,
            accounts_server: None,
            means: Means::Consent,
            scopes: Vec::new(),
            account: None,
            user: None,
            webhook_token: None,
            token_since: None,
            other_token: None,
        }
    }
}

/// A URL with a query.
pub(super) fn url(base: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    format!("{base}?{}", pairs.join("&"))
}

/// The scopes that a token answer tells: a list, or a text that spaces or commas part. What tells none leaves them as known.
pub(super) fn scopes(answer: &Answer, known: &Grant) -> Vec<String> {
    let listed = answer.body.get("scopes").and_then(|v| v.as_array());
    let listed = listed.map(|list| list.iter().filter_map(|v| v.as_str()).map(str::to_owned).collect());
    let text = answer.body.get("scope").and_then(|v| v.as_str());
    let parted = text.map(|text| text.split([' ', ',']).filter(|s| !s.is_empty()).map(str::to_owned).collect());
    listed.or(parted).unwrap_or_else(|| known.scopes.clone())
}

/// The account that an answer names.
pub(super) fn account(named: Option<String>) -> Result<AccountId, Error> {
    let account = named.and_then(|account| account.parse().ok());
    account.ok_or_else(|| Error::retryable("the CRM does not say which account it let us into"))
}

/// Of a revocation: whatever is not there any more is revoked.
pub(super) fn revoked(answer: &Answer) -> Result<(), Error> {
    match answer.status.as_u16() {
        200..=299 | 400 | 404 => Ok(()),
        status => Err(Error::retryable(format!("the CRM answered {status} to a revocation"))),
    }
}
