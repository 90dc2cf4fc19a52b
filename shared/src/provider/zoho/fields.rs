//! The mapping a new connection starts with.

use crate::{
    mapping::{Mapping, Rule},
    record::Object,
};

/// The unique text field that must be made in the account ("do not allow duplicate values").
const ID_FIELD: &str = "CRM_Sync_Id";

/// People as leads, companies as accounts, deals as deals, tasks as tasks, notes as notes, which have no room for our id (Zoho docs: Insert records,
/// <https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html>).
pub(super) fn default_mapping(object: &Object) -> Option<Mapping> {
    let (module, rules) = match object {
        Object::Person => ("Leads", people()),
        Object::Company => ("Accounts", companies()),
        Object::Deal => ("Deals", deals()),
        Object::Task => ("Tasks", tasks()),
        Object::Note => return Some(Mapping::new("Notes", "", notes())),
        Object::Custom(_) => return None,
    };
    Some(Mapping::new(module, ID_FIELD, rules))
}

/// Of an account's first states and priorities.
const STATES: [(&str, &str); 2] = [("open", "Not Started"), ("done", "Completed")];
const PRIORITIES: [(&str, &str); 3] = [("low", "Low"), ("medium", "Normal"), ("high", "High")];

/// A note has a parent from the beginning (Zoho docs: Notes API, <https://www.zoho.com/crm/developer/docs/api/v8/create-notes.html>).
fn notes() -> Vec<Rule> {
    vec![
        Rule::to_crm("title", "Note_Title"),
        Rule::to_crm("body", "Note_Content"),
        Rule::to_crm("contact_id", "Parent_Id:Leads").needed(),
    ]
}

/// A task needs a subject. What it is about may be of several modules: people are filed as leads.
fn tasks() -> Vec<Rule> {
    vec![
        Rule::both("subject", "Subject").or("-"),
        Rule::both("body", "Description"),
        Rule::both("due_date", "Due_Date"),
        Rule::both("status", "Status").values(STATES),
        Rule::both("priority", "Priority").values(PRIORITIES),
        Rule::both("contact_id", "What_Id:Leads"),
    ]
}

fn companies() -> Vec<Rule> {
    vec![
        Rule::both("name", "Account_Name").or("-"),
        Rule::both("domain", "Website"),
        Rule::both("phone", "Phone"),
        Rule::both("city", "Billing_City"),
        Rule::both("country", "Billing_Country"),
    ]
}

/// Of an account's first stages. Those between are mapped by whoever knows them.
const STAGES: [(&str, &str); 3] = [("open", "Qualification"), ("won", "Closed Won"), ("lost", "Closed Lost")];

fn deals() -> Vec<Rule> {
    vec![
        Rule::both("name", "Deal_Name").or("-"),
        Rule::both("amount", "Amount"),
        Rule::both("close_date", "Closing_Date"),
        Rule::both("stage", "Stage").values(STAGES).or("Qualification"),
        // A deal's contact is none of the leads that people are filed as.
        Rule::both("company_id", "Account_Name"),
    ]
}

/// Last name and company are mandatory in the standard layout of Leads. A status flows one way: its options differ from CRM to CRM.
fn people() -> Vec<Rule> {
    vec![
        Rule::both("first_name", "First_Name"),
        Rule::both("last_name", "Last_Name").or("-"),
        Rule::both("company", "Company").or("-"),
        Rule::both("email", "Email"),
        Rule::both("phone", "Phone"),
        Rule::to_crm("lead_status", "Lead_Status"),
        Rule::both("last_call", "Last_Call"),
    ]
}

/// API names are made from labels, a word's capitals kept and its spaces underscores: `Last_Name`
/// (Zoho docs: Fields metadata, <https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html>). A double underscore is
/// Salesforce's.
pub(super) fn could_name(field: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    field.starts_with(|first: char| first.is_ascii_uppercase()) && field.bytes().all(sound) && !field.contains("__")
}
