use super::*;
use crate::{
    planner::Seen,
    record::{Email, Region},
};

fn noted(query: Query, by: By, properties: &Json) -> Vec<Found> {
    let (mapping, queries) = (crate::provider::of_people(crate::provider::Crm::HubSpot), [query]);
    let mut found = vec![Vec::new()];
    Matcher { mapping: &mapping, queries: &queries }.note(
        &mut found,
        by,
        &[json!({"id": "7", "properties": properties}), json!({"id": null}), json!(3)],
    );
    found.remove(0)
}

fn email(raw: &str) -> Query {
    Query { email: Email::parse(raw), ..Query::default() }
}

fn phone(raw: &str) -> Query {
    Query { phone: Phone::parse(raw, &Region::default()), ..Query::default() }
}

#[test]
fn an_email_matches_in_any_case_and_among_the_other_addresses() {
    let properties = json!({"email": "Ada@Example.com", "hs_additional_emails": "ada@home.example;byron@example.com", "crm_sync_id": "record-1"});
    for known in ["ada@example.com", "ADA@home.example", "byron@example.com"] {
        let found = noted(email(known), By::Email, &properties);
        assert_eq!((found.len(), found[0].by, found[0].remote.as_str()), (1, By::Email, "7"));
        assert_eq!(found[0].claimed, Some("record-1".parse().unwrap()));
        assert!(!found[0].seen.fields.contains_key("hs_additional_emails"), "only mapped fields are seen");
    }
    assert!(noted(email("eda@example.com"), By::Email, &properties).is_empty());
    assert!(noted(Query::default(), By::Email, &properties).is_empty());
}

#[test]
fn a_phone_matches_by_the_number_it_is() {
    for shown in ["(415) 555-0100", "+1 415 555 0100", "4155550100"] {
        assert_eq!(noted(phone("+14155550100"), By::Phone, &json!({"phone": shown})).len(), 1, "{shown}");
    }
    // The same national digits in another country.
    for shown in ["+49 415 5550100", "4155550101", "", "none"] {
        assert!(noted(phone("+14155550100"), By::Phone, &json!({"phone": shown})).is_empty(), "{shown}");
    }
}

#[test]
fn our_own_id_matches_exactly() {
    let query = |id: &str| Query { record: Some(id.parse().unwrap()), ..Query::default() };
    assert_eq!(noted(query("record-1"), By::Record, &json!({"crm_sync_id": "record-1"})).len(), 1);
    assert!(noted(query("record-1"), By::Record, &json!({"crm_sync_id": "record-2"})).is_empty());
    assert!(noted(Query::default(), By::Record, &json!({"crm_sync_id": null})).is_empty());
}

#[test]
fn a_remote_is_found_once_by_its_strongest_key() {
    let (mapping, queries) = (crate::provider::of_people(crate::provider::Crm::HubSpot), [email("ada@example.com")]);
    let strongest = Found { remote: "7".parse().unwrap(), by: By::Record, seen: Seen::default(), claimed: None };
    let mut found = vec![vec![strongest.clone()]];
    let row = json!({"id": "7", "properties": {"email": "ada@example.com"}});
    Matcher { mapping: &mapping, queries: &queries }.note(&mut found, By::Email, &[row]);
    assert_eq!(found, [vec![strongest]]);
}

#[test]
fn a_hundred_phones_fit_into_one_question_and_more_are_split() {
    let all: BTreeSet<String> = (0..450).map(|n| format!("41555{n:05}")).collect();
    let parts = fitting(&all, 2_400);
    assert_eq!(parts.len(), 3);
    assert!(parts.iter().all(|part| json!(part).to_string().len() <= 2_400 + 2));
    assert_eq!(parts.into_iter().flatten().collect::<BTreeSet<_>>(), all);
    assert_eq!(fitting(&(0..100).map(|n| format!("41555{n:05}")).collect(), 2_400).len(), 1);
    assert_eq!(fitting(&["a".repeat(9000)].into(), 10).len(), 1, "one value goes out alone, however long");
    assert!(fitting(&BTreeSet::new(), 10).is_empty());
}
