//! The mapping a new connection starts with.

use crate::mapping::{Mapping, Rule};

/// The text field that must be made on leads and on contacts, as an external id with unique values.
const ID_FIELD: &str = "CRM_Sync_Id__c";

/// People as leads. A lead needs a last name and a company (Salesforce docs: Object Reference, Lead).
///
/// A lead's status is not mapped: it takes only the org's own values.
pub(super) fn default_mapping() -> Mapping {
    let rules = vec![
        Rule::both("first_name", "FirstName"),
        Rule::both("last_name", "LastName").or("-"),
        Rule::both("company", "Company").or("-").only("Lead", "00Q"),
        Rule::both("email", "Email"),
        Rule::both("phone", "Phone"),
        Rule::both("last_call", "Last_Call__c"),
    ];
    Mapping::new("Lead", ID_FIELD, rules)
}

/// Standard fields are words run together, custom ones end with `__c` (Salesforce docs: Object Reference, API Field
/// Properties; Custom Objects, naming conventions).
pub(super) fn could_name(field: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let standard = field.starts_with(|first: char| first.is_ascii_uppercase()) && !field.contains('_');
    field.bytes().all(sound) && (standard || field.ends_with("__c"))
}
