//! Lists: cursors in API v2, offsets in API v1 (Pipedrive docs: pagination).

use super::kinds::Kind;
use super::{Desk, errors, show};
use crate::clock::parse_time;
use crate::lists::List;
use crate::records::Record;
use crate::wire::{Call, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const DEFAULT: usize = 100;
const MOST: usize = 500;
const IDS: usize = 100;

/// Parameters that pick records by the field of the same name.
#[rustfmt::skip]
const FILTERS: [&str; 9] = ["owner_id", "org_id", "person_id", "deal_id", "lead_id", "pipeline_id", "stage_id", "status", "done"];

/// The first item of the next page. To the client it is opaque.
#[derive(Debug)]
pub struct Cursor {
    field: String,
    descending: bool,
    at: (i64, u64),
}

impl Cursor {
    fn encode(&self) -> String {
        let value = if self.field == "id" { json!(self.at.0) } else { json!(show::seconds(self.at.0)) };
        let direction = if self.descending { "desc" } else { "asc" };
        let cursor =
            json!({"field": self.field, "fieldValue": value, "sortDirection": direction, "id": self.at.1}).to_string();
        URL_SAFE_NO_PAD.encode(cursor)
    }

    fn decode(text: &str) -> Option<Self> {
        let cursor: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let value = &cursor["fieldValue"];
        let at = value.as_i64().or_else(|| parse_time(value.as_str()?))?;
        let descending = cursor["sortDirection"] == "desc";
        Some(Self { field: cursor["field"].as_str()?.to_owned(), descending, at: (at, cursor["id"].as_u64()?) })
    }
}

/// `?ids=&updated_since=&updated_until=&sort_by=&sort_direction=&limit=&cursor=`; a limit above 500 is 500.
pub fn list(desk: &Desk<'_>, kind: &Kind, call: &Call) -> Result<Reply, Reply> {
    let ids = ids(call)?;
    let since = time(call, "updated_since")?;
    let until = time(call, "updated_until")?;
    // Deals alone can be listed after they were deleted.
    let deleted = kind.table == "deals" && call.param("status") == Some("deleted");
    let wanted: Vec<(&str, &str)> = FILTERS
        .into_iter()
        .filter(|f| kind.field(f).is_some() && !(deleted && *f == "status"))
        .filter_map(|f| Some((f, call.param(f)?)))
        .collect();
    // With a filter, ids and owners are ignored. How one that is not there is refused is not documented (Pipedrive API v2: persons, `filter_id`).
    let filter = call.param("filter_id").map(|id| {
        let of_it = |filter: &&List| filter.id == id && filter.object == kind.table;
        desk.company.filters.iter().find(of_it).ok_or_else(|| errors::bad("filter_id: is not found"))
    });
    let filter = filter.transpose()?;
    let (ids, wanted) = if filter.is_some() { (None, Vec::new()) } else { (ids, wanted) };
    let picked = |r: &&Record| {
        let updated = whole(r.modified);
        r.archived.is_some() == deleted
            && filter.is_none_or(|filter| filter.holds(r))
            && ids.as_ref().is_none_or(|ids| ids.contains(&r.id))
            && since.is_none_or(|since| updated >= since)
            && until.is_none_or(|until| updated < until)
            && wanted.iter().all(|(name, value)| r.fields.get(*name).is_some_and(|v| plain(v) == *value))
    };
    let records = desk.company.tables.get(kind.table).into_iter().flat_map(|t| t.records.values()).filter(picked);
    let field = call.param("sort_by").unwrap_or("id");
    let key: fn(&Record) -> i64 = match field {
        "id" => |r| r.id.cast_signed(),
        "update_time" => |r| whole(r.modified),
        "add_time" => |r| whole(r.created),
        _ => return Err(errors::bad("sort_by: is id, update_time or add_time")),
    };
    let descending = match call.param("sort_direction") {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(errors::bad("sort_direction: is asc or desc")),
    };
    let rows = records.map(|r| ((key(r), r.id), r)).collect();
    let (page, next_cursor) = page(call, rows, field, descending, MOST)?;
    let data: Vec<Value> = page.into_iter().map(|r| desk.show(kind, r)).collect();
    Ok(Reply::json(200, json!({"success": true, "data": data, "additional_data": {"next_cursor": next_cursor}})))
}

/// The rows of one page in order, and where the next begins. A cursor of another order is refused.
pub fn page<T>(
    call: &Call,
    mut rows: Vec<((i64, u64), T)>,
    field: &str,
    descending: bool,
    most: usize,
) -> Result<(Vec<T>, Option<String>), Reply> {
    let limit = number(call, "limit", DEFAULT)?.min(most);
    if limit == 0 {
        return Err(errors::bad("limit: must be positive"));
    }
    rows.sort_by_key(|(at, _)| *at);
    if descending {
        rows.reverse();
    }
    if let Some(text) = call.param("cursor") {
        let cursor = Cursor::decode(text).filter(|c| c.field == field && c.descending == descending);
        let from = cursor.ok_or_else(|| errors::bad("cursor: is invalid"))?.at;
        rows.retain(|(at, _)| if descending { *at <= from } else { *at >= from });
    }
    let next = rows.get(limit).map(|(at, _)| Cursor { field: field.to_owned(), descending, at: *at }.encode());
    rows.truncate(limit);
    Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
}

/// `?start=&limit=` of API v1, with `additional_data.pagination`.
pub fn offsets(call: &Call, rows: Vec<Value>) -> Result<Reply, Reply> {
    let start = number(call, "start", 0)?;
    let limit = number(call, "limit", DEFAULT)?.clamp(1, MOST);
    let more = rows.len() > start.saturating_add(limit);
    let data: Vec<Value> = rows.into_iter().skip(start).take(limit).collect();
    let mut pagination = json!({"start": start, "limit": limit, "more_items_in_collection": more});
    if more {
        pagination["next_start"] = json!(start + limit);
    }
    Ok(Reply::json(200, json!({"success": true, "data": data, "additional_data": {"pagination": pagination}})))
}

/// A parameter's time, in milliseconds; RFC 3339.
pub fn time(call: &Call, name: &str) -> Result<Option<i64>, Reply> {
    let wrong = || errors::bad(&format!("{name}: is not a time in RFC 3339"));
    call.param(name).map(|text| text.contains('T').then(|| parse_time(text)).flatten().ok_or_else(wrong)).transpose()
}

fn ids(call: &Call) -> Result<Option<Vec<u64>>, Reply> {
    let Some(text) = call.param("ids") else { return Ok(None) };
    let ids: Result<Vec<u64>, _> = text.split(',').map(|id| id.trim().parse()).collect();
    match ids {
        Ok(ids) if ids.len() <= IDS => Ok(Some(ids)),
        _ => Err(errors::bad("ids: are at most 100 numbers")),
    }
}

fn number(call: &Call, name: &str, default: usize) -> Result<usize, Reply> {
    let wrong = |_| errors::bad(&format!("{name}: is not a number"));
    call.param(name).map_or(Ok(default), |text| text.parse().map_err(wrong))
}

/// Times have whole seconds, also where they are compared.
fn whole(ms: i64) -> i64 {
    ms / 1000 * 1000
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
