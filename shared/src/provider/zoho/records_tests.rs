use super::*;
use crate::{planner::Change, record::Text};
use proptest::prelude::*;

fn golden(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// Any JSON at all, with the names that matter here among its keys.
pub(in crate::provider::zoho) fn any_json() -> impl Strategy<Value = Json> {
    const KEYS: &[&str] = &[
        "data",
        "details",
        "id",
        "code",
        "status",
        "info",
        "more_records",
        "duplicate_record",
        "Modified_Time",
        "errors",
        "watch",
        "events",
    ];
    const TEXTS: &[&str] =
        &["", "1", "SUCCESS", "error", "DUPLICATE_DATA", "INVALID_DATA", "2026-11-21T14:30:05+05:30", "next"];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        prop::sample::select(TEXTS).prop_map(Json::from)
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::hash_map(prop::sample::select(KEYS).prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

fn write() -> Write {
    let change = |field: &str, value: Option<Value>| Change { field: field.to_owned(), value };
    let languages = ["English", "French"].into_iter().filter_map(Text::new).collect();
    let changes = vec![
        change("Last_Name", Value::text("Byron")),
        change("Score", Some(Value::Number(184.into()))),
        change("Opted_In", Some(Value::Flag(true))),
        change("Languages", Some(Value::List(languages))),
        change("Phone", None),
    ];
    Write { record: "01K9ZQXJ3T0000000000000000".parse().unwrap(), remote: None, changes }
}

#[test]
fn a_lead_is_read_as_it_is_shown() {
    let (id, seen) =
        read(&golden(include_str!("golden/lead.wire.json")), &crate::provider::of_people(crate::provider::Crm::Zoho))
            .unwrap();
    let shown = json!({"modified": seen.modified, "fields": seen.fields});
    assert_eq!((id.as_str(), shown), ("5725767000003000064", golden(include_str!("golden/lead.seen.json"))));
}

#[test]
fn what_is_not_shown_says_nothing() {
    let row = json!({"id": "1", "Email": "", "Phone": {"nested": 1}});
    let (_, seen) = read(&row, &crate::provider::of_people(crate::provider::Crm::Zoho)).unwrap();
    assert_eq!(seen.fields, [("Email".to_owned(), None)].into());
    assert_eq!(seen.modified, None);
}

#[test]
fn a_lead_is_written_as_zoho_wants_it() {
    assert_eq!(
        create(&write(), &crate::provider::of_people(crate::provider::Crm::Zoho)),
        golden(include_str!("golden/upsert.json"))
    );
    assert_eq!(
        update(
            &write(),
            &"5725767000003000064".parse().unwrap(),
            &crate::provider::of_people(crate::provider::Crm::Zoho)
        ),
        golden(include_str!("golden/update.json"))
    );
}

#[test]
fn what_is_written_is_read_back() {
    let mapping = crate::provider::of_people(crate::provider::Crm::Zoho);
    let mut row = create(&write(), &mapping);
    row["id"] = json!("1");
    assert_eq!(claimed(&row, &mapping), Some(write().record));
    let (_, seen) = read(&row, &mapping).unwrap();
    assert_eq!(seen.fields.get("Last_Name"), Some(&Value::text("Byron")));
}

#[test]
fn names_that_could_leave_their_place_are_a_persons_business() {
    for odd in ["", "Last Name", "a,b", "a&b=c", "a'b", "a/../b", "Last_Näme"] {
        let mut mapping = crate::provider::of_people(crate::provider::Crm::Zoho);
        mapping.rules[0].remote = odd.to_owned();
        assert!(matches!(asked(&mapping, &[]), Err(Error::Config { .. })), "{odd}");
        let mapping = Mapping { object: odd.to_owned(), ..crate::provider::of_people(crate::provider::Crm::Zoho) };
        assert!(matches!(asked(&mapping, &[]), Err(Error::Config { .. })), "{odd}");
    }
}

#[test]
fn the_default_mapping_can_be_asked_for() {
    let mapping = crate::provider::of_people(crate::provider::Crm::Zoho);
    let asked = asked(&mapping, &[]).unwrap();
    assert_eq!((asked.module, asked.fields.contains(&"CRM_Sync_Id")), ("Leads", true));
    assert!(asked.fields.iter().all(|field| crate::provider::zoho::fields::could_name(field)));
}

proptest! {
    #[test]
    fn no_record_panics(json in any_json()) {
        let _ = read(&json, &crate::provider::of_people(crate::provider::Crm::Zoho));
        let _ = (claimed(&json, &crate::provider::of_people(crate::provider::Crm::Zoho)), modified(&json), more(&json), rows(&json).len());
    }
}
