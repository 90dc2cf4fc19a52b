//! How a hub record is spelt in a CRM's fields, and back.

mod canon;
mod form;
mod formula;
mod outcome;
mod rule;
mod template;

pub use form::Form;
pub use formula::{Formula, FormulaError};
pub use rule::{Direction, Only, Rule, normal};
pub use template::{Template, TemplateError};

use crate::id::RemoteId;
use crate::mutant;
use crate::provider::list;
use crate::record::{Fields, Object, Region, RemoteField, Value};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The rules of one connection for one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Counts the changes of these rules.
    pub version: u64,
    /// The object as the CRM's API names it: `contacts`, `Leads`.
    pub object: String,
    /// The unique field of the CRM that holds our record id; empty where the object has no room for one. Such records are only made:
    /// nothing of them is read into the hub, and what became of a create is known by what the record says.
    #[serde(default)]
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

/// What the hub wants a CRM to show: remote field → value, `None` to clear it.
pub type Wanted = BTreeMap<RemoteField, Option<Value>>;

impl Mapping {
    /// The first version of some rules.
    pub fn new(object: &str, id_field: &str, rules: Vec<Rule>) -> Mapping {
        let (object, id_field) = (object.to_owned(), id_field.to_owned());
        let (set_aside, changed) = (BTreeSet::new(), BTreeMap::new());
        Mapping { version: 1, object, id_field, include: None, rules, region: Region::default(), set_aside, changed }
    }

    /// Whether the object has room for our record id.
    pub fn has_room(&self) -> bool {
        !self.id_field.is_empty()
    }

    /// Whether a record cannot be made before this field can be said.
    pub fn needs(&self, remote: &str) -> bool {
        self.rules.iter().any(|rule| rule.needed && rule.remote == remote)
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
        self.include.as_ref().is_none_or(|include| include.holds(hub)) || mutant::lives("everybody_is_included")
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
            let said = match rule.said(hub) {
                Some(Some(value)) => match rule.spelt(&value, &self.region) {
                    // What cannot be said here leaves the CRM's own value alone.
                    None if remote.is_some() => return None,
                    spelt => spelt.map(Some),
                },
                blank => blank,
            };
            let known = said.is_some() || rule.default.is_some();
            known.then(|| (rule.remote.clone(), said.flatten().or_else(|| rule.default.clone())))
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
            rule.only.as_ref().is_none_or(|only| only.object == object)
                && !self.set_aside.contains(&rule.remote)
                && list::of_field(&rule.remote).is_none()
        };
        let mut fields: Vec<&str> = self.rules.iter().filter(holds).map(|rule| rule.remote.as_str()).collect();
        fields.extend(self.has_room().then_some(self.id_field.as_str()));
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    /// The CRM's own lists that rules are about.
    pub fn lists(&self) -> Vec<&str> {
        self.lists_where(|_| true)
    }

    /// Those of which the hub is to know who is on them.
    pub fn lists_read(&self) -> Vec<&str> {
        self.lists_where(|rule| rule.direction.receives())
    }

    fn lists_where(&self, holds: impl Fn(&Rule) -> bool) -> Vec<&str> {
        let rules = self.rules.iter().filter(|rule| !self.set_aside.contains(&rule.remote) && holds(rule));
        rules.filter_map(|rule| list::of_field(&rule.remote)).collect()
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
