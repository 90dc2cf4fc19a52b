//! Fields (Salesforce docs: REST API, sObject Describe).

use super::{
    VERSION, campaign, failure,
    records::{objects, target, text_at},
};
use crate::{
    error::Result,
    mapping::Mapping,
    provider::{
        schema::{Field, Made, Types, Wish, takes},
        session::{Request, Session},
    },
    record::Sort,
};
use serde_json::Value as Json;

/// What fields take, by their `type` (Salesforce docs: Object Reference, field types). A number is no text: its JSON is refused.
const TYPES: Types = &[
    ("string", &[Sort::Text]),
    ("textarea", &[Sort::Text]),
    ("email", &[Sort::Text]),
    ("phone", &[Sort::Text]),
    ("url", &[Sort::Text]),
    ("picklist", &[Sort::Text]),
    ("combobox", &[Sort::Text]),
    ("reference", &[Sort::Text]),
    ("encryptedstring", &[Sort::Text]),
    ("multipicklist", &[Sort::Text, Sort::List]),
    ("int", &[Sort::Number]),
    ("long", &[Sort::Number]),
    ("double", &[Sort::Number]),
    ("currency", &[Sort::Number]),
    ("percent", &[Sort::Number]),
    ("boolean", &[Sort::Flag]),
    ("date", &[Sort::Date]),
    ("datetime", &[Sort::Time]),
];

/// The fields of the object that people are made as. What our user may not see is not among them.
pub(super) async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
    let path = format!("/services/data/{VERSION}/sobjects/{}/describe", target(mapping)?.name);
    let body = session.send(&Request::get(path), failure::of_call).await?.body;
    let is = |row: &Json, name: &str| row.get(name).and_then(Json::as_bool) == Some(true);
    let field = |row: &Json| {
        Some(Field {
            name: text_at(row, "/name")?.to_owned(),
            label: text_at(row, "/label").unwrap_or_default().to_owned(),
            // Whose a note is stays as it was made.
            writable: is(row, "createable") && (is(row, "updateable") || text_at(row, "/name") == Some("ParentId")),
            unique: is(row, "unique") && is(row, "externalId"),
            takes: takes(TYPES, text_at(row, "/type").unwrap_or_default()),
            // Any other picklist takes what it is told (Salesforce docs: restricted picklists).
            options: if is(row, "restrictedPicklist") { options(row) } else { Vec::new() },
        })
    };
    let known = body.get("fields").and_then(Json::as_array).into_iter().flatten().filter_map(field);
    Ok(known.chain(campaign::schema(session, mapping).await?).collect())
}

fn options(row: &Json) -> Vec<String> {
    let options = row.get("picklistValues").and_then(Json::as_array).into_iter().flatten();
    let active = options.filter(|option| option.get("active").and_then(Json::as_bool) != Some(false));
    active.filter_map(|option| text_at(option, "/value").map(str::to_owned)).collect()
}

/// A field needs an admin, who also gives our user the right to it; where people are found in two objects, on both.
pub(super) fn clicks(mapping: &Mapping, wish: &Wish<'_>) -> Made {
    // Fields of tasks are those of activities (Salesforce help: custom fields of activities).
    let object = if mapping.object == "Task" { "Activity" } else { mapping.object.as_str() };
    let others = objects(mapping);
    let others = others.iter().filter(|other| other.name != mapping.object);
    let also: String = others.map(|other| format!(", and do the same for {}", other.name)).collect();
    let unique = match wish.unique {
        true => {
            ", tick \"Do not allow duplicate values\" and \"Set this field as the unique record identifier from an external system\""
        }
        false => "",
    };
    let name = wish.name.trim_end_matches("__c");
    Made::ByHand(format!(
        "In Setup open Object Manager, then {object}, then Fields & Relationships, then New. Choose Text, length 255, field label \
         \"{}\", field name \"{name}\"{unique}. Let our user's profile read and edit it, save{also}.",
        wish.label()
    ))
}
