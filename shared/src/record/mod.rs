//! The hub's copy of one person, and its links to the CRMs.

mod fields;
mod key;
mod link;
mod value;

pub use fields::{FieldName, Fields, Stamp, Written, WrongKind, parts};
pub use key::{Email, Key, Phone, Region};
pub use link::{Agreed, Awaiting, Flips, Gone, Link, Refusal, RemoteField, Workflow};
pub use value::{Kind, NotAValue, Text, Value};

use crate::{
    cause::Cause,
    id::{ConnectionId, RecordId, TenantId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a record is about.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// A human being, whether a CRM files them as a lead or as a contact.
    #[default]
    #[serde(alias = "lead", alias = "contact")]
    Person,
}

/// A hub record: one item of the state table, so the hub and its links cannot disagree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub tenant: TenantId,
    pub id: RecordId,
    pub object: Object,
    pub fields: Fields,
    #[serde(default)]
    pub links: BTreeMap<ConnectionId, Link>,
    /// Counts the changes of the whole item, and names each one's history entry.
    pub version: u64,
    /// Why the item is as it is: what made its last change.
    pub cause: Cause,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<RecordId>,
    /// The person was deleted in a CRM whose policy lets that count for the hub. Nothing is pushed of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deletion>,
}

/// A deletion that counts for the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    pub at: Timestamp,
    /// Where the person was deleted.
    pub by: ConnectionId,
    /// The other CRMs are to delete theirs too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spreads: bool,
}

impl Record {
    /// A record that nothing is known of yet. Its version is 0 until it is stored.
    pub fn empty(tenant: TenantId, id: RecordId, cause: Cause) -> Record {
        let (object, fields, links) = (Object::Person, Fields::default(), BTreeMap::new());
        Record { tenant, id, object, fields, links, version: 0, cause, merged_into: None, deleted: None }
    }

    /// Everything that points to this record.
    pub fn keys(&self, region: &Region) -> Vec<Key> {
        if self.merged_into.is_some() {
            return Vec::new();
        }
        let remotes = self.links.iter().filter_map(|(c, link)| Some(Key::Remote(c.clone(), link.remote.clone()?)));
        Key::of(&self.fields, region).into_iter().chain(remotes).collect()
    }
}
