//! Versions, objects, fields and limits (Salesforce docs: REST API, Versions, sObject Describe, Limits).

use super::Desk;
use super::VERSIONS;
use super::errors;
use super::fields::{Field, Kind};
use super::ids;
use crate::wire::Reply;
use serde_json::{Value, json};

pub fn versions() -> Reply {
    let all = VERSIONS
        .map(|n| json!({"label": label(n), "url": format!("/services/data/v{n}.0"), "version": format!("{n}.0")}));
    Reply::json(200, all.collect())
}

/// Three releases a year; 31 was Summer '14.
fn label(version: u32) -> String {
    let season = ["Summer", "Winter", "Spring"][(version - 31) as usize % 3];
    format!("{season} '{}", 14 + (version - 29) / 3)
}

pub fn objects(desk: &Desk<'_>) -> Reply {
    let all: Vec<Value> = desk.org.objects.keys().map(|object| head(object)).collect();
    Reply::json(200, json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": all}))
}

/// Fields that the connected user may not see are not there.
pub fn object(desk: &Desk<'_>, object: &str) -> Reply {
    let fields: Vec<Value> = desk.org.visible(object).map(shown).collect();
    let mut body = head(object);
    body["fields"] = Value::Array(fields);
    Reply::json(200, body)
}

fn head(object: &str) -> Value {
    json!({
        "name": object, "label": object, "labelPlural": format!("{object}s"), "keyPrefix": ids::prefix(object), "custom": false,
        "createable": true, "updateable": true, "deletable": true, "undeletable": true, "queryable": true, "retrieveable": true,
        "replicateable": true, "searchable": true, "mergeable": !matches!(object, "Opportunity" | "Task" | "Note"), "layoutable": true, "triggerable": true,
    })
}

fn shown(field: &Field) -> Value {
    let options: Vec<Value> = field
        .options
        .iter()
        .map(|o| json!({"value": o, "label": o, "active": true, "defaultValue": field.default == Some(*o), "validFor": null}))
        .collect();
    let defaulted = field.default.is_some() || field.kind == Kind::Boolean || field.name == "OwnerId";
    let length = if field.kind == Kind::Datetime { 0 } else { field.length };
    json!({
        "name": field.name, "label": field.name.trim_end_matches("__c").replace('_', " "), "type": field.kind.name(), "length": length,
        "byteLength": length * 3, "nillable": !(field.required || defaulted || always(&field.name)), "unique": field.unique,
        "caseSensitive": false, "externalId": field.external_id, "idLookup": field.id_lookup, "custom": field.is_custom(),
        "createable": field.updateable, "updateable": field.updateable, "defaultedOnCreate": defaulted || always(&field.name),
        "calculated": false, "filterable": field.kind != Kind::Area, "sortable": field.kind != Kind::Area,
        "restrictedPicklist": field.restricted, "picklistValues": options,
        "referenceTo": field.refers_to, "relationshipName": relation(field),
    })
}

/// What the system fills in by itself.
fn always(name: &str) -> bool {
    matches!(name, "Id" | "CreatedDate" | "CreatedById" | "LastModifiedDate" | "LastModifiedById" | "SystemModstamp")
}

fn relation(field: &Field) -> Option<&str> {
    field.name.strip_suffix("Id").filter(|_| !field.refers_to.is_empty())
}

pub fn limits(desk: &Desk<'_>) -> Reply {
    let (daily, used) = (desk.org.daily, desk.org.used());
    Reply::json(
        200,
        json!({
            "DailyApiRequests": {"Max": daily, "Remaining": daily.saturating_sub(used)},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "HourlyPublishedPlatformEvents": {"Max": 50_000, "Remaining": 50_000},
        }),
    )
}

/// A list view, with the query that it is (Salesforce docs: REST API, List View Describe).
pub fn view(desk: &Desk<'_>, object: &str, id: &str) -> Result<Reply, Reply> {
    let view = desk.org.views.iter().find(|view| view.id == id && view.object.eq_ignore_ascii_case(object));
    let view = view.ok_or_else(errors::not_found)?;
    let value = view.value.replace('\\', "\\\\").replace('\'', "\\'");
    let query = format!(
        "SELECT Name, Id, CreatedDate, LastModifiedDate, SystemModstamp FROM {object} USING SCOPE everything WHERE {} = '{value}' \
         ORDER BY Name ASC NULLS FIRST, Id ASC NULLS FIRST",
        view.field
    );
    let body = json!({
        "columns": [], "id": view.id, "orderBy": [], "query": query, "scope": "everything", "sobjectType": object,
        "whereCondition": {"field": view.field, "operator": "equals", "values": [format!("'{value}'")]},
    });
    Ok(Reply::json(200, body))
}
