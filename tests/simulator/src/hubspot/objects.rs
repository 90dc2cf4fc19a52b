//! Single records: list, create, get, update, archive, merge, privacy delete (HubSpot docs: CRM objects).

use super::Desk;
use super::errors::Refusal;
use super::show::Selection;
use super::write::Claims;
use crate::records::{Fields, Record, Source};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};
use std::ops::Bound;

/// No cap on the number of records; `after` is a record id; 100 a page at most.
pub fn list(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let limit =
        call.param("limit").map_or(Ok(10), str::parse).map_err(|_| Refusal::validation("limit must be a number"))?;
    if limit == 0 || limit > 100 {
        return Err(Refusal::validation("limit must be between 1 and 100"));
    }
    let after: u64 =
        call.param("after").map_or(Ok(0), str::parse).map_err(|_| Refusal::validation("after is not a cursor"))?;
    let archived = call.param("archived") == Some("true");
    let selection = Selection::of_query(&call.query);
    let Some(table) = desk.portal.tables.get(object) else { return Err(Refusal::not_found()) };
    let mut rest = table
        .records
        .range((Bound::Excluded(after), Bound::Unbounded))
        .map(|(_, r)| r)
        .filter(|r| r.archived.is_some() == archived);
    let page: Vec<&Record> = rest.by_ref().take(limit).collect();
    let results: Vec<Value> = page.iter().map(|r| desk.show(object, r, &selection)).collect();
    let mut body = json!({"results": results});
    if let (Some(last), true) = (page.last(), rest.next().is_some()) {
        let link = format!("{}/hubspot{}?after={}", call.base, call.path, last.id);
        body["paging"] = json!({"next": {"after": last.id.to_string(), "link": link}});
    }
    Ok(Reply::json(200, body))
}

pub fn create(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let fields = desk.check(object, None, &body["properties"], &mut Claims::new())?;
    let names = fields.keys().cloned().collect();
    let id = desk.store(object, None, fields, Source::App);
    Ok(Reply::json(201, desk.written(object, id, names)))
}

pub fn get(desk: &mut Desk<'_>, object: &str, id: &str, call: &Call) -> Result<Reply, Refusal> {
    let selection = Selection::of_query(&call.query);
    let archived = call.param("archived") == Some("true");
    let id = desk.locate(object, call.param("idProperty"), id, true, archived).ok_or_else(Refusal::not_found)?;
    let record = desk.portal.tables.get(object).and_then(|t| t.records.get(&id)).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, desk.show(object, record, &selection)))
}

pub fn patch(desk: &mut Desk<'_>, object: &str, id: &str, call: &Call) -> Result<Reply, Refusal> {
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let id = desk.locate(object, call.param("idProperty"), id, true, false).ok_or_else(Refusal::not_found)?;
    let fields = desk.check(object, Some(id), &body["properties"], &mut Claims::new())?;
    let names = fields.keys().cloned().collect();
    desk.store(object, Some(id), fields, Source::App);
    Ok(Reply::json(200, desk.written(object, id, names)))
}

/// 204 whether there was such a record or not.
pub fn delete(desk: &mut Desk<'_>, object: &str, id: &str) -> Reply {
    if let Some(id) = desk.locate(object, None, id, false, false) {
        desk.archive(object, id, Source::App);
    }
    Reply::empty(204)
}

pub fn merge(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let id = |key: &str| {
        body[key]
            .as_str()
            .and_then(|s| s.parse().ok())
            .filter(|id| desk.portal.tables.get(object).is_some_and(|t| t.live(*id).is_some()))
    };
    let (Some(winner), Some(loser)) = (id("primaryObjectId"), id("objectIdToMerge")) else {
        return Err(Refusal::not_found());
    };
    let merged = desk
        .merge(object, winner, loser, Source::App)
        .ok_or_else(|| Refusal::validation("cannot merge a record with itself"))?;
    Ok(Reply::json(200, desk.written(object, merged, Vec::new())))
}

pub fn gdpr_delete(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let id = body["objectId"].as_str().unwrap_or_default();
    if let Some(id) = desk.locate(object, body["idProperty"].as_str(), id, true, true) {
        desk.privacy_delete(object, id, Source::App);
    }
    Ok(Reply::empty(204))
}

impl Desk<'_> {
    /// The record that an id, or a value of a unique property, names. Only single calls follow merged ids.
    pub fn locate(
        &self,
        object: &str,
        property: Option<&str>,
        value: &str,
        follow: bool,
        archived: bool,
    ) -> Option<u64> {
        let table = self.portal.tables.get(object)?;
        if let Some(name) = property.filter(|p| *p != "hs_object_id") {
            return table.find(name, value);
        }
        let id: u64 = value.trim().parse().ok()?;
        let id = if follow { table.resolve(id) } else { id };
        table.records.get(&id).filter(|r| r.archived.is_some() == archived || (follow && archived)).map(|r| r.id)
    }

    /// A record as the answer to its own write shows it: what was written, and the defaults.
    pub fn written(&self, object: &str, id: u64, mut names: Vec<String>) -> Value {
        names.extend(["email", "firstname", "lastname"].map(str::to_owned));
        let selection = Selection { properties: names, history: Vec::new() };
        let record = self.portal.tables.get(object).and_then(|t| t.records.get(&id));
        record.map(|r| self.show(object, r, &selection)).unwrap_or_default()
    }

    pub fn archive(&mut self, object: &str, id: u64, source: Source) {
        let gone = self.portal.tables.get_mut(object).is_some_and(|t| t.archive(id, self.now));
        if gone {
            self.emit(object, "deletion", id, source, json!({"changeFlag": "DELETED"}));
        }
    }

    /// Also fires `deletion`, in any order (HubSpot docs: webhooks).
    pub fn privacy_delete(&mut self, object: &str, id: u64, source: Source) {
        let gone = self.portal.tables.get_mut(object).is_some_and(|t| t.erase(id, self.now));
        if gone {
            self.emit(object, "deletion", id, source, json!({"changeFlag": "DELETED"}));
            self.emit(object, "privacyDeletion", id, source, json!({"changeFlag": "DELETED"}));
        }
    }

    /// A merge makes a third record, to which both old ids lead from then on (HubSpot docs: merge records).
    pub fn merge(&mut self, object: &str, winner: u64, loser: u64, source: Source) -> Option<u64> {
        let stamp = self.stamp(source);
        let table = self.portal.tables.get_mut(object).filter(|_| winner != loser)?;
        let kept = table.live(winner)?.fields.clone();
        let lost = table.live(loser)?.fields.clone();
        let moved: Fields =
            lost.iter().filter(|(k, _)| !kept.contains_key(*k)).map(|(k, v)| (k.clone(), v.clone())).collect();
        let (moves, mut fields) = (moved.len(), kept.clone());
        fields.extend(moved);
        let earlier = |f: &Fields| {
            f.get("hs_merged_object_ids").and_then(Value::as_str).map(|s| format!("{s};")).unwrap_or_default()
        };
        let ids = format!("{}{}{winner};{loser}", earlier(&kept), earlier(&lost));
        fields.insert("hs_merged_object_ids".to_owned(), Value::String(ids));
        let second = lost.get("email").filter(|e| kept.get("email").is_some_and(|k| k != *e)).cloned();
        if let Some(email) = &second {
            fields.insert("hs_additional_emails".to_owned(), email.clone());
        }
        table.erase(winner, stamp.now);
        table.erase(loser, stamp.now);
        let id = table.insert(fields, stamp);
        table.merged.extend([(winner, id), (loser, id)]);
        if let Some(email) = second.as_ref().and_then(Value::as_str) {
            table.alias("email", email, id);
        }
        self.move_associations(object, winner, id);
        self.move_associations(object, loser, id);
        let more = json!({"primaryObjectId": winner, "mergedObjectIds": [loser], "newObjectId": id, "numberOfPropertiesMoved": moves});
        self.emit(object, "merge", winner, source, more);
        Some(id)
    }
}
