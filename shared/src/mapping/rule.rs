//! One rule: how a field of the hub's is spelt in a field of a CRM's, and back.

use super::{Form, Formula};
use crate::record::{Domain, Email, FieldName, Fields, Phone, Region, RemoteField, Sort, Value, WrongKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A hub field ⇄ a remote field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    pub hub: FieldName,
    pub remote: RemoteField,
    /// What is sent is computed of the hub's fields, and `hub` is but a name for it. It only goes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<Formula>,
    #[serde(default)]
    pub direction: Direction,
    /// Sent where the hub has no value and the CRM insists on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether a blank in the CRM clears the hub's field. By default it is kept.
    #[serde(default)]
    pub clears: bool,
    /// What the hub's values are in the CRM, such as a stage's name and its id there. Where there are any, others do not travel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// How a value is spelt: `text` has a number go into a field of texts. What cannot be had so does not go out.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Nothing is made in the CRM before this can be said: of a reference, before what it leads to is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needed: bool,
    /// Holds for one object only, where people are filed under several: Salesforce's contacts have no `Company`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
}

/// One of several objects of a CRM whose ids tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Only {
    pub object: String,
    /// How its ids begin.
    pub ids: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RuleDirection")]
pub enum Direction {
    ToCrm,
    FromCrm,
    #[default]
    Both,
}

impl Direction {
    pub fn sends(self) -> bool {
        self != Direction::FromCrm
    }
    pub fn receives(self) -> bool {
        self != Direction::ToCrm
    }
}

impl Rule {
    /// A field that flows both ways.
    pub fn both(hub: &str, remote: &str) -> Rule {
        let (hub, remote, direction) = (hub.to_owned(), remote.to_owned(), Direction::Both);
        let (formula, default, values, form, only) = (None, None, BTreeMap::new(), None, None);
        Rule { hub, remote, formula, direction, default, clears: false, values, form, needed: false, only }
    }

    /// A field that is computed of the hub's.
    pub fn computed(hub: &str, formula: Formula, remote: &str) -> Rule {
        Rule { formula: Some(formula), ..Rule::to_crm(hub, remote) }
    }

    /// A field that only the hub writes.
    pub fn to_crm(hub: &str, remote: &str) -> Rule {
        Rule { direction: Direction::ToCrm, ..Rule::both(hub, remote) }
    }

    /// The same rule, for a field that the CRM insists on.
    pub fn or(self, default: &str) -> Rule {
        Rule { default: Value::text(default), ..self }
    }

    /// The same rule, without which nothing is made.
    pub fn needed(self) -> Rule {
        Rule { needed: true, ..self }
    }

    /// The same rule, for one object only.
    pub fn only(self, object: &str, ids: &str) -> Rule {
        Rule { only: Some(Only { object: object.to_owned(), ids: ids.to_owned() }), ..self }
    }

    /// The same rule, with the CRM's values for some of the hub's.
    pub fn values<const N: usize>(self, values: [(&str, &str); N]) -> Rule {
        Rule { values: values.map(|(hub, remote)| (hub.to_owned(), remote.to_owned())).into(), ..self }
    }

    /// What the hub has to say here, which may be that it is blank; `None` where it has nothing to say.
    pub(super) fn said(&self, hub: &Fields) -> Option<Option<Value>> {
        match &self.formula {
            Some(formula) => formula.of(hub).map(Some),
            None => hub.told(&self.hub),
        }
    }

    /// Whether there is something to say that is not said of everybody, as a filler is.
    pub fn says_something(&self, hub: &Fields) -> bool {
        match &self.formula {
            Some(formula) => formula.of(hub).is_some_and(|value| formula.of(&Fields::default()) != Some(value)),
            None => hub.told(&self.hub).flatten().is_some(),
        }
    }

    /// The CRM's value for the hub's; `None` where it has none: of a table, only what is in it travels.
    pub fn spelt(&self, value: &Value, region: &Region) -> Option<Value> {
        let value = match self.values.is_empty() {
            true => value.clone(),
            false => Value::text(self.values.get(&value.to_string())?)?,
        };
        match self.form {
            Some(form) => form.of(&value, region),
            None => Some(value),
        }
    }

    /// The hub's value for what the CRM shows: in the rule's form where it has one and it can be had, phones as E.164, e-mails in
    /// lower case, our own filler and what is in no table of values as nothing.
    pub fn invert(&self, shown: &Value, region: &Region) -> Option<Value> {
        if !self.values.is_empty() {
            let text = shown.to_string();
            let is_shown = |hub: &Value| self.spelt(hub, region).is_some_and(|spelt| spelt.to_string() == text);
            return self.values.keys().filter_map(|hub| Value::text(hub)).find(is_shown);
        }
        let plain = |value: &Value| {
            let formed = self.form.and_then(|form| form.of(value, region));
            normal(&self.hub, formed.as_ref().unwrap_or(value), region)
        };
        let shown = plain(shown);
        if self.default.as_ref().map(plain).as_ref() == Some(&shown) {
            return None;
        }
        Some(shown)
    }

    /// What the CRM shows, in the hub's terms and in the kind of the hub's field; with what is wrong where it has another.
    pub fn heard(&self, shown: &Value, hub: &Fields, region: &Region) -> (Option<Value>, Option<WrongKind>) {
        let Some(value) = self.invert(shown, region) else { return (None, None) };
        // A number that cannot be read as one is no text of the hub's either.
        let strict = self.form.filter(|form| self.values.is_empty() && matches!(form, Form::Number | Form::Flag));
        let expected = strict.map(|form| form.sort().kind());
        if let Some(expected) = expected.filter(|expected| *expected != value.kind()) {
            let misfit = WrongKind { field: self.hub.clone(), expected, found: value.kind() };
            return (Some(value), Some(misfit));
        }
        match hub.fit(&self.hub, value.clone()) {
            Ok(value) => (Some(value), None),
            Err(misfit) => (Some(value), Some(misfit)),
        }
    }
}

/// The day of a date or of a time: some CRMs close deals, or want tasks done, at midnight, some on a day.
pub(super) fn day(text: &str) -> Option<String> {
    let day: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    Some(day.to_string())
}

/// A time, in whole seconds and in UTC: some CRMs tell milliseconds, some another offset.
pub(super) fn moment(text: &str) -> Option<String> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// A value as the hub writes it in the given field, where it can be read as such; otherwise as it is.
pub fn normal(field: &str, value: &Value, region: &Region) -> Value {
    let Value::Text(text) = value else { return value.clone() };
    let normal = match field {
        "email" => Email::parse(text.as_str()).map(|email| email.as_str().to_owned()),
        "phone" => Phone::parse(text.as_str(), region).map(|phone| phone.as_str().to_owned()),
        "domain" => Domain::parse(text.as_str()).map(|domain| domain.as_str().to_owned()),
        _ => match Sort::of(field) {
            Some(Sort::Date) => day(text.as_str()),
            Some(Sort::Time) => moment(text.as_str()),
            _ => None,
        },
    };
    normal.and_then(|text| Value::text(&text)).unwrap_or_else(|| value.clone())
}
