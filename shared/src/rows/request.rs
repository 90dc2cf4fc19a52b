//! A row → the sync request that it is.

use super::{Column, Columns, Format, NoText, Row, plain};
use crate::{
    id::{Source, TenantId},
    record::Object,
    request::{Refused, SyncRequest},
};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// What all rows of an import have in common.
#[derive(Clone, Debug)]
pub struct Maker<'a> {
    /// How the ids of its requests begin.
    pub id: &'a str,
    pub tenant: &'a TenantId,
    pub object: &'a Object,
    pub source: &'a Source,
    /// When its values became true, unless a row says so itself.
    pub at: Timestamp,
    pub format: Format,
    /// Of CSV.
    pub columns: &'a [Column],
    /// Of the names in NDJSON.
    pub names: Columns<'a>,
}

impl Maker<'_> {
    /// The request that a row is; `None` of a row that says nothing. Its id is the row's own, so whoever does a row again does nothing.
    pub fn request(&self, row: &Row) -> Result<Option<SyncRequest>, Refused> {
        let cells = match &row.cells {
            Ok(cells) => cells,
            Err(NoText) => return Err(refused("bad_text", "it has bytes that are no text of the file's charset")),
        };
        let mut told = match self.format {
            Format::Csv => match self.lead(cells)? {
                lead if lead.is_empty() => return Ok(None),
                lead => json!({"lead": lead}),
            },
            Format::Ndjson => match cells.first().map(String::as_str) {
                None | Some("") => return Ok(None),
                Some(line) => self.line(line)?,
            },
        };
        told["version"] = json!(1);
        told["id"] = json!(format!("{}:{:09}", self.id, row.number));
        told["tenant_id"] = json!(self.tenant);
        told["direction"] = json!("send");
        let usual = [("object", json!(self.object)), ("source", json!(self.source)), ("occurred_at", json!(self.at))];
        for (name, usual) in usual {
            if told.get(name).is_none_or(Json::is_null) {
                told[name] = usual;
            }
        }
        SyncRequest::parse(&told.to_string()).map(Some)
    }

    /// A row's cells by field. Of two columns for one field the first that says something counts.
    fn lead(&self, cells: &[String]) -> Result<Map<String, Json>, Refused> {
        let said = cells.iter().skip(self.columns.len()).any(|cell| !cell.trim().is_empty());
        if said {
            let reason = format!("it has {} cells, the headers are {}", cells.len(), self.columns.len());
            return Err(refused("ragged_row", &reason));
        }
        let mut lead = Map::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            let value = plain(cell).trim();
            if let Some(field) = column.field.as_ref().filter(|field| !value.is_empty() && !lead.contains_key(*field)) {
                lead.insert(field.clone(), json!(value));
            }
        }
        Ok(lead)
    }

    /// A line: a sync request, or a flat object of fields.
    fn line(&self, line: &str) -> Result<Json, Refused> {
        let json: Json = serde_json::from_str(line).map_err(|e| refused("malformed_json", &e.to_string()))?;
        let Json::Object(fields) = json else { return Err(refused("malformed_json", "it is no JSON object")) };
        let is_request =
            fields.contains_key("version") && ["lead", "record"].iter().any(|key| fields.contains_key(*key));
        if !is_request {
            let named = fields.into_iter().filter_map(|(name, value)| Some((self.names.field(&name)?, value)));
            return Ok(json!({"lead": named.collect::<Map<_, _>>()}));
        }
        match fields.get("tenant_id").and_then(Json::as_str) {
            Some(tenant) if tenant != self.tenant.as_str() => Err(refused("wrong_tenant", "it is another tenant's")),
            _ => Ok(Json::Object(fields)),
        }
    }
}

/// The names that some lines of NDJSON have for their fields.
pub fn names(rows: &[Row]) -> Vec<String> {
    let lines = rows.iter().filter_map(|row| row.cells.as_ref().ok()?.first());
    let fields = lines.filter_map(|line| serde_json::from_str::<Map<String, Json>>(line).ok());
    let named: BTreeSet<String> = fields.filter(|fields| !is_request(fields)).flatten().map(|(name, _)| name).collect();
    named.into_iter().collect()
}

/// Whether a line is a sync request rather than an object of fields.
fn is_request(fields: &Map<String, Json>) -> bool {
    fields.contains_key("version") && ["lead", "record"].iter().any(|key| fields.contains_key(*key))
}

fn refused(code: &'static str, reason: &str) -> Refused {
    Refused { code, reason: reason.to_owned() }
}
