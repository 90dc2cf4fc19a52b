//! The mapping a new connection starts with.

use crate::{
    mapping::{Direction, Mapping, Rule},
    record::Region,
};

/// Hub field, contact property (HubSpot docs: HubSpot's default contact properties), direction.
///
/// A status flows one way: its options differ from CRM to CRM.
const CONTACTS: &[(&str, &str, Direction)] = &[
    ("first_name", "firstname", Direction::Both),
    ("last_name", "lastname", Direction::Both),
    ("company", "company", Direction::Both),
    ("email", "email", Direction::Both),
    ("phone", "phone", Direction::Both),
    ("lead_status", "hs_lead_status", Direction::ToCrm),
    ("last_call", "last_call", Direction::Both),
];

/// The unique property that must be made in the account (`hasUniqueValue`). Not `email`: a person may have none, and an
/// upsert by it takes complete records only (HubSpot docs: using object APIs, upsert).
const ID_FIELD: &str = "crm_sync_id";

/// People as contacts.
pub(super) fn default_mapping() -> Mapping {
    let rule = |(hub, remote, direction): &(&str, &str, Direction)| Rule {
        hub: (*hub).to_owned(),
        remote: (*remote).to_owned(),
        direction: *direction,
        default: None,
        clears: false,
    };
    let rules = CONTACTS.iter().map(rule).collect();
    Mapping {
        version: 1,
        object: "contacts".to_owned(),
        id_field: ID_FIELD.to_owned(),
        rules,
        region: Region::default(),
    }
}

/// Internal names of properties are lower-case letters, digits and underscores, and begin with a letter
/// (HubSpot docs: properties API, "name").
pub(super) fn could_name(field: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    field.starts_with(|first: char| first.is_ascii_lowercase()) && field.bytes().all(sound)
}
