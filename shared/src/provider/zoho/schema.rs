//! Fields (Zoho docs: Fields metadata, <https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html>).

use super::{
    failure::{self, text_at},
    records::{SEVERAL, asked},
};
use crate::{
    error::Result,
    mapping::{Mapping, Rule},
    provider::{
        list,
        schema::{Field, Made, Types, Wish, takes},
        session::{Request, Session},
    },
    record::Sort,
};
use serde_json::{Value as Json, json};

/// What fields take, by their `data_type`, and where that says nothing by their `json_type` (Zoho docs: Fields metadata). A number is no
/// text: its JSON is refused.
const TYPES: Types = &[
    ("date", &[Sort::Date]),
    ("datetime", &[Sort::Time]),
    ("multiselectpicklist", &[Sort::List]),
    ("string", &[Sort::Text]),
    ("integer", &[Sort::Number]),
    ("double", &[Sort::Number]),
    ("boolean", &[Sort::Flag]),
];

pub(super) async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
    let module = asked(mapping, &[])?.module;
    let request = Request::get(format!("/crm/v8/settings/fields?module={module}"));
    let body = session.send(&request, failure::of_call).await?.body;
    let field = |row: &Json| {
        let kinds = ["/data_type", "/json_type"].map(|at| takes(TYPES, text_at(row, at).unwrap_or_default()));
        Some(Field {
            name: text_at(row, "/api_name")?.to_owned(),
            label: text_at(row, "/field_label").unwrap_or_default().to_owned(),
            writable: row.get("read_only").and_then(Json::as_bool) != Some(true),
            unique: row.get("unique").and_then(Json::as_object).is_some_and(|unique| !unique.is_empty()),
            takes: kinds.into_iter().find(|takes| !takes.is_empty()).unwrap_or_default(),
            options: options(row),
        })
    };
    let known = body.get("fields").and_then(Json::as_array).into_iter().flatten().filter_map(field);
    Ok(known.flat_map(|field| by_module(field, mapping)).chain(list::shown(mapping)).collect())
}

/// A lookup that leads to several modules is a field for each that is mapped.
fn by_module(field: Field, mapping: &Mapping) -> Vec<Field> {
    let of =
        |rule: &&Rule| SEVERAL.contains(&field.name.as_str()) && rule.remote.starts_with(&format!("{}:", field.name));
    let named = |rule: &Rule| Field { name: rule.remote.clone(), ..field.clone() };
    let each: Vec<Field> = mapping.rules.iter().filter(of).map(named).collect();
    if each.is_empty() { vec![field] } else { each }
}

/// What a list's values are called on the wire ("actual_value").
fn options(row: &Json) -> Vec<String> {
    let options = row.get("pick_list_values").and_then(Json::as_array).into_iter().flatten();
    options.filter_map(|option| text_at(option, "/actual_value").map(str::to_owned)).collect()
}

/// The API name is made from the label (Zoho docs: Create custom fields,
/// <https://www.zoho.com/crm/developer/docs/api/v8/create-custom-field.html>).
pub(super) async fn make(session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
    let module = asked(mapping, &[])?.module;
    let mut field = json!({"field_label": wish.label(), "data_type": "text", "length": 255});
    if wish.unique {
        field["unique"] = json!({"casesensitive": "false"});
    }
    let path = format!("/crm/v8/settings/fields?module={module}");
    session.send(&Request::post(path, json!({"fields": [field]})), failure::of_call).await?;
    Ok(Made::Done)
}
