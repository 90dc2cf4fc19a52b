//! The mapping a new connection starts with.

use crate::{
    mapping::{Mapping, Rule},
    record::Object,
};

/// The text field that must be made on leads and on contacts, as an external id with unique values.
const ID_FIELD: &str = "CRM_Sync_Id__c";

/// People as leads, companies as accounts, deals as opportunities (Salesforce docs: Object Reference, Lead, Account, Opportunity).
pub(super) fn default_mapping(object: &Object) -> Option<Mapping> {
    let (name, rules) = match object {
        Object::Person => ("Lead", people()),
        Object::Company => ("Account", companies()),
        Object::Deal => ("Opportunity", deals()),
        Object::Note | Object::Task | Object::Custom(_) => return None,
    };
    Some(Mapping::new(name, ID_FIELD, rules))
}

fn companies() -> Vec<Rule> {
    vec![
        Rule::both("name", "Name").or("-"),
        Rule::both("domain", "Website"),
        Rule::both("phone", "Phone"),
        Rule::both("city", "BillingCity"),
        Rule::both("country", "BillingCountry"),
    ]
}

/// Of an org's first stages (Salesforce docs: Object Reference, Opportunity). Those between are mapped by whoever knows them.
const STAGES: [(&str, &str); 3] = [("open", "Prospecting"), ("won", "Closed Won"), ("lost", "Closed Lost")];

fn deals() -> Vec<Rule> {
    vec![
        Rule::both("name", "Name").or("-"),
        Rule::both("amount", "Amount"),
        Rule::both("close_date", "CloseDate"),
        Rule::both("stage", "StageName").values(STAGES).or("Prospecting"),
        Rule::both("company_id", "AccountId"),
    ]
}

/// A lead needs a last name and a company; of contacts alone Salesforce knows whose they are. A lead's status is not mapped: it takes only the org's own values.
fn people() -> Vec<Rule> {
    vec![
        Rule::both("first_name", "FirstName"),
        Rule::both("last_name", "LastName").or("-"),
        Rule::both("company", "Company").or("-").only("Lead", "00Q"),
        Rule::both("email", "Email"),
        Rule::both("phone", "Phone"),
        Rule::both("last_call", "Last_Call__c"),
        Rule::both("company_id", "AccountId").only("Contact", "003"),
    ]
}

/// Standard fields are words run together, custom ones end with `__c` (Salesforce docs: Object Reference, API Field
/// Properties; Custom Objects, naming conventions).
pub(super) fn could_name(field: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let standard = field.starts_with(|first: char| first.is_ascii_uppercase()) && !field.contains('_');
    field.bytes().all(sound) && (standard || field.ends_with("__c"))
}
