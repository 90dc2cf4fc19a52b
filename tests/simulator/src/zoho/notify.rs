//! What the live watch channels are told (Zoho docs: notifications, notification details).

use super::Desk;
use crate::calls::Crm;
use crate::webhooks::Item;
use serde_json::{Map, Value, json};

/// What one operation did: a notification names all of its records at once.
#[derive(Debug, Default)]
pub struct Changes {
    pub inserted: Vec<(u64, Vec<String>)>,
    pub updated: Vec<(u64, Vec<String>)>,
    pub deleted: Vec<u64>,
}

/// Records in one notification.
const IDS: usize = 100;

impl Desk<'_> {
    /// Tells every channel that watches this; events `create` and `edit` arrive as `insert` and `update`.
    pub fn notify(&mut self, module: &str, changes: Changes) {
        let deleted = changes.deleted.into_iter().map(|id| (id, Vec::new())).collect();
        for (event, operation, records) in
            [("create", "insert", changes.inserted), ("edit", "update", changes.updated), ("delete", "delete", deleted)]
        {
            for some in records.chunks(IDS) {
                self.tell(module, event, operation, some);
            }
        }
    }

    fn tell(&mut self, module: &str, event: &str, operation: &str, records: &[(u64, Vec<String>)]) {
        let watched = [format!("{module}.{event}"), format!("{module}.all")];
        let now = self.now;
        let ids: Vec<String> = records.iter().map(|(id, _)| id.to_string()).collect();
        let fields: Vec<Value> =
            records.iter().filter(|(_, f)| !f.is_empty()).map(|(id, f)| json!({(id.to_string()): f})).collect();
        let values: Vec<Value> = records
            .iter()
            .map(|(id, f)| json!({"record_id": id.to_string(), "values": self.values(module, *id, f)}))
            .collect();
        let mut items = Vec::new();
        for (id, channel) in self.org.channels.iter().filter(|(_, c)| c.expiry > now) {
            if !channel.events.iter().any(|e| watched.contains(e)) {
                continue;
            }
            let mut body = json!({
                "server_time": now, "query_params": channel.query_params(), "module": module,
                // Version 2 in this address, whatever version subscribed.
                "resource_uri": format!("https://www.zohoapis.com/crm/v2/{module}"),
                "ids": ids, "affected_fields": fields, "operation": operation, "channel_id": id, "token": channel.token,
            });
            if channel.values {
                body["affected_values"] = json!(values);
            }
            items.push(Item::post(Crm::Zoho, channel.notify_url.clone(), None, vec![body]));
        }
        for item in items {
            self.outbox.emit(&item, &self.faults.webhooks, self.rng);
        }
    }

    fn values(&self, module: &str, id: u64, names: &[String]) -> Map<String, Value> {
        let record = self.org.modules.get(module).and_then(|t| t.records.get(&id));
        names.iter().map(|n| (n.clone(), record.and_then(|r| r.fields.get(n)).cloned().unwrap_or_default())).collect()
    }
}
