//! What tells one person from another. To parse a key is to normalise it.

use super::{Fields, Value};
use crate::id::{ConnectionId, RemoteId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A mailbox, trimmed and lower-cased, with one `@` and a dotted domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Email(String);

impl Email {
    pub fn parse(raw: &str) -> Option<Email> {
        let email = raw.trim().to_lowercase();
        let (local, domain) = email.split_once('@')?;
        let sound = !local.is_empty()
            && domain.contains('.')
            && !domain.contains('@')
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !email.contains(['#', '/', '<', '>', ','])
            && !email.contains(char::is_whitespace)
            && email.len() <= 254;
        sound.then_some(Email(email))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A telephone number as E.164 spells it: `+14155550100`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Phone(String);

/// The country whose way of writing numbers a tenant uses where none is given, as ISO 3166-1 alpha-2: `US`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(pub String);

impl Default for Region {
    fn default() -> Region {
        Region("US".to_owned())
    }
}

impl Phone {
    pub fn parse(raw: &str, region: &Region) -> Option<Phone> {
        let country = phonenumber::country::Id::from_str(&region.0).ok();
        let number = phonenumber::parse(country, raw).ok()?;
        phonenumber::is_viable(raw).then(|| Phone(number.format().mode(phonenumber::Mode::E164).to_string()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The number without its country code, digits only; how HubSpot indexes phones for search.
    pub fn national_digits(&self) -> String {
        phonenumber::parse(None, &self.0).map_or_else(|_| self.0.clone(), |n| n.national().to_string())
    }
    /// The ways people type this number, for CRMs that compare phones letter by letter.
    pub fn spellings(&self) -> Vec<String> {
        let Ok(number) = phonenumber::parse(None, &self.0) else { return vec![self.0.clone()] };
        let formatted = |mode| number.format().mode(mode).to_string();
        let international = formatted(phonenumber::Mode::International);
        let mut all = vec![
            self.0.clone(),
            self.0.trim_start_matches('+').to_owned(),
            international.clone(),
            formatted(phonenumber::Mode::National),
            number.national().to_string(),
            international.split_once(' ').map(|(_, rest)| rest.to_owned()).unwrap_or_default(),
        ];
        all.retain(|s| !s.is_empty());
        all.sort();
        all.dedup();
        all
    }
}

/// Something that points to a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// The same record in one CRM. Unique.
    Remote(ConnectionId, RemoteId),
    /// The id by which the tenant's own product knows the person. Unique.
    Own(String),
    /// Unique.
    Email(Email),
    /// A lookup only: several people may share one, and then it points to nobody.
    Phone(Phone),
}

impl Key {
    pub fn is_unique(&self) -> bool {
        !matches!(self, Key::Phone(_))
    }

    /// The personal keys that a record's fields give it.
    pub fn of(fields: &Fields, region: &Region) -> Vec<Key> {
        let text = |name: &str| match fields.get(name) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let own = text("id").filter(|id| id.len() <= 512).map(|id| Key::Own(id.to_owned()));
        let email = text("email").and_then(Email::parse).map(Key::Email);
        let phone = text("phone").and_then(|raw| Phone::parse(raw, region)).map(Key::Phone);
        [own, email, phone].into_iter().flatten().collect()
    }
}

impl fmt::Display for Key {
    /// The key's kind, which is fit for logs; never its value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Key::Remote(..) => "remote id",
            Key::Own(_) => "own id",
            Key::Email(_) => "e-mail",
            Key::Phone(_) => "phone",
        })
    }
}
