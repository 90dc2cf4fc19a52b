use super::*;
use crate::record::{Email, Phone};

fn query(email: Option<&str>, phone: Option<&str>, record: Option<&str>) -> Query {
    let mapping = crate::provider::of_people(crate::provider::Crm::Zoho);
    Query {
        record: record.map(|id| id.parse().unwrap()),
        email: email.and_then(Email::parse),
        phone: phone.and_then(|raw| Phone::parse(raw, &mapping.region)),
        ..Query::default()
    }
}

#[test]
fn criteria_are_bracketed_in_pairs() {
    let some: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
    assert_eq!(either(&some[..1]), "(a)");
    assert_eq!(either(&some[..2]), "((a) or (b))");
    assert_eq!(either(&some), "(((a) or (b)) or ((c) or ((d) or (e))))");
}

#[test]
fn a_quote_cannot_end_its_literal() {
    assert_eq!(within("Email", vec!["o'brien@example.com".to_owned()]), ["Email in ('o''brien@example.com')"]);
    assert!(within("Email", vec!["x\\@example.com".to_owned()]).is_empty());
}

#[test]
fn lists_keep_to_fifty_values_and_a_hundred_people_to_two_queries() {
    let many: Vec<String> = (0..120).map(|n| n.to_string()).collect();
    assert_eq!(within("Email", many).len(), 3);
    let us = crate::provider::of_people(crate::provider::Crm::Zoho).region;
    let spellings: Vec<String> =
        (0..100).filter_map(|n| Phone::parse(&format!("+1415555{n:04}"), &us)).flat_map(|p| p.spellings()).collect();
    let mailboxes = (0..100).map(|n| format!("{n}@example.com")).collect();
    let criteria = within("Email", mailboxes).len() + 2 * within("Phone", spellings).len();
    assert!(criteria <= 2 * MOST_CRITERIA, "{criteria}");
}

#[test]
fn only_what_is_meant_matches() {
    let mapping = crate::provider::of_people(crate::provider::Crm::Zoho);
    let fields: Vec<(By, Vec<&str>)> = By::KEYS.map(|by| (by, fields_of(by, &mapping))).into();
    let row = |id: &str, email: &str, phone: &str, mobile: &str, ours: &str| {
        (
            id.to_owned(),
            json!({"id": id, "Email": email, "Phone": phone, "Mobile": mobile, "CRM_Sync_Id": ours, "Last_Name": "x"}),
        )
    };
    let rows = BTreeMap::from([
        row("1", "Ada@Example.com", "", "", ""),
        row("2", "ada@example.com.au", "(415) 555-0100", "", "rec-2"),
        row("3", "", "", "415-555-0100", ""),
    ]);
    let queries = [
        query(Some("ada@example.com"), None, None),
        query(None, Some("+14155550100"), None),
        query(Some("nobody@example.com"), Some("+14155550100"), Some("rec-2")),
    ];
    let found: Vec<Vec<(String, By)>> = matches(&rows, &queries, &mapping, &fields)
        .into_iter()
        .map(|some| some.into_iter().map(|f| (f.remote.to_string(), f.by)).collect())
        .collect();
    let is = |id: &str, by| (id.to_owned(), by);
    assert_eq!(
        found,
        [
            vec![is("1", By::Email)],
            vec![is("2", By::Phone), is("3", By::Phone)],
            vec![is("2", By::Record), is("3", By::Phone)]
        ]
    );
}
