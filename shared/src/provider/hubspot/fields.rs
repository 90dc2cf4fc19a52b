//! The mapping a new connection starts with.

use crate::{
    mapping::{Mapping, Rule},
    provider::schema::is_code,
    record::Object,
};

/// The unique property that must be made in the account (`hasUniqueValue`). Not `email`: a person may have none, and an
/// upsert by it takes complete records only (HubSpot docs: using object APIs, upsert).
const ID_FIELD: &str = "crm_sync_id";

/// People as contacts, companies as companies, deals as deals (HubSpot docs: default contact, company and deal properties); notes and
/// tasks under their own names (HubSpot docs: notes API, tasks API).
pub(super) fn default_mapping(object: &Object) -> Option<Mapping> {
    let (name, rules) = match object {
        Object::Person => ("contacts", people()),
        Object::Company => {
            let rules = ["name", "domain", "phone", "city", "country"].map(|field| Rule::both(field, field));
            ("companies", rules.to_vec())
        }
        Object::Deal => ("deals", deals()),
        Object::Note => ("notes", notes()),
        Object::Task => ("tasks", tasks()),
        Object::Custom(_) => return None,
    };
    Some(Mapping::new(name, ID_FIELD, rules))
}

/// A note needs a time (HubSpot docs: notes API, properties).
fn notes() -> Vec<Rule> {
    let own = [Rule::both("body", "hs_note_body"), Rule::both("happened_at", "hs_timestamp")];
    own.into_iter().chain(stands_with()).collect()
}

/// When a task is due of which the hub does not say it: a task needs a time (HubSpot docs: tasks API, properties).
const SOME_DAY: &str = "2099-12-31";
/// Of a task's states those that any CRM knows.
const STATES: [(&str, &str); 2] = [("open", "NOT_STARTED"), ("done", "COMPLETED")];
const PRIORITIES: [(&str, &str); 3] = [("low", "LOW"), ("medium", "MEDIUM"), ("high", "HIGH")];

fn tasks() -> Vec<Rule> {
    let own = [
        Rule::both("subject", "hs_task_subject"),
        Rule::both("body", "hs_task_body"),
        Rule::both("due_date", "hs_timestamp").or(SOME_DAY),
        Rule::both("status", "hs_task_status").values(STATES),
        Rule::both("priority", "hs_task_priority").values(PRIORITIES),
    ];
    own.into_iter().chain(stands_with()).collect()
}

/// What a note or a task is about.
fn stands_with() -> impl Iterator<Item = Rule> {
    let about = [("contact_id", "contacts"), ("company_id", "companies"), ("deal_id", "deals")];
    about.into_iter().map(|(hub, object)| Rule::both(hub, &format!("associations.{object}")))
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
