//! `GET /crm/v8/{module}`: pages, page tokens, custom views, `If-Modified-Since` (Zoho docs: get records).

use super::Desk;
use super::errors;
use super::show::modified_s;
use crate::clock::parse_time;
use crate::lists::List;
use crate::records::Record;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};
use std::cmp::Reverse;

/// `page` reaches this many records; a token goes further, as far as the second number.
const BY_PAGE: usize = 2_000;
const BY_TOKEN: usize = 100_000;
const DAY: i64 = 24 * 3600 * 1000;

/// Where a listing goes on. Bound to the parameters it was given for; lives a day.
#[derive(Debug, Clone)]
pub struct PageToken {
    bound_to: Vec<String>,
    /// The last record shown, in the order of the listing.
    after: (i64, u64),
    shown: usize,
    dies: i64,
}

pub fn list(desk: &mut Desk<'_>, module: &str, call: &Call) -> Result<Reply, Reply> {
    let fields: Vec<&str> = call
        .param("fields")
        .filter(|f| !f.is_empty())
        .ok_or_else(|| errors::missing_param("fields"))?
        .split(',')
        .map(str::trim)
        .collect();
    if fields.len() > 50 {
        return Err(errors::refused(
            400,
            "LIMIT_EXCEEDED",
            "only 50 fields can be specified",
            json!({"param_name": "fields", "limit": 50}),
        ));
    }
    if let Some(ids) = call.param("ids") {
        return by_ids(desk, module, ids, &fields);
    }
    let per_page = number(call, "per_page", 200)?;
    if per_page == 0 || per_page > 200 {
        return Err(errors::invalid_param("per_page"));
    }
    // Newest id first, unless both are said.
    let sort_by = call.param("sort_by").unwrap_or("id").to_owned();
    let ascending = call.param("sort_order").is_some_and(|o| o.eq_ignore_ascii_case("asc"));
    if !matches!(sort_by.as_str(), "id" | "Created_Time" | "Modified_Time") {
        return Err(errors::invalid_param("sort_by"));
    }
    let since = call
        .header("if-modified-since")
        .map(|h| parse_time(h).filter(|_| h.contains('T')).ok_or_else(|| errors::invalid_param("If-Modified-Since")))
        .transpose()?;
    let view = call.param("cvid").map(|cvid| {
        let of_it = |view: &&List| view.id == cvid && view.object == module;
        desk.org.views.iter().find(of_it).cloned().ok_or_else(|| errors::invalid_param("cvid"))
    });
    let view = view.transpose()?;
    let bound_to = vec![
        module.to_owned(),
        fields.join(","),
        per_page.to_string(),
        sort_by.clone(),
        ascending.to_string(),
        format!("{since:?}"),
        call.param("cvid").unwrap_or_default().to_owned(),
    ];
    let token = token(desk, call, &bound_to)?;
    let page = number(call, "page", 1)?;
    if token.is_none() && (page == 0 || page * per_page > BY_PAGE) {
        let details = json!({"limit": BY_PAGE, "param_name": "page"});
        return Err(errors::refused(
            400,
            "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
            "use page_token to get more than 2000 records",
            details,
        ));
    }
    let table = desk.org.modules.get(module).ok_or_else(errors::invalid_module)?;
    let key = |r: &Record| -> (i64, u64) {
        let by = match sort_by.as_str() {
            "Created_Time" => r.created.div_euclid(1000),
            "Modified_Time" => modified_s(r.view()),
            _ => 0,
        };
        (by, r.id)
    };
    let live = table.records.values().filter(|r| r.archived.is_none());
    let live = live.filter(|r| view.as_ref().is_none_or(|view| view.holds(r)));
    // Only later seconds count as modified since: what changed again within that second is not listed.
    let mut rows: Vec<&Record> =
        live.filter(|r| since.is_none_or(|s| modified_s(r.view()) > s.div_euclid(1000))).collect();
    if rows.is_empty() {
        // Nothing changed is 304, nothing there is 204; neither has a body.
        return Ok(Reply::empty(if since.is_some() { 304 } else { 204 }));
    }
    if ascending {
        rows.sort_by_key(|r| key(r));
    } else {
        rows.sort_by_key(|r| Reverse(key(r)));
    }
    let start = match &token {
        Some(t) => rows.partition_point(|r| if ascending { key(r) <= t.after } else { key(r) >= t.after }),
        None => (page - 1) * per_page,
    };
    let shown: Vec<&Record> = rows.iter().skip(start).take(per_page).copied().collect();
    let Some(last) = shown.last() else { return Ok(Reply::empty(204)) };
    let more = start + shown.len() < rows.len();
    let so_far = token.as_ref().map_or(start, |t| t.shown) + shown.len();
    if so_far > BY_TOKEN {
        return Err(errors::refused(
            400,
            "PAGINATION_LIMIT_EXCEEDED",
            "cannot fetch more than 100000 records",
            json!({"limit": BY_TOKEN}),
        ));
    }
    let data: Vec<Value> = shown.iter().map(|r| desk.show(module, r, &fields)).collect();
    let mut info = json!({
        "per_page": per_page, "count": data.len(), "page": token.as_ref().map_or(page, |t| t.shown / per_page + 1), "sort_by": sort_by,
        "sort_order": if ascending { "asc" } else { "desc" }, "more_records": more, "next_page_token": null, "previous_page_token": null,
        "page_token_expiry": null,
    });
    let next = PageToken { bound_to, after: key(last), shown: so_far, dies: desk.now + DAY };
    if more {
        info["page_token_expiry"] = json!(desk.time(next.dies));
        let name = desk.rng.hex(64);
        info["next_page_token"] = json!(name);
        desk.org.page_tokens.insert(name, next);
    }
    Ok(Reply::json(200, json!({"data": data, "info": info})))
}

fn token(desk: &Desk<'_>, call: &Call, bound_to: &[String]) -> Result<Option<PageToken>, Reply> {
    let Some(name) = call.param("page_token") else { return Ok(None) };
    if call.param("page").is_some() {
        let details = json!({"param_names": ["page", "page_token"]});
        return Err(errors::refused(
            400,
            "AMBIGUITY_DURING_PROCESSING",
            "page and page_token cannot be given together",
            details,
        ));
    }
    let token = desk.org.page_tokens.get(name).ok_or_else(|| errors::invalid_param("page_token"))?;
    if token.dies <= desk.now {
        return Err(errors::refused(
            400,
            "EXPIRED_VALUE",
            "the page_token has expired",
            json!({"param_name": "page_token"}),
        ));
    }
    if token.bound_to != bound_to {
        let message = "the parameters differ from those that the page_token was given for";
        return Err(errors::refused(400, "TOKEN_BOUND_DATA_MISMATCH", message, json!({"param_name": "page_token"})));
    }
    Ok(Some(token.clone()))
}

fn by_ids(desk: &Desk<'_>, module: &str, ids: &str, fields: &[&str]) -> Result<Reply, Reply> {
    let ids: Vec<u64> = ids.split(',').filter_map(|id| id.trim().parse().ok()).collect();
    if ids.len() > 100 {
        return Err(errors::invalid_param("ids"));
    }
    let table = desk.org.modules.get(module).ok_or_else(errors::invalid_module)?;
    let mut found: Vec<&Record> = ids.iter().filter_map(|id| table.live(*id)).collect();
    found.sort_by_key(|r| Reverse(r.id));
    found.dedup_by_key(|r| r.id);
    if found.is_empty() {
        return Ok(Reply::empty(204));
    }
    let data: Vec<Value> = found.iter().map(|r| desk.show(module, r, fields)).collect();
    let info = json!({"per_page": 200, "count": data.len(), "page": 1, "more_records": false});
    Ok(Reply::json(200, json!({"data": data, "info": info})))
}

pub fn one(desk: &Desk<'_>, module: &str, id: &str, call: &Call) -> Reply {
    let record = id.parse().ok().and_then(|id| desk.org.modules.get(module)?.live(id));
    let asked: Option<Vec<&str>> = call.param("fields").map(|f| f.split(',').map(str::trim).collect());
    let all: Vec<&str> = desk.org.fields.get(module).into_iter().flatten().map(|f| f.name.as_str()).collect();
    match record {
        Some(record) => Reply::json(200, json!({"data": [desk.show(module, record, &asked.unwrap_or(all))]})),
        None => Reply::empty(204),
    }
}

fn number(call: &Call, name: &str, default: usize) -> Result<usize, Reply> {
    call.param(name).map_or(Ok(default), str::parse).map_err(|_| errors::invalid_param(name))
}
