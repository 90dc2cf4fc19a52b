//! The hub's copy of a person, a company, a deal, and its links to the CRMs.

mod erased;
mod fields;
mod key;
mod link;
mod object;
mod said;
mod schema;
mod value;

pub use erased::{Erasure, agreed};
pub use fields::{FieldName, Fields, Stamp, Written, WrongKind, parts, parts_of};
pub use key::{Domain, Email, Key, Phone, Region, Title};
pub use link::{Agreed, Awaiting, Flips, Gone, Link, Refusal, RemoteField, Workflow};
pub use object::{NoObject, Object};
pub use said::Said;
pub use schema::{FIELD_NAMES, Sort, canonical};
pub use value::{Kind, NotAValue, Text, Value};

use crate::{
    cause::Cause,
    engagement::Engagement,
    id::{ConnectionId, RecordId, TenantId},
    trigger::Standing,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A hub record: one item of the state table, so the hub and its links cannot disagree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub tenant: TenantId,
    pub id: RecordId,
    pub object: Object,
    pub fields: Fields,
    #[serde(default)]
    pub links: BTreeMap<ConnectionId, Link>,
    /// What the person's events come to.
    #[serde(default, skip_serializing_if = "Engagement::is_empty")]
    pub engagement: Engagement,
    /// By trigger, how its condition stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub standing: BTreeMap<String, Standing>,
    /// Counts the changes of the whole item, and names each one's history entry.
    pub version: u64,
    /// Why the item is as it is: what made its last change.
    pub cause: Cause,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<RecordId>,
    /// The person was deleted in a CRM whose policy lets that count for the hub. Nothing is pushed of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
    /// The person is forgotten: nothing is known of them, nothing is taken in of them, and they count as deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Erasure>,
}

/// A deletion that counts for the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deletion {
    pub at: Timestamp,
    /// Where the person was deleted; `None` where what made them was undone, or they were erased here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ConnectionId>,
    /// The other CRMs are to delete theirs too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spreads: bool,
}

impl Record {
    /// A record that nothing is known of yet. Its version is 0 until it is stored.
    pub fn empty(tenant: TenantId, object: Object, id: RecordId, cause: Cause) -> Record {
        let (fields, links, engagement, standing) = Default::default();
        let (merged_into, deleted, erased) = (None, None, None);
        Record {
            tenant,
            id,
            object,
            fields,
            links,
            engagement,
            standing,
            version: 0,
            cause,
            merged_into,
            deleted,
            erased,
        }
    }

    /// Whom an undo archived is back with what is said of them next: where they were archived they are made again.
    pub fn revive(&mut self) {
        if self.erased.is_none() && self.deleted.take_if(|deleted| deleted.by.is_none()).is_some() {
            for link in self.links.values_mut().filter(|link| link.gone.is_some()) {
                *link = Link { rev: link.rev + 1, ..Link::default() };
            }
        }
    }

    /// What this one refers to: by which field, to what, and under which name.
    pub fn references(&self) -> BTreeSet<(FieldName, Object, String)> {
        let refers = |(field, written): (&FieldName, &Written)| {
            let name = written.value.as_ref()?.to_string();
            Some((field.clone(), Object::referred_by(field)?, name)).filter(|(.., name)| name.len() <= 512)
        };
        self.fields.iter().filter_map(refers).collect()
    }

    /// Everything that points to this record.
    pub fn keys(&self, region: &Region) -> Vec<Key> {
        if self.merged_into.is_some() {
            return Vec::new();
        }
        let remotes = self.links.iter().filter_map(|(c, link)| Some(Key::Remote(c.clone(), link.remote.clone()?)));
        Key::of(&self.object, &self.fields, region).into_iter().chain(remotes).collect()
    }
}
