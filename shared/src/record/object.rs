//! What records are about, and which of their fields lead to other records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a record is about. What others refer to comes first: that is the order in which objects are read and written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9_]{1,40}$"))]
pub enum Object {
    Company,
    /// A human being, whether a CRM files them as a lead or as a contact.
    #[default]
    Person,
    Deal,
    Note,
    Task,
    /// Anything else, under a name of the tenant's choice: lower-case letters, digits and underscores.
    Custom(String),
}

/// The objects that every tenant knows, and the names that CRMs have for them.
const NAMES: &[(Object, &[&str])] = &[
    (Object::Company, &["company", "account", "organization"]),
    (Object::Person, &["person", "lead", "contact"]),
    (Object::Deal, &["deal", "opportunity"]),
    (Object::Note, &["note"]),
    (Object::Task, &["task"]),
];

/// Fields that hold another record's id: in a CRM the CRM's, elsewhere the product's own, or ours where it has none.
const REFERENCES: &[(&str, Object)] =
    &[("company_id", Object::Company), ("contact_id", Object::Person), ("deal_id", Object::Deal)];

/// No name of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an object's name has 1 to 40 lower-case letters, digits and underscores")]
pub struct NoObject;

impl Object {
    pub fn as_str(&self) -> &str {
        match self {
            Object::Custom(name) => name,
            known => {
                NAMES.iter().find(|(object, _)| object == known).and_then(|(_, names)| names.first()).unwrap_or(&"")
            }
        }
    }

    /// What CRMs call it; of an object of the tenant's own, its name.
    pub fn names(&self) -> Vec<&str> {
        let known = NAMES.iter().find(|(object, _)| object == self);
        known.map_or_else(|| vec![self.as_str()], |(_, names)| names.to_vec())
    }

    /// The objects that every tenant knows.
    pub fn known() -> impl Iterator<Item = Object> {
        NAMES.iter().map(|(object, _)| object.clone())
    }

    /// The object that a field leads to, if it leads to one.
    pub fn referred_by(field: &str) -> Option<Object> {
        REFERENCES.iter().find(|(name, _)| *name == field).map(|(_, object)| object.clone())
    }
}

impl FromStr for Object {
    type Err = NoObject;
    fn from_str(name: &str) -> Result<Object, NoObject> {
        if let Some((known, _)) = NAMES.iter().find(|(_, names)| names.contains(&name)) {
            return Ok(known.clone());
        }
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let ok = (1..=40).contains(&name.len()) && name.bytes().all(sound);
        ok.then(|| Object::Custom(name.to_owned())).ok_or(NoObject)
    }
}

impl TryFrom<String> for Object {
    type Error = NoObject;
    fn try_from(name: String) -> Result<Object, NoObject> {
        name.parse()
    }
}

impl From<Object> for String {
    fn from(object: Object) -> String {
        object.as_str().to_owned()
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_under_any_name_and_written_under_one() {
        for (name, written) in
            [("lead", "person"), ("opportunity", "deal"), ("account", "company"), ("vehicle", "vehicle")]
        {
            let object: Object = name.parse().unwrap();
            assert_eq!(object.as_str(), written);
            assert_eq!(written.parse::<Object>().unwrap(), object);
        }
        for name in ["", "Vehicle", "a#b", "a b"] {
            assert_eq!(name.parse::<Object>(), Err(NoObject), "{name}");
        }
    }

    /// Whatever is referred to is read and written before what refers to it.
    #[test]
    fn companies_come_before_people_and_people_before_deals() {
        assert!(Object::Company < Object::Person && Object::Person < Object::Deal);
        assert!(Object::Deal < Object::Note && Object::Deal < Object::Custom("a".to_owned()));
    }
}
