//! Hub → remote: what a CRM still lacks, and how it gets there.

use crate::{
    id::{RemoteId, hex},
    mapping::{Mapping, Wanted},
    mutant,
    record::{Fields, Link, Object, RemoteField, Value, Written},
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
    let mut wanted = mapping.render(hub, link.remote.as_ref());
    let in_force =
        link.overrides.keys().filter_map(|f| Some((f.clone(), in_force(hub, link, mapping, f)?.value.clone())));
    wanted.extend(in_force);
    wanted
}

/// The link's own value for a field, unless the hub has said something newer there.
pub(super) fn in_force<'a>(hub: &Fields, link: &'a Link, mapping: &Mapping, field: &str) -> Option<&'a Written> {
    let rule = mapping.rules.iter().find(|rule| rule.remote == field && rule.direction.sends());
    let said = rule.and_then(|rule| hub.said(&rule.hub));
    link.overrides.get(field).filter(|own| said.is_none_or(|said| said.at <= own.at))
}

/// The fields where what is wanted differs from what we last agreed to; empty when there is nothing to push.
///
/// Nothing is sent to a remote that is gone, of a record that is not this CRM's business, of a field that waits for a decision, or of
/// what was refused as it is.
pub fn pending(hub: &Fields, link: &Link, mapping: &Mapping) -> Vec<Change> {
    if link.gone.is_some() && !mutant::lives("push_to_the_gone") {
        return Vec::new();
    }
    if !mapping.includes(hub) {
        return Vec::new();
    }
    let wanted = wanted(hub, link, mapping);
    if refused_already(link, mapping, &wanted) || (link.remote.is_none() && is_nothing(hub, link, mapping)) {
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

/// What is pending and waits for no other record to come to be in this CRM.
pub fn due(hub: &Fields, link: &Link, mapping: &Mapping) -> Vec<Change> {
    let mut due = pending(hub, link, mapping);
    due.retain(|change| change.value.is_none() || link.waits.get(&change.field) != change.value.as_ref());
    due
}

/// Whether there is nothing to say but fillers and where it leads to: of such a record no remote is made.
fn is_nothing(hub: &Fields, link: &Link, mapping: &Mapping) -> bool {
    let mut says =
        mapping.rules.iter().filter(|rule| rule.direction.sends() && Object::referred_by(&rule.hub).is_none());
    !says.any(|rule| rule.says_something(hub)) && link.overrides.is_empty()
}

/// The CRM's code for what is wanted, where it has refused that.
pub fn refused<'a>(hub: &Fields, link: &'a Link, mapping: &Mapping) -> Option<&'a str> {
    let refusal = link.refused.as_ref().filter(|_| refused_already(link, mapping, &wanted(hub, link, mapping)))?;
    Some(&refusal.code)
}

/// How a push reaches its remote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The remote is gone, and no push brings it back.
    Nowhere,
    /// By its own id, so that a remote that was deleted meanwhile is not made anew.
    Update(RemoteId),
    /// There is none: the intent is recorded first.
    Create,
    /// A create may have happened already: it is looked for by our id, and made only if it is not there.
    Find,
}

pub fn route(link: &Link) -> Route {
    match (&link.gone, &link.remote, link.intent) {
        (Some(_), ..) => Route::Nowhere,
        (None, Some(_), _) if mutant::lives("upsert_updates") => Route::Create,
        (None, Some(remote), _) => Route::Update(remote.clone()),
        (None, None, Some(_)) if !mutant::lives("create_twice") => Route::Find,
        (None, None, _) => Route::Create,
    }
}

fn refused_already(link: &Link, mapping: &Mapping, wanted: &Wanted) -> bool {
    if mutant::lives("refused_is_sent_again") {
        return false;
    }
    link.refused.as_ref().is_some_and(|refusal| refusal.fingerprint == fingerprint(wanted, mapping))
}

/// Of what is wanted under one version of a mapping.
pub fn fingerprint(wanted: &Wanted, mapping: &Mapping) -> String {
    let mut hash = Sha256::new();
    hash.update(mapping.version.to_be_bytes());
    for (field, value) in wanted {
        let value = value
            .as_ref()
            .map(|v| format!("{:?}{}", v.kind(), serde_json::to_string(v).unwrap_or_default()))
            .unwrap_or_default();
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
        hash.update((value.len() as u64).to_be_bytes());
        hash.update(value);
    }
    hex(hash.finalize().iter().take(12))
}
