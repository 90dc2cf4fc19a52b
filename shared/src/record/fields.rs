//! The fields of a hub record, each with who wrote it and when.

use super::value::{Kind, Value};
use crate::id::Source;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A hub field's name, such as `first_name`.
pub type FieldName = String;

/// One field as it was last written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// `None`: the source cleared it.
    pub value: Option<Value>,
    pub at: Timestamp,
    pub source: Source,
    /// When other sources last wrote it, so that a late message of theirs is known to be late.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub earlier: BTreeMap<Source, Timestamp>,
}

/// The fields of one record. A field that is absent was never written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields(BTreeMap<FieldName, Written>);

/// The kinds of the fields that every hub record may have; any other field keeps the kind of its first value.
const KINDS: &[(&str, Kind)] = &[
    ("email", Kind::Text),
    ("phone", Kind::Text),
    ("first_name", Kind::Text),
    ("last_name", Kind::Text),
    ("company", Kind::Text),
    ("callStatus", Kind::Text),
    ("duration", Kind::Number),
    ("successEvaluation", Kind::Text),
];

/// A value of another kind than the field's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} holds a {expected:?}, not a {found:?}")]
pub struct WrongKind {
    pub field: FieldName,
    pub expected: Kind,
    pub found: Kind,
}

impl Fields {
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).and_then(|w| w.value.as_ref())
    }

    pub fn written(&self, field: &str) -> Option<&Written> {
        self.0.get(field)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&FieldName, &Written)> {
        self.0.iter()
    }

    /// The kind a field holds, where that is known.
    pub fn kind(&self, field: &str) -> Option<Kind> {
        let fixed = KINDS.iter().find(|(name, _)| *name == field).map(|(_, kind)| *kind);
        fixed.or_else(|| self.get(field).map(Value::kind))
    }

    /// When `source` last wrote `field`.
    pub fn last_by(&self, field: &str, source: &Source) -> Option<Timestamp> {
        let written = self.0.get(field)?;
        if written.source == *source { Some(written.at) } else { written.earlier.get(source).copied() }
    }

    /// Writes a field, in its own kind. Whether its value is another now.
    pub fn put(&mut self, field: &str, value: Option<Value>, at: Timestamp, source: &Source) -> Result<bool, WrongKind> {
        let value = match (value, self.kind(field)) {
            (Some(value), Some(kind)) => Some(value.into_kind(kind).map_err(|value| WrongKind {
                field: field.to_owned(),
                expected: kind,
                found: value.kind(),
            })?),
            (value, _) => value,
        };
        let before = self.0.remove(field);
        let changed = before.as_ref().and_then(|w| w.value.as_ref()) != value.as_ref();
        let mut earlier = BTreeMap::new();
        if let Some(before) = before {
            earlier = before.earlier;
            earlier.insert(before.source, before.at);
            earlier.remove(source);
        }
        self.0.insert(field.to_owned(), Written { value, at, source: source.clone(), earlier });
        Ok(changed)
    }
}

impl FromIterator<(FieldName, Written)> for Fields {
    fn from_iter<I: IntoIterator<Item = (FieldName, Written)>>(fields: I) -> Fields {
        Fields(fields.into_iter().collect())
    }
}
