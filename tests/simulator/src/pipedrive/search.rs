//! Searching (Pipedrive API v2: search persons, search organizations, search deals). The index may lag behind the records.

use super::kinds::Kind;
use super::{Desk, errors, list};
use crate::records::View;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

const MOST: usize = 100;
/// What may be searched.
fn fields_of(kind: &Kind) -> &'static [&'static str] {
    match kind.table {
        "persons" => &["name", "email", "phone", "custom_fields", "notes"],
        "organizations" => &["name", "address", "custom_fields", "notes"],
        _ => &["title", "custom_fields", "notes"],
    }
}

/// Types of custom fields that can be searched.
const SEARCHABLE: [&str; 5] = ["varchar", "text", "varchar_auto", "phone", "double"];

/// `?term=&fields=&exact_match=&organization_id=&limit=&cursor=`
pub fn search(desk: &Desk<'_>, kind: &Kind, call: &Call) -> Result<Reply, Reply> {
    let exact = call.param("exact_match").is_some_and(|v| v == "true" || v == "1");
    let term = call.param("term").map(str::trim).unwrap_or_default();
    if term.chars().count() < if exact { 1 } else { 2 } {
        return Err(errors::bad("term: must have 2 characters at least, or 1 for an exact match"));
    }
    let known = fields_of(kind);
    let fields: Vec<&str> = call.param("fields").map_or(known.to_vec(), |f| f.split(',').map(str::trim).collect());
    if fields.iter().any(|f| !known.contains(f)) {
        return Err(errors::bad(&format!("fields: are {}", known.join(", "))));
    }
    let organization: Option<u64> = call.param("organization_id").and_then(|id| id.parse().ok());
    let horizon = desk.now - desk.faults.search_lag_ms;
    let folded = term.to_lowercase();
    let matches = |value: &str| match exact {
        true => value.eq_ignore_ascii_case(term) || (!value.is_ascii() && value.to_lowercase() == folded),
        false => value.to_lowercase().contains(&folded),
    };
    let live = desk.company.tables.get(kind.table).into_iter().flat_map(|t| t.records.values());
    let live = live.filter(|r| r.archived.is_none()).filter_map(|r| r.view_at(horizon));
    let found = live.filter(|person| {
        let in_it = |id: u64| person.fields.get("org_id").and_then(Value::as_u64) == Some(id);
        organization.is_none_or(in_it) && fields.iter().any(|f| texts(desk, kind, person, f).iter().any(|v| matches(v)))
    });
    let rows = found.map(|person| ((person.id.cast_signed(), person.id), person)).collect();
    let (page, next_cursor) = list::page(call, rows, "id", false, MOST)?;
    let items: Vec<Value> = page.into_iter().map(|person| show(desk, kind, &person)).collect();
    Ok(Reply::json(
        200,
        json!({"success": true, "data": {"items": items}, "additional_data": {"next_cursor": next_cursor}}),
    ))
}

fn texts(desk: &Desk<'_>, kind: &Kind, person: &View<'_>, field: &str) -> Vec<String> {
    let contacts = |name: &str| {
        let list = person.fields.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|c| c["value"].as_str().map(str::to_owned)).collect()
    };
    match field {
        "name" | "title" | "notes" => {
            person.fields.get(field).and_then(Value::as_str).map(str::to_owned).into_iter().collect()
        }
        "email" => contacts("emails"),
        "phone" => contacts("phones"),
        "custom_fields" => {
            let customs = desk.company.customs(kind.table).iter().filter(|c| SEARCHABLE.contains(&c.kind.as_str()));
            let written = person.fields.get("custom_fields");
            let values = customs.filter_map(|c| written?.get(&c.code));
            values.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// Found e-mails and phones are plain texts, unlike those of a record.
fn show(desk: &Desk<'_>, kind: &Kind, person: &View<'_>) -> Value {
    let value = |name: &str| person.fields.get(name).cloned().unwrap_or_default();
    let organization = person.fields.get("org_id").and_then(Value::as_u64).map(|id| {
        let name = desk.company.tables.get("organizations").and_then(|t| t.live(id)?.text("name"));
        json!({"id": id, "name": name, "address": null})
    });
    let item = json!({
        "id": person.id, "type": kind.entity, (kind.required): value(kind.required), "emails": texts(desk, kind, person, "email"),
        "phones": texts(desk, kind, person, "phone"), "visible_to": value("visible_to"), "owner": {"id": value("owner_id")},
        "organization": organization, "custom_fields": texts(desk, kind, person, "custom_fields"), "notes": texts(desk, kind, person, "notes"),
    });
    json!({"result_score": 0.5092, "item": item})
}
