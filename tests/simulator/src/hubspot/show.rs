//! Records as HubSpot shows them: all values are strings, blanks are null, unknown properties are left out.

use super::Desk;
use super::properties::modified_name;
use crate::clock::iso_ms;
use crate::phones;
use crate::records::{Record, Source, View};
use serde_json::{Map, Value, json};

/// What a call asks to see.
#[derive(Debug, Default)]
pub struct Selection {
    /// Empty: the object's defaults.
    pub properties: Vec<String>,
    pub history: Vec<String>,
}

impl Selection {
    pub fn of(body: &Value) -> Self {
        let list = |key: &str| -> Vec<String> {
            body[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        Self { properties: list("properties"), history: list("propertiesWithHistory") }
    }

    pub fn of_query(query: &[(String, String)]) -> Self {
        let list = |key: &str| -> Vec<String> {
            query
                .iter()
                .filter(|(k, _)| k == key)
                .flat_map(|(_, v)| v.split(','))
                .filter(|v| !v.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Self { properties: list("properties"), history: list("propertiesWithHistory") }
    }
}

impl Desk<'_> {
    pub fn show(&self, object: &str, record: &Record, selection: &Selection) -> Value {
        let mut shown = self.show_view(object, record.view(), selection);
        shown["archived"] = json!(record.archived.is_some());
        if let Some(at) = record.archived {
            shown["archivedAt"] = json!(iso_ms(at));
        }
        if !selection.history.is_empty() {
            let histories = selection.history.iter().filter_map(|name| Some((name.clone(), history(record, name)?)));
            shown["propertiesWithHistory"] = Value::Object(histories.collect());
        }
        shown
    }

    pub fn show_view(&self, object: &str, view: View<'_>, selection: &Selection) -> Value {
        let mut properties = Map::new();
        let defaults: &[&str] = match object {
            "contacts" => &["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"],
            "companies" => &["createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"],
            "deals" => &["createdate", "dealname", "hs_lastmodifieddate", "hs_object_id"],
            _ => &["createdate", "hs_lastmodifieddate", "hs_object_id"],
        };
        // These three come whether asked for or not.
        let always = ["hs_object_id", "createdate", modified_name(object)];
        let asked = selection.properties.iter().map(String::as_str);
        let names: Vec<&str> =
            if selection.properties.is_empty() { defaults.to_vec() } else { asked.chain(always).collect() };
        for name in names {
            if self.portal.property(object, name).is_some() {
                properties.insert(name.to_owned(), json!(value_of(object, view, name)));
            }
        }
        json!({
            "id": view.id.to_string(), "properties": properties, "createdAt": iso_ms(view.created), "updatedAt": iso_ms(view.modified),
            "archived": false,
        })
    }
}

/// A property's value; some are computed.
pub fn value_of(object: &str, view: View<'_>, name: &str) -> Option<String> {
    let text = |name: &str| view.fields.get(name).and_then(Value::as_str).map(str::to_owned);
    match name {
        "hs_object_id" => Some(view.id.to_string()),
        "createdate" => Some(iso_ms(view.created)),
        _ if name == modified_name(object) => Some(iso_ms(view.modified)),
        "hs_searchable_calculated_phone_number" => text("phone").map(|p| phones::national(&p)),
        "hs_searchable_calculated_mobile_number" => text("mobilephone").map(|p| phones::national(&p)),
        _ => text(name),
    }
}

/// Newest first, as `propertiesWithHistory` lists them.
fn history(record: &Record, name: &str) -> Option<Value> {
    let versions = record.versions.get(name)?;
    let list = versions.iter().rev().map(|v| {
        let (kind, id) = match v.source {
            Source::User => ("CRM_UI", "userId:864745280"),
            Source::App => ("INTEGRATION", "1160452"),
        };
        json!({"value": v.value.as_str().unwrap_or_default(), "timestamp": iso_ms(v.at), "sourceType": kind, "sourceId": id})
    });
    Some(list.collect())
}
