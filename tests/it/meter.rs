//! Between the functions and the emulator: counts what AWS would bill.

use crate::billed::{Items, billed};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::IntoResponse,
};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// What passes the proxy, for whoever plays AWS in simulated time.
#[derive(Default)]
pub(crate) struct Traffic {
    /// Calls that wait for their answer.
    pub(crate) under_way: AtomicU64,
    /// Calls so far.
    pub(crate) calls: AtomicU64,
    /// URLs of queues to which something was sent.
    pub(crate) sent: Mutex<BTreeSet<String>>,
    /// By receipt: for how many seconds a message is hidden. Where this is kept, the emulator does not hear of it.
    pub(crate) hides: Option<Mutex<BTreeMap<String, u64>>>,
}

impl Traffic {
    /// Whether the proxy answers the call by itself.
    fn begins(&self, operation: &str, asked: &Json) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        let seconds = asked["VisibilityTimeout"].as_u64().unwrap_or_default();
        match (operation.rsplit('.').next().unwrap_or_default(), &self.hides) {
            ("ChangeMessageVisibility", Some(hides)) if seconds > 0 => {
                hides.lock().unwrap().insert(text("ReceiptHandle"), seconds);
                return true;
            }
            _ => {}
        }
        self.under_way.fetch_add(1, Ordering::Relaxed);
        false
    }

    fn ended(&self, operation: &str, asked: &Json) {
        if operation.ends_with("SendMessageBatch") {
            self.sent.lock().unwrap().insert(asked["QueueUrl"].as_str().unwrap_or_default().to_owned());
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Calls of one operation, and the capacity units that they took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) calls: u64,
    pub(crate) units: f64,
}

/// A proxy that asks DynamoDB what each call consumed.
#[derive(Clone)]
pub(crate) struct Meter {
    pub(crate) url: String,
    costs: Arc<Mutex<BTreeMap<String, Cost>>>,
    items: Arc<Mutex<Items>>,
    throttled: Arc<AtomicU64>,
    /// What DynamoDB takes no item with.
    refused: Arc<Mutex<Option<String>>>,
    pub(crate) traffic: Arc<Traffic>,
}

type Shared = (String, reqwest::Client, Meter);

impl Meter {
    pub(crate) async fn start(emulator: &str, traffic: Traffic) -> Meter {
        let costs = Arc::<Mutex<BTreeMap<String, Cost>>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (items, throttled, refused) = (Arc::default(), Arc::default(), Arc::default());
        let meter = Meter { url, costs, items, throttled, refused, traffic: Arc::new(traffic) };
        let shared: Shared = (emulator.to_owned(), reqwest::Client::new(), meter.clone());
        let proxy = Router::new().fallback(forward).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, proxy).await });
        meter
    }

    /// The next calls to DynamoDB that are refused because there are too many.
    pub(crate) fn throttle(&self, next: u64) {
        self.throttled.store(next, Ordering::Relaxed);
    }

    /// From now on batches that hold this text are refused, as one with an item that is too large is.
    pub(crate) fn refuse(&self, text: Option<&str>) {
        *self.refused.lock().unwrap() = text.map(str::to_owned);
    }

    /// What was spent since the last time, by operation.
    pub(crate) fn spent(&self) -> Spent {
        Spent(std::mem::take(&mut *self.costs.lock().unwrap()))
    }

    /// What was billed since the last time.
    pub(crate) fn items(&self) -> Items {
        std::mem::take(&mut *self.items.lock().unwrap())
    }
}

#[derive(Debug)]
pub(crate) struct Spent(pub(crate) BTreeMap<String, Cost>);

const WRITES: [&str; 4] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
/// Only history is written in batches.
const ENTRIES: &str = "BatchWriteItem";

impl Spent {
    fn sum(&self, of: impl Fn(&str) -> bool) -> Cost {
        let costs = self.0.iter().filter(|(operation, _)| of(operation)).map(|(_, cost)| cost);
        costs.fold(Cost::default(), |sum, cost| Cost { calls: sum.calls + cost.calls, units: sum.units + cost.units })
    }
    pub(crate) fn writes(&self) -> Cost {
        self.sum(|operation| operation.split('.').next_back().is_some_and(|name| WRITES.contains(&name)))
    }
    pub(crate) fn entries(&self) -> Cost {
        self.sum(|operation| operation.ends_with(ENTRIES))
    }
    pub(crate) fn reads(&self) -> Cost {
        let other = |operation: &str| WRITES.iter().chain([&ENTRIES]).any(|write| operation.ends_with(write));
        self.sum(|operation| operation.starts_with("DynamoDB") && !other(operation))
    }
    pub(crate) fn events(&self) -> u64 {
        self.sum(|operation| operation.starts_with("AWSEvents")).calls
    }
    pub(crate) fn queue_calls(&self) -> u64 {
        self.sum(|operation| operation.starts_with("AmazonSQS")).calls
    }
}

async fn forward(
    State((emulator, http, meter)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let target = headers.get("x-amz-target").and_then(|t| t.to_str().ok()).unwrap_or("?").to_owned();
    let is_table = target.starts_with("DynamoDB");
    let one_less = |left: u64| left.checked_sub(1);
    if is_table && meter.throttled.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
        let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate exceeded"}"#;
        return (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.0")], body).into_response();
    }
    let holds = |text: &String| String::from_utf8_lossy(&body).contains(text);
    if target.ends_with(ENTRIES) && meter.refused.lock().unwrap().as_ref().is_some_and(holds) {
        let body = r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"Item size has exceeded the maximum allowed size"}"#;
        return (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.0")], body).into_response();
    }
    let mut asked: Json = serde_json::from_slice(&body).unwrap_or_default();
    if meter.traffic.begins(&target, &asked) {
        return (StatusCode::OK, [("content-type", "application/x-amz-json-1.0")], "{}").into_response();
    }
    // S3 is called by paths and methods, the others by headers alone.
    let call = http.request(method, format!("{emulator}{uri}"));
    let answer = answer(call, &meter, headers, &mut asked, body).await;
    meter.traffic.ended(&target, &asked);
    answer
}

async fn answer(
    mut call: reqwest::RequestBuilder,
    meter: &Meter,
    headers: HeaderMap,
    asked: &mut Json,
    body: Bytes,
) -> axum::response::Response {
    let target = headers.get("x-amz-target").and_then(|t| t.to_str().ok()).unwrap_or("?").to_owned();
    let is_table = target.starts_with("DynamoDB");
    if is_table {
        asked["ReturnConsumedCapacity"] = json!("TOTAL");
    }
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host" && *name != "content-length") {
        call = call.header(name, value);
    }
    let sent = if is_table { serde_json::to_vec(asked).unwrap() } else { body.to_vec() };
    let Ok(answer) = call.body(sent).send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap_or_default();
    let told: Json = serde_json::from_slice(&body).unwrap_or_default();
    let units = match &told["ConsumedCapacity"] {
        Json::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        one => one["CapacityUnits"].as_f64().unwrap_or(0.0),
    };
    for (item, more) in billed(&target, asked, &told) {
        *meter.items.lock().unwrap().entry(item).or_default() += more;
    }
    let mut costs = meter.costs.lock().unwrap();
    let cost = costs.entry(target).or_default();
    *cost = Cost { calls: cost.calls + 1, units: cost.units + units };
    drop(costs);
    let mut response = (StatusCode::from_u16(status.as_u16()).unwrap(), body).into_response();
    // The SDK checks DynamoDB's checksum of the body, and the body is as it came.
    response.headers_mut().extend(headers.into_iter().filter(|(name, _)| {
        name.as_ref().is_some_and(|name| name.as_str().starts_with("x-amz") || name == "content-type")
    }));
    response
}
