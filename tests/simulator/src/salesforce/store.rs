//! Keeping records: locks, converted leads, duplicate rules, and the bin.

use super::Desk;
use super::errors::Refusal;
use super::ids;
use crate::faults::CrmFaults;
use crate::records::{Fields, Source, Stamp};
use serde_json::{Map, Value, json};

/// Who writes, and what they insist on.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    pub source: Source,
    /// `Sforce-Duplicate-Rule-Header: allowSave=true`
    pub duplicates: bool,
}

impl Desk<'_> {
    /// Makes a record, or changes the one with this id. Whoever calls tells the subscribers once it is sure to stay.
    pub fn save(
        &mut self,
        object: &str,
        id: Option<u64>,
        sent: &Map<String, Value>,
        writer: Writer,
    ) -> Result<u64, Refusal> {
        let record = id.and_then(|id| self.org.objects.get(object)?.records.get(&id));
        if record.is_some_and(|r| r.archived.is_some()) {
            return Err(Refusal::deleted());
        }
        if id.is_some() && record.is_none() {
            return Err(Refusal::missing());
        }
        if record.is_some_and(|r| r.fields.get("IsConverted") == Some(&json!(true))) {
            return Err(Refusal::new("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"));
        }
        self.lock(object, id, writer.source)?;
        let mut fields = self.check(object, id, sent, writer.source)?;
        self.duplicates(object, id, &fields, writer)?;
        if id.is_none() {
            self.defaults(object, &mut fields, writer.source);
        }
        let stamp = Stamp { now: self.now, source: writer.source, lag_ms: 0 };
        let table = self.org.objects.get_mut(object).ok_or_else(Refusal::missing)?;
        Ok(match id {
            Some(id) => {
                table.update(id, fields, stamp);
                id
            }
            None => table.insert(fields, stamp),
        })
    }

    fn lock(&mut self, object: &str, id: Option<u64>, source: Source) -> Result<(), Refusal> {
        if source == Source::User || !CrmFaults::take(&mut self.faults.lock_next) {
            return Ok(());
        }
        let which = id.map(|id| format!(" or 1 records: {}", ids::text(object, id))).unwrap_or_default();
        let message = format!("unable to obtain exclusive access to this record{which}");
        Err(Refusal::new("UNABLE_TO_LOCK_ROW", message))
    }

    pub fn defaults(&self, object: &str, fields: &mut Fields, source: Source) {
        let blank = |fields: &Fields, name: &str| fields.get(name).is_none_or(Value::is_null);
        if blank(fields, "OwnerId") {
            fields.insert("OwnerId".to_owned(), json!(ids::user(source)));
        }
        for field in self.org.fields.get(object).into_iter().flatten() {
            if let Some(default) = field.default.filter(|_| blank(fields, &field.name)) {
                fields.insert(field.name.clone(), json!(default));
            }
        }
    }

    /// The standard duplicate rule, if the org has it on: the same e-mail address is somebody known.
    fn duplicates(&self, object: &str, id: Option<u64>, fields: &Fields, writer: Writer) -> Result<(), Refusal> {
        if !self.org.duplicate_rule || writer.duplicates {
            return Ok(());
        }
        let email = fields.get("Email").and_then(Value::as_str);
        let known = email.and_then(|email| self.org.objects.get(object)?.find("Email", email));
        let Some(known) = known.filter(|known| Some(*known) != id) else { return Ok(()) };
        let message = "Use one of these records?";
        let record = json!({"attributes": {"type": object, "url": format!("/services/data/v66.0/sobjects/{object}/{}", ids::text(object, known))}, "Id": ids::text(object, known)});
        let matched = json!({
            "entityType": object, "errors": [], "matchEngine": "FuzzyMatchEngine", "rule": format!("Standard_{object}_Match_Rule_v1_1"), "size": 1, "success": true,
            "matchRecords": [{"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record}],
        });
        let found = json!({
            "allowSave": true, "duplicateRule": format!("Standard_{object}_Duplicate_Rule"), "duplicateRuleEntityType": object,
            "errorMessage": message, "matchResults": [matched],
        });
        Err(Refusal { duplicates: Some(found), ..Refusal::new("DUPLICATES_DETECTED", message) })
    }

    /// Moves a live record into the recycle bin; a merge says which record it went into.
    pub fn bin(&mut self, object: &str, id: u64, master: Option<u64>, source: Source) -> Result<(), Refusal> {
        let now = self.now;
        let table = self.org.objects.get_mut(object).ok_or_else(Refusal::missing)?;
        let record = table.records.get(&id).ok_or_else(Refusal::missing)?;
        if record.archived.is_some() {
            return Err(Refusal::deleted());
        }
        table.archive(id, now);
        if let Some(record) = table.records.get_mut(&id) {
            (record.modified, record.modified_by) = (now, source);
            if let Some(master) = master {
                record.fields.insert("MasterRecordId".to_owned(), json!(ids::text(object, master)));
            }
        }
        Ok(())
    }

    /// The live record behind an id as a row spells it.
    pub fn locate(&self, object: &str, text: &str) -> Result<u64, Refusal> {
        let id = ids::parse(object, text)
            .ok_or_else(|| Refusal::of("MALFORMED_ID", format!("malformed id {text}"), "Id"))?;
        match self.org.objects.get(object).and_then(|table| table.records.get(&id)) {
            None => Err(Refusal::missing()),
            Some(record) if record.archived.is_some() => Err(Refusal::deleted()),
            Some(_) => Ok(id),
        }
    }
}
