//! The record as the table holds it: hub and links are one item.

use crate::{
    memo::Memo,
    world::{CRMS, FIELDS, HUB, REMOTE, Word},
};
use serde::Serialize;
use shared::{
    mapping::Mapping,
    planner::pending,
    record::{Fields, Link, Value},
};
use std::{
    cmp::Ordering,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
};

#[derive(Clone, Debug)]
pub struct Record {
    pub hub: Fields,
    pub links: [Link; CRMS],
}

/// A record that many states share, with what is asked of it in each; it lives as long as the program. It is known by a hash
/// of its JSON: the product's own types are not made to be hashed.
#[derive(Clone, Copy)]
pub struct Item(&'static Known);

struct Known {
    record: Record,
    hash: u64,
    links: [u64; CRMS],
    says: [Word; FIELDS],
    agreed: [[Word; FIELDS]; CRMS],
    pending: [[bool; FIELDS]; CRMS],
}

/// Every record that ever was.
#[derive(Default)]
pub struct Items(Memo<u64, Item>);

impl Items {
    pub fn get(&self, record: Record, mapping: &Mapping) -> Item {
        let hash = digest(&(&record.hub, &record.links));
        self.0.ask(hash, |_| Item(Box::leak(Box::new(Known::new(record, hash, mapping)))))
    }
}

impl Known {
    fn new(record: Record, hash: u64, mapping: &Mapping) -> Known {
        let theirs = |link: &Link, field: &str| word(link.agreed.get(field).and_then(|agreed| agreed.theirs.as_ref()));
        let lacks = |link: &Link| {
            let pending = pending(&record.hub, link, mapping);
            REMOTE.map(|field| pending.iter().any(|change| change.field == field))
        };
        let says = HUB.map(|field| word(record.hub.get(field)));
        let links = [0, 1].map(|crm: usize| digest(&record.links[crm]));
        let agreed = [0, 1].map(|crm: usize| REMOTE.map(|field| theirs(&record.links[crm], field)));
        let pending = [0, 1].map(|crm: usize| lacks(&record.links[crm]));
        Known { hash, links, says, agreed, pending, record }
    }
}

impl Item {
    /// What the hub says.
    pub fn says(&self, field: usize) -> Word {
        self.0.says[field]
    }

    /// Tells the states of a link apart.
    pub fn rev(&self, crm: usize) -> u64 {
        self.0.links[crm]
    }

    /// What a CRM showed when that was last agreed on.
    pub fn agreed(&self, crm: usize, field: usize) -> Word {
        self.0.agreed[crm][field]
    }

    /// Whether a CRM lacks what the hub says of a field.
    pub fn lacks(&self, crm: usize, field: usize) -> bool {
        self.0.pending[crm][field]
    }

    /// Whether a CRM lacks anything.
    pub fn is_pending(&self, crm: usize) -> bool {
        self.0.pending[crm].contains(&true)
    }
}

fn digest(what: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(what).unwrap().hash(&mut hasher);
    hasher.finish()
}

/// A value's letter; `-` where there is none.
pub fn word(value: Option<&Value>) -> Word {
    match value {
        Some(Value::Text(text)) => text.as_str().chars().next().unwrap_or('-'),
        _ => '-',
    }
}

impl Deref for Item {
    type Target = Record;
    fn deref(&self) -> &Record {
        &self.0.record
    }
}

impl Hash for Item {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0.hash);
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        self.0.hash == other.0.hash
    }
}

impl Eq for Item {}

/// Any order will do that is always the same.
impl Ord for Item {
    fn cmp(&self, other: &Item) -> Ordering {
        self.0.hash.cmp(&other.0.hash)
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Item) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.says)
    }
}
