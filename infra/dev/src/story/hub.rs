//! What the hub knows of a person, read by the `operator` command.

use super::oracle::Texts;
use super::scene::{Scene, TENANT};
use crate::operator;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;

/// A hub record and what happened to it.
pub(super) struct Known {
    pub(super) record: Value,
    pub(super) history: Vec<Value>,
}

/// The person with this e-mail address.
pub(super) fn find(scene: &Scene<'_>, email: &str) -> Result<Option<Known>> {
    let answer = operator::ask(scene.project, scene.stack, &["record", TENANT, &format!("email={email}")])?;
    let mut found: Vec<Value> = serde_json::from_str(&answer).context("`operator record` answers something else")?;
    Ok(found.pop().map(|mut one| Known {
        record: one["record"].take(),
        history: one["history"].as_array_mut().map(std::mem::take).unwrap_or_default(),
    }))
}

/// Every record of the tenant.
pub(super) fn all(scene: &Scene<'_>) -> Result<Vec<Known>> {
    let answer = operator::ask(scene.project, scene.stack, &["dump", TENANT])?;
    answer.lines().map(|line| Ok(Known { record: serde_json::from_str(line)?, history: Vec::new() })).collect()
}

/// What waits for a person.
pub(super) fn exceptions(scene: &Scene<'_>) -> Result<Vec<Value>> {
    Ok(serde_json::from_str(&operator::ask(scene.project, scene.stack, &["exceptions", TENANT])?)?)
}

impl Known {
    pub(super) fn id(&self) -> &str {
        self.record["id"].as_str().unwrap_or_default()
    }

    pub(super) fn version(&self) -> u64 {
        self.record["version"].as_u64().unwrap_or_default()
    }

    /// The id under which its last change was made.
    pub(super) fn trace(&self) -> &str {
        self.record["cause"]["trace"].as_str().unwrap_or_default()
    }

    pub(super) fn is_merged(&self) -> bool {
        !self.record["merged_into"].is_null()
    }

    /// The fields that have a value, as text.
    pub(super) fn fields(&self) -> Texts {
        let fields = self.record["fields"].as_object().into_iter().flatten();
        fields.filter_map(|(name, written)| Some((name.clone(), text(&written["value"])?))).collect()
    }

    /// Connection → the record's id there.
    pub(super) fn links(&self) -> BTreeMap<String, String> {
        let links = self.record["links"].as_object().into_iter().flatten();
        links.filter_map(|(name, link)| Some((name.clone(), link["remote"].as_str()?.to_owned()))).collect()
    }

    /// What made the changes of this record, oldest first: `request`, `look`, `push` or `remote`, and by which connection.
    pub(super) fn causes(&self) -> Vec<String> {
        let changes = self.history.iter().filter(|entry| entry["entry"] == "change");
        let by = changes.filter_map(|entry| entry["cause"]["by"].as_object()?.iter().next());
        by.map(|(kind, by)| format!("{kind} {}", by["connection"].as_str().unwrap_or_default()).trim().to_owned())
            .collect()
    }
}

/// A value as a person would write it; none where there is none.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
