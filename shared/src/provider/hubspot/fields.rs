//! The mapping a new connection starts with.

use crate::{
    mapping::{Mapping, Rule},
    provider::schema::is_code,
};

/// The unique property that must be made in the account (`hasUniqueValue`). Not `email`: a person may have none, and an
/// upsert by it takes complete records only (HubSpot docs: using object APIs, upsert).
const ID_FIELD: &str = "crm_sync_id";

/// People as contacts (HubSpot docs: HubSpot's default contact properties).
///
/// A status flows one way: its options differ from CRM to CRM.
pub(super) fn default_mapping() -> Mapping {
    let rules = vec![
        Rule::both("first_name", "firstname"),
        Rule::both("last_name", "lastname"),
        Rule::both("company", "company"),
        Rule::both("email", "email"),
        Rule::both("phone", "phone"),
        Rule::to_crm("lead_status", "hs_lead_status"),
        Rule::both("last_call", "last_call"),
    ];
    Mapping::new("contacts", ID_FIELD, rules)
}

/// Internal names of properties are lower-case letters, digits and underscores, and begin with a letter
/// (HubSpot docs: properties API, "name").
pub(super) fn could_name(field: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    field.starts_with(|first: char| first.is_ascii_lowercase()) && field.bytes().all(sound) && !is_code(field)
}
