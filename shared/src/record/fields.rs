//! The fields of a hub record, each with who wrote it and when.

use super::{
    key::Key,
    schema::Sort,
    value::{Kind, Value},
};
use crate::id::{RequestId, Source};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A hub field's name, such as `first_name`.
pub type FieldName = String;

/// One field as it was last written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// A person's whole name: of the two names, and for the CRMs that know no parts.
const NAME: &str = "full_name";
const FIRST: &str = "first_name";
const LAST: &str = "last_name";

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

    /// As [`Fields::written`]; also of the `full_name`, which was written when one of its parts was.
    pub fn said(&self, field: &str) -> Option<Written> {
        if field != NAME {
            return self.written(field).cloned();
        }
        let parts: Vec<&Written> = [FIRST, LAST].into_iter().filter_map(|part| self.written(part)).collect();
        let newest = parts.iter().max_by_key(|written| written.stamp())?;
        let name: Vec<String> = parts.iter().filter_map(|part| Some(part.value.as_ref()?.to_string())).collect();
        Some(Written { value: Value::text(&name.join(" ")), earlier: BTreeMap::new(), ..(*newest).clone() })
    }

    /// The value of what is said, which may be blank; `None` where nothing was ever said.
    pub fn told(&self, field: &str) -> Option<Option<Value>> {
        match field {
            NAME => self.said(field).map(|said| said.value),
            _ => self.written(field).map(|written| written.value.clone()),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&FieldName, &Written)> {
        self.0.iter()
    }

    /// The kind a field holds, where that is known: one of the tenant's own keeps the kind of its first value.
    pub fn kind(&self, field: &str) -> Option<Kind> {
        let fixed = Sort::of(field).map(Sort::kind);
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
        if field == NAME {
            return self.write_name(&written);
        }
        let value = written.value.map(|value| self.fit(field, value)).transpose()?;
        let before = self.0.remove(field);
        let changed = before.as_ref().and_then(|w| w.value.as_ref()) != value.as_ref();
        self.0.insert(field.to_owned(), Written { value, ..written }.over(before));
        Ok(changed)
    }

    /// Writes those parts of a name that are others now. A part that is missing clears nothing.
    fn write_name(&mut self, written: &Written) -> Result<bool, WrongKind> {
        let Some(name) = &written.value else { return Ok(false) };
        if self.said(NAME).and_then(|said| said.value).as_ref() == Some(name) {
            return Ok(false);
        }
        let old = |part| self.get(part).map(ToString::to_string);
        let (first, last) = parts(&name.to_string(), old(FIRST).as_deref(), old(LAST).as_deref());
        let mut changed = false;
        for (part, text) in [(FIRST, first), (LAST, last)] {
            let value = Value::text(&text);
            if value.is_some() && value.as_ref() != self.get(part) {
                changed |= self.write(part, Written { value, ..written.clone() })?;
            }
        }
        Ok(changed)
    }
}

/// The fields that a field is made of: a whole name is two.
pub fn parts_of(field: &str) -> &'static [&'static str] {
    if field == NAME { &[FIRST, LAST] } else { &[] }
}

/// The parts of a name. A part that is known already is kept whole; without one the last word is the last name.
pub fn parts(name: &str, first: Option<&str>, last: Option<&str>) -> (String, String) {
    let name = name.trim();
    let beside = |rest: &str| rest.trim().to_owned();
    let before_last = last.and_then(|last| name.strip_suffix(last)).filter(|rest| rest.ends_with(char::is_whitespace));
    let after_first =
        first.and_then(|first| name.strip_prefix(first)).filter(|rest| rest.starts_with(char::is_whitespace));
    match (before_last, after_first, last, first) {
        _ if last == Some(name) => (String::new(), name.to_owned()),
        (Some(rest), _, Some(last), _) => (beside(rest), last.to_owned()),
        (_, Some(rest), _, Some(first)) => (first.to_owned(), beside(rest)),
        _ => match name.rsplit_once(char::is_whitespace) {
            Some((first, last)) => (beside(first), last.to_owned()),
            None => (String::new(), name.to_owned()),
        },
    }
}

impl Fields {
    /// Takes back the field behind a key that is another record's, to what it was. Whether there was one.
    pub fn yield_key(&mut self, key: &Key, before: Option<&Fields>) -> bool {
        let field = match key {
            Key::Own(_) => "id",
            Key::Email(_) => "email",
            Key::Phone(_) => "phone",
            Key::Domain(_) => "domain",
            Key::Title(_) => "name",
            Key::Remote(..) => return false,
        };
        let Some(_) = self.0.remove(field) else { return false };
        if let Some(written) = before.and_then(|before| before.written(field)) {
            self.0.insert(field.to_owned(), written.clone());
        }
        true
    }

    /// Has what was written in one field written in another, unless that was written later. Whether anything is another now.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(written) = self.0.remove(from) else { return false };
        if self.said(to).is_some_and(|said| said.stamp() > written.stamp()) {
            return true;
        }
        // A value of another kind stays where it is.
        if self.write(to, written.clone()).is_ok() {
            return true;
        }
        self.0.insert(from.to_owned(), written);
        false
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
    fn a_name_is_parted_where_its_known_parts_are() {
        for (name, first, last, expected) in [
            ("Ada Byron", None, None, ("Ada", "Byron")),
            ("Byron", None, None, ("", "Byron")),
            ("Ludwig van Beethoven", None, None, ("Ludwig van", "Beethoven")),
            ("Ludwig van Beethoven", Some("Ludwig"), Some("Beethoven"), ("Ludwig van", "Beethoven")),
            ("Ludwig van Beethoven", Some("Ludwig"), Some("van Beethoven"), ("Ludwig", "van Beethoven")),
            ("Mary Ann King", Some("Mary Ann"), Some("Byron"), ("Mary Ann", "King")),
            ("Name 7", None, Some("Name 7"), ("", "Name 7")),
            ("Adabyron", Some("Ada"), Some("byron"), ("", "Adabyron")),
        ] {
            let (a, b) = parts(name, first, last);
            assert_eq!((a.as_str(), b.as_str()), expected, "{name}, known as {first:?} {last:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::planner::cases(1000))]

        #[test]
        fn a_name_that_is_written_is_said(first in "[a-z]{0,3}( [a-z]{1,3}){0,2}", last in "[a-z]{0,3}( [a-z]{1,3}){0,2}", name in "[a-z]{1,3}( [a-z]{1,3}){0,3}") {
            let (us, crm): (Source, Source) = ("workflow".parse().unwrap(), "crm-0".parse().unwrap());
            let mut fields = Fields::default();
            fields.put("first_name", Value::text(&first), at(1), &us).unwrap();
            fields.put("last_name", Value::text(&last), at(1), &us).unwrap();
            let before = fields.clone();
            let said = fields.said("full_name").unwrap();
            prop_assert!(!fields.write("full_name", Written::new(said.value, at(2), &crm)).unwrap(), "what is said already changes nothing");
            prop_assert_eq!(&fields, &before);
            fields.write("full_name", Written::new(Value::text(&name), at(2), &crm)).unwrap();
            let now = fields.said("full_name").unwrap();
            // One word says nothing of the other name.
            let said = now.value.map(|value| value.to_string()).unwrap_or_default();
            prop_assert!(said == name || said.ends_with(&format!(" {name}")), "{said} for {name}");
        }
    }

    #[test]
    fn what_was_written_under_another_name_is_kept_unless_it_is_older() {
        let source: Source = "workflow".parse().unwrap();
        let mut fields = Fields::default();
        for (field, value, second) in [
            ("jobtitle", "CTO", 2),
            ("Phone", "555", 1),
            ("phone", "556", 2),
            ("callDuration", "long", 1),
            ("Name", "Ada Byron", 1),
        ] {
            fields.put(field, Value::text(value), at(second), &source).unwrap();
        }
        assert!(fields.rename("jobtitle", "job_title") && fields.rename("Phone", "phone"));
        assert!(!fields.rename("callDuration", "duration"), "no number");
        assert!(fields.rename("Name", "full_name") && !fields.rename("nothing", "email"));
        let known: Vec<(&str, String)> =
            fields.iter().map(|(name, _)| (name.as_str(), fields.get(name).unwrap().to_string())).collect();
        let expected = [
            ("callDuration", "long"),
            ("first_name", "Ada"),
            ("job_title", "CTO"),
            ("last_name", "Byron"),
            ("phone", "556"),
        ];
        assert_eq!(known, expected.map(|(name, value)| (name, value.to_owned())));
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
