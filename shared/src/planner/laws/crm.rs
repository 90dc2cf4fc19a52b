//! A simulated CRM.

use crate::{planner::Change, record::Value};
use std::collections::{BTreeMap, BTreeSet};

/// How a CRM rewrites what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    Faithful,
    Uppercases,
    Truncates,
    RewritesPhones,
}

impl Quirk {
    pub fn spell(self, value: &Value) -> Value {
        let text = value.to_string();
        let spelt = match self {
            Quirk::Uppercases => text.to_uppercase(),
            Quirk::Truncates => text.chars().take(20).collect(),
            Quirk::RewritesPhones => match text.strip_prefix("+1").filter(|t| t.len() == 10) {
                Some(digits) => format!("({}) {}-{}", &digits[..3], &digits[3..6], &digits[6..]),
                None => text,
            },
            Quirk::Faithful => text,
        };
        if let Value::Text(_) = value { Value::text(&spelt).unwrap() } else { value.clone() }
    }
}

/// One remote in a simulated CRM.
#[derive(Clone, Debug)]
pub struct Crm {
    pub quirk: Quirk,
    pub shown: BTreeMap<String, Value>,
    pub modified: i64,
    /// Fields that it does not show.
    pub hidden: BTreeSet<String>,
    pub refuses: bool,
    pub deleted: bool,
    /// Whether the answer to a write shows what was written; otherwise it is read back.
    pub echoes: bool,
    /// A workflow of the customer's, inside the CRM: whenever we write this field, it is set to this value.
    pub automation: Option<(String, Value)>,
}

impl Crm {
    pub fn store(&mut self, field: &str, value: Option<&Value>) {
        match value {
            Some(value) => drop(self.shown.insert(field.to_owned(), self.quirk.spell(value))),
            None => drop(self.shown.remove(field)),
        }
    }

    pub fn write(&mut self, changes: &[Change], now: i64) -> i64 {
        changes.iter().for_each(|change| self.store(&change.field, change.value.as_ref()));
        self.modified = now;
        now
    }
}
