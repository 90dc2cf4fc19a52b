//! Tables of records with indexes, past states (for lagging search) and field histories.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

pub type Fields = BTreeMap<String, Value>;

/// Who wrote a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person in the CRM's own screens.
    User,
    /// Our app, through the API.
    App,
}

#[derive(Debug, Clone)]
pub struct Version {
    pub value: Value,
    pub at: i64,
    pub source: Source,
}

#[derive(Debug, Clone)]
pub struct Record {
    pub id: u64,
    pub fields: Fields,
    pub created: i64,
    pub modified: i64,
    pub archived: Option<i64>,
    pub created_by: Source,
    pub modified_by: Source,
    /// Newest last; at most [`VERSIONS`] of each field.
    pub versions: BTreeMap<String, Vec<Version>>,
    /// Earlier states that a lagging index may still show.
    past: Vec<(i64, Fields)>,
}

const VERSIONS: usize = 20;

/// A record as it is, or as an index that lags still shows it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub id: u64,
    pub created: i64,
    pub modified: i64,
    pub fields: &'a Fields,
}

impl Record {
    pub fn view(&self) -> View<'_> {
        View { id: self.id, created: self.created, modified: self.modified, fields: &self.fields }
    }

    /// The newest state that is not younger than `horizon`, if there was one.
    pub fn view_at(&self, horizon: i64) -> Option<View<'_>> {
        if self.modified <= horizon {
            return Some(self.view());
        }
        let (modified, fields) = self.past.iter().rev().find(|(at, _)| *at <= horizon)?;
        Some(View { id: self.id, created: self.created, modified: *modified, fields })
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Table {
    pub records: BTreeMap<u64, Record>,
    /// Former ids of merged records.
    pub merged: HashMap<u64, u64>,
    index: BTreeMap<String, HashMap<String, Vec<u64>>>,
    next: u64,
}

/// One write: when, by whom, and how long the search index lags (0: no past is kept).
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    pub now: i64,
    pub source: Source,
    pub lag_ms: i64,
}

impl Table {
    pub fn new(first_id: u64, indexed: &[&str]) -> Self {
        let index = indexed.iter().map(|f| ((*f).to_owned(), HashMap::new())).collect();
        Self { next: first_id, index, ..Self::default() }
    }

    /// Starts indexing a field that was made later; existing values are taken in.
    pub fn add_index(&mut self, field: &str) {
        let mut map: HashMap<String, Vec<u64>> = HashMap::new();
        for record in self.records.values().filter(|r| r.archived.is_none()) {
            if let Some(v) = record.text(field) {
                map.entry(fold(v)).or_default().push(record.id);
            }
        }
        self.index.insert(field.to_owned(), map);
    }

    /// A live record by id.
    pub fn live(&self, id: u64) -> Option<&Record> {
        self.records.get(&id).filter(|r| r.archived.is_none())
    }

    /// The id that a merged id stands for now.
    pub fn resolve(&self, mut id: u64) -> u64 {
        while let Some(next) = self.merged.get(&id) {
            id = *next;
        }
        id
    }

    /// The first live record whose indexed field has this value, whatever its case.
    pub fn find(&self, field: &str, value: &str) -> Option<u64> {
        self.index.get(field)?.get(&fold(value))?.iter().copied().filter(|id| self.live(*id).is_some()).min()
    }

    /// All live records whose indexed field has this value.
    pub fn all(&self, field: &str, value: &str) -> Vec<u64> {
        let found = self.index.get(field).and_then(|map| map.get(&fold(value)));
        let mut ids: Vec<u64> = found.into_iter().flatten().copied().filter(|id| self.live(*id).is_some()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Makes the table what it was; ids go on where they are.
    pub fn roll_back(&mut self, before: Self) {
        *self = Self { next: self.next, ..before };
    }

    pub fn insert(&mut self, fields: Fields, stamp: Stamp) -> u64 {
        let id = self.next;
        // Ids have gaps, as ids do.
        self.next += 1 + id % 3;
        let record = Record {
            id,
            fields: Fields::new(),
            created: stamp.now,
            modified: stamp.now,
            archived: None,
            created_by: stamp.source,
            modified_by: stamp.source,
            versions: BTreeMap::new(),
            past: Vec::new(),
        };
        self.records.insert(id, record);
        self.set(id, fields, stamp);
        id
    }

    /// Updates a record and returns the names of the fields that changed.
    pub fn update(&mut self, id: u64, fields: Fields, stamp: Stamp) -> Vec<String> {
        if let Some(record) = self.records.get_mut(&id).filter(|_| stamp.lag_ms > 0) {
            let horizon = stamp.now - stamp.lag_ms;
            let old = (record.modified, record.fields.clone());
            record.past.push(old);
            let settled = record.past.iter().rposition(|(at, _)| *at <= horizon).unwrap_or(0);
            record.past.drain(..settled);
        }
        self.set(id, fields, stamp)
    }

    fn set(&mut self, id: u64, fields: Fields, stamp: Stamp) -> Vec<String> {
        let Some(record) = self.records.get_mut(&id) else { return Vec::new() };
        record.modified = stamp.now;
        record.modified_by = stamp.source;
        let mut changed = Vec::new();
        for (name, value) in fields {
            let blank = value.is_null() || value.as_str() == Some("");
            let old = record.fields.get(&name);
            if (blank && old.is_none()) || old == Some(&value) {
                continue;
            }
            if let Some(map) = self.index.get_mut(&name) {
                move_key(map, id, old.and_then(Value::as_str), value.as_str().filter(|_| !blank));
            }
            let versions = record.versions.entry(name.clone()).or_default();
            versions.push(Version { value: value.clone(), at: stamp.now, source: stamp.source });
            if versions.len() > VERSIONS {
                versions.remove(0);
            }
            if blank {
                record.fields.remove(&name);
            } else {
                record.fields.insert(name.clone(), value);
            }
            changed.push(name);
        }
        changed
    }

    /// Marks a record as deleted and frees its unique values.
    pub fn archive(&mut self, id: u64, now: i64) -> bool {
        let Some(record) = self.records.get_mut(&id).filter(|r| r.archived.is_none()) else { return false };
        record.archived = Some(now);
        for (field, map) in &mut self.index {
            move_key(map, id, record.fields.get(field).and_then(Value::as_str), None);
        }
        true
    }

    /// Takes a record out of the recycle bin again.
    pub fn restore(&mut self, id: u64, now: i64) -> bool {
        let Some(record) = self.records.get_mut(&id).filter(|r| r.archived.is_some()) else { return false };
        (record.archived, record.modified) = (None, now);
        for (field, map) in &mut self.index {
            move_key(map, id, None, record.fields.get(field).and_then(Value::as_str));
        }
        true
    }

    /// Lets a second value lead to a record: the e-mail of a merged contact still finds the survivor.
    pub fn alias(&mut self, field: &str, value: &str, id: u64) {
        if let Some(map) = self.index.get_mut(field) {
            move_key(map, id, None, Some(value));
        }
    }

    /// Removes a record as if it had never been.
    pub fn erase(&mut self, id: u64, now: i64) -> bool {
        let live = self.archive(id, now);
        self.records.remove(&id).is_some() || live
    }

    /// Forgets all records; ids go on where they were.
    pub fn clear(&mut self) {
        self.records.clear();
        self.merged.clear();
        self.index.values_mut().for_each(HashMap::clear);
    }
}

fn fold(value: &str) -> String {
    value.trim().to_lowercase()
}

fn move_key(map: &mut HashMap<String, Vec<u64>>, id: u64, from: Option<&str>, to: Option<&str>) {
    if let Some(from) = from.map(fold)
        && let Some(ids) = map.get_mut(&from)
    {
        ids.retain(|i| *i != id);
        if ids.is_empty() {
            map.remove(&from);
        }
    }
    if let Some(to) = to {
        map.entry(fold(to)).or_default().push(id);
    }
}
