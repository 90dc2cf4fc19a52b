//! The steps that every event goes through, each by itself.

use crate::data::Data;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;
use shared::{
    cause::{By, Cause},
    planner::{Judge, Ownership, Policy, absorb, pending},
    provider::{Crm, Delivery, Schemes, Secret},
    record::{Fields, Link, Object, Record},
    request::SyncRequest,
};
use std::{collections::HashMap, error::Error, fs, hint::black_box, path::Path, time::Instant};

type Failure = Box<dyn Error>;
type Item = HashMap<String, aws_sdk_dynamodb::types::AttributeValue>;

/// Each step is done so often in a round.
const TIMES: usize = 10_000;
/// What signs the samples (`events`).
const APP_SECRET: &str = "secret-of-the-hubspot-app";

/// What one step came to.
#[derive(Serialize)]
pub(crate) struct Step {
    step: &'static str,
    of: String,
    /// Seconds for one, in each round.
    seconds: Vec<f64>,
    allocations: f64,
    bytes: f64,
}

/// Each step on the samples, or on ten thousand records.
pub(crate) fn run(data: &Data, events: &Path, rounds: usize) -> Result<Vec<Step>, Failure> {
    let records = data.read()?;
    let record = |n: usize| &records[n % records.len()];
    let (policy, ownership, connection) = (Policy::default(), Ownership::default(), "crm".parse()?);
    let (id, object, meets) = (&connection, &Object::Person, false);
    let judge = Judge { connection: id, object, policy: &policy, ownership: &ownership, meets };

    let sample = json(&events.join("webhook/hubspot.json"))?;
    let (delivery, now) = delivery(&sample)?;
    let secrets = [Secret::new(APP_SECRET)];
    let verified = Crm::HubSpot.verify(&delivery, &secrets, Schemes::Timestamped, now)?;
    let requests = json(&events.join("reconcile/sync-requests.json"))?;
    let request = requests["Records"][0]["body"].as_str().ok_or("the sample has no request")?;
    SyncRequest::parse(request)?;
    Crm::HubSpot.hints(&verified)?;
    let stored = stored(&records[0].hub, &records[0].link)?;
    let item: Item = serde_dynamo::to_item(&stored)?;

    let step = |step, of: &str, work: &dyn Fn(usize)| measured(step, of.to_owned(), rounds, work);
    Ok(vec![
        step("verify", &format!("a delivery of HubSpot's, {} bytes", delivery.body.len()), &|_| {
            drop(black_box(Crm::HubSpot.verify(&delivery, &secrets, Schemes::Timestamped, now)));
        }),
        step("parse", "the same delivery, two events", &|_| drop(black_box(Crm::HubSpot.hints(&verified)))),
        step("parse", &format!("a sync request, {} bytes", request.len()), &|_| {
            drop(black_box(SyncRequest::parse(request)));
        }),
        step("map", "a record by eleven rules", &|n| drop(black_box(data.mapping.render(&record(n).hub, None)))),
        step("diff", "the hub and what was agreed", &|n| {
            drop(black_box(pending(&record(n).hub, &record(n).link, &data.mapping)));
        }),
        step("plan", "the hub, what was agreed, and what the CRM shows", &|n| {
            drop(black_box(absorb(&record(n).hub, &record(n).link, &record(n).seen, &data.mapping, judge)));
        }),
        step("encode", "a record as an item of DynamoDB", &|_| {
            drop(black_box(serde_dynamo::to_item::<_, Item>(&stored)))
        }),
        step("decode", "the same item", &|_| {
            drop(black_box(serde_dynamo::from_item::<_, Record>(item.clone())));
        }),
    ])
}

fn measured(step: &'static str, of: String, rounds: usize, work: &dyn Fn(usize)) -> Step {
    let all = || (0..TIMES).for_each(work);
    let round = |_| {
        let begun = Instant::now();
        all();
        begun.elapsed().as_secs_f64() / TIMES as f64
    };
    all();
    let seconds = (0..rounds).map(round).collect();
    let allocated = allocation_counter::measure(all);
    let each = |count: u64| count as f64 / TIMES as f64;
    Step { step, of, seconds, allocations: each(allocated.count_total), bytes: each(allocated.bytes_total) }
}

fn json(file: &Path) -> Result<Json, Failure> {
    Ok(serde_json::from_slice(&fs::read(file)?)?)
}

/// What API Gateway hands over, and when it was signed.
fn delivery(event: &Json) -> Result<(Delivery, Timestamp), Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in event["headers"].as_object().into_iter().flatten() {
        headers.insert(name.parse::<HeaderName>()?, HeaderValue::from_str(value.as_str().unwrap_or_default())?);
    }
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let url = format!("https://{}{}", text(&event["requestContext"]["domainName"]), text(&event["rawPath"]));
    let at = text(&event["headers"]["x-hubspot-request-timestamp"]).parse()?;
    let delivery = Delivery { method: Method::POST, url, headers, body: text(&event["body"]).into_bytes() };
    Ok((delivery, Timestamp::from_millisecond(at)?))
}

/// One record as the table holds it.
fn stored(hub: &Fields, link: &Link) -> Result<Record, Failure> {
    let cause = Cause::new(By::Push { connection: "crm".parse()? }, "trace", Timestamp::UNIX_EPOCH);
    let mut record = Record::empty("demo".parse()?, Object::Person, "record-1".parse()?, cause);
    record.fields = hub.clone();
    record.links.insert("crm".parse()?, link.clone());
    Ok(record)
}
