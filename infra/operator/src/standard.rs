//! Mappings that come with the operator: files of rules for one object of one CRM.

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use shared::{provider::Crm, record::Object, remap::Rules};

const FILES: &[(&str, &str)] = &[
    ("hubspot-calls", include_str!("../mappings/hubspot-calls.json")),
    ("hubspot-company", include_str!("../mappings/hubspot-company.json")),
    ("hubspot-contact", include_str!("../mappings/hubspot-contact.json")),
    ("hubspot-education", include_str!("../mappings/hubspot-education.json")),
    ("hubspot-engagement", include_str!("../mappings/hubspot-engagement.json")),
    ("hubspot-insurance", include_str!("../mappings/hubspot-insurance.json")),
    ("hubspot-profile", include_str!("../mappings/hubspot-profile.json")),
    ("hubspot-real-estate", include_str!("../mappings/hubspot-real-estate.json")),
    ("pipedrive-calls", include_str!("../mappings/pipedrive-calls.json")),
    ("pipedrive-engagement", include_str!("../mappings/pipedrive-engagement.json")),
    ("salesforce-calls", include_str!("../mappings/salesforce-calls.json")),
    ("salesforce-contact", include_str!("../mappings/salesforce-contact.json")),
    ("salesforce-education", include_str!("../mappings/salesforce-education.json")),
    ("salesforce-engagement", include_str!("../mappings/salesforce-engagement.json")),
    ("salesforce-insurance", include_str!("../mappings/salesforce-insurance.json")),
    ("salesforce-lead", include_str!("../mappings/salesforce-lead.json")),
    ("salesforce-profile", include_str!("../mappings/salesforce-profile.json")),
    ("salesforce-real-estate", include_str!("../mappings/salesforce-real-estate.json")),
    ("salesforce-task", include_str!("../mappings/salesforce-task.json")),
    ("zoho-calls", include_str!("../mappings/zoho-calls.json")),
    ("zoho-engagement", include_str!("../mappings/zoho-engagement.json")),
];

/// One of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Standard {
    /// A CRM's name.
    crm: String,
    pub(crate) of: Object,
    /// What it is good for.
    #[cfg_attr(not(test), expect(dead_code, reason = "whoever opens the file reads it"))]
    about: String,
    mapping: serde_json::Value,
}

impl Standard {
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    pub(crate) fn named(name: &str) -> Result<Standard> {
        let (_, text) = FILES.iter().find(|(known, _)| *known == name).context("there is no such mapping")?;
        serde_json::from_str(text).with_context(|| format!("{name}.json is no mapping"))
    }

    /// Its rules, for a connection to this CRM.
    pub(crate) fn rules(&self, crm: Crm) -> Result<Rules> {
        ensure!(self.crm == crm.name(), "it is for {}, and this connection is to {crm}", self.crm);
        Ok(Rules::parse(&self.mapping.to_string())?)
    }
}

#[cfg(test)]
#[path = "standard_tests.rs"]
mod tests;
