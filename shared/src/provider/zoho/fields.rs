//! The mapping a new connection starts with.

use crate::mapping::{Mapping, Rule};

/// The unique text field that must be made in the account ("do not allow duplicate values").
const ID_FIELD: &str = "CRM_Sync_Id";

/// People as leads.
///
/// Last name and company are mandatory in the standard layout of Leads (Zoho docs: Insert records,
/// <https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html>). A status flows one way: its options differ from CRM to CRM.
pub(super) fn default_mapping() -> Mapping {
    let rules = vec![
        Rule::both("first_name", "First_Name"),
        Rule::both("last_name", "Last_Name").or("-"),
        Rule::both("company", "Company").or("-"),
        Rule::both("email", "Email"),
        Rule::both("phone", "Phone"),
        Rule::to_crm("lead_status", "Lead_Status"),
        Rule::both("last_call", "Last_Call"),
    ];
    Mapping::new("Leads", ID_FIELD, rules)
}

/// API names are made from labels, a word's capitals kept and its spaces underscores: `Last_Name`
/// (Zoho docs: Fields metadata, <https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html>). A double underscore is
/// Salesforce's.
pub(super) fn could_name(field: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    field.starts_with(|first: char| first.is_ascii_uppercase()) && field.bytes().all(sound) && !field.contains("__")
}
