//! Ways to connect an account without a browser, and how a grant of each kind is used and renewed.

use super::session::{AppCredentials, Grant, Secret};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How a grant came to us, and so how it is renewed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Means {
    /// A person consented: it is renewed by its refresh token and our app, if it has such a token.
    #[default]
    Consent,
    /// A token that an admin copied. It does not expire, and nothing renews it.
    Token,
    /// The id and secret of an app that the account has for us (RFC 6749, client credentials grant).
    ClientCredentials {
        client_id: String,
        client_secret: Secret,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
    },
    /// The key of such an app, which signs an assertion each time (RFC 7523).
    JwtBearer {
        client_id: String,
        subject: String,
        /// An RSA key as PEM.
        key: Secret,
    },
}

/// What an admin may bring instead of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Token,
    ClientCredentials,
    JwtBearer,
}

/// A way that a CRM has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub by: By,
    /// The header in which the token stands alone; `None` where it is sent as any other.
    pub header: Option<&'static str>,
    /// What it takes besides the secret.
    pub needs: &'static [Need],
    /// Where an admin gets the secret, click by click.
    pub clicks: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    ClientId,
    /// For whom we act: a user's name, an organisation's id.
    Subject,
    /// The account's own host, where tokens are asked for.
    LoginHost,
    /// What signs deliveries, where those of such a grant are not signed by our app's secret. It may be left out: then
    /// nothing tells us of changes, and they are found by pulling.
    WebhookSecret,
}

impl Means {
    pub fn by(&self) -> Option<By> {
        match self {
            Means::Consent => None,
            Means::Token => Some(By::Token),
            Means::ClientCredentials { .. } => Some(By::ClientCredentials),
            Means::JwtBearer { .. } => Some(By::JwtBearer),
        }
    }
}

impl Grant {
    /// Whether another token can be asked for.
    pub fn is_renewable(&self) -> bool {
        match self.means {
            Means::Consent => self.refresh_token.is_some(),
            Means::Token => false,
            Means::ClientCredentials { .. } | Means::JwtBearer { .. } => true,
        }
    }

    /// The app that the account has for us alone. `None` where the grant is our own app's.
    pub fn own_app(&self) -> Option<AppCredentials> {
        let (client_id, client_secret) = match &self.means {
            Means::Consent => return None,
            Means::Token => (String::new(), Secret::new("")),
            Means::ClientCredentials { client_id, client_secret, .. } => (client_id.clone(), client_secret.clone()),
            Means::JwtBearer { client_id, .. } => (client_id.clone(), Secret::new("")),
        };
        Some(AppCredentials { client_id, client_secret, previous_secret: None, previous_until: None })
    }
}

impl By {
    pub const ALL: [By; 3] = [By::Token, By::ClientCredentials, By::JwtBearer];

    pub const fn name(self) -> &'static str {
        match self {
            By::Token => "token",
            By::ClientCredentials => "client-credentials",
            By::JwtBearer => "jwt-bearer",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for By {
    type Err = ();
    fn from_str(name: &str) -> Result<By, ()> {
        By::ALL.into_iter().find(|by| by.name() == name).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Grant, Means};
    use crate::provider::Crm;

    #[test]
    fn what_was_stored_before_there_were_ways_is_a_consent() {
        let stored: Grant = serde_json::from_str(r#"{"access_token":"pat-na1-sim"}"#).unwrap();
        assert_eq!(stored.means, Means::Consent);
        assert!(!stored.is_renewable());
    }

    #[test]
    fn a_grant_keeps_its_means() {
        for json in [
            r#"{"by":"token"}"#,
            r#"{"by":"client_credentials","client_id":"a","client_secret":"b"}"#,
            r#"{"by":"jwt_bearer","client_id":"a","subject":"b","key":"c"}"#,
        ] {
            let means: Means = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&means).unwrap(), json);
        }
    }

    #[test]
    fn every_way_says_where_its_secret_is_found() {
        for way in Crm::ALL.into_iter().flat_map(|crm| crm.capabilities().ways) {
            assert!(way.clicks.len() > 20, "{way:?}");
        }
    }
}
