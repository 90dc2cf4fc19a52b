//! The mapping a new connection starts with.

use crate::{
    mapping::{Mapping, Rule},
    provider::schema::is_code,
    record::Object,
};

/// The unique property that must be made in the account (`hasUniqueValue`). Not `email`: a person may have none, and an
/// upsert by it takes complete records only (HubSpot docs: using object APIs, upsert).
const ID_FIELD: &str = "crm_sync_id";

/// People as contacts, companies as companies, deals as deals (HubSpot docs: default contact, company and deal properties).
pub(super) fn default_mapping(object: &Object) -> Option<Mapping> {
    let (name, rules) = match object {
        Object::Person => ("contacts", people()),
        Object::Company => {
            let rules = ["name", "domain", "phone", "city", "country"].map(|field| Rule::both(field, field));
            ("companies", rules.to_vec())
        }
        Object::Deal => ("deals", deals()),
        Object::Note | Object::Task | Object::Custom(_) => return None,
    };
    Some(Mapping::new(name, ID_FIELD, rules))
}

/// Of the stages of the default pipeline (HubSpot docs: deals, "default deal stages"). Those between are an account's own: they are
/// mapped by whoever knows them.
const STAGES: [(&str, &str); 3] = [("open", "appointmentscheduled"), ("won", "closedwon"), ("lost", "closedlost")];

fn deals() -> Vec<Rule> {
    vec![
        Rule::both("name", "dealname"),
        Rule::both("amount", "amount"),
        Rule::both("close_date", "closedate"),
        Rule::both("stage", "dealstage").values(STAGES).or("appointmentscheduled"),
        Rule::both("company_id", "associations.companies"),
        Rule::both("contact_id", "associations.contacts"),
    ]
}

/// A status flows one way: its options differ from CRM to CRM.
fn people() -> Vec<Rule> {
    vec![
        Rule::both("first_name", "firstname"),
        Rule::both("last_name", "lastname"),
        Rule::both("company", "company"),
        Rule::both("email", "email"),
        Rule::both("phone", "phone"),
        Rule::to_crm("lead_status", "hs_lead_status"),
        Rule::both("last_call", "last_call"),
        Rule::both("company_id", "associations.companies"),
    ]
}

/// Internal names of properties are lower-case letters, digits and underscores, and begin with a letter
/// (HubSpot docs: properties API, "name").
pub(super) fn could_name(field: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    field.starts_with(|first: char| first.is_ascii_lowercase()) && field.bytes().all(sound) && !is_code(field)
}
