//! What AWS bills of a call, by the items of its price list.

use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Units, requests or bytes of each item.
pub(crate) type Items = BTreeMap<String, f64>;

/// What SQS and EventBridge count as one (Amazon SQS pricing, Amazon EventBridge pricing: 64 KB).
const CHUNK: f64 = 65_536.0;
/// What DynamoDB keeps beside an item, which storage is billed with (Amazon DynamoDB docs: item sizes and formats).
const BESIDE: f64 = 100.0;

pub(crate) fn billed(target: &str, asked: &Json, answer: &Json) -> Vec<(String, f64)> {
    let (service, operation) = target.split_once('.').unwrap_or((target, ""));
    match (service, operation) {
        ("DynamoDB_20120810", "GetItem" | "Query" | "BatchGetItem") => read(operation, asked, answer),
        ("DynamoDB_20120810", _) => written(asked, answer),
        ("AmazonSQS", _) => vec![(queue(asked).to_owned(), chunks(asked))],
        ("AWSEvents", _) => vec![("events".to_owned(), events(asked))],
        ("secretsmanager", _) => vec![("secret calls".to_owned(), 1.0)],
        _ => vec![(format!("other: {target}"), 1.0)],
    }
}

/// The emulator tells units by the length of an item, its indexes included.
fn written(asked: &Json, answer: &Json) -> Vec<(String, f64)> {
    let one = std::slice::from_ref(&answer["ConsumedCapacity"]);
    let tables = answer["ConsumedCapacity"].as_array().map_or(one, Vec::as_slice);
    let units = tables.iter().filter_map(|table| {
        Some((format!("{} writes", table["TableName"].as_str()?), table["CapacityUnits"].as_f64()?))
    });
    units.chain(kept(asked)).collect()
}

/// Bytes of items that are put.
fn kept(asked: &Json) -> Vec<(String, f64)> {
    let kept = |table: &Json, item: &Json| {
        (format!("{} bytes", table.as_str().unwrap_or_default()), size_of(item.as_object()) + BESIDE)
    };
    let batches = asked["RequestItems"].as_object().into_iter().flatten();
    let batched = batches.flat_map(|(table, puts)| {
        let table = Json::from(table.as_str());
        puts.as_array().into_iter().flatten().map(move |put| kept(&table, &put["PutRequest"]["Item"]))
    });
    let moves = asked["TransactItems"].as_array().into_iter().flatten().map(|one| &one["Put"]);
    let single = moves.chain([asked]).filter(|one| one["Item"].is_object());
    batched.chain(single.map(|one| kept(&one["TableName"], &one["Item"]))).collect()
}

/// Half a unit for each 4 KB begun, and a whole one where it must be the newest. The emulator reckons with no lengths here.
fn read(operation: &str, asked: &Json, answer: &Json) -> Vec<(String, f64)> {
    let unit = |bytes: f64, newest: &Json| {
        (bytes / 4096.0).ceil().max(1.0) * if newest.as_bool() == Some(true) { 1.0 } else { 0.5 }
    };
    let reads = |table: &Json| format!("{} reads", table.as_str().unwrap_or_default());
    let newest = &asked["ConsistentRead"];
    match operation {
        "GetItem" => vec![(reads(&asked["TableName"]), unit(size_of(answer["Item"].as_object()), newest))],
        "Query" => {
            let items = answer["Items"].as_array().into_iter().flatten();
            let bytes = items.map(|item| size_of(item.as_object())).sum();
            vec![(reads(&asked["TableName"]), unit(bytes, newest))]
        }
        _ => {
            let tables = asked["RequestItems"].as_object().into_iter().flatten();
            let of_table = |(table, wanted): (&String, &Json)| {
                let newest = &wanted["ConsistentRead"];
                let found = answer["Responses"][table].as_array().map_or(&[][..], Vec::as_slice);
                let absent = wanted["Keys"].as_array().map_or(0, Vec::len).saturating_sub(found.len());
                let units = found.iter().map(|item| unit(size_of(item.as_object()), newest)).sum::<f64>();
                (reads(&Json::from(table.as_str())), units + absent as f64 * unit(0.0, newest))
            };
            tables.map(of_table).collect()
        }
    }
}

/// Messages of standard queues name their group, too: that makes them fair, and is billed.
fn queue(asked: &Json) -> &'static str {
    match asked["QueueUrl"].as_str().is_some_and(|url| url.ends_with(".fifo")) {
        true => "fifo requests",
        false => "fair requests",
    }
}

fn chunks(asked: &Json) -> f64 {
    let entries = asked["Entries"].as_array().into_iter().flatten();
    let bytes: usize = entries.filter_map(|entry| entry["MessageBody"].as_str()).map(str::len).sum();
    (bytes as f64 / CHUNK).ceil().max(1.0)
}

fn events(asked: &Json) -> f64 {
    let entries = asked["Entries"].as_array().into_iter().flatten();
    entries.map(|entry| (entry.to_string().len() as f64 / CHUNK).ceil()).sum()
}

/// Names and values (Amazon DynamoDB docs: item sizes and formats).
fn size_of(item: Option<&Map<String, Json>>) -> f64 {
    item.into_iter().flatten().map(|(name, value)| name.len() as f64 + size(value)).sum()
}

fn size(value: &Json) -> f64 {
    let Some((kind, held)) = value.as_object().and_then(|value| value.iter().next()) else { return 0.0 };
    match (kind.as_str(), held) {
        ("S", Json::String(text)) => text.len() as f64,
        ("N", Json::String(digits)) => (digits.len() as f64 / 2.0).ceil() + 1.0,
        ("B", Json::String(base64)) => base64.len() as f64 * 0.75,
        ("L", Json::Array(list)) => 3.0 + list.iter().map(|one| 1.0 + size(one)).sum::<f64>(),
        ("M", Json::Object(map)) => {
            3.0 + map.iter().map(|(name, one)| 1.0 + name.len() as f64 + size(one)).sum::<f64>()
        }
        ("SS", Json::Array(texts)) => texts.iter().filter_map(Json::as_str).map(|text| text.len() as f64).sum(),
        _ => 1.0,
    }
}

#[test]
fn a_read_is_billed_by_the_length_of_what_is_read() {
    let item = |length: usize| serde_json::json!({"pk": {"S": "x".repeat(length)}});
    let asked = serde_json::json!({"TableName": "state", "ConsistentRead": true});
    let got = billed("DynamoDB_20120810.GetItem", &asked, &serde_json::json!({"Item": item(4100)}));
    assert_eq!(got, [("state reads".to_owned(), 2.0)]);
    let asked = serde_json::json!({"RequestItems": {"state": {"Keys": [1, 2, 3]}}});
    let got = billed(
        "DynamoDB_20120810.BatchGetItem",
        &asked,
        &serde_json::json!({"Responses": {"state": [item(10), item(5000)]}}),
    );
    assert_eq!(got, [("state reads".to_owned(), 0.5 + 1.0 + 0.5)]);
    let asked = serde_json::json!({"TableName": "state"});
    let got = billed("DynamoDB_20120810.Query", &asked, &serde_json::json!({"Items": [item(10), item(10)]}));
    assert_eq!(got, [("state reads".to_owned(), 0.5)]);
}
