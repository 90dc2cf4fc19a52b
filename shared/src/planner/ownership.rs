//! Which source may write which of the hub's fields: a tenant's own decision.

use crate::{
    id::{ConnectionId, Source},
    mutant,
    record::{FieldName, parts_of},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Each field's owners: connections, the `source` that a sync request names, or `crm` for every connection. A field that is not
/// listed is anybody's.
///
/// It guards against systems that know a value less well than its owner does, not against a sender who lies about its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "BTreeMap<FieldName, BTreeSet<Source>>")]
#[schemars(with = "BTreeMap<FieldName, BTreeSet<Source>>")]
pub struct Ownership(BTreeMap<FieldName, BTreeSet<Source>>);

impl TryFrom<BTreeMap<FieldName, BTreeSet<Source>>> for Ownership {
    type Error = String;
    fn try_from(owners: BTreeMap<FieldName, BTreeSet<Source>>) -> Result<Ownership, String> {
        match owners.keys().find(|field| !parts_of(field).is_empty()) {
            Some(whole) => Err(format!("name the owners of {}, not of {whole}", parts_of(whole).join(" and "))),
            None => Ok(Ownership(owners)),
        }
    }
}

/// Stands for every connection.
const CRM: &str = "crm";

/// Who knows best. The product itself (`workflow`) speaks for leads that no CRM has met yet; what billing, the shop and the sender
/// of e-mails alone can know is theirs.
const OWNERS: &[(&str, &[&str])] = &[
    ("first_name", &[CRM, "workflow"]),
    ("last_name", &[CRM, "workflow"]),
    ("phone", &[CRM, "sms_platform", "workflow"]),
    ("job_title", &[CRM, "workflow"]),
    ("company", &[CRM, "workflow"]),
    ("subscription_status", &["billing"]),
    ("order_count", &["commerce"]),
    ("ltv", &["commerce"]),
    (CONSENT, &["email_platform"]),
];

impl Default for Ownership {
    fn default() -> Ownership {
        let owned = |(field, owners): &(&str, &[&str])| {
            ((*field).to_owned(), owners.iter().filter_map(|owner| owner.parse().ok()).collect())
        };
        Ownership(OWNERS.iter().map(owned).collect())
    }
}

/// Whether a person wants no e-mails.
pub(super) const CONSENT: &str = "email_opted_out";

impl Ownership {
    /// The same, where consent is recorded by this system too. Who sends the e-mails still hears of unsubscribing first.
    pub fn with_consent_by(mut self, system: &Source) -> Ownership {
        let senders = OWNERS.iter().filter(|(field, _)| *field == CONSENT).flat_map(|(_, owners)| *owners);
        let owners = senders.filter_map(|owner| owner.parse().ok()).chain([system.clone()]).collect();
        self.0.insert(CONSENT.to_owned(), owners);
        self
    }

    /// Who may write a field; `None` where anybody may.
    pub fn owners(&self, field: &str) -> Option<&BTreeSet<Source>> {
        self.0.get(field)
    }

    /// Whether a sync request of this source may write a field.
    pub fn allows(&self, field: &str, source: &Source) -> bool {
        self.grants(field, &[source.as_str()])
    }

    /// Whether what a connection's CRM shows may be written into a field.
    pub fn allows_crm(&self, field: &str, connection: &ConnectionId) -> bool {
        self.grants(field, &[connection.as_str(), CRM])
    }

    /// A whole name is its parts' owners' to write.
    fn grants(&self, field: &str, names: &[&str]) -> bool {
        let grants = |field: &str| {
            self.0.get(field).is_none_or(|owners| owners.iter().any(|owner| names.contains(&owner.as_str())))
        };
        grants(field) && parts_of(field).iter().all(|part| grants(part)) || mutant::lives("anybody_may_write")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table that was asked for, its notes included.
    #[test]
    fn by_default_each_system_writes_what_it_knows_best() {
        let (matrix, hubspot) = (Ownership::default(), "hubspot".parse().unwrap());
        let who = |field: &str| {
            let sources = ["billing", "commerce", "email_platform", "sms_platform", "workflow"];
            let requests = sources.into_iter().filter(|source| matrix.allows(field, &source.parse().unwrap()));
            let crm = matrix.allows_crm(field, &hubspot).then_some("a CRM");
            crm.into_iter().chain(requests).collect::<Vec<_>>().join(", ")
        };
        for (field, owners) in [
            ("email", "a CRM, billing, commerce, email_platform, sms_platform, workflow"),
            ("first_name", "a CRM, workflow"),
            ("last_name", "a CRM, workflow"),
            ("full_name", "a CRM, workflow"),
            ("phone", "a CRM, sms_platform, workflow"),
            ("job_title", "a CRM, workflow"),
            ("company", "a CRM, workflow"),
            ("subscription_status", "billing"),
            ("order_count", "commerce"),
            ("ltv", "commerce"),
            ("email_opted_out", "email_platform"),
        ] {
            assert_eq!(who(field), owners, "{field}");
        }
    }

    #[test]
    fn a_crm_may_be_the_system_of_record_for_consent() {
        let (crm, shop) = ("crm".parse().unwrap(), "commerce".parse().unwrap());
        let matrix = Ownership::default().with_consent_by(&crm);
        assert!(matrix.allows_crm(CONSENT, &"zoho".parse().unwrap()));
        assert!(matrix.allows(CONSENT, &"email_platform".parse().unwrap()) && !matrix.allows(CONSENT, &shop));
        assert_eq!(matrix.with_consent_by(&"email_platform".parse().unwrap()), Ownership::default());
    }

    #[test]
    fn one_connection_may_own_what_others_do_not() {
        let matrix: Ownership = serde_json::from_value(serde_json::json!({"owner": ["hubspot"]})).unwrap();
        assert!(matrix.allows_crm("owner", &"hubspot".parse().unwrap()));
        assert!(!matrix.allows_crm("owner", &"zoho".parse().unwrap()));
        assert!(!matrix.allows("owner", &"workflow".parse().unwrap()));
        let whole = serde_json::from_value::<Ownership>(serde_json::json!({"full_name": ["hubspot"]})).unwrap_err();
        assert!(whole.to_string().contains("first_name and last_name"), "{whole}");
        assert!(matrix.allows("ltv", &"workflow".parse().unwrap()), "what is not listed is anybody's");
    }
}
