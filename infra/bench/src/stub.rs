//! Stubs of what functions call: each answers at once, from memory. Writes are taken and forgotten, but for those of connections: a pull
//! goes on where it was.

use crate::{
    plan::{Asked, Plan},
    runtime::lock,
};
use anyhow::{Context, Result};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

type Item = Value;
type Place = (String, String);

pub struct Stub {
    items: HashMap<Place, Item>,
    secrets: BTreeMap<String, Value>,
    seen: Mutex<Seen>,
    /// Connections that were put.
    connections: Mutex<HashMap<Place, Item>>,
}

#[derive(Default)]
struct Seen {
    calls: BTreeMap<String, u64>,
    kept_calls: BTreeMap<String, u64>,
    /// Messages that were put into queues.
    sent: Vec<Value>,
    kept_sent: Vec<Value>,
    records: u64,
    asked: Asked,
}

impl Stub {
    pub fn of(plan: &Plan) -> Result<Stub> {
        let text = std::fs::read_to_string(&plan.tables)
            .with_context(|| format!("{} cannot be read", plan.tables.display()))?;
        let items: Vec<Item> = serde_json::from_str(&text)?;
        let items = items.into_iter().map(|item| (place(&item), item)).collect();
        Ok(Stub { items, secrets: plan.secrets.clone(), seen: Mutex::default(), connections: Mutex::default() })
    }

    /// A new start of a function.
    pub fn forget(&self) {
        *lock(&self.seen) = Seen::default();
        lock(&self.connections).clear();
    }

    pub fn forget_calls(&self) {
        lock(&self.seen).calls.clear();
    }

    pub fn keep_calls(&self) {
        let mut seen = lock(&self.seen);
        seen.kept_calls = seen.calls.clone();
    }

    pub fn keep_sent(&self) {
        let mut seen = lock(&self.seen);
        seen.kept_sent = std::mem::take(&mut seen.sent);
    }

    /// The calls of the warm events, and the messages of the first one.
    pub fn kept(&self) -> (BTreeMap<String, u64>, Vec<Value>) {
        let mut seen = lock(&self.seen);
        (std::mem::take(&mut seen.kept_calls), std::mem::take(&mut seen.kept_sent))
    }

    /// How often a record was put.
    pub fn records(&self) -> u64 {
        lock(&self.seen).records
    }

    /// All that was asked since the start.
    pub fn asked(&self) -> Asked {
        lock(&self.seen).asked
    }

    fn note(&self, operation: &str, asked: &Value) {
        lock(&self.seen).asked.items += match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => 1,
            "TransactWriteItems" => asked["TransactItems"].as_array().map_or(0, |steps| steps.len() as u64),
            _ => 0,
        };
        let steps = asked["TransactItems"].as_array().into_iter().flatten().map(|step| &step["Put"]);
        for item in steps.chain([asked]).map(|put| &put["Item"]) {
            match item["kind"]["S"].as_str() {
                Some("record") => lock(&self.seen).records += 1,
                Some("connection") if operation == "PutItem" => {
                    lock(&self.connections).insert(place(item), item.clone());
                }
                _ => {}
            }
        }
    }

    /// Connections as they were left.
    pub fn connections(&self) -> Vec<Value> {
        lock(&self.connections).values().cloned().collect()
    }

    fn answer(&self, operation: &str, asked: &Value) -> Option<Value> {
        self.note(operation, asked);
        let held = Held { items: &self.items, connections: &lock(&self.connections) };
        Some(match operation {
            "Query" => {
                let items = held.query(&asked["ExpressionAttributeValues"]);
                json!({"Count": items.len(), "ScannedCount": items.len(), "Items": items})
            }
            "GetItem" => match held.get(&asked["Key"]) {
                Some(item) => json!({"Item": item}),
                None => json!({}),
            },
            "BatchGetItem" => json!({"Responses": held.batch(&asked["RequestItems"]), "UnprocessedKeys": {}}),
            "BatchWriteItem" => json!({"UnprocessedItems": {}}),
            "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems" => json!({}),
            "GetSecretValue" => {
                let name = asked["SecretId"].as_str()?;
                json!({"ARN": name, "Name": name, "VersionId": "1", "SecretString": self.secrets.get(name)?.to_string()})
            }
            "SendMessageBatch" => json!({"Successful": self.send(asked["Entries"].as_array()?), "Failed": []}),
            "ChangeMessageVisibility" => json!({}),
            "PutEvents" => {
                let entry = |_: &Value| json!({"EventId": "00000000-0000-4000-8000-000000000000"});
                json!({"FailedEntryCount": 0, "Entries": asked["Entries"].as_array()?.iter().map(entry).collect::<Vec<_>>()})
            }
            // The only CRM: a page of a hundred contacts, and no more after it (HubSpot docs: CRM API, contacts).
            path if path.starts_with("/hubspot/") && path.contains("/contacts") => json!({"results": contacts()}),
            _ => return None,
        })
    }

    /// SDKs compare the digest with that of what they sent.
    fn send(&self, entries: &[Value]) -> Vec<Value> {
        let mut seen = lock(&self.seen);
        let taken = entries.iter().map(|entry| {
            let body = entry["MessageBody"].as_str().unwrap_or_default();
            if seen.sent.len() < 100 {
                seen.sent.push(serde_json::from_str(body).unwrap_or_default());
            }
            let digest: String = Md5::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"Id": entry["Id"], "MessageId": "00000000-0000-4000-8000-000000000000", "MD5OfMessageBody": digest})
        });
        taken.collect()
    }
}

/// What the table holds.
struct Held<'a> {
    items: &'a HashMap<Place, Item>,
    connections: &'a HashMap<Place, Item>,
}

impl<'a> Held<'a> {
    fn get(&self, key: &Value) -> Option<&'a Item> {
        let place = place(key);
        self.connections.get(&place).or_else(|| self.items.get(&place))
    }

    /// One partition, in the order of its sort keys.
    fn query(&self, values: &Value) -> Vec<&'a Item> {
        let text = |name: &str| values[name]["S"].as_str().unwrap_or_default();
        let (partition, prefix) = (text(":pk"), text(":sk"));
        let found = self.items.iter().chain(self.connections);
        let found = found.filter(|((pk, sk), _)| pk == partition && sk.starts_with(prefix));
        found.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    fn batch(&self, tables: &Value) -> Value {
        let found = |asked: &Value| -> Vec<&Item> {
            asked["Keys"].as_array().into_iter().flatten().filter_map(|key| self.get(key)).collect()
        };
        tables.as_object().into_iter().flatten().map(|(table, asked)| (table.clone(), json!(found(asked)))).collect()
    }
}

/// The same ones each time.
fn contacts() -> Vec<Value> {
    let contact = |number: u32| {
        let properties = json!({
            "email": format!("person{number}@example.com"), "firstname": "Ada", "lastname": format!("Byron {number}"),
            "phone": format!("+1415555{number:04}"), "company": "Analytical Ltd",
        });
        let at = "2026-11-21T09:00:00.000Z";
        json!({"id": number.to_string(), "properties": properties, "createdAt": at, "updatedAt": at, "archived": false})
    };
    (1000..1100).map(contact).collect()
}

/// An item's primary key.
fn place(item: &Value) -> Place {
    let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    (text("pk"), text("sk"))
}

/// Any call: the operation is named by a header, where there is one.
pub async fn call(State(stub): State<Arc<Stub>>, headers: HeaderMap, uri: Uri, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let (service, operation) = target.and_then(|target| target.split_once('.')).unwrap_or(("HTTP", uri.path()));
    let name = format!("{} {operation}", service.split('_').next().unwrap_or_default());
    let mut seen = lock(&stub.seen);
    *seen.calls.entry(name).or_default() += 1;
    seen.asked.calls += 1;
    seen.asked.bytes += body.len() as u64;
    drop(seen);
    let asked = serde_json::from_slice(&body).unwrap_or_default();
    let json = [("content-type", "application/x-amz-json-1.1")];
    match stub.answer(operation, &asked) {
        Some(answer) => (json, answer.to_string()).into_response(),
        None => {
            let error =
                json!({"__type": "ResourceNotFoundException", "message": format!("the stub has no {operation}")});
            (StatusCode::BAD_REQUEST, json, error.to_string()).into_response()
        }
    }
}
