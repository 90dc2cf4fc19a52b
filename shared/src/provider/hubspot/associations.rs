//! Associations (HubSpot docs: associations API). For the mapping they are fields: `associations.companies` holds the id of a
//! record's company, the primary one where there are several.

use super::{
    VERSION, failure,
    records::{self, rows},
};
use crate::{
    error::Result,
    id::RemoteId,
    mapping::Mapping,
    planner::Change,
    provider::{Outcome, Session, Write, list, session::Request},
    record::Value,
};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

const FIELD: &str = "associations.";
/// Records in one read (HubSpot docs: associations API, limits).
const READ: usize = 1_000;

/// How one record is associated with another: type ids, and whether one of several is the primary one
/// (HubSpot docs: associations API, "association type id values").
const TYPES: &[(&str, &str, u64, bool)] = &[
    ("contacts", "companies", 1, true),
    ("deals", "companies", 5, true),
    ("deals", "contacts", 3, false),
    ("contacts", "deals", 4, false),
    ("notes", "contacts", 202, false),
    ("notes", "companies", 190, false),
    ("notes", "deals", 214, false),
    ("tasks", "contacts", 204, false),
    ("tasks", "companies", 192, false),
    ("tasks", "deals", 216, false),
];

/// The object that a field leads to, if it is an association.
pub(super) fn target(field: &str) -> Option<&str> {
    field.strip_prefix(FIELD)
}

/// The mapped associations.
pub(super) fn mapped(mapping: &Mapping) -> Vec<&str> {
    mapping.remote_fields().into_iter().filter(|field| target(field).is_some()).collect()
}

/// Adds the mapped associations to records, as if they were properties.
pub(super) async fn show(session: &Session, mapping: &Mapping, found: &mut [Json]) -> Result<()> {
    for field in mapped(mapping) {
        let ids: Vec<RemoteId> = found.iter().filter_map(records::id).collect();
        let ends = read(session, mapping, field, &ids).await?;
        for row in found.iter_mut() {
            let end = records::id(row).and_then(|id| ends.get(&id));
            if let Some(properties) = row.get_mut("properties").and_then(Json::as_object_mut) {
                properties.insert(field.to_owned(), json!(end));
            }
        }
    }
    Ok(())
}

/// What each of these records is associated with. Those with nothing are left out (HubSpot docs: associations API, batch read).
async fn read(
    session: &Session,
    mapping: &Mapping,
    field: &str,
    ids: &[RemoteId],
) -> Result<BTreeMap<RemoteId, RemoteId>> {
    let mut ends = BTreeMap::new();
    for some in ids.chunks(READ) {
        let inputs: Vec<Json> = some.iter().map(|id| json!({"id": id})).collect();
        let body = json!({"inputs": inputs});
        let answer = session.send(&Request::post(path(mapping, field, "read"), body), failure::of_rows).await?;
        let pair = |row: &Json| Some((records::id(row.get("from")?)?, primary(row.get("to")?.as_array()?)?));
        ends.extend(rows(&answer.body).iter().filter_map(pair));
    }
    Ok(ends)
}

/// The primary end, or the first one.
fn primary(ends: &[Json]) -> Option<RemoteId> {
    let is_primary = |end: &&Json| {
        let types = end.get("associationTypes").and_then(Json::as_array);
        let label = |of: &Json| of.get("label").and_then(Json::as_str) == Some("Primary");
        types.is_some_and(|types| types.iter().any(label))
    };
    let end = ends.iter().find(is_primary).or_else(|| ends.first())?.get("toObjectId")?;
    let id = end.as_u64().map(|id| id.to_string()).or_else(|| end.as_str().map(str::to_owned))?;
    id.parse().ok()
}

/// The writes without associations and lists. One that has nothing else tells our own id again, so that there is an answer to it.
pub(super) fn without(mapping: &Mapping, writes: &[Write]) -> Vec<Write> {
    let plain = |write: &Write| {
        let mut write = write.clone();
        write.changes.retain(|change| target(&change.field).is_none() && list::of_field(&change.field).is_none());
        if write.changes.is_empty() {
            write.changes.push(Change { field: mapping.id_field.clone(), value: Value::text(write.record.as_str()) });
        }
        write
    };
    writes.iter().map(plain).collect()
}

/// Writes the associations of what was written, and says so in the outcomes. It can be repeated without harm.
pub(super) async fn write(
    session: &Session,
    mapping: &Mapping,
    writes: &[Write],
    outcomes: &mut [Outcome],
) -> Result<()> {
    for field in mapped(mapping) {
        let change = |write: &Write| write.changes.iter().find(|change| change.field == field).map(|c| c.value.clone());
        let mut wanted: BTreeMap<RemoteId, Option<RemoteId>> = BTreeMap::new();
        for (write, outcome) in writes.iter().zip(outcomes.iter()) {
            if let (Some(value), Outcome::Written { remote, .. }) = (change(write), outcome) {
                wanted.insert(remote.clone(), value.as_ref().and_then(|value| value.to_string().parse().ok()));
            }
        }
        if wanted.is_empty() {
            continue;
        }
        let refused = associate(session, mapping, field, &wanted).await?;
        for (write, outcome) in writes.iter().zip(outcomes.iter_mut()) {
            let (Some(value), Outcome::Written { remote, seen, .. }) = (change(write), &mut *outcome) else { continue };
            if refused.contains(remote) {
                let message = format!("{field} is not taken: one of both may be no more");
                *outcome = Outcome::Refused { code: "association".to_owned(), field: Some(field.to_owned()), message };
            } else {
                seen.iter_mut().for_each(|seen| drop(seen.fields.insert(field.to_owned(), value.clone())));
            }
        }
    }
    Ok(())
}

/// Those of the records that could not be associated.
async fn associate(
    session: &Session,
    mapping: &Mapping,
    field: &str,
    wanted: &BTreeMap<RemoteId, Option<RemoteId>>,
) -> Result<BTreeSet<RemoteId>> {
    let to = target(field).unwrap_or_default();
    let known = TYPES.iter().find(|(from, end, ..)| *from == mapping.object && *end == to);
    let ids: Vec<RemoteId> = wanted.keys().cloned().collect();
    let before = read(session, mapping, field, &ids).await?;
    // A primary one takes the place of another; any other stands beside it.
    let goes = |(id, old): &(&RemoteId, &RemoteId)| {
        let new = wanted.get(*id).and_then(Option::as_ref);
        new.is_none() || (new != Some(*old) && known.is_none_or(|(.., is_primary)| !is_primary))
    };
    let gone: Vec<Json> =
        before.iter().filter(goes).map(|(from, to)| json!({"from": {"id": from}, "to": [{"id": to}]})).collect();
    if !gone.is_empty() {
        let request = Request::post(path(mapping, field, "archive"), json!({"inputs": gone}));
        session.send(&request, failure::of_rows).await?;
    }
    let news = wanted.iter().filter_map(|(from, to)| Some((from, to.as_ref()?)));
    let news: Vec<(&RemoteId, &RemoteId)> = news.filter(|(from, to)| before.get(*from) != Some(*to)).collect();
    let input = |(from, to): &(&RemoteId, &RemoteId)| {
        let mut input = json!({"from": {"id": from}, "to": {"id": to}});
        if let Some((.., id, _)) = known {
            input["types"] = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": id}]);
        }
        input
    };
    let verb = if known.is_some() { "create" } else { "associate/default" };
    let (mut refused, mut left) = (BTreeSet::new(), vec![news.as_slice()]);
    // What is refused together is asked for in halves; what was done before may be done again.
    while let Some(some) = left.pop().filter(|some| !some.is_empty()) {
        let body = json!({"inputs": some.iter().map(input).collect::<Vec<_>>()});
        let answer = session.send(&Request::post(path(mapping, field, verb), body), failure::of_rows).await?;
        let faults = answer.body.get("errors").and_then(Json::as_array).is_some_and(|faults| !faults.is_empty());
        match some {
            _ if answer.status.is_success() && !faults => {}
            [(from, _)] => drop(refused.insert((*from).clone())),
            _ => left.extend(<[_; 2]>::from(some.split_at(some.len() / 2))),
        }
    }
    Ok(refused)
}

fn path(mapping: &Mapping, field: &str, verb: &str) -> String {
    format!("/crm/associations/{VERSION}/{}/{}/batch/{verb}", mapping.object, target(field).unwrap_or_default())
}
