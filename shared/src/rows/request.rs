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
            let value = plain(cell);
            let value = value.trim();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Place;

    fn made(line: &str, format: Format, columns: &[Column]) -> Result<Option<SyncRequest>, &'static str> {
        let (tenant, source) = ("demo".parse().unwrap(), "workflow".parse().unwrap());
        let at = "2026-11-21T09:00:00Z".parse().unwrap();
        let (id, object, names) = ("import:i", &Object::Person, Columns::default());
        let maker = Maker { id, tenant: &tenant, object, source: &source, at, format, columns, names };
        let cells = match format {
            Format::Csv => line.split(',').map(str::to_owned).collect(),
            Format::Ndjson => vec![line.to_owned()],
        };
        let row = Row { number: 12, cells: Ok(cells), after: Place::default() };
        maker.request(&row).map_err(|refused| refused.code)
    }

    #[test]
    fn a_line_is_a_request_or_an_object_of_fields() {
        let of = |line: &str| made(line, Format::Ndjson, &[]);
        let request = of(
            r#"{"version":1,"id":"mine","tenant_id":"demo","occurred_at":"2026-01-01T00:00:00Z","record":{"email":"a@b.co"},"source":"billing"}"#,
        );
        let request = request.unwrap().unwrap();
        assert_eq!((request.id.as_str(), request.source.as_str()), ("import:i:000000012", "billing"));
        assert_eq!(request.occurred_at.to_string(), "2026-01-01T00:00:00Z", "a row may say when it became true");
        let flat = of(r#"{"E-Mail":"a@b.co","Shirt":"XL","opens":3}"#).unwrap().unwrap();
        assert_eq!(serde_json::to_value(&flat.lead).unwrap(), json!({"email": "a@b.co", "opens": 3}));
        assert_eq!(of(r#"{"version":1,"tenant_id":"another","lead":{}}"#), Err("wrong_tenant"));
        assert_eq!((of("[1]"), of("{"), of("")), (Err("malformed_json"), Err("malformed_json"), Ok(None)));
    }

    #[test]
    fn of_two_columns_for_one_field_the_first_that_says_something_counts() {
        let column = |header: &str, field: &str| Column { header: header.to_owned(), field: Some(field.to_owned()) };
        let columns = [column("Email", "email"), column("Other Email", "email"), column("Phone", "phone")];
        let lead = |line: &str| made(line, Format::Csv, &columns).map(|made| made.map(|made| json!(made.lead)));
        assert_eq!(lead(" ,b@b.co,'+1 415"), Ok(Some(json!({"email": "b@b.co", "phone": "+1 415"}))));
        assert_eq!(lead("a@b.co,b@b.co"), Ok(Some(json!({"email": "a@b.co"}))), "a short row lacks what is missing");
        assert_eq!((lead(",,"), lead("a,b,c,,"), lead("a,b,c,d")), (Ok(None), lead("a,b,c"), Err("ragged_row")));
    }
}
