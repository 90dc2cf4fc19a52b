//! Hub → remote: what a CRM still lacks.

use crate::{
    mapping::{Mapping, Wanted},
    record::{Fields, Link, RemoteField, Value},
};
use sha2::{Digest, Sha256};

/// One field to send; `None` clears it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub field: RemoteField,
    pub value: Option<Value>,
}

/// What the hub wants this CRM to show: the mapping's rendering, with the link's own values laid over it.
pub fn wanted(hub: &Fields, link: &Link, mapping: &Mapping) -> Wanted {
    let mut wanted = mapping.render(hub);
    wanted.extend(link.overrides.iter().map(|(field, value)| (field.clone(), Some(value.clone()))));
    wanted
}

/// The fields where what is wanted differs from what we last agreed to; empty when there is nothing to push.
///
/// Nothing is sent to a remote that is gone, of a field that waits for a decision, or of what was refused as it is.
pub fn pending(hub: &Fields, link: &Link, mapping: &Mapping) -> Vec<Change> {
    if link.gone.is_some() && !cfg!(feature = "mutant_push_to_the_gone") {
        return Vec::new();
    }
    let wanted = wanted(hub, link, mapping);
    if refused_already(link, mapping, &wanted) {
        return Vec::new();
    }
    let lacking = |field: &RemoteField, value: &Option<Value>| match link.agreed.get(field) {
        Some(agreed) => !agreed.ours_is(value.as_ref()),
        None => value.is_some(),
    };
    wanted
        .into_iter()
        .filter(|(field, value)| lacking(field, value) && !link.parked.contains(field))
        .map(|(field, value)| Change { field, value })
        .collect()
}

fn refused_already(link: &Link, mapping: &Mapping, wanted: &Wanted) -> bool {
    if cfg!(feature = "mutant_refused_is_sent_again") {
        return false;
    }
    link.refused.as_ref().is_some_and(|refusal| refusal.fingerprint == fingerprint(wanted, mapping))
}

/// Of what is wanted under one version of a mapping.
pub fn fingerprint(wanted: &Wanted, mapping: &Mapping) -> String {
    let mut hash = Sha256::new();
    hash.update(mapping.version.to_be_bytes());
    for (field, value) in wanted {
        let value = value.as_ref().map(|v| format!("{:?}{v}", v.kind())).unwrap_or_default();
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
        hash.update((value.len() as u64).to_be_bytes());
        hash.update(value);
    }
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
