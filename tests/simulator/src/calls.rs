//! The call log: every HTTP call to a CRM, counted by route template.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

const KEPT: usize = 5_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crm {
    Hubspot,
    Zoho,
    Salesforce,
    Pipedrive,
}

impl Crm {
    pub const ALL: [Self; 4] = [Self::Hubspot, Self::Zoho, Self::Salesforce, Self::Pipedrive];

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|crm| crm.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Hubspot => "hubspot",
            Self::Zoho => "zoho",
            Self::Salesforce => "salesforce",
            Self::Pipedrive => "pipedrive",
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Logged {
    pub n: u64,
    pub at: String,
    pub crm: Crm,
    pub method: String,
    pub route: String,
    pub path: String,
    /// 0: never answered.
    pub status: u16,
    /// Records in the request's `inputs`, `data` or `ids`.
    pub records: usize,
    pub correlation_id: Option<String>,
    /// What `/_sim/faults` did to it.
    pub fault: Option<&'static str>,
}

/// A call with all that was said, apart from headers.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Value,
    pub status: u16,
    pub answer: Value,
}

#[derive(Debug, Default)]
pub struct Calls {
    counts: BTreeMap<Crm, BTreeMap<String, u64>>,
    log: VecDeque<Logged>,
    n: u64,
    /// Where somebody asked for it: it may grow large.
    pub transcript: Option<Vec<Exchange>>,
}

impl Calls {
    pub fn add(&mut self, mut call: Logged) {
        self.n += 1;
        call.n = self.n;
        *self.counts.entry(call.crm).or_default().entry(format!("{} {}", call.method, call.route)).or_default() += 1;
        self.log.push_back(call);
        if self.log.len() > KEPT {
            self.log.pop_front();
        }
    }

    /// Calls by CRM and `METHOD /route`; every CRM is always there.
    pub fn counts(&self) -> BTreeMap<&'static str, BTreeMap<String, u64>> {
        Crm::ALL.into_iter().map(|c| (c.name(), self.counts.get(&c).cloned().unwrap_or_default())).collect()
    }

    pub fn log(&self) -> impl DoubleEndedIterator<Item = &Logged> + ExactSizeIterator {
        self.log.iter()
    }

    pub fn reset(&mut self) {
        self.counts.clear();
        self.log.clear();
    }
}

/// A path with ids taken out: `/crm/objects/2026-09/contacts/17` is `/crm/objects/2026-09/contacts/{id}`.
pub fn route(segments: &[&str]) -> String {
    let is_id = |i: usize, s: &str| {
        let number = !s.is_empty() && s.chars().all(|c| c.is_ascii_digit());
        // `/crm/objects/{version}/{object}/{this}`, or the version before: an id, or a value of the property in `?idProperty`.
        let hubspot_id = i == 4
            && segments.iter().take(3).any(|s| *s == "objects")
            && !matches!(s, "batch" | "search" | "merge" | "gdpr-delete");
        // Pipedrive: `/v1/notes/{number}`, leads' UUIDs and the hashes of custom fields.
        let hash = s.len() >= 36 && s.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let pipedrive_id = i == 2 && segments.first() == Some(&"v1") && (number || hash);
        // HubSpot: `/oauth/v1/access-tokens/{token}`.
        let token = i == 3 && segments.starts_with(&["oauth", "v1"]);
        // Object and module names stay, even HubSpot's numeric ones.
        let id = number || hash || s.contains('@') || hubspot_id || token || salesforce_id(segments, i);
        (id && i >= 3) || pipedrive_id
    };
    let mut path = String::new();
    for (i, s) in segments.iter().enumerate() {
        path.push('/');
        path.push_str(if is_id(i, s) { "{id}" } else { s });
    }
    path
}

/// In `/services/data/{version}/…`: a record, the value of a key, or a locator of further records.
fn salesforce_id(segments: &[&str], at: usize) -> bool {
    match segments {
        ["services", "data", _, "sobjects", _, one] => at == 5 && !matches!(*one, "describe" | "deleted" | "updated"),
        ["services", "data", _, "sobjects", _, _, _] | ["services", "data", _, "sobjects", _, "listviews", _, _] => {
            at == 6
        }
        ["services", "data", _, "query" | "queryAll", _] => at == 4,
        ["services", "data", _, "jobs", "query", _, ..] => at == 5,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_leave_the_route_and_names_stay() {
        let route = |p: &str| super::route(&p.split('/').skip(1).collect::<Vec<_>>());
        assert_eq!(route("/crm/objects/2026-09/contacts/17"), "/crm/objects/2026-09/contacts/{id}");
        assert_eq!(route("/crm/objects/2026-09/contacts/a@b.c"), "/crm/objects/2026-09/contacts/{id}");
        assert_eq!(route("/crm/v3/objects/contacts/key"), "/crm/v3/objects/contacts/{id}");
        assert_eq!(route("/crm/objects/2026-09/contacts/batch/upsert"), "/crm/objects/2026-09/contacts/batch/upsert");
        assert_eq!(route("/crm/v8/Leads/57257670000"), "/crm/v8/Leads/{id}");
        assert_eq!(route("/oauth/2026-09/token"), "/oauth/2026-09/token");
        assert_eq!(route("/api/v2/persons/17"), "/api/v2/persons/{id}");
        assert_eq!(route("/api/v2/persons/search"), "/api/v2/persons/search");
        assert_eq!(route("/api/v1/leads/adf21080-0e10-11eb-879b-05d71fb426ec"), "/api/v1/leads/{id}");
        assert_eq!(route("/v1/persons/17/merge"), "/v1/persons/{id}/merge");
        for (path, template) in [
            ("composite/sobjects/Lead/CRM_Sync_Id__c", "composite/sobjects/Lead/CRM_Sync_Id__c"),
            ("sobjects/Contact/003A0000000001AAAQ", "sobjects/Contact/{id}"),
            ("sobjects/Contact/Email/a@b.c", "sobjects/Contact/Email/{id}"),
            ("sobjects/Contact/updated", "sobjects/Contact/updated"),
            ("query/01gA0000000001AAAQ-2000", "query/{id}"),
            ("query", "query"),
            ("jobs/query/7500000000000AAQ/results", "jobs/query/{id}/results"),
        ] {
            assert_eq!(route(&format!("/services/data/v66.0/{path}")), format!("/services/data/v66.0/{template}"));
        }
    }
}
