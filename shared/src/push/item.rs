//! One record on its way through a push.

use crate::{
    cause::{Denied, Overruled},
    connection::Connection,
    mapping::Mapping,
    planner::{Change, Errand, Parked, Seen, Shown, errand, pending},
    provider::Write,
    record::{Fields, Link, Record, RemoteField, Value},
    sync::Leads,
};

pub(super) struct Item {
    /// The record as it was read.
    pub(super) record: Record,
    /// The hub as it will be, once what the CRM showed is absorbed.
    pub(super) hub: Fields,
    pub(super) link: Link,
    pub(super) overruled: Vec<Overruled>,
    pub(super) denied: Vec<Denied>,
    /// Fields that wait for a person, as the look before the write found them.
    pub(super) parked: Vec<Parked>,
    pub(super) end: End,
}

/// What became of an item.
pub(super) enum End {
    /// Nothing was sent, because the CRM shows it all.
    Nothing,
    Written {
        sent: Vec<Change>,
        shown: Shown,
        seen: Option<Seen>,
    },
    Refused {
        code: String,
        field: Option<String>,
        message: String,
    },
    /// One of the request's own fields is refused: it is dropped, and the rest is pushed again.
    Unfit {
        field: RemoteField,
    },
    /// It exists already, under this id, though it was not found: read it, then push again.
    Exists,
    /// The remote was deleted, merged or went: look at it, then push again.
    Moved,
    /// Not now: the CRM shows an older state than we know, or there was no time, or the CRM had enough.
    Later,
    /// A person must decide first; the exception is raised.
    Stuck {
        code: &'static str,
    },
}

impl Item {
    /// Whether a record lacks something in this CRM, or its requests wait for a word about it.
    pub(super) fn is_needed(record: &Record, connection: &Connection, mapping: &Mapping) -> bool {
        let nothing = Link::default();
        let link = record.links.get(&connection.id).unwrap_or(&nothing);
        match errand(record, &connection.id) {
            Errand::Push => !pending(&record.fields, link, mapping).is_empty() || !link.awaiting.is_empty(),
            Errand::Delete => true,
            Errand::Nothing => !link.awaiting.is_empty() && record.merged_into.is_none(),
        }
    }

    pub(super) fn new(record: Record, connection: &Connection) -> Item {
        let link = record.links.get(&connection.id).cloned().unwrap_or_default();
        let hub = record.fields.clone();
        let (overruled, denied, parked) = (Vec::new(), Vec::new(), Vec::new());
        Item { record, hub, link, overruled, denied, parked, end: End::Nothing }
    }

    /// Whether it lacks anything.
    pub(super) fn lacks(&self, mapping: &Mapping) -> bool {
        !self.pending(mapping).is_empty()
    }

    /// Of a person that was deleted nothing is sent.
    pub(super) fn pending(&self, mapping: &Mapping) -> Vec<Change> {
        if self.record.deleted.is_some() { Vec::new() } else { pending(&self.hub, &self.link, mapping) }
    }

    /// Whether its remote was found just now.
    pub(super) fn is_newly_linked(&self, connection: &Connection) -> bool {
        self.link.remote.is_some() && self.record.links.get(&connection.id).is_none_or(|link| link.remote.is_none())
    }

    /// What this CRM still lacks; where the remote was found just now also our record id, by which it is known from now on.
    /// What leads to a record that is not in this CRM yet waits.
    pub(super) fn write(&mut self, connection: &Connection, mapping: &Mapping, leads: &Leads) -> Option<Write> {
        let (mut changes, waiting): (Vec<Change>, Vec<Change>) =
            self.pending(mapping).into_iter().partition(|change| leads.knows(change, mapping));
        let too_early = self.link.remote.is_none() && waiting.iter().any(|change| mapping.needs(&change.field));
        self.link.waits = waiting.into_iter().filter_map(|change| Some((change.field, change.value?))).collect();
        if changes.is_empty() || too_early {
            return None;
        }
        if self.link.remote.is_none() {
            changes.retain(|change| change.value.is_some());
        }
        if self.is_newly_linked(connection) && mapping.has_room() {
            changes.push(Change { field: mapping.id_field.clone(), value: Value::text(self.record.id.as_str()) });
        }
        Some(Write { record: self.record.id.clone(), remote: self.link.remote.clone(), changes })
    }

    /// Whether something is still to be written.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.end, End::Nothing)
    }
}
