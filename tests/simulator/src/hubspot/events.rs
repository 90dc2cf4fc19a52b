//! Webhook events of the app's subscriptions (HubSpot docs: webhooks).

use super::Desk;
use crate::calls::Crm;
use crate::records::Source;
use crate::webhooks::Item;
use serde_json::{Value, json};

impl Desk<'_> {
    /// Puts one event into the outbox; `more` is what this type has beside the common fields.
    pub fn emit(&mut self, object: &str, what: &str, id: u64, source: Source, more: Value) {
        let Some(url) = self.portal.app.target_url.clone() else { return };
        let (named, of_type) = subscribed(object);
        let kind = format!("{named}.{what}");
        let (change_source, source_id) = match source {
            Source::User => ("CRM_UI", "userId:864745280".to_owned()),
            Source::App => ("INTEGRATION", self.portal.app.app_id.to_string()),
        };
        let mut event = json!({
            // Not unique, says the vendor, and not here either.
            "eventId": self.rng.below(1 << 20) + 1,
            "subscriptionId": subscription_id(&kind, more["propertyName"].as_str().unwrap_or_default()),
            "portalId": self.portal.id, "appId": self.portal.app.app_id, "occurredAt": self.now, "subscriptionType": kind,
            "attemptNumber": 0, "objectId": id, "changeSource": change_source, "sourceId": source_id,
        });
        if let Some(of_type) = of_type {
            event["objectTypeId"] = json!(of_type);
        }
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            if more.contains_key("fromObjectId") {
                event.remove("objectId");
            }
            event.extend(more);
        }
        let secret = Some(self.portal.app.client_secret.clone());
        let item = Item::post(Crm::Hubspot, url, secret, vec![event]);
        self.outbox.emit(&item, &self.faults.webhooks, self.rng);
    }

    pub fn emit_created(&mut self, object: &str, id: u64, source: Source) {
        self.emit(object, "creation", id, source, json!({"changeFlag": "NEW"}));
    }

    /// One event per changed property that is subscribed to.
    pub fn emit_changes(&mut self, object: &str, id: u64, changed: &[String], source: Source) {
        for name in changed {
            let subscribed = match &self.portal.subscriptions {
                Some(names) => names.contains(name),
                // An app does not subscribe to what only it writes.
                None => name != "crm_sync_id" && self.portal.property(object, name).is_some_and(|p| !p.read_only),
            };
            if !subscribed {
                continue;
            }
            let value = self
                .portal
                .tables
                .get(object)
                .and_then(|t| t.records.get(&id))
                .and_then(|r| r.text(name))
                .unwrap_or_default();
            let more = json!({"propertyName": name, "propertyValue": value});
            self.emit(object, "propertyChange", id, source, more);
        }
    }
}

/// What subscriptions call an object; notes and tasks have only those of `object.*`, which name a type (HubSpot docs: webhooks,
/// generic object subscriptions).
fn subscribed(object: &str) -> (&str, Option<&str>) {
    match object {
        "contacts" => ("contact", None),
        "companies" => ("company", None),
        "deals" => ("deal", None),
        "tasks" => ("object", Some("0-27")),
        "notes" => ("object", Some("0-46")),
        other => ("object", Some(other)),
    }
}

/// One subscription per type and property; its number is made from both.
fn subscription_id(kind: &str, property: &str) -> u64 {
    kind.bytes().chain(property.bytes()).fold(1_000, |n, b| (n * 31 + u64::from(b)) % 900_000) + 1
}
