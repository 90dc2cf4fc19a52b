//! Writing records, by the API or by a CRM user, and telling the webhooks.

use super::events::Event;
use super::kinds::Kind;
use super::{Desk, errors, show};
use crate::records::{Fields, Record, Source, Stamp};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

/// How long a deleted record is still shown by its id.
const KEPT: i64 = 30 * 24 * 3600 * 1000;

pub fn create(desk: &mut Desk<'_>, kind: &'static Kind, call: &Call) -> Result<Reply, Reply> {
    let fields = desk.check(kind, None, call.json().unwrap_or(&Value::Null))?;
    let id = desk.store(kind, None, fields, Source::App);
    one(desk, kind, id)
}

pub fn update(desk: &mut Desk<'_>, kind: &'static Kind, id: u64, call: &Call) -> Result<Reply, Reply> {
    desk.live(kind, id)?;
    let fields = desk.check(kind, Some(id), call.json().unwrap_or(&Value::Null))?;
    desk.store(kind, Some(id), fields, Source::App);
    one(desk, kind, id)
}

/// Also a record that was deleted in the last 30 days.
pub fn one(desk: &Desk<'_>, kind: &Kind, id: u64) -> Result<Reply, Reply> {
    let record = desk.company.tables.get(kind.table).and_then(|t| t.records.get(&id));
    let record = record.filter(|r| r.archived.is_none_or(|at| desk.now - at < KEPT)).ok_or_else(errors::not_found)?;
    Ok(show::found(&desk.show(kind, record)))
}

pub fn delete(desk: &mut Desk<'_>, kind: &'static Kind, id: u64) -> Result<Reply, Reply> {
    desk.live(kind, id)?;
    desk.delete(kind, id, Source::App, None);
    Ok(show::found(&json!({"id": id})))
}

impl Desk<'_> {
    pub fn live(&self, kind: &Kind, id: u64) -> Result<&Record, Reply> {
        self.company.tables.get(kind.table).and_then(|t| t.live(id)).ok_or_else(errors::not_found)
    }

    pub fn show(&self, kind: &Kind, record: &Record) -> Value {
        show::v2(kind, kind.customs.map_or(&[], |table| self.company.customs(table)), record)
    }

    /// Makes or changes a record. An unchanged write moves `update_time`, and no webhook is told.
    pub fn store(&mut self, kind: &'static Kind, id: Option<u64>, fields: Fields, source: Source) -> u64 {
        let before = id.and_then(|id| self.event_data(kind, id));
        let id = self.write(kind, id, fields, source);
        let data = self.event_data(kind, id).unwrap_or_default();
        let event = Event { kind, id, source, action: "create", data, previous: Value::Null, merged: None };
        match before {
            None => self.tell(&event),
            Some(before) => self.tell_change(Event { action: "change", ..event }, &before),
        }
        id
    }

    /// The same without a word to the webhooks.
    pub fn write(&mut self, kind: &Kind, id: Option<u64>, fields: Fields, source: Source) -> u64 {
        let stamp = Stamp { now: self.now, source, lag_ms: self.faults.search_lag_ms };
        let Some(table) = self.company.tables.get_mut(kind.table) else { return 0 };
        match id {
            None => table.insert(fields, stamp),
            Some(id) => {
                table.update(id, fields, stamp);
                id
            }
        }
    }

    pub fn delete(&mut self, kind: &'static Kind, id: u64, source: Source, merged_to: Option<u64>) {
        let before = self.event_data(kind, id);
        let Some(table) = self.company.tables.get_mut(kind.table) else { return };
        if !table.archive(id, self.now) {
            return;
        }
        if let Some(record) = table.records.get_mut(&id) {
            record.modified = self.now;
            record.modified_by = source;
        }
        let merged = merged_to.map(|to| ("merged_to_id", to));
        let previous = before.unwrap_or_default();
        self.tell(&Event { kind, id, source, action: "delete", data: Value::Null, previous, merged });
    }
}
