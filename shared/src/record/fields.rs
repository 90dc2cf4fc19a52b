//! The fields of a hub record, each with who wrote it and when.

use super::{
    key::Key,
    value::{Kind, Value},
};
use crate::id::{RequestId, Source};
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
    /// The write happened after this, where only that is known: a CRM tells when a record changed, not when a field did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Timestamp>,
    pub source: Source,
    /// The sync request that wrote it: of one source's requests with the same time, the one with the greater id wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// When other sources last wrote it, so that a late message of theirs is known to be late.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub earlier: BTreeMap<Source, Stamp>,
}

/// The order of what one source says of one field.
pub type Stamp = (Timestamp, Option<RequestId>);

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

impl Written {
    pub fn new(value: Option<Value>, at: Timestamp, source: &Source) -> Written {
        Written { value, at, after: None, source: source.clone(), request: None, earlier: BTreeMap::new() }
    }

    /// A write by a sync request.
    pub fn by(mut self, request: &RequestId) -> Written {
        self.request = Some(request.clone());
        self
    }

    pub fn stamp(&self) -> Stamp {
        (self.at, self.request.clone())
    }

    /// This write in the place of another, of which it keeps who wrote when.
    pub fn over(mut self, before: Option<Written>) -> Written {
        if let Some(before) = before {
            let stamp = before.stamp();
            self.earlier = before.earlier;
            self.earlier.insert(before.source, stamp);
            self.earlier.remove(&self.source);
        }
        self
    }

    /// The last that `source` wrote here.
    pub fn last_by(&self, source: &Source) -> Option<Stamp> {
        if self.source == *source { Some(self.stamp()) } else { self.earlier.get(source).cloned() }
    }

    /// Whether this says something newer than what its own source said there before.
    pub fn is_news_to(&self, before: Option<&Written>) -> bool {
        before.and_then(|before| before.last_by(&self.source)).is_none_or(|last| self.stamp() > last)
    }
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

    /// A value in the field's own kind.
    pub fn fit(&self, field: &str, value: Value) -> Result<Value, WrongKind> {
        let Some(expected) = self.kind(field) else { return Ok(value) };
        value.into_kind(expected).map_err(|value| WrongKind { field: field.to_owned(), expected, found: value.kind() })
    }

    /// Writes a field, in its own kind. Whether its value is another now.
    pub fn put(
        &mut self,
        field: &str,
        value: Option<Value>,
        at: Timestamp,
        source: &Source,
    ) -> Result<bool, WrongKind> {
        self.write(field, Written::new(value, at, source))
    }

    /// As [`Fields::put`], for a write that carries its own time.
    pub fn write(&mut self, field: &str, written: Written) -> Result<bool, WrongKind> {
        let value = written.value.map(|value| self.fit(field, value)).transpose()?;
        let before = self.0.remove(field);
        let changed = before.as_ref().and_then(|w| w.value.as_ref()) != value.as_ref();
        self.0.insert(field.to_owned(), Written { value, ..written }.over(before));
        Ok(changed)
    }
}

impl Fields {
    /// Takes back the field behind a key that is another record's, to what it was. Whether there was one.
    pub fn yield_key(&mut self, key: &Key, before: Option<&Fields>) -> bool {
        let field = match key {
            Key::Own(_) => "id",
            Key::Email(_) => "email",
            Key::Phone(_) => "phone",
            Key::Remote(..) => return false,
        };
        let Some(_) = self.0.remove(field) else { return false };
        if let Some(written) = before.and_then(|before| before.written(field)) {
            self.0.insert(field.to_owned(), written.clone());
        }
        true
    }

    /// Takes over the fields that have no value here.
    pub fn fill_blanks(&mut self, other: &Fields) {
        for (field, written) in &other.0 {
            if self.get(field).is_none() && written.value.is_some() {
                self.0.insert(field.clone(), written.clone());
            }
        }
    }
}

impl FromIterator<(FieldName, Written)> for Fields {
    fn from_iter<I: IntoIterator<Item = (FieldName, Written)>>(fields: I) -> Fields {
        Fields(fields.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source() -> impl Strategy<Value = Source> {
        prop::sample::select(&["workflow", "crm-0", "crm-1"][..]).prop_map(|name| name.parse().unwrap())
    }

    fn writes() -> impl Strategy<Value = Vec<Written>> {
        let value = prop::option::of("[ab]{1,2}".prop_map(|t| Value::text(&t).unwrap()));
        let request = prop::option::of("r[0-9]".prop_map(|id| id.parse::<RequestId>().unwrap()));
        let written = (source(), 0..8i64, value, request).prop_map(|(source, second, value, request)| Written {
            request,
            ..Written::new(value, at(second), &source)
        });
        prop::collection::vec(written, 0..12)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    proptest! {
        #![proptest_config(crate::planner::cases(1000))]

        /// Each source's messages come in any order, and other sources write between them.
        #[test]
        fn a_late_message_of_a_source_is_known_to_be_late(writes in writes()) {
            let mut fields = Fields::default();
            let mut latest: BTreeMap<Source, Stamp> = BTreeMap::new();
            for written in writes {
                let before = fields.written("company").cloned();
                let last = latest.get(&written.source);
                prop_assert_eq!(before.as_ref().and_then(|before| before.last_by(&written.source)), last.cloned());
                let news = last.is_none_or(|last| written.stamp() > *last);
                prop_assert_eq!(written.is_news_to(before.as_ref()), news);
                if !news {
                    continue;
                }
                latest.insert(written.source.clone(), written.stamp());
                let value = written.value.clone();
                let changed = fields.write("company", written).unwrap();
                prop_assert_eq!(changed, before.and_then(|before| before.value) != value);
                prop_assert_eq!(fields.get("company"), value.as_ref());
            }
        }

        #[test]
        fn fields_that_were_stored_are_read_back(writes in writes()) {
            let mut fields = Fields::default();
            for (n, written) in writes.into_iter().enumerate() {
                fields.write(&format!("field-{}", n % 3), written).unwrap();
            }
            let json = serde_json::to_string(&fields).unwrap();
            prop_assert_eq!(serde_json::from_str::<Fields>(&json).unwrap(), fields);
        }
    }

    #[test]
    fn a_value_of_another_kind_changes_nothing() {
        let source: Source = "workflow".parse().unwrap();
        let mut fields = Fields::default();
        fields.put("duration", Value::text("184"), at(1), &source).unwrap();
        assert_eq!(fields.get("duration"), Some(&Value::number(184.into())));
        let before = fields.clone();
        let wrong = fields.put("duration", Value::text("long"), at(2), &source).unwrap_err();
        assert_eq!((wrong.expected, wrong.found), (Kind::Number, Kind::Text));
        assert_eq!(fields, before);
    }
}
