//! Fields (Zoho docs: Fields metadata, <https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html>).

use super::{
    failure::{self, text_at},
    records::asked,
};
use crate::{
    error::Result,
    mapping::Mapping,
    provider::{
        schema::{Field, Made, Wish},
        session::{Request, Session},
    },
};
use serde_json::{Value as Json, json};

pub(super) async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
    let module = asked(mapping, &[])?.module;
    let request = Request::get(format!("/crm/v8/settings/fields?module={module}"));
    let body = session.send(&request, failure::of_call).await?.body;
    let field = |row: &Json| {
        Some(Field {
            name: text_at(row, "/api_name")?.to_owned(),
            label: text_at(row, "/field_label").unwrap_or_default().to_owned(),
            writable: row.get("read_only").and_then(Json::as_bool) != Some(true),
            unique: row.get("unique").and_then(Json::as_object).is_some_and(|unique| !unique.is_empty()),
        })
    };
    Ok(body.get("fields").and_then(Json::as_array).into_iter().flatten().filter_map(field).collect())
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
