//! The identities of things. A bad one dies where it is parsed, so `#` can never enter a table key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A string that is not usable as an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}: 1 to 128 characters, without '#', '/' or white space")]
pub struct InvalidId(&'static str);

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                let ok = !s.is_empty() && s.len() <= 128 && !s.contains(['#', '/']) && !s.contains(char::is_whitespace);
                ok.then(|| Self(s.to_owned())).ok_or(InvalidId(stringify!($name)))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(s: String) -> Result<Self, InvalidId> {
                s.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

id! {
    /// A customer of ours.
    TenantId;
    /// One tenant's link to one CRM account.
    ConnectionId;
    /// The hub's own identity for a person.
    RecordId;
    /// A record's identity inside one CRM account.
    RemoteId;
    /// A CRM account as its vendor names it: HubSpot's portal, Zoho's organisation.
    AccountId;
    /// Who wrote a value: a connection, or the `source` a sync request names.
    Source;
    /// One sync request.
    RequestId;
    /// Something that a person did, as the tenant's product calls it.
    EventId;
}

/// Bytes, such as a digest's, in lower case hexadecimal.
pub fn hex<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes.into_iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl RecordId {
    /// A fresh record id; sorts by time of creation.
    pub fn fresh() -> RecordId {
        RecordId(ulid::Ulid::new().to_string())
    }
}

impl From<&ConnectionId> for Source {
    /// A CRM writes in the name of its connection.
    fn from(connection: &ConnectionId) -> Source {
        Source(connection.0.clone())
    }
}
