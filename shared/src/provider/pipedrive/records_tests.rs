use super::*;
use crate::mapping::Rule;
use proptest::prelude::*;

const ID: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334";
const LAST_CALL: &str = "b2c3d4e5f60718293a4b5c6d7e8f900112233445";
const MONEY: &str = "c2c3d4e5f60718293a4b5c6d7e8f900112233445";

fn golden(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// The mapping as an account has completed it.
fn mapping() -> Mapping {
    let mut mapping = crate::provider::of_people(crate::provider::Crm::Pipedrive);
    mapping.id_field = ID.to_owned();
    mapping
        .rules
        .iter_mut()
        .filter(|rule| rule.remote == "Last call")
        .for_each(|rule| rule.remote = LAST_CALL.to_owned());
    mapping.rules.push(Rule::both("worth", MONEY));
    mapping
}

fn change(field: &str, value: &str) -> Change {
    Change { field: field.to_owned(), value: Value::text(value) }
}

#[test]
fn a_person_is_read_as_the_golden_file_says() {
    let wire = golden(include_str!("golden/person.wire.json"));
    let (remote, seen) = read(&wire, &mapping()).unwrap();
    let spelt = json!({"remote": remote, "modified": seen.modified, "fields": seen.fields});
    assert_eq!(spelt, golden(include_str!("golden/person.seen.json")), "money is no plain value, and so not shown");
    assert_eq!(claimed(&wire, &mapping()).unwrap().as_str(), "01JD0000000000000000000000");
    assert_eq!(entries(&wire, "email"), ["old@example.com", "ada@example.com"]);
}

#[test]
fn a_person_is_written_as_the_golden_file_says() {
    let before = golden(include_str!("golden/person.wire.json"));
    let changes = [
        change("name", "Ada King"),
        change("email", "king@example.com"),
        change("phone", "+14155550100"),
        change(LAST_CALL, "completed (184 s)"),
    ];
    assert_eq!(Json::Object(write(&changes, &mapping(), &before)), golden(include_str!("golden/update.json")));
}

#[test]
fn a_blank_is_written_as_null_and_takes_only_its_own_entry_from_a_list() {
    let before = golden(include_str!("golden/person.wire.json"));
    let blank = |field: &str| Change { field: field.to_owned(), value: None };
    let body = Json::Object(write(&[blank("email"), blank(LAST_CALL)], &mapping(), &before));
    assert_eq!(
        body,
        json!({"emails": [{"value": "old@example.com", "primary": false, "label": "home"}], "custom_fields": {LAST_CALL: null}})
    );
    assert_eq!(Json::Object(write(&[blank("phone")], &mapping(), &Json::Null)), json!({"phones": []}));
}

#[test]
fn what_was_never_agreed_is_kept() {
    let before = json!({"emails": [{"value": "a@x.yz", "primary": true, "label": "home"}, {"value": "b@x.yz", "primary": false, "label": "work"}]});
    let emails = |changes: &[Change]| -> Vec<String> {
        let body = Json::Object(write(changes, &mapping(), &before));
        entries(&body, "email").into_iter().map(str::to_owned).collect()
    };
    assert_eq!(emails(&[change("email", "b@x.yz")]), ["b@x.yz", "a@x.yz"], "one that is there is made the first");
    assert_eq!(emails(&[change("email", "c@x.yz")]), ["c@x.yz", "b@x.yz"]);
    assert_eq!(
        emails(&[change("email", "c@x.yz"), change(ID, "01JD0000000000000000000000")]),
        ["c@x.yz", "a@x.yz", "b@x.yz"]
    );
}

proptest! {
    #[test]
    fn no_other_address_is_lost(others in prop::collection::btree_set("[a-z]{1,5}@x\\.yz", 0..4), primary in 0..5usize, new in "[a-z]{6,8}@x\\.yz") {
        let entry = |(place, value): (usize, &String)| json!({"value": value, "primary": place == primary, "label": "home"});
        let before = json!({"id": 1, "emails": others.iter().enumerate().map(entry).collect::<Vec<_>>()});
        let gone = others.iter().nth(primary).or_else(|| others.first()).cloned();
        let mut after = before.clone();
        after["emails"] = write(&[change("email", &new)], &mapping(), &before)["emails"].clone();
        let mut left: Vec<&str> = entries(&after, "email");
        prop_assert_eq!(value(&after, "email"), Some(Value::text(&new)));
        left.sort_unstable();
        let mut expected: Vec<&str> = others.iter().filter(|one| Some(*one) != gone.as_ref()).map(String::as_str).chain([new.as_str()]).collect();
        expected.sort_unstable();
        prop_assert_eq!(left, expected);
    }
}
