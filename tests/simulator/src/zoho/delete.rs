//! Deleting, and the list of what was deleted (Zoho docs: delete records, get deleted records).

use super::Desk;
use super::errors;
use super::notify::Changes;
use super::write::invalid_id;
use crate::clock::parse_time;
use crate::records::{Record, Source};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

pub fn many(desk: &mut Desk<'_>, module: &str, call: &Call) -> Result<Reply, Reply> {
    let ids: Vec<&str> = call.param("ids").ok_or_else(|| errors::missing_param("ids"))?.split(',').collect();
    if ids.len() > 100 {
        return Err(errors::invalid_param("ids"));
    }
    if call.param("wf_trigger") != Some("false") {
        desk.org.workflows += ids.len() as u64;
    }
    Ok(delete(desk, module, &ids))
}

pub fn one(desk: &mut Desk<'_>, module: &str, id: &str) -> Reply {
    delete(desk, module, &[id])
}

fn delete(desk: &mut Desk<'_>, module: &str, ids: &[&str]) -> Reply {
    let mut changes = Changes::default();
    let mut failed = false;
    let mut data = Vec::new();
    for id in ids {
        let gone = id.trim().parse().is_ok_and(|n| desk.recycle(module, n, Source::App, &mut changes));
        failed |= !gone;
        data.push(match gone {
            true => json!({"code": "SUCCESS", "details": {"id": id.trim()}, "message": "record deleted", "status": "success"}),
            false => invalid_id(id),
        });
    }
    desk.notify(module, changes);
    Reply::json(if failed { 207 } else { 200 }, json!({"data": data}))
}

impl Desk<'_> {
    /// Moves a live record into the recycle bin.
    pub fn recycle(&mut self, module: &str, id: u64, source: Source, changes: &mut Changes) -> bool {
        let now = self.now;
        let Some(table) = self.org.modules.get_mut(module) else { return false };
        if !table.archive(id, now) {
            return false;
        }
        if let Some(record) = table.records.get_mut(&id) {
            record.modified_by = source;
        }
        changes.deleted.push(id);
        true
    }
}

/// `?type=all|recycle|permanent`, 200 a page, `If-Modified-Since`; 204 when there is none.
pub fn list(desk: &mut Desk<'_>, module: &str, call: &Call) -> Result<Reply, Reply> {
    let kind = call.param("type").unwrap_or("all");
    let page: usize = call.param("page").map_or(Ok(1), str::parse).map_err(|_| errors::invalid_param("page"))?;
    let per_page: usize =
        call.param("per_page").map_or(Ok(200), str::parse).map_err(|_| errors::invalid_param("per_page"))?;
    if per_page == 0 || per_page > 200 || page == 0 {
        return Err(errors::invalid_param("per_page"));
    }
    let since = call
        .header("if-modified-since")
        .map(|h| parse_time(h).ok_or_else(|| errors::invalid_param("If-Modified-Since")))
        .transpose()?;
    let table = desk.org.modules.get(module).ok_or_else(errors::invalid_module)?;
    let mut gone: Vec<(i64, &Record)> = table.records.values().filter_map(|r| Some((r.archived?, r))).collect();
    gone.retain(|(at, _)| kind != "permanent" && since.is_none_or(|s| at / 1000 >= s / 1000));
    gone.sort_by_key(|(at, r)| std::cmp::Reverse((*at, r.id)));
    let total = gone.len();
    let data: Vec<Value> =
        gone.into_iter().skip((page - 1) * per_page).take(per_page).map(|(at, r)| deleted(desk, at, r)).collect();
    if data.is_empty() {
        return Ok(Reply::empty(204));
    }
    let info =
        json!({"per_page": per_page, "count": data.len(), "page": page, "more_records": page * per_page < total});
    Ok(Reply::json(200, json!({"data": data, "info": info})))
}

fn deleted(desk: &Desk<'_>, at: i64, record: &Record) -> Value {
    let name =
        [record.text("First_Name"), record.text("Last_Name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let user = |s| {
        let u = super::show::user(s);
        json!({"name": u["name"], "id": u["id"]})
    };
    json!({
        "id": record.id.to_string(), "display_name": name, "type": "recycle", "deleted_time": desk.time(at),
        "deleted_by": user(record.modified_by), "created_by": user(record.created_by),
    })
}
