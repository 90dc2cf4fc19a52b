//! What API v1 alone has: the user, leads and notes (Pipedrive API v1: users, leads, notes).

use super::kinds::{Kind, LEAD, NOTE, ORGANIZATION, PERSON, parse_id};
use super::{Desk, OUR_USER, errors, list, show};
use crate::records::{Record, Source};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

pub fn me(desk: &Desk<'_>) -> Reply {
    let company = &desk.company;
    show::found(&json!({
        "id": OUR_USER, "name": "Simulated Admin", "email": "admin@example.com", "active_flag": true, "is_deleted": false,
        "is_you": true, "company_id": company.id, "company_name": company.domain, "company_domain": company.domain,
        "company_country": "EE", "default_currency": "EUR", "locale": "en_US", "timezone_name": "Europe/Tallinn",
        "timezone_offset": "+02:00", "language": {"language_code": "en", "country_code": "US"},
        "access": [{"app": "sales", "admin": true}, {"app": "global", "admin": true}, {"app": "account_settings", "admin": true}],
    }))
}

/// Each lead has a title and belongs to a person or an organization; their ids are UUIDs (Pipedrive API v1: leads).
pub fn leads(desk: &mut Desk<'_>, method: &str, id: Option<&str>, call: &Call) -> Result<Reply, Reply> {
    let body = call.json().unwrap_or(&Value::Null);
    let known = |desk: &Desk<'_>, id: &str| {
        parse_id(LEAD, id).filter(|id| desk.live(LEAD, *id).is_ok()).ok_or_else(errors::no_such_lead)
    };
    match (method, id) {
        ("GET", None) => list_leads(desk, call),
        ("POST", None) => {
            for (field, kind) in [("person_id", PERSON), ("organization_id", ORGANIZATION)] {
                body[field].as_u64().map_or(Ok(()), |id| desk.live(kind, id).map(drop))?;
            }
            let fields = desk.check(LEAD, None, body)?;
            if ["person_id", "organization_id"].iter().all(|f| fields.get(*f).is_none_or(Value::is_null)) {
                return Err(errors::bad("A lead must be linked to a person or an organization."));
            }
            let id = desk.store(LEAD, None, fields, Source::App);
            Ok(Reply { status: 201, ..shown(desk, LEAD, id)? })
        }
        ("GET", Some(id)) => shown(desk, LEAD, known(desk, id)?),
        ("PATCH", Some(id)) => {
            let id = known(desk, id)?;
            let fields = desk.check(LEAD, Some(id), body)?;
            desk.store(LEAD, Some(id), fields, Source::App);
            shown(desk, LEAD, id)
        }
        ("DELETE", Some(text)) => {
            let id = known(desk, text)?;
            desk.delete(LEAD, id, Source::App, None);
            Ok(show::found(&json!({"id": text})))
        }
        _ => Err(errors::no_such_url()),
    }
}

pub fn notes(desk: &mut Desk<'_>, method: &str, id: Option<&str>, call: &Call) -> Result<Reply, Reply> {
    let body = call.json().unwrap_or(&Value::Null);
    let id = match id {
        Some(id) => Some(parse_id(NOTE, id).ok_or_else(errors::not_found)?),
        None => None,
    };
    if let Some(id) = id {
        desk.live(NOTE, id)?;
    }
    match (method, id) {
        ("GET", None) => list_notes(desk, call),
        ("GET", Some(id)) => shown(desk, NOTE, id),
        ("POST", None) | ("PUT", Some(_)) => {
            let fields = desk.check(NOTE, id, body)?;
            let linked = ["lead_id", "deal_id", "person_id", "org_id"];
            if id.is_none() && linked.iter().all(|f| fields.get(*f).is_none_or(Value::is_null)) {
                return Err(errors::bad("One of lead_id, deal_id, person_id, org_id must be given."));
            }
            let id = desk.store(NOTE, id, fields, Source::App);
            shown(desk, NOTE, id)
        }
        ("DELETE", Some(id)) => {
            desk.delete(NOTE, id, Source::App, None);
            Ok(show::found(&json!(true)))
        }
        _ => Err(errors::no_such_url()),
    }
}

fn shown(desk: &Desk<'_>, kind: &Kind, id: u64) -> Result<Reply, Reply> {
    desk.live(kind, id).map(|record| show::found(&spell(desk, kind, record)))
}

fn spell(desk: &Desk<'_>, kind: &Kind, record: &Record) -> Value {
    match kind.table {
        "leads" => show::lead(kind, desk.company.customs("deals"), record),
        _ => show::note(kind, record),
    }
}

/// `?updated_since=&sort=update_time ASC&start=&limit=`, and the person or organisation; oldest first if not said. Archived leads
/// are in a list of their own (Pipedrive API v1: get all leads).
fn list_leads(desk: &Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let mut rows = rows(desk, LEAD, call, &["owner_id", "person_id", "organization_id"])?;
    rows.retain(|row| row["is_archived"] != true);
    let sort = call.param("sort").unwrap_or("add_time ASC");
    let (field, direction) = sort.split_once(' ').unwrap_or((sort, "ASC"));
    if !["id", "title", "owner_id", "creator_id", "was_seen", "add_time", "update_time"].contains(&field) {
        return Err(errors::bad("sort: no such field"));
    }
    rows.sort_by_key(|row| row[field].to_string());
    if direction.eq_ignore_ascii_case("desc") {
        rows.reverse();
    }
    list::offsets(call, rows)
}

fn list_notes(desk: &Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    list::offsets(call, rows(desk, NOTE, call, &["lead_id", "deal_id", "person_id", "org_id", "user_id"])?)
}

fn rows(desk: &Desk<'_>, kind: &Kind, call: &Call, filters: &[&str]) -> Result<Vec<Value>, Reply> {
    let since = list::time(call, "updated_since")?;
    let live = desk.company.tables.get(kind.table).into_iter().flat_map(|t| t.records.values());
    let live = live.filter(|r| r.archived.is_none() && since.is_none_or(|since| r.modified >= since));
    let rows = live.map(|r| spell(desk, kind, r));
    let picked =
        |row: &Value| filters.iter().all(|f| call.param(f).is_none_or(|v| row[*f].to_string().trim_matches('"') == v));
    Ok(rows.filter(picked).collect())
}
