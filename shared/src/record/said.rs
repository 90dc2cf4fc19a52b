//! What a create said, so that it is known again where nothing else tells whose it is.

use super::{RemoteField, Value};
use crate::id::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// By remote field, the digest of what was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said(BTreeMap<RemoteField, String>);

impl Said {
    pub fn of<'v>(sent: impl Iterator<Item = (&'v RemoteField, Option<&'v Value>)>) -> Said {
        Said(sent.map(|(field, value)| (field.clone(), digest(value))).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a remote shows it, however the CRM spells that: the same letters and digits in every field of it that is shown.
    pub fn is_shown(&self, fields: &BTreeMap<RemoteField, Option<Value>>) -> bool {
        let shown = |(field, said): (&RemoteField, &String)| Some(digest(fields.get(field)?.as_ref()) == *said);
        let mut same = self.0.iter().filter_map(shown).peekable();
        same.peek().is_some() && same.all(|same| same)
    }
}

/// Of the letters and digits.
fn digest(value: Option<&Value>) -> String {
    let text = value.map(ToString::to_string).unwrap_or_default();
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    hex(Sha256::digest(plain).iter().take(12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_known_in_another_spelling_and_from_anything_else() {
        let text = |raw: &str| Value::text(raw);
        let field = |name: &str| name.to_owned();
        let (body, about) = (text("She asked:\n\"How much?\""), text("17"));
        let sent = [(field("Body"), body), (field("ParentId"), about)];
        let said = Said::of(sent.iter().map(|(field, value)| (field, value.as_ref())));
        let shown = |body: &str, about: &str| {
            BTreeMap::from([(field("Body"), text(body)), (field("ParentId"), text(about)), (field("Id"), text("9"))])
        };
        assert!(said.is_shown(&shown("She asked: “How much?”", "17")));
        assert!(!said.is_shown(&shown("She asked: \"How many?\"", "17")));
        assert!(!said.is_shown(&shown("She asked: \"How much?\"", "18")), "another's");
        assert!(!said.is_shown(&BTreeMap::from([(field("Id"), text("9"))])), "it shows nothing of it");
        assert!(!Said::default().is_shown(&shown("", "")));
    }
}
