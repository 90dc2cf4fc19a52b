//! How a hub record is spelt in a CRM's fields, and back.

mod formula;
mod template;

pub use formula::{Formula, FormulaError};
pub use template::{Template, TemplateError};

use crate::id::RemoteId;
use crate::record::{Domain, Email, FieldName, Fields, Object, Phone, Region, RemoteField, Value};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The rules of one connection for one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Counts the changes of these rules.
    pub version: u64,
    /// The object as the CRM's API names it: `contacts`, `Leads`.
    pub object: String,
    /// The unique field of the CRM that holds our record id.
    pub id_field: RemoteField,
    /// Whose records are made and changed in this CRM, and taken from it: those of which this comes to true. `None`: everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include: Option<Formula>,
    pub rules: Vec<Rule>,
    #[serde(default)]
    pub region: Region,
    /// Fields that the account no longer has: their rules rest until they are back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub set_aside: BTreeSet<RemoteField>,
    /// Fields whose rules are others since a version: what was agreed about them before counts no more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed: BTreeMap<RemoteField, u64>,
}

/// A hub field ⇄ a remote field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// Holds for one object only, where people are filed under several: Salesforce's contacts have no `Company`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
}

/// One of several objects of a CRM whose ids tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    pub object: String,
    /// How its ids begin.
    pub ids: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// What the hub wants a CRM to show: remote field → value, `None` to clear it.
pub type Wanted = BTreeMap<RemoteField, Option<Value>>;

impl Mapping {
    /// The first version of some rules.
    pub fn new(object: &str, id_field: &str, rules: Vec<Rule>) -> Mapping {
        let (object, id_field) = (object.to_owned(), id_field.to_owned());
        let (set_aside, changed) = (BTreeSet::new(), BTreeMap::new());
        Mapping { version: 1, object, id_field, include: None, rules, region: Region::default(), set_aside, changed }
    }

    /// Other rules in the place of these.
    pub fn succeeded_by(&self, next: Mapping) -> Mapping {
        let version = self.version + 1;
        let of = |mapping: &Mapping, field: &str| -> Vec<Rule> {
            mapping.rules.iter().filter(|rule| rule.remote == field).cloned().collect()
        };
        let is_another = |field: &&RemoteField| of(self, field) != of(&next, field);
        let known: BTreeSet<&RemoteField> = self.rules.iter().map(|rule| &rule.remote).collect();
        let mut changed = self.changed.clone();
        changed.extend(known.into_iter().filter(is_another).map(|field| (field.clone(), version)));
        Mapping { version, changed, ..next }
    }

    /// Whether a record with these fields is this CRM's business.
    pub fn includes(&self, hub: &Fields) -> bool {
        self.include.as_ref().is_none_or(|include| include.holds(hub)) || cfg!(feature = "mutant_everybody_is_included")
    }

    /// The version since which all of these rules hold.
    pub fn since(&self) -> u64 {
        self.changed.values().copied().max().unwrap_or_default()
    }

    /// The hub in the CRM's fields: only those the hub has ever known, or the CRM insists on. `remote` is `None` where it
    /// is to be created.
    pub fn render(&self, hub: &Fields, remote: Option<&RemoteId>) -> Wanted {
        let holds = |rule: &&Rule| match (&rule.only, remote) {
            _ if !rule.direction.sends() || self.set_aside.contains(&rule.remote) => false,
            (None, _) => true,
            (Some(only), Some(remote)) => remote.as_str().starts_with(&only.ids),
            (Some(only), None) => only.object == self.object,
        };
        let sent = self.rules.iter().filter(holds);
        sent.filter_map(|rule| {
            let said = rule.said(hub);
            let could = said.as_ref().is_none_or(|said| rule.could_spell(said.as_ref()));
            // What cannot be said here leaves the CRM's own value alone.
            if !could && remote.is_some() {
                return None;
            }
            let said = said.filter(|_| could);
            let known = said.is_some() || rule.default.is_some();
            let value = said.flatten().map(|value| rule.spelt(value));
            known.then(|| (rule.remote.clone(), value.or_else(|| rule.default.clone())))
        })
        .collect()
    }

    /// The rule by which a remote field flows into the hub.
    pub fn inbound(&self, remote: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.remote == remote && rule.direction.receives())
    }

    /// The fields to ask the CRM for.
    pub fn remote_fields(&self) -> Vec<&str> {
        self.remote_fields_of(&self.object)
    }

    /// The fields to ask one of the CRM's objects for.
    pub fn remote_fields_of(&self, object: &str) -> Vec<&str> {
        let holds = |rule: &&Rule| {
            rule.only.as_ref().is_none_or(|only| only.object == object) && !self.set_aside.contains(&rule.remote)
        };
        let mut fields: Vec<&str> = self.rules.iter().filter(holds).map(|rule| rule.remote.as_str()).collect();
        fields.push(&self.id_field);
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// The fields that lead to other records, and what those are.
    pub fn references(&self) -> Vec<(&str, Object)> {
        self.rules.iter().filter_map(|rule| Some((rule.remote.as_str(), Object::referred_by(&rule.hub)?))).collect()
    }

    /// The hub's fields that lead to other records and are sent.
    pub fn referring(&self) -> Vec<(&str, Object)> {
        let sent = self.rules.iter().filter(|rule| rule.direction.sends());
        sent.filter_map(|rule| Some((rule.hub.as_str(), Object::referred_by(&rule.hub)?))).collect()
    }

    /// Whether a field leads to another record.
    pub fn refers(&self, remote: &str) -> bool {
        self.references().iter().any(|(field, _)| *field == remote)
    }

    /// The hub's field that a remote field is mapped to.
    pub fn hub_of(&self, remote: &str) -> Option<&str> {
        self.rules.iter().find(|rule| rule.remote == remote).map(|rule| rule.hub.as_str())
    }

    /// The remote field that a hub field is read from and written to.
    pub fn remote_of(&self, hub: &str) -> Option<&str> {
        self.rules.iter().find(|rule| rule.hub == hub).map(|rule| rule.remote.as_str())
    }
}

impl Rule {
    /// A field that flows both ways.
    pub fn both(hub: &str, remote: &str) -> Rule {
        let (hub, remote, direction) = (hub.to_owned(), remote.to_owned(), Direction::Both);
        let (formula, default, values, only) = (None, None, BTreeMap::new(), None);
        Rule { hub, remote, formula, direction, default, clears: false, values, only }
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

    /// The same rule, for one object only.
    pub fn only(self, object: &str, ids: &str) -> Rule {
        Rule { only: Some(Only { object: object.to_owned(), ids: ids.to_owned() }), ..self }
    }

    /// The same rule, with the CRM's values for some of the hub's.
    pub fn values<const N: usize>(self, values: [(&str, &str); N]) -> Rule {
        Rule { values: values.map(|(hub, remote)| (hub.to_owned(), remote.to_owned())).into(), ..self }
    }

    /// What the hub has to say here, which may be that it is blank; `None` where it has nothing to say.
    fn said(&self, hub: &Fields) -> Option<Option<Value>> {
        match &self.formula {
            Some(formula) => formula.of(hub).map(Some),
            None => hub.said(&self.hub).map(|said| said.value),
        }
    }

    /// Whether there is something to say that is not said of everybody, as a filler is.
    pub fn says_something(&self, hub: &Fields) -> bool {
        match &self.formula {
            Some(formula) => formula.of(hub).is_some_and(|value| formula.of(&Fields::default()) != Some(value)),
            None => hub.said(&self.hub).is_some_and(|said| said.value.is_some()),
        }
    }

    /// Whether the CRM has a value for the hub's: of a table, only what is in it travels.
    fn could_spell(&self, value: Option<&Value>) -> bool {
        self.values.is_empty() || value.is_none_or(|value| self.values.contains_key(&value.to_string()))
    }

    /// The CRM's value for the hub's.
    fn spelt(&self, value: Value) -> Value {
        let told = self.values.get(&value.to_string()).and_then(|told| Value::text(told));
        told.unwrap_or(value)
    }

    /// The hub's value for what the CRM shows: phones as E.164, e-mails in lower case, our own filler and what is in no table of
    /// values as nothing.
    pub fn invert(&self, shown: &Value, region: &Region) -> Option<Value> {
        if !self.values.is_empty() {
            let text = shown.to_string();
            return self.values.iter().find(|(_, remote)| **remote == text).and_then(|(hub, _)| Value::text(hub));
        }
        let plain = |value: &Value| normal(&self.hub, value, region);
        let shown = plain(shown);
        if self.default.as_ref().map(plain).as_ref() == Some(&shown) {
            return None;
        }
        Some(shown)
    }
}

/// The day of a date or of a time: some CRMs close deals, or want tasks done, at midnight, some on a day.
fn day(text: &str) -> Option<String> {
    let day: jiff::civil::Date = text.get(..10)?.parse().ok()?;
    Some(day.to_string())
}

/// A time, in whole seconds and in UTC: some CRMs tell milliseconds, some another offset.
fn moment(text: &str) -> Option<String> {
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
        "close_date" | "due_date" => day(text.as_str()),
        "happened_at" => moment(text.as_str()),
        _ => None,
    };
    normal.and_then(|text| Value::text(&text)).unwrap_or_else(|| value.clone())
}
