//! The mapping a new connection starts with.

use crate::{
    mapping::{Mapping, Rule},
    record::Object,
};

/// The text field that must be made on leads and on contacts, as an external id with unique values.
const ID_FIELD: &str = "CRM_Sync_Id__c";

/// People as leads, companies as accounts, deals as opportunities, tasks as tasks, notes as notes (Salesforce docs: Object Reference,
/// Lead, Account, Opportunity, Task, Note). A `Note` has no room for our id.
pub(super) fn default_mapping(object: &Object) -> Option<Mapping> {
    let (name, rules) = match object {
        Object::Person => ("Lead", people()),
        Object::Company => ("Account", companies()),
        Object::Deal => ("Opportunity", deals()),
        Object::Task => ("Task", tasks()),
        Object::Note => return Some(Mapping::new("Note", "", notes())),
        Object::Custom(_) => return None,
    };
    Some(Mapping::new(name, ID_FIELD, rules))
}

/// A note has a title, and belongs to one record from the beginning.
fn notes() -> Vec<Rule> {
    vec![
        Rule::to_crm("title", "Title").or("Note"),
        Rule::to_crm("body", "Body"),
        Rule::to_crm("contact_id", "ParentId").needed(),
    ]
}

/// Of an org's first states and priorities (Salesforce docs: Object Reference, Task).
const STATES: [(&str, &str); 2] = [("open", "Not Started"), ("done", "Completed")];
const PRIORITIES: [(&str, &str); 3] = [("low", "Low"), ("medium", "Normal"), ("high", "High")];

/// Whom a task is with is a lead or a contact. What else it is about (`WhatId`) is not mapped: a task with a lead may be about
/// nothing else, and people are made as leads.
fn tasks() -> Vec<Rule> {
    vec![
        Rule::both("subject", "Subject"),
        Rule::both("body", "Description"),
        Rule::both("due_date", "ActivityDate"),
        Rule::both("status", "Status").values(STATES),
        Rule::both("priority", "Priority").values(PRIORITIES),
        Rule::both("contact_id", "WhoId"),
    ]
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
