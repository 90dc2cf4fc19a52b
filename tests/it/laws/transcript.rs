//! Every request that is sent and every answer that is read in the life of one record, as golden files: one for each CRM and object.
//! `UPDATE=1 cargo test -p tests transcript` writes them anew, and `git diff` shows what has become different on the wire.

use crate::{story::request, world::World};
use jiff::SignedDuration;
use regex::Regex;
use serde_json::{Map, Value as Json, json};
use shared::{provider::Crm, record::Object};
use std::{collections::BTreeSet, path::PathBuf};

crate::laws::laws_of! {
    a_company_is_told_as_its_golden_file_says
    a_person_is_told_as_its_golden_file_says
    a_deal_is_told_as_its_golden_file_says
    a_task_is_told_as_its_golden_file_says
    a_note_is_told_as_its_golden_file_says
}

async fn a_company_is_told_as_its_golden_file_says(crm: Crm) {
    let made = json!({"id": "acc-1", "name": "Analytical Ltd", "domain": "analytical.example", "city": "London"});
    let changed = json!({"id": "acc-1", "name": "Analytical Engines Ltd", "phone": "+442079460000"});
    told(crm, Object::Company, &[], [made, changed]).await;
}

async fn a_person_is_told_as_its_golden_file_says(crm: Crm) {
    let made = json!({"id": "lead-7", "email": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "phone": "+14155550100", "company_id": "acc-1"});
    let changed = json!({"id": "lead-7", "last_name": "King", "last_call": "completed (184 s)"});
    told(crm, Object::Person, &[company()], [made, changed]).await;
}

async fn a_deal_is_told_as_its_golden_file_says(crm: Crm) {
    let made = json!({"id": "deal-1", "name": "An engine", "amount": 1200, "close_date": "2026-12-01", "stage": "open", "company_id": "acc-1"});
    let changed = json!({"id": "deal-1", "amount": 1500.5, "stage": "won"});
    told(crm, Object::Deal, &[company()], [made, changed]).await;
}

async fn a_task_is_told_as_its_golden_file_says(crm: Crm) {
    let made = json!({"id": "task-1", "subject": "Call Ada", "due_date": "2026-12-01", "priority": "high", "contact_id": "lead-7"});
    let changed = json!({"id": "task-1", "body": "She called first.", "status": "done"});
    told(crm, Object::Task, &[ada()], [made, changed]).await;
}

async fn a_note_is_told_as_its_golden_file_says(crm: Crm) {
    let made = json!({"id": "note-1", "body": "She asked for a copy.", "contact_id": "lead-7"});
    let changed = json!({"id": "note-1", "body": "She asked for two copies."});
    told(crm, Object::Note, &[ada()], [made, changed]).await;
}

fn ada() -> Json {
    request("p1", json!({"id": "lead-7", "email": "ada@example.com", "first_name": "Ada", "last_name": "Byron"}))
}

fn company() -> Json {
    let mut company = request("c1", json!({"id": "acc-1", "name": "Analytical Ltd", "domain": "analytical.example"}));
    company["object"] = json!("company");
    company
}

/// It is made, then changed, then pulled when nothing has happened since.
async fn told(crm: Crm, object: Object, before: &[Json], said: [Json; 2]) {
    if crm.default_mapping(&object).is_none() {
        return;
    }
    let objects: BTreeSet<Object> = [Object::Company, Object::Person, Object::Deal, object.clone()].into();
    let world = World::of_objects(&[crm], &Vec::from_iter(objects)).await;
    world.send(before).await;
    world.settle().await;
    world.shown("transcript").await;
    let mut story = Map::new();
    for (n, (what, record)) in ["1 made", "2 changed"].into_iter().zip(said).enumerate() {
        let mut asked = request(&format!("r{n}"), record);
        asked["object"] = json!(object.as_str());
        asked["occurred_at"] = json!(format!("2026-11-21T1{n}:00:00Z"));
        world.send(&[asked]).await;
        world.settle().await;
        story.insert(what.to_owned(), world.shown("transcript").await);
    }
    world.wait(SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    story.insert("3 pulled".to_owned(), world.shown("transcript").await);
    let told = serde_json::to_string_pretty(&timeless(&Json::Object(story))).unwrap() + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("it/golden/{crm}/{object}.json"));
    #[expect(clippy::disallowed_methods, reason = "how a person asks for new files")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &told).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let other = golden.lines().zip(told.lines()).find(|(golden, told)| golden != told);
    assert!(once(&golden) == once(&told), "{}: {other:?}; UPDATE=1 cargo test -p tests transcript", path.display());
}

/// A transcript, in which each call is told once. On a machine that is busy elsewhere one may take too long, and is made once more.
fn once(transcript: &str) -> Vec<(String, Vec<Json>)> {
    let story: Map<String, Json> = serde_json::from_str(transcript).unwrap_or_default();
    let once = |(what, calls): (String, Json)| {
        let mut calls = calls.as_array().cloned().unwrap_or_default();
        calls.dedup();
        (what, calls)
    };
    story.into_iter().map(once).collect()
}

/// Without what is another every time: our ids, times, and codes that a CRM makes up.
fn timeless(json: &Json) -> Json {
    match json {
        Json::String(text) => Json::String(plain(text)),
        Json::Array(list) => list.iter().map(timeless).collect(),
        Json::Object(map) => Json::Object(map.iter().map(|(name, value)| (plain(name), timeless(value))).collect()),
        other => other.clone(),
    }
}

fn plain(text: &str) -> String {
    let patterns = [
        (r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b", "<record>"),
        (r"20\d\d-\d\d-\d\dT\d\d(:|%3A)\d\d(:|%3A)\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", "<time>"),
        (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", "<time>"),
        (r"\b1[78]\d{11}\b", "<time>"),
        (r"\b[0-9a-f]{40}\b", "<code>"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, name)| {
        Regex::new(pattern).unwrap().replace_all(&text, *name).into_owned()
    })
}
