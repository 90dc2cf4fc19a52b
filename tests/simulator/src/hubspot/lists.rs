//! `/crm/lists/{version}/{list}` and its memberships (HubSpot docs: lists API; retrieve lists, memberships, update list membership).

use super::Desk;
use super::errors::Refusal;
use super::properties::CUSTOM;
use crate::clock::iso_ms;
use crate::lists::List;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

/// The right to read lists, whatever is on them (HubSpot docs: lists API, scopes).
pub const SCOPE: &str = "crm.lists.read";
/// The right to put records on them.
pub const WRITE: &str = "crm.lists.write";
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
        "processingType": if list.members.is_some() { "MANUAL" } else { "DYNAMIC" }, "processingStatus": "COMPLETE",
    });
    Ok(Reply::json(200, json!({"list": body})))
}

/// Who is on it already, or is not, is passed over; who is not there is named. Lists that HubSpot keeps by itself are refused.
pub fn add_and_remove(desk: &mut Desk<'_>, id: &str, call: &Call) -> Result<Reply, Refusal> {
    let body = call.json().ok_or_else(|| Refusal::validation("the body is no JSON"))?;
    let ids = |name: &str| -> Option<Vec<u64>> {
        body[name].as_array()?.iter().map(|id| id.as_str()?.parse().ok()).collect()
    };
    let (Some(add), Some(remove)) = (ids("recordIdsToAdd"), ids("recordIdsToRemove")) else {
        return Err(Refusal::validation("recordIdsToAdd and recordIdsToRemove are lists of ids"));
    };
    let object = found(desk, id)?.object.clone();
    let known = |id: &u64| desk.portal.tables.get(&object).is_some_and(|table| table.records.contains_key(id));
    let (there, missing): (Vec<u64>, Vec<u64>) = add.into_iter().partition(known);
    let list = desk.portal.lists.iter_mut().find(|list| list.id == id).ok_or_else(Refusal::not_found)?;
    let Some(members) = &mut list.members else {
        return Err(Refusal::validation("the list is DYNAMIC: only MANUAL and SNAPSHOT lists can be changed"));
    };
    let added: Vec<u64> = there.into_iter().filter(|id| members.insert(*id)).collect();
    let removed: Vec<u64> = remove.into_iter().filter(|id| members.remove(id)).collect();
    let texts = |ids: Vec<u64>| -> Vec<String> { ids.iter().map(u64::to_string).collect() };
    let body = json!({
        "recordsIdsAdded": texts(added), "recordIdsRemoved": texts(removed), "recordIdsMissing": texts(missing),
    });
    Ok(Reply::json(200, body))
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
