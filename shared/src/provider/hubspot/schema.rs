//! Properties (HubSpot docs: properties API).

use super::{VERSION, associations, failure, list};
use crate::{
    error::Result,
    mapping::Mapping,
    provider::{
        schema::{Field, Made, Types, Wish, takes},
        session::{Request, Session},
    },
    record::Sort,
};
use serde_json::{Value as Json, json};

/// What properties take, by their `type` (HubSpot docs: properties API, property types). All values are texts on the wire, so a text
/// takes any; a time may be told as its day alone.
const TYPES: Types = &[
    ("number", &[Sort::Number]),
    ("bool", &[Sort::Flag]),
    ("date", &[Sort::Date]),
    ("datetime", &[Sort::Time, Sort::Date]),
];

fn path(mapping: &Mapping) -> String {
    format!("/crm/properties/{VERSION}/{}", mapping.object)
}

pub(super) async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
    let body = session.send(&Request::get(path(mapping)), failure::of_call).await?.body;
    let text = |row: &Json, name: &str| row.get(name).and_then(Json::as_str).map(str::to_owned);
    let is = |row: &Json, at: &str| row.pointer(at).and_then(Json::as_bool) == Some(true);
    let field = |row: &Json| {
        Some(Field {
            name: text(row, "name")?,
            label: text(row, "label").unwrap_or_default(),
            writable: !is(row, "/modificationMetadata/readOnlyValue"),
            unique: is(row, "/hasUniqueValue"),
            takes: takes(TYPES, &text(row, "type").unwrap_or_default()),
            options: options(row),
        })
    };
    let named =
        |name: &str| Field { name: name.to_owned(), label: name.to_owned(), writable: true, ..Field::default() };
    let associated = associations::mapped(mapping).into_iter().map(named);
    let properties = body.get("results").and_then(Json::as_array).into_iter().flatten().filter_map(field);
    Ok(properties.chain(associated).chain(list::schema(session, mapping).await?).collect())
}

/// The options of an enumeration whose list is its own (HubSpot docs: properties API, "options", "externalOptions").
fn options(row: &Json) -> Vec<String> {
    let is = |name: &str, wanted: &str| row.get(name).and_then(Json::as_str) == Some(wanted);
    if !is("type", "enumeration") || row.get("externalOptions").and_then(Json::as_bool) == Some(true) {
        return Vec::new();
    }
    let options = row.get("options").and_then(Json::as_array).into_iter().flatten();
    options.filter_map(|option| option.get("value")?.as_str().map(str::to_owned)).collect()
}

/// Where new properties are shown ("groupName"): what the groups of each object are called is written nowhere, so a new property
/// stands beside one that is mapped.
async fn group(session: &Session, mapping: &Mapping) -> Result<Option<String>> {
    let body = session.send(&Request::get(path(mapping)), failure::of_call).await?.body;
    let mapped = mapping.remote_fields();
    let text = |row: &Json, name: &str| row.get(name).and_then(Json::as_str).map(str::to_owned);
    let is_mapped = |row: &&Json| text(row, "name").is_some_and(|name| mapped.contains(&name.as_str()));
    let beside = body.get("results").and_then(Json::as_array).into_iter().flatten().find(is_mapped);
    Ok(beside.and_then(|row| text(row, "groupName")))
}

pub(super) async fn make(session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
    let body = json!({
        "name": wish.name, "label": wish.label(), "type": "string", "fieldType": "text",
        "groupName": group(session, mapping).await?, "hasUniqueValue": wish.unique,
    });
    session.send(&Request::post(path(mapping), body), failure::of_call).await?;
    Ok(Made::Done)
}
