//! What webhooks are told (Pipedrive docs: Webhooks v2).

use super::fields::Custom;
use super::kinds::{Kind, lead_uuid};
use super::{CRM_USER, Desk, OUR_USER, show};
use crate::calls::Crm;
use crate::clock::iso_ms;
use crate::records::Source;
use crate::webhooks::Item;
use serde_json::{Map, Value, json};

/// One thing that happened to one record.
#[derive(Debug)]
pub struct Event {
    pub kind: &'static Kind,
    pub id: u64,
    pub source: Source,
    pub action: &'static str,
    /// The record as it now is; null when it was deleted.
    pub data: Value,
    /// What it was: null of a new one, the changed fields of a changed one.
    pub previous: Value,
    /// `merged_to_id` or `merged_from_id`, and the other record.
    pub merged: Option<(&'static str, u64)>,
}

impl Desk<'_> {
    /// A record as webhooks show it: much as API v2 does, but `visible_to` is text and custom fields carry their type.
    pub fn event_data(&self, kind: &Kind, id: u64) -> Option<Value> {
        let record = self.company.tables.get(kind.table)?.records.get(&id)?;
        let customs = kind.customs.map_or(&[][..], |table| self.company.customs(table));
        let mut data = show::v2(kind, customs, record);
        let object = data.as_object_mut()?;
        object.remove("is_deleted");
        if kind.table == "leads" {
            object.insert("id".to_owned(), json!(lead_uuid(id)));
        }
        if let Some(Value::Number(visible)) = object.get("visible_to") {
            let visible = visible.to_string();
            object.insert("visible_to".to_owned(), json!(visible));
        }
        if let Some(labels) = object.get("label_ids") {
            let label = labels.get(0).cloned().unwrap_or_default();
            object.insert("label".to_owned(), label);
        }
        if let Some(due) = object.get("due_time").filter(|d| !d.is_null()) {
            let due = json!({"timezone_id": null, "value": due});
            object.insert("due_time".to_owned(), due);
        }
        if let Some(Value::Object(values)) = object.get_mut("custom_fields") {
            for custom in customs {
                if let Some(value) = values.get_mut(&custom.code) {
                    *value = typed(custom, value);
                }
            }
        }
        Some(data)
    }

    /// Tells of a change, if there was one; `previous` has the changed fields only.
    pub fn tell_change(&mut self, of: Event, before: &Value) {
        let after = &of.data;
        let mut previous = changed(before, after);
        if previous.contains_key("custom_fields") {
            let values = changed(&before["custom_fields"], &after["custom_fields"]);
            previous.insert("custom_fields".to_owned(), Value::Object(values));
        }
        if previous.keys().any(|k| k != "update_time") || of.merged.is_some() {
            self.tell(&Event { previous: Value::Object(previous), ..of });
        }
    }

    /// Tells every live webhook that wants this.
    pub fn tell(&mut self, event: &Event) {
        let Event { kind, id, source, action, data, previous, merged } = event;
        self.company.drop_dead_webhooks(self.now);
        let spell = |id: u64| if kind.table == "leads" { lead_uuid(id) } else { id.to_string() };
        let (user, change_source) = match source {
            Source::App => (OUR_USER, "api"),
            Source::User => (CRM_USER, "app"),
        };
        let correlation_id = self.rng.uuid();
        let mut items = Vec::new();
        for (webhook_id, webhook) in &self.company.webhooks {
            if !webhook.wants(kind.entity, action) || webhook.banned(self.now) {
                continue;
            }
            let mut meta = json!({
                "action": action, "entity": kind.entity, "company_id": self.company.id.to_string(),
                "correlation_id": correlation_id, "entity_id": spell(*id), "id": self.rng.uuid(), "is_bulk_edit": false,
                "timestamp": iso_ms(self.now), "type": webhook.kind(), "user_id": user.to_string(), "version": "2.0",
                "webhook_id": webhook_id.to_string(), "webhook_owner_id": OUR_USER.to_string(), "change_source": change_source,
                "permitted_user_ids": [OUR_USER.to_string(), CRM_USER.to_string()], "attempt": 1,
                "host": format!("{}.pipedrive.com", self.company.domain),
            });
            if let Some((name, other)) = merged {
                meta[*name] = json!(spell(*other));
            }
            let body = json!({"meta": meta, "data": data, "previous": previous});
            items.push(Item::post(Crm::Pipedrive, webhook.url.clone(), webhook.basic.clone(), vec![body]));
        }
        for item in items {
            self.outbox.emit(&item, &self.faults.webhooks, self.rng);
        }
    }
}

/// The members of `before` that are others in `after`.
fn changed(before: &Value, after: &Value) -> Map<String, Value> {
    let before = before.as_object().into_iter().flatten();
    before.filter(|(name, value)| after[*name] != **value).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// A custom field's value in a webhook, which is not the API's.
fn typed(custom: &Custom, value: &Value) -> Value {
    let kind = custom.kind.as_str();
    let mut shown = match (kind, value) {
        (_, Value::Null) => return Value::Null,
        ("enum" | "user" | "people" | "org", id) => json!({"id": id}),
        ("set", ids) => {
            json!({"values": ids.as_array().into_iter().flatten().map(|id| json!({"id": id})).collect::<Vec<_>>()})
        }
        ("daterange", v) => json!({"from": v["value"], "until": v["until"]}),
        ("timerange", v) => json!({"from": v["value"], "until": v["until"], "timezone_id": null}),
        ("time", v) => json!({"value": v["value"], "timezone_id": null}),
        (_, Value::Object(parts)) => json!(parts),
        (_, plain) => json!({"value": plain}),
    };
    shown["type"] = json!(kind);
    shown
}
