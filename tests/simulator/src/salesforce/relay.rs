//! Change events, as Event Relay hands them to Amazon EventBridge (Salesforce docs: Change Data Capture, Change Event Message Structure,
//! Change Event Body Fields, Compound Fields). They are kept until somebody plays the bus.

use super::Desk;
use super::fields::{Field, Kind};
use super::ids;
use super::show::{second, value};
use crate::clock::iso_ms;
use crate::records::Record;
use serde_json::{Map, Value, json};

/// What a person's own screens call themselves.
const SCREENS: &str = "com/salesforce/api/soap/67.0;client=SfdcInternalAPI/";

impl Desk<'_> {
    /// What the last write did to a record; nothing where it changed no field.
    pub fn relay_saved(&mut self, object: &str, id: u64) {
        let Some(record) = self.org.objects.get(object).and_then(|table| table.live(id)) else { return };
        let made = record.created == record.modified;
        let changed = |field: &&Field| {
            let last = record.versions.get(&field.name).and_then(|versions| versions.last());
            last.is_some_and(|last| last.at == record.modified)
        };
        let mut fields: Vec<&Field> = self.org.fields.get(object).into_iter().flatten().filter(changed).collect();
        if fields.is_empty() {
            return;
        }
        fields.extend(self.org.field(object, "LastModifiedDate"));
        let (mut payload, mut named, mut nulled) = (Map::new(), Vec::new(), Vec::new());
        for field in fields {
            let shown = shown(object, record, field);
            let name = match compound(object, &field.name) {
                Some((compound, part)) => {
                    let parts = payload.entry(compound.to_owned()).or_insert_with(|| json!({}));
                    parts[part] = shown.clone();
                    format!("{compound}.{part}")
                }
                None => {
                    payload.insert(field.name.clone(), shown.clone());
                    field.name.clone()
                }
            };
            if shown.is_null() {
                nulled.push(name.clone());
            }
            named.push(name);
        }
        let header = match made {
            true => json!({"changeType": "CREATE"}),
            false => json!({"changeType": "UPDATE", "changedFields": named, "nulledFields": nulled}),
        };
        self.relay(object, id, &header, payload);
    }

    /// That a record went into the bin, or came out of it.
    pub fn relay_moved(&mut self, object: &str, id: u64, kind: &str) {
        self.relay(object, id, &json!({"changeType": kind}), Map::new());
    }

    fn relay(&mut self, object: &str, id: u64, kind: &Value, mut payload: Map<String, Value>) {
        let Some(record) = self.org.objects.get(object).and_then(|table| table.records.get(&id)) else { return };
        let (user, origin) = (ids::user(record.modified_by), self.origin());
        let (org, now) = (&self.org.id, self.now);
        let Some(relayed) = &mut self.org.relayed else { return };
        let nth = relayed.len();
        let mut header = json!({
            "entityName": object, "recordIds": [ids::text(object, id)], "changeOrigin": origin, "commitUser": user, "commitTimestamp": now,
            "transactionKey": format!("sim-{now}-{nth}"), "sequenceNumber": 1, "changedFields": [], "nulledFields": [], "diffFields": [],
        });
        for (name, value) in kind.as_object().into_iter().flatten() {
            header[name] = value.clone();
        }
        payload.insert("ChangeEventHeader".to_owned(), header);
        relayed.push(json!({
            "version": "0", "id": format!("sim-{now}-{nth}"), "detail-type": format!("{object}ChangeEvent"), "account": "123456789012",
            "source": format!("aws.partner/salesforce.com/{org}/{}", ids::seal("0YL", 1)), "time": iso_ms(now), "region": "us-east-1", "resources": [],
            "detail": {"schemaId": "sim", "payload": payload, "event": {"replayId": nth}},
        }));
    }

    fn origin(&self) -> String {
        match &self.client {
            Some(client) => format!("com/salesforce/api/rest/66.0;client={client}"),
            None => SCREENS.to_owned(),
        }
    }
}

/// Times are numbers in events.
fn shown(object: &str, record: &Record, field: &Field) -> Value {
    match field.kind {
        Kind::Datetime => json!(second(record.modified)),
        _ => value(object, record, field),
    }
}

/// The compound field that a field is a part of.
fn compound<'f>(object: &str, field: &'f str) -> Option<(&'static str, &'f str)> {
    const PARTS: [&str; 5] = ["Street", "City", "State", "PostalCode", "Country"];
    let (compound, prefix) = match object {
        "Lead" | "Contact" if ["Salutation", "FirstName", "LastName"].contains(&field) => return Some(("Name", field)),
        "Lead" => ("Address", ""),
        "Contact" => ("MailingAddress", "Mailing"),
        "Account" => ("BillingAddress", "Billing"),
        _ => return None,
    };
    field.strip_prefix(prefix).filter(|part| PARTS.contains(part)).map(|part| (compound, part))
}
