//! The mapping a new connection starts with.

use crate::{
    mapping::{Direction, Mapping, Rule},
    record::{Region, Value},
};

/// Hub field, Zoho field, direction, and what is sent where the hub has nothing but Zoho insists.
///
/// Last name and company are mandatory in the standard layout of Leads (Zoho docs: Insert records,
/// <https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html>). A status flows one way: its options differ from CRM to CRM.
const LEADS: &[(&str, &str, Direction, Option<&str>)] = &[
    ("first_name", "First_Name", Direction::Both, None),
    ("last_name", "Last_Name", Direction::Both, Some("-")),
    ("company", "Company", Direction::Both, Some("-")),
    ("email", "Email", Direction::Both, None),
    ("phone", "Phone", Direction::Both, None),
    ("lead_status", "Lead_Status", Direction::ToCrm, None),
    ("last_call", "Last_Call", Direction::Both, None),
];

/// The unique text field that must be made in the account ("do not allow duplicate values").
const ID_FIELD: &str = "CRM_Sync_Id";

/// People as leads.
pub(super) fn default_mapping() -> Mapping {
    let rule = |(hub, remote, direction, default): &(&str, &str, Direction, Option<&str>)| Rule {
        hub: (*hub).to_owned(),
        remote: (*remote).to_owned(),
        direction: *direction,
        default: default.and_then(Value::text),
        clears: false,
    };
    let rules = LEADS.iter().map(rule).collect();
    Mapping { version: 1, object: "Leads".to_owned(), id_field: ID_FIELD.to_owned(), rules, region: Region::default() }
}

/// API names are made from labels, a word's capitals kept and its spaces underscores: `Last_Name`
/// (Zoho docs: Fields metadata, <https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html>).
pub(super) fn could_name(field: &str) -> bool {
    field.starts_with(|c: char| c.is_ascii_uppercase()) && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
