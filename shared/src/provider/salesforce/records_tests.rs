use super::*;
use crate::record::Text;

fn golden(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_lead_is_read_as_the_golden_file_says() {
    let (remote, seen) = read(
        &golden(include_str!("golden/lead.wire.json")),
        &crate::provider::of_people(crate::provider::Crm::Salesforce),
    )
    .unwrap();
    let spelt = json!({"remote": remote, "modified": seen.modified, "fields": seen.fields});
    assert_eq!(spelt, golden(include_str!("golden/lead.seen.json")));
}

#[test]
fn a_contact_is_not_asked_for_what_only_leads_have() {
    let [contact, lead] = PEOPLE;
    let mapping = crate::provider::of_people(crate::provider::Crm::Salesforce);
    assert!(lead.fields(&mapping).unwrap().split(',').any(|field| field == "Company"));
    assert!(!contact.fields(&mapping).unwrap().split(',').any(|field| field == "Company" || field == "IsConverted"));
    let mut row = golden(include_str!("golden/lead.wire.json"));
    row["Id"] = json!("003xx000004TmiQAAS");
    assert!(!read(&row, &mapping).unwrap().1.fields.contains_key("Company"), "not shown, and so not blank");
}

#[test]
fn a_row_spells_values_and_names_its_object() {
    let list = Value::List(["a", "b"].into_iter().filter_map(Text::new).collect());
    let change = |field: &str, value| Change { field: field.to_owned(), value };
    let changes = [
        change("Email", Value::text("ada@example.com")),
        change("Phone", None),
        change("Interests__c", Some(list)),
        change("HasOptedOutOfEmail", Some(Value::Flag(true))),
        change("Score__c", Some(Value::number(75.into()))),
    ];
    let spelt = json!({"attributes": {"type": "Lead"}, "Email": "ada@example.com", "Phone": null, "Interests__c": "a;b", "HasOptedOutOfEmail": true, "Score__c": 75});
    assert_eq!(Json::Object(row(PEOPLE[1], &changes)), spelt);
}

#[test]
fn names_and_ids_that_are_none_go_nowhere() {
    let mut mapping = crate::provider::of_people(crate::provider::Crm::Salesforce);
    mapping.rules.push(crate::mapping::Rule::both("odd", "Id FROM User"));
    assert!(PEOPLE[0].fields(&mapping).is_err());
    mapping.object = "User; drop".to_owned();
    assert!(matches!(target(&mapping), Err(Error::Config { .. })));
    for odd in ["", "003", "003xx000004Tmi'AAS", "001xx000003DGb2AAG", "003xx000004TmiQAASx"] {
        assert_eq!(object_of(odd, &PEOPLE), None, "{odd}");
    }
    assert_eq!(object_of("003xx000004TmiQ", &PEOPLE).map(|object| object.name), Some("Contact"));
}
