//! `GET /crm/lists/{version}/{list}` and its memberships (HubSpot docs: lists API; retrieve lists, memberships).

use super::Desk;
use super::errors::Refusal;
use super::properties::CUSTOM;
use crate::clock::iso_ms;
use crate::lists::List;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

/// The right to read lists, whatever is on them (HubSpot docs: lists API, scopes).
pub const SCOPE: &str = "crm.lists.read";
/// Types of objects (HubSpot docs: understanding the CRM, object types).
const TYPES: [(&str, &str); 6] = [
    ("contacts", "0-1"),
    ("companies", "0-2"),
    ("deals", "0-3"),
    ("tasks", "0-27"),
    ("notes", "0-46"),
    (CUSTOM, CUSTOM),
];

fn found<'d>(desk: &'d Desk<'_>, id: &str) -> Result<&'d List, Refusal> {
    desk.portal.lists.iter().find(|list| list.id == id).ok_or_else(Refusal::not_found)
}

pub fn one(desk: &Desk<'_>, id: &str) -> Result<Reply, Refusal> {
    let list = found(desk, id)?;
    let kind = TYPES.iter().find(|(name, _)| *name == list.object).map(|(_, kind)| *kind);
    let body = json!({
        "listId": list.id, "listVersion": 1, "name": format!("{} is {}", list.field, list.value), "objectTypeId": kind,
        "processingType": "DYNAMIC", "processingStatus": "COMPLETE",
    });
    Ok(Reply::json(200, json!({"list": body})))
}

/// In the order of record ids; a page holds 100 where nobody says otherwise.
pub fn memberships(desk: &Desk<'_>, id: &str, call: &Call) -> Result<Reply, Refusal> {
    let list = found(desk, id)?;
    let number = |name: &str, or: u64| call.param(name).map_or(Ok(or), str::parse::<u64>);
    let wrong = |_| Refusal::validation("limit and after are numbers");
    let (limit, after) = (number("limit", 100).map_err(wrong)?, number("after", 0).map_err(wrong)?);
    let records = desk.portal.tables.get(&list.object).into_iter().flat_map(|table| table.records.values());
    let members: Vec<_> = records.filter(|record| list.holds(record)).collect();
    let mut rest = members.iter().filter(|record| record.id > after);
    let page: Vec<_> = rest.by_ref().take(usize::try_from(limit).unwrap_or_default()).collect();
    let row = |record: &&&crate::records::Record| -> Value {
        json!({"recordId": record.id.to_string(), "membershipTimestamp": iso_ms(record.modified)})
    };
    let mut body = json!({"total": members.len(), "results": page.iter().map(row).collect::<Vec<_>>()});
    if let (Some(last), true) = (page.last(), rest.next().is_some()) {
        body["paging"] = json!({"next": {"after": last.id.to_string(), "link": ""}});
    }
    Ok(Reply::json(200, body))
}
