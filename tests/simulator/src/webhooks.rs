//! The outbox: what the CRMs tell their subscribers, signed as each vendor does, sent by a background task.

use crate::calls::Crm;
use crate::clock::{Rng, iso_ms, real_now};
use crate::faults::WebhookFaults;
use crate::world::{Shared, World};
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// HubSpot docs: webhooks. At most 100 events a delivery; five seconds to answer.
const EVENTS: usize = 100;
const TIMEOUT: Duration = Duration::from_secs(5);
const RETRIES: u32 = 5;
const KEPT: usize = 300;

#[derive(Debug, Clone)]
pub struct Item {
    pub crm: Crm,
    /// `DELETE` tells of an app's end in Pipedrive; all else is a `POST`.
    pub method: Method,
    pub url: String,
    /// HubSpot: the client secret that signs. Pipedrive: `user:password` of HTTP Basic.
    pub secret: Option<String>,
    /// HubSpot: the events of one array. Salesforce: one text of XML. Others: one body.
    pub bodies: Vec<Value>,
    pub attempt: u32,
}

impl Item {
    pub fn post(crm: Crm, url: String, secret: Option<String>, bodies: Vec<Value>) -> Self {
        Self { crm, method: Method::POST, url, secret, bodies, attempt: 0 }
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Delivered {
    pub at: String,
    pub crm: Crm,
    pub method: String,
    pub url: String,
    pub attempt: u32,
    /// 0: no answer.
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// What waits for one URL, by due time (real milliseconds), then by order of emission.
#[derive(Debug, Default)]
struct Line {
    queue: BTreeMap<(i64, u64), Item>,
    under_way: usize,
}

#[derive(Debug, Default)]
pub struct Outbox {
    lines: BTreeMap<String, Line>,
    n: u64,
    delivered: VecDeque<Delivered>,
    pub lost: u64,
}

impl Outbox {
    pub fn emit(&mut self, item: &Item, faults: &WebhookFaults, rng: &mut Rng) {
        if rng.chance(faults.lose_rate) {
            self.lost += 1;
            return;
        }
        let copies = if rng.chance(faults.double_rate) { 2 } else { 1 };
        for _ in 0..copies {
            let jitter = if faults.shuffle { rng.below(500 + faults.delay_ms.unsigned_abs()) } else { 0 };
            self.put(item.clone(), faults.delay_ms + jitter.cast_signed());
        }
    }

    fn put(&mut self, item: Item, in_ms: i64) {
        self.n += 1;
        self.lines.entry(item.url.clone()).or_default().queue.insert((real_now() + in_ms, self.n), item);
    }

    /// Events and notifications that wait, and deliveries under way.
    pub fn pending(&self) -> usize {
        self.lines.values().map(|l| l.queue.len() + l.under_way).sum()
    }

    pub fn delivered(&self) -> impl DoubleEndedIterator<Item = &Delivered> + ExactSizeIterator {
        self.delivered.iter()
    }

    /// Forgets all but the deliveries under way.
    pub fn clear(&mut self) {
        self.lines.values_mut().for_each(|l| l.queue.clear());
        self.delivered.clear();
        self.lost = 0;
    }

    /// Deliveries that can start now, and when the next one is due.
    fn ready(&mut self, concurrency: impl Fn(Crm) -> usize) -> (Vec<Item>, Option<i64>) {
        let now = real_now();
        let mut batches = Vec::new();
        let mut next: Option<i64> = None;
        for line in self.lines.values_mut() {
            while let Some(first) = line.queue.first_entry() {
                let due = first.key().0;
                if due > now {
                    next = Some(next.map_or(due, |n| n.min(due)));
                    break;
                }
                // The delivery that ends next makes room, and wakes the task.
                if line.under_way >= concurrency(first.get().crm) {
                    break;
                }
                let mut batch = first.remove();
                fill(&mut batch, &mut line.queue, now);
                line.under_way += 1;
                batches.push(batch);
            }
        }
        (batches, next)
    }
}

/// Lets further events of HubSpot join an array that has room; retries stay as they were.
fn fill(batch: &mut Item, queue: &mut BTreeMap<(i64, u64), Item>, now: i64) {
    if batch.crm != Crm::Hubspot || batch.attempt > 0 {
        return;
    }
    while let Some(next) = queue.first_entry() {
        let item = next.get();
        let fits = batch.bodies.len() + item.bodies.len() <= EVENTS;
        if next.key().0 > now || item.attempt > 0 || item.secret != batch.secret || !fits {
            return;
        }
        batch.bodies.extend(next.remove().bodies);
    }
}

/// Sends what the outbox holds until the task is dropped.
pub async fn deliver(shared: Arc<Shared>) {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap_or_default();
    loop {
        let (batches, next) = {
            let mut world = shared.lock();
            let World { outbox, faults, .. } = &mut *world;
            outbox.ready(|crm| faults.of(crm).webhooks.concurrency.unwrap_or(1).max(1))
        };
        for batch in batches {
            tokio::spawn(send(shared.clone(), client.clone(), batch));
        }
        let wait = next.map_or(60_000, |due| (due - real_now()).clamp(1, 60_000)).unsigned_abs();
        let _ = tokio::time::timeout(Duration::from_millis(wait), shared.outbox_changed.notified()).await;
    }
}

async fn send(shared: Arc<Shared>, client: reqwest::Client, item: Item) {
    let body = body_of(&item);
    let signed = shared.lock().clock.signed();
    let headers = headers_of(&item, &body, signed);
    let mut request = client.request(item.method.clone(), &item.url).body(body.clone());
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    let (status, taken) = match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            (status, taken(item.crm, status, &response.text().await.unwrap_or_default()))
        }
        Err(_) => (0, false),
    };
    let mut world = shared.lock();
    let outbox = &mut world.outbox;
    if let Some(line) = outbox.lines.get_mut(&item.url) {
        line.under_way = line.under_way.saturating_sub(1);
    }
    let at = iso_ms(real_now());
    outbox.delivered.push_back(Delivered {
        at,
        crm: item.crm,
        method: item.method.to_string(),
        url: item.url.clone(),
        attempt: item.attempt,
        status,
        headers,
        body,
    });
    if outbox.delivered.len() > KEPT {
        outbox.delivered.pop_front();
    }
    if item.crm == Crm::Pipedrive {
        crate::pipedrive::webhooks::delivered(&mut world, &item, status, taken);
    }
    let outbox = &mut world.outbox;
    if !taken && item.attempt < retries(&item) {
        let wait = 200 * 3i64.pow(item.attempt);
        outbox.put(Item { attempt: item.attempt + 1, ..item }, wait);
    }
    drop(world);
    shared.outbox_changed.notify_one();
}

/// Whether the vendor takes the answer for success.
fn taken(crm: Crm, status: u16, body: &str) -> bool {
    let well = (200..300).contains(&status);
    if crm == Crm::Salesforce { well && crate::salesforce::outbound::acknowledges(body) } else { well }
}

/// How often a failed delivery is tried again, in seconds here rather than hours.
fn retries(item: &Item) -> u32 {
    match item.crm {
        // Ten times over 24 hours (HubSpot docs: webhooks); up to 24 hours (Salesforce docs: outbound messaging).
        Crm::Hubspot | Crm::Salesforce => RETRIES,
        // Zoho documents no retry at all, so there is none (Zoho docs: notifications).
        Crm::Zoho => 0,
        // Nor does Pipedrive for the end of an app (Pipedrive docs: app uninstallation).
        Crm::Pipedrive if item.method == Method::DELETE => 0,
        // After 3, 30 and 150 seconds (Pipedrive docs: webhooks v2).
        Crm::Pipedrive => 3,
    }
}

fn headers_of(item: &Item, body: &str, now_ms: i64) -> BTreeMap<String, String> {
    let kind = if item.crm == Crm::Salesforce { "text/xml; charset=utf-8" } else { "application/json" };
    let mut headers = BTreeMap::from([("content-type".to_owned(), kind.to_owned())]);
    match (item.crm, &item.secret) {
        (Crm::Hubspot, Some(secret)) => {
            headers.extend(hubspot_signatures(secret, "POST", &item.url, body, now_ms));
            let agent = "HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)";
            headers.insert("user-agent".to_owned(), agent.to_owned());
        }
        (Crm::Salesforce, _) => drop(headers.insert("soapaction".to_owned(), "\"\"".to_owned())),
        (Crm::Pipedrive, Some(user_and_password)) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(user_and_password);
            headers.insert("authorization".to_owned(), format!("Basic {encoded}"));
        }
        _ => {}
    }
    headers
}

fn body_of(item: &Item) -> String {
    match item.crm {
        Crm::Hubspot => {
            let mut events = item.bodies.clone();
            for event in &mut events {
                event["attemptNumber"] = json!(item.attempt);
            }
            Value::Array(events).to_string()
        }
        Crm::Salesforce => item.bodies.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        Crm::Pipedrive if item.method == Method::POST => {
            let mut body = item.bodies.first().cloned().unwrap_or_default();
            body["meta"]["attempt"] = json!(item.attempt + 1);
            body.to_string()
        }
        Crm::Zoho | Crm::Pipedrive => item.bodies.first().map(Value::to_string).unwrap_or_default(),
    }
}

/// The headers of a CRM subscription delivery: v1 and v3 (HubSpot docs: validating requests).
pub fn hubspot_signatures(secret: &str, method: &str, url: &str, body: &str, now_ms: i64) -> Vec<(String, String)> {
    let v1 = Sha256::digest(format!("{secret}{body}"));
    let mut headers = vec![
        ("x-hubspot-signature".to_owned(), v1.iter().map(|b| format!("{b:02x}")).collect()),
        ("x-hubspot-signature-version".to_owned(), "v1".to_owned()),
        ("x-hubspot-request-timestamp".to_owned(), now_ms.to_string()),
    ];
    // HMAC takes keys of any length, so this cannot fail.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("{method}{}{body}{now_ms}", decode_uri(url)).as_bytes());
        let v3 = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        headers.push(("x-hubspot-signature-v3".to_owned(), v3));
    }
    headers
}

/// The only escapes that v3 decodes (HubSpot docs: validating requests, URL-encoded characters).
fn decode_uri(url: &str) -> String {
    const ESCAPES: [(&str, &str); 12] = [
        ("%3A", ":"),
        ("%2F", "/"),
        ("%3F", "?"),
        ("%40", "@"),
        ("%21", "!"),
        ("%24", "$"),
        ("%27", "'"),
        ("%28", "("),
        ("%29", ")"),
        ("%2A", "*"),
        ("%2C", ","),
        ("%3B", ";"),
    ];
    ESCAPES.iter().fold(url.to_owned(), |u, (escape, plain)| u.replace(escape, plain))
}

#[cfg(test)]
mod tests {
    use super::hubspot_signatures;

    fn check(secret: &str, url: &str, body: &str, at: i64, name: &str, expected: &str) {
        let headers = hubspot_signatures(secret, "POST", url, body, at);
        let found = headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn signatures_are_those_of_the_vendors_sdks() {
        let (secret, url) = ("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", "https://www.example.com/webhook_uri");
        let body = "{'example_field':'example_value'}";
        check(
            secret,
            url,
            body,
            0,
            "x-hubspot-signature",
            "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750",
        );
        check(
            secret,
            url,
            body,
            1693657560000,
            "x-hubspot-signature-v3",
            "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
        );
    }

    #[test]
    fn v3_signs_the_decoded_uri() {
        let url = "https://example.com/api/hubspot/webhooks?src=hs%3Aapp%2Fv3&x=%28a%29";
        let expected = "G8ddQlikFQ0ScZOZn+MHQ0E3WCV7vOJTzKlvrkvbvuk=";
        check("autopilot-test-client-secret-0001", url, "[]", 1790000004000, "x-hubspot-signature-v3", expected);
    }
}
