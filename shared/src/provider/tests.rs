use super::{Crm, Object};

/// A sync field that names no connection goes to the CRMs whose fields can be called so.
#[test]
fn a_provider_that_is_only_begun_promises_nothing() {
    use super::{Provider, skeleton::TITLE};
    assert!(!TITLE::could_name("Phone") && TITLE::scopes(&[Object::Person]).is_empty());
    assert!(TITLE::webhook_clicks("https://example.com", &super::Secret::new(String::new())).is_none());
}

#[test]
fn names_are_told_apart_where_vendors_build_them_differently() {
    let could = |field: &str| Crm::ALL.into_iter().filter(|crm| crm.could_name(field)).collect::<Vec<_>>();
    assert_eq!(could("last_call"), [Crm::HubSpot]);
    assert_eq!(could("Last_Call"), [Crm::Zoho]);
    assert_eq!(could("Last_Call__c"), [Crm::Salesforce]);
    assert_eq!(could("b2c3d4e5f60718293a4b5c6d7e8f900112233445"), [Crm::Pipedrive]);
    assert_eq!(could("Phone"), [Crm::Zoho, Crm::Salesforce]);
    for crm in Crm::ALL {
        let mappings = crm.default_mappings(&[Object::Person, Object::Company, Object::Deal]);
        let rules = mappings.values().flat_map(|mapping| &mapping.rules);
        let mut named = rules.map(|rule| &rule.remote).filter(|field| !field.contains([' ', '.']));
        assert!(named.all(|field| crm.could_name(field)), "{crm}");
    }
}
