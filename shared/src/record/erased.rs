//! A person who is forgotten: what stays of the record is that there was one, its ids in the CRMs, and that it was erased.

use super::{Deletion, Link, Object, Record, canonical};
use crate::{
    cause::Cause,
    id::{RecordId, RemoteId},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// That a record was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erasure {
    pub at: Timestamp,
    /// The CRMs are to erase theirs too.
    pub in_crms: bool,
    /// What was erased with it: records that had become one with it, and notes and tasks about the person.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub with: BTreeSet<RecordId>,
}

/// By which field of a request somebody who was erased agrees to be known again: when they did.
const CONSENT: &str = "consent_at";

impl Record {
    /// The record without anything that tells who it was. What pointed to it still does, by digests, so whoever shows it is known to
    /// be erased.
    pub fn erased(&self, in_crms: bool, with: BTreeSet<RecordId>, cause: Cause) -> Record {
        let at = cause.at;
        let links = self.links.iter().map(|(connection, link)| (connection.clone(), link.erased(link.remote.clone())));
        Record {
            links: links.collect(),
            version: self.version + 1,
            merged_into: self.merged_into.clone(),
            deleted: Some(Deletion { at, by: None, spreads: in_crms }),
            erased: Some(Erasure { at, in_crms, with }),
            ..Record::empty(self.tenant.clone(), self.object.clone(), self.id.clone(), cause)
        }
    }

    /// Whoever has agreed since is known again, as if for the first time.
    pub fn known_again(&mut self, agreed: Option<Timestamp>) {
        if self.erased.as_ref().is_some_and(|erased| agreed.is_some_and(|agreed| agreed > erased.at)) {
            (self.erased, self.deleted) = (None, None);
            self.links.values_mut().for_each(|link| *link = Link { rev: link.rev + 1, ..Link::default() });
        }
    }
}

impl Link {
    /// The same without any value: which remote it was, and whether that is gone.
    pub fn erased(&self, remote: Option<RemoteId>) -> Link {
        let Link { made, intent, gone, rev, .. } = self;
        Link { remote, made: *made, intent: *intent, gone: gone.clone(), rev: rev + 1, ..Link::default() }
    }
}

/// When a person agreed, as a request says.
pub fn agreed(lead: &BTreeMap<String, Json>) -> Option<Timestamp> {
    let (_, said) = lead.iter().find(|(name, _)| canonical(&Object::Person, name) == CONSENT)?;
    said.as_str()?.trim().parse().ok()
}
