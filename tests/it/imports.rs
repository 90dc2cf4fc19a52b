//! Files that become records, and records that become files; also where the function is killed again and again.

use crate::{
    chaos::Random,
    control::Desk,
    world::{World, tenant},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value as Json, json};
use shared::{
    import::Stretch,
    record::{Key, Object, Record},
    store::{Place, keys},
};
use std::{collections::BTreeMap, time::Duration};

/// Sends what somebody signed for us.
async fn send(signed: &Json, body: Vec<u8>) -> StatusCode {
    let method: Method = signed["method"].as_str().unwrap().parse().unwrap();
    let mut call = Client::new().request(method, signed["url"].as_str().unwrap());
    for (name, value) in signed["headers"].as_object().unwrap() {
        if name != "content-length" {
            call = call.header(name, value.as_str().unwrap());
        }
    }
    call.body(body).send().await.unwrap().status()
}

async fn fetched(signed: &Json) -> String {
    let answer = Client::new().get(signed["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.unwrap()
}

/// Makes an import and sends its file; its id.
async fn import(world: &World, file: &[u8], mut asked: Json) -> String {
    asked["bytes"] = json!(file.len());
    let made = Desk::of(world, "oscar").post("/imports", asked).await;
    assert_eq!(send(&made["upload"], file.to_vec()).await, StatusCode::OK, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

/// Plays Lambda for the files alone, until nobody works on one.
pub(crate) async fn work(world: &World) {
    for quiet in 0..5 {
        while world.turn("imports").await {}
        // S3 tells a moment later.
        tokio::time::sleep(Duration::from_millis(40 * quiet)).await;
    }
}

async fn shown(world: &World, id: &str) -> Json {
    Desk::of(world, "vera").get(&format!("/imports/{id}")).await
}

async fn done(world: &World, id: &str) -> Json {
    work(world).await;
    assert_eq!(shown(world, id).await["state"], "counted", "{}", shown(world, id).await);
    Desk::of(world, "oscar").post(&format!("/imports/{id}/start"), json!({})).await;
    work(world).await;
    let shown = shown(world, id).await;
    assert_eq!(shown["state"], "done", "{shown}");
    shown
}

async fn result(world: &World, id: &str) -> Vec<Vec<String>> {
    let signed = Desk::of(world, "vera").get(&format!("/imports/{id}/result")).await;
    let text = fetched(&signed).await;
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

pub(crate) async fn records(world: &World) -> Vec<Record> {
    let (mut all, mut place) = (Vec::new(), Some(Place::default()));
    while let Some(at) = place {
        let (some, next) = world.app.store.walk(&tenant(), &at, 200).await.unwrap();
        all.extend(some);
        place = next;
    }
    all
}

fn values(record: &Record) -> BTreeMap<String, String> {
    record.fields.iter().filter_map(|(name, _)| Some((name.clone(), record.fields.get(name)?.to_string()))).collect()
}

pub(crate) async fn a_world() -> World {
    let world = World::new().await;
    world.settle().await;
    Desk::of(&world, "root").call(Method::POST, "/v1/tenants", Some(&json!({"id": "demo"})), None).await;
    world
}

pub(crate) const HUBSPOT: &str = "\"First Name\",\"Last Name\",\"Email\",\"Phone Number\",\"Favourite colour\",\"Lead Status\"\r\n\
    \"Ada\",\"Byron\",\"ada@example.com\",\"'+1 415 555 0100\",\"green\",\"NEW\"\r\n\
    \"No\",\"Body\",\"nobody\",\"\",\"\",\"\"\r\n\
    \"Grace\",\"\"\"Amazing\"\"\nHopper\",\"GRACE@example.com\",\"\",\"blue\",\"OPEN\"\r\n\
    \"Ada\",\"Lovelace\",\"ada@example.com\",\"\",\"\",\"\"\r\n\
    ,,,,,\r\n\
    \"Rag\",\"Ged\",\"rag@example.com\",\"\",\"\",\"\",\"too much\"\r\n";

#[tokio::test]
async fn a_file_is_counted_then_started_and_every_row_has_its_outcome() {
    let world = a_world().await;
    let asked = json!({"format": "csv", "columns": {"Lead status": null}, "charset": "utf-8"});
    let mut odd = asked.clone();
    odd["colums"] = json!({});
    odd["bytes"] = json!(1);
    assert_eq!(Desk::of(&world, "oscar").call(Method::POST, "/imports", Some(&odd), None).await.status, 422);
    let id = import(&world, HUBSPOT.as_bytes(), asked).await;
    work(&world).await;
    let counted = shown(&world, &id).await;
    assert_eq!((&counted["state"], &counted["dialect"]["delimiter"]), (&json!("counted"), &json!("comma")));
    let fields: Vec<&Json> = counted["file_columns"].as_array().unwrap().iter().map(|c| &c["field"]).collect();
    let expected = [json!("first_name"), json!("last_name"), json!("email"), json!("phone"), Json::Null, Json::Null];
    assert_eq!(fields, expected.iter().collect::<Vec<_>>(), "what is left out is told");
    let tally = |of: &str| {
        let counts = &counted[of];
        [&counts["rows"], &counts["created"], &counts["refused"]].map(|n| n.as_u64().unwrap())
    };
    assert_eq!(tally("counted"), [5, 3, 2]);
    assert_eq!(counted["counted"]["reasons"]["ragged_row"], json!({"rows": 1, "first": 7}));
    assert!(records(&world).await.is_empty(), "nothing is written before somebody says so");

    let end = done(&world, &id).await;
    assert_eq!((end["done"]["created"].as_u64(), end["done"]["updated"].as_u64()), (Some(2), Some(1)));
    let told = result(&world, &id).await;
    let outcomes: Vec<(&str, &str)> = told.iter().map(|line| (line[0].as_str(), line[1].as_str())).collect();
    assert_eq!(outcomes, [("2", "created"), ("3", "refused"), ("4", "created"), ("5", "updated"), ("7", "refused")]);
    assert_eq!(told[0][2], told[3][2], "one person");
    world.settle().await;
    let people = world.shown("hubspot/contacts").await;
    let mut names: Vec<&str> =
        people.as_array().unwrap().iter().map(|c| c["properties"]["lastname"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["\"Amazing\"\nHopper", "Lovelace"], "the later row wins, and the CRMs have it");
    let open = world.app.store.exceptions(&tenant()).await.unwrap();
    assert!(open.is_empty(), "rows are told in the result, not one by one: {open:?}");
}

#[tokio::test]
async fn a_file_that_is_not_the_one_announced_is_refused_by_s3() {
    let world = a_world().await;
    let made = Desk::of(&world, "oscar").post("/imports", json!({"format": "csv", "bytes": 10})).await;
    assert_ne!(send(&made["upload"], b"a,b\n1,2\n3,4\n".to_vec()).await, StatusCode::OK, "another size");
    let mut other = made["upload"].clone();
    other["headers"]["content-type"] = json!("text/html");
    assert_ne!(send(&other, b"0123456789".to_vec()).await, StatusCode::OK, "another type");
    assert_eq!(shown(&world, made["id"].as_str().unwrap()).await["state"], "waiting");
    let start = format!("/imports/{}/start", made["id"].as_str().unwrap());
    assert_eq!(Desk::of(&world, "oscar").call(Method::POST, &start, None, None).await.status, 409);
}

#[tokio::test]
async fn rows_are_matched_by_the_crms_own_ids() {
    let world = a_world().await;
    let file = "Record ID;First name;E-Mail\n1001;Ada;\n1002;;grace@example.com\n";
    let asked = json!({"format": "csv", "connection": "hubspot"});
    let id = import(&world, file.as_bytes(), asked.clone()).await;
    assert_eq!(done(&world, &id).await["done"]["created"], 2);
    let again = "Record ID,Email\n1001,ada@example.com\n";
    let id = import(&world, again.as_bytes(), asked).await;
    assert_eq!(done(&world, &id).await["done"]["updated"], 1);
    let ada = records(&world).await.into_iter().find(|record| values(record).contains_key("first_name")).unwrap();
    assert_eq!(values(&ada)["email"], "ada@example.com");
    assert!(ada.keys(&Default::default()).contains(&Key::Remote("hubspot".parse().unwrap(), "1001".parse().unwrap())));
    let zoho = "Record Id,Lead Owner,Email\nzcrm_5725767000000003001,Max,ada@example.com\n";
    let id = import(&world, zoho.as_bytes(), json!({"format": "csv", "connection": "zoho"})).await;
    assert_eq!(done(&world, &id).await["done"]["updated"], 1);
    let remote = Key::Remote("zoho".parse().unwrap(), "5725767000000003001".parse().unwrap());
    assert!(records(&world).await.iter().any(|record| record.keys(&Default::default()).contains(&remote)));
}

/// Whoever dies at any `await` has done a part of a batch; the next one goes on from what is recorded.
#[tokio::test]
async fn killed_anywhere_no_row_is_lost_or_doubled() {
    let rows = asked().unwrap_or(2_500);
    let world = a_world().await;
    let mut file = "id,Email,First Name,visits\n".to_owned();
    for row in 0..rows {
        file += &format!("p-{row},p{row}@example.com,\"N\n{row}\",{row}\n");
    }
    let id = import(&world, file.as_bytes(), json!({"format": "csv", "keep": true})).await;
    work(&world).await;
    Desk::of(&world, "oscar").post(&format!("/imports/{id}/start"), json!({})).await;
    let seed = std::process::id();
    let (random, mut killed, mut given_up) = (Random::new(seed.into()), 0, 0);
    let mut end = shown(&world, &id).await;
    while end["state"] != "done" {
        if end["state"] == "failed" {
            // On a busy machine nobody lived for long enough, several times over: a person lets it go on.
            given_up += 1;
            Desk::of(&world, "oscar").post(&format!("/imports/{id}/start"), json!({})).await;
        }
        // The first few die young, however fast the machine is.
        let longest = if killed < 3 { 250 } else { 4_000 * (1 + given_up) };
        let lives = Duration::from_millis(50 + random.below(longest) as u64);
        killed += u32::from(tokio::time::timeout(lives, world.turn("imports")).await.is_err());
        world.reappear().await;
        end = shown(&world, &id).await;
    }
    assert_eq!((&end["done"]["rows"], &end["done"]["created"]), (&json!(rows), &json!(rows)), "seed {seed}: {end}");
    assert!(killed > 0, "nobody was killed");
    let mut people: Vec<String> = records(&world).await.iter().map(|record| values(record)["id"].clone()).collect();
    assert_eq!(people.len(), rows, "seed {seed}");
    people.sort_unstable();
    people.dedup();
    assert_eq!(people.len(), rows, "seed {seed}, killed {killed} times");
    println!("{rows} rows, killed {killed} times: none is lost, none is doubled");
    // The name has a line break, the result has none of it.
    let mut told: Vec<u64> = result(&world, &id).await.iter().map(|line| line[0].parse().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, (2..rows as u64 + 2).collect::<Vec<_>>(), "seed {seed}");
}

#[tokio::test]
async fn what_was_exported_can_be_imported_again() {
    for format in ["csv", "ndjson"] {
        let world = a_world().await;
        let asked = json!({"email": "=cmd|' /C calc'!A0@x.co", "first_name": "-1+1", "last_name": "'=x", "phone": "+14155550100", "lead_score": 7, "id": "p1", "plan": "pro; plus"});
        let sent = json!({"version": 1, "id": "r1", "tenant_id": "demo", "direction": "send", "occurred_at": "2026-11-21T09:00:00Z", "lead": asked});
        world.send(&[sent]).await;
        world.settle().await;
        let desk = Desk::of(&world, "ada");
        let id = desk.post("/exports", json!({"format": format})).await["id"].as_str().unwrap().to_owned();
        work(&world).await;
        let export = desk.get(&format!("/exports/{id}")).await;
        assert_eq!((&export["state"], &export["records"]), (&json!("done"), &json!(1)));
        let file = fetched(&desk.get(&format!("/exports/{id}/file")).await).await;
        if format == "csv" {
            let unsafe_cell = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '-', '@']);
            assert!(!file.lines().flat_map(|line| line.split(',')).any(unsafe_cell), "{file}");
        }
        let before = records(&world).await.remove(0);
        // The same person told anew changes nothing.
        let id = import(&world, file.as_bytes(), json!({"format": format, "keep": true})).await;
        let end = done(&world, &id).await;
        assert_eq!(end["done"]["unchanged"], 1, "{end} {file}");
        // And elsewhere it is the same person.
        let other = a_world().await;
        let id = import(&other, file.as_bytes(), json!({"format": format, "keep": true})).await;
        assert_eq!(done(&other, &id).await["done"]["created"], 1);
        assert_eq!(values(&records(&other).await[0]), values(&before), "{file}");
    }
}

#[tokio::test]
async fn an_import_can_be_cancelled_and_a_file_that_cannot_be_read_says_why() {
    let world = a_world().await;
    let endless = format!("a,b\n\"{}", "x".repeat(1 << 20));
    let id = import(&world, endless.as_bytes(), json!({"format": "csv"})).await;
    work(&world).await;
    let failed = shown(&world, &id).await;
    assert_eq!(failed["state"], "failed");
    assert!(failed["reason"].as_str().unwrap().contains("row 2"), "{failed}");
    let id = import(&world, b"Email\na@example.com\n", json!({"format": "csv"})).await;
    work(&world).await;
    let desk = Desk::of(&world, "oscar");
    assert_eq!(desk.post(&format!("/imports/{id}/cancel"), json!({})).await["state"], "cancelled");
    let again = desk.call(Method::POST, &format!("/imports/{id}/start"), None, None).await;
    assert_eq!(again.status, 409);
    assert!(records(&world).await.is_empty());
}

/// A chain of messages that records nothing ends with an exception.
#[tokio::test]
async fn no_chain_goes_on_that_does_nothing() {
    let world = a_world().await;
    let id = import(&world, b"Email\na@example.com\n", json!({"format": "csv"})).await;
    work(&world).await;
    Desk::of(&world, "oscar").post(&format!("/imports/{id}/start"), json!({})).await;
    let event = world.receive("imports").await;
    let no_time = shared::context::Context::new(world.now(), Duration::from_secs(5), "hurried");
    shared::handler::import(&world.app, &no_time, event).await.unwrap();
    assert_eq!(shown(&world, &id).await["state"], "failed");
    let open = world.app.store.exceptions(&tenant()).await.unwrap();
    assert_eq!(open.iter().map(|exception| exception.code.as_str()).collect::<Vec<_>>(), ["import_stuck"]);
    // It goes on where it was.
    Desk::of(&world, "oscar").post(&format!("/imports/{id}/start"), json!({})).await;
    work(&world).await;
    assert_eq!(shown(&world, &id).await["done"]["created"], 1);
}

/// `ROWS=100000 cargo test -p tests imports:: -- --nocapture` measures in full size, and kills in full size.
#[tokio::test]
async fn many_rows_take_no_more_memory_than_few() {
    let rows = asked().unwrap_or(3_000);
    let world = a_world().await;
    let mut file = "id,Email,First Name,Last Name,Phone Number,Company\n".to_owned();
    for row in 0..rows {
        file += &format!(
            "p-{row},p{row}@example.com,Ada{row},\"Byron, {row}\",+1415{:07},Navy\n",
            2_000_000 + row % 7_000_000
        );
    }
    let id = import(&world, file.as_bytes(), json!({"format": "csv"})).await;
    drop(file);
    let begun = std::time::Instant::now();
    work(&world).await;
    let counted = begun.elapsed();
    Desk::of(&world, "oscar").post(&format!("/imports/{id}/start"), json!({})).await;
    let (begun, before) = (std::time::Instant::now(), peak());
    work(&world).await;
    let took = begun.elapsed();
    let end = shown(&world, &id).await;
    assert_eq!((&end["state"], &end["done"]["created"]), (&json!("done"), &json!(rows)), "{end}");
    let each = |time: Duration| rows as f64 / time.as_secs_f64();
    println!(
        "{rows} rows: counted {:.0} a second, written {:.0} a second; peak {} MB before, {} MB after",
        each(counted),
        each(took),
        before,
        peak()
    );
    assert!(peak() < before + 60, "memory grows with the file");
    let job = world.app.store.job::<shared::import::Import>(&keys::import(&tenant(), &id)).await.unwrap().unwrap();
    assert_eq!(world.app.import(&world.cx("again"), job).await.unwrap(), Stretch::Over, "what is done stays done");
    assert_eq!(Object::Person.as_str(), end["object"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_too_many_columns_is_refused_with_a_reason() {
    let world = World::new().await;
    let headers: Vec<String> = (0..501).map(|n| format!("h{n}")).collect();
    let file = format!("{}\n{}\n", headers.join(","), "x,".repeat(500));
    let id = import(&world, file.as_bytes(), json!({"format": "csv"})).await;
    work(&world).await;
    let end = shown(&world, &id).await;
    assert_eq!(end["state"], "failed", "{end}");
    assert!(end["reason"].as_str().unwrap().contains("501 columns"), "{end}");
}

/// The size that a person asks for.
fn asked() -> Option<usize> {
    #[expect(clippy::disallowed_methods, reason = "how they ask")]
    std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok())
}

/// The most memory that this process ever had, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|kb| kb.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
}
