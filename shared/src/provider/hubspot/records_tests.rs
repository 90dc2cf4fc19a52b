use super::*;
use serde_json::json;

fn golden(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn spelt(seen: &Seen) -> Json {
    json!({"modified": seen.modified.map(|at| at.to_string()), "fields": seen.fields})
}

#[test]
fn a_contact_is_read_as_the_golden_file_says() {
    let (wire, seen) =
        (golden(include_str!("golden/contact.wire.json")), golden(include_str!("golden/contact.seen.json")));
    assert_eq!(spelt(&read(&wire, crate::provider::of_people(crate::provider::Crm::HubSpot).remote_fields())), seen);
    assert_eq!(id(&wire).unwrap().as_str(), "10000101");
}

#[test]
fn changes_are_written_as_the_golden_file_says() {
    let changes = golden(include_str!("golden/write.changes.json"));
    let changes = changes.as_array().unwrap().iter().map(|change| {
        let field = change[0].as_str().unwrap().to_owned();
        Change { field, value: Value::from_json(&change[1]).unwrap() }
    });
    let written = write(&changes.collect::<Vec<_>>());
    assert_eq!(Json::Object(written), golden(include_str!("golden/write.wire.json")));
}

#[test]
fn what_is_written_is_read_back() {
    let changes = [
        Change { field: "firstname".to_owned(), value: Value::text("Ada") },
        Change { field: "phone".to_owned(), value: None },
    ];
    let row = json!({"id": 7, "properties": write(&changes), "updatedAt": "2026-11-21T09:00:00Z"});
    let seen = read(&row, ["firstname", "phone", "email"]);
    let fields: Vec<_> = changes.into_iter().map(|change| (change.field, change.value)).collect();
    assert_eq!(seen.fields.into_iter().collect::<Vec<_>>(), fields, "and an e-mail that is not shown says nothing");
}

#[test]
fn only_what_was_asked_for_and_can_be_a_value_is_shown() {
    let row = json!({"properties": {"a": "1", "b": {"nested": true}, "c": [1], "d": null}});
    let seen = read(&row, ["a", "b", "c", "d", "e"]);
    assert_eq!(seen.fields.keys().collect::<Vec<_>>(), ["a", "d"]);
    assert_eq!(seen.modified, None);
}

#[test]
fn times_come_as_text_and_as_milliseconds() {
    let at: Timestamp = "2026-11-21T09:00:00.123Z".parse().unwrap();
    for json in [
        json!("2026-11-21T09:00:00.123Z"),
        json!("2026-11-21T10:00:00.123+01:00"),
        json!("1795251600123"),
        json!(1_795_251_600_123_i64),
    ] {
        assert_eq!(time(Some(&json)), Some(at), "{json}");
    }
    for json in [json!(""), json!("soon"), json!(null), json!(1e300), json!({}), json!(u64::MAX)] {
        assert_eq!(time(Some(&json)), None, "{json}");
    }
}

#[test]
fn a_record_is_archived_where_it_says_when_or_that_it_is() {
    let at: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
    assert_eq!(archived(&json!({"archivedAt": "2026-11-21T09:00:00Z"})), Some(at));
    assert_eq!(archived(&json!({"archived": true, "updatedAt": "2026-11-21T09:00:00Z"})), Some(at));
    assert_eq!(archived(&json!({"archived": false, "updatedAt": "2026-11-21T09:00:00Z"})), None);
}

proptest::proptest! {
    #[test]
    fn no_answer_whatever_makes_it_panic(text in "[\\[\\]{}\":,a-z0-9 ]{0,200}", key in "(id|properties|updatedAt|results|archivedAt)", value in "[a-z0-9{}\\[\\]]{0,20}") {
        for json in [serde_json::from_str(&text).unwrap_or(Json::Null), json!({key.as_str(): value}), json!({key.as_str(): {"email": [value]}})] {
            let _ = (id(&json), read(&json, ["email"]), archived(&json), rows(&json).len());
        }
    }
}
