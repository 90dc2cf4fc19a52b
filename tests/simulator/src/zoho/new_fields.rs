//! Custom fields made through the API (Zoho docs: create custom fields).

use super::Desk;
use super::errors::{self, object, refused};
use super::settings::{Field, field_id};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

/// In one call.
const MOST: usize = 5;
/// Custom fields of a module that are unique.
const UNIQUE: usize = 2;
/// Data types and the longest value of each.
const KINDS: [(&str, u64); 6] =
    [("text", 255), ("textarea", 50_000), ("email", 100), ("phone", 30), ("integer", 9), ("website", 450)];

/// Each field has its own result; 201 when all were made, 400 when none was.
pub fn create(desk: &mut Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let module = call.param("module").ok_or_else(|| errors::missing_param("module"))?;
    if !desk.org.fields.contains_key(module) {
        return Err(errors::invalid_module());
    }
    let body = call.json().ok_or_else(errors::unreadable)?;
    let details = |more: Value| {
        let mut details = json!({"api_name": "fields", "json_path": "$.fields"});
        errors::extend(&mut details, more);
        details
    };
    let rows = body["fields"].as_array().filter(|rows| !rows.is_empty());
    let missing = || refused(400, "MANDATORY_NOT_FOUND", "required field not found", details(json!({})));
    let rows = rows.ok_or_else(missing)?;
    if rows.len() > MOST {
        let details = details(json!({"maximum_length": MOST}));
        return Err(refused(400, "INVALID_DATA", "invalid data", details));
    }
    let results: Vec<_> = rows.iter().enumerate().map(|(n, row)| desk.make_field(module, n, row)).collect();
    let made = results.iter().filter(|r| r.is_ok()).count();
    let status = match made {
        0 => 400,
        made if made == results.len() => 201,
        _ => 207,
    };
    let shown: Vec<Value> = results.into_iter().map(|r| r.unwrap_or_else(|error| error)).collect();
    Ok(Reply::json(status, json!({"fields": shown})))
}

impl Desk<'_> {
    fn make_field(&mut self, module: &str, row: usize, asked: &Value) -> Result<Value, Value> {
        let error = |code: &str, message: &str, key: &str, more: Value| {
            let mut details = json!({"api_name": key, "json_path": format!("$.fields[{row}].{key}")});
            errors::extend(&mut details, more);
            object(code, message, details)
        };
        let text = |key: &str| {
            let value = asked[key].as_str().map(str::trim).filter(|v| !v.is_empty());
            value.ok_or_else(|| error("MANDATORY_NOT_FOUND", "required field not found", key, json!({})))
        };
        let (label, kind) = (text("field_label")?, text("data_type")?);
        let known = KINDS.iter().find(|(name, _)| *name == kind);
        let (_, longest) = known.ok_or_else(|| error("INVALID_DATA", "invalid data", "data_type", json!({})))?;
        let length = match &asked["length"] {
            Value::Null => *longest,
            given => given.as_u64().filter(|n| (1..=*longest).contains(n)).ok_or_else(|| {
                error("DEPENDENT_MISMATCH", "The given length value seems to be invalid.", "length", json!({}))
            })?,
        };
        let name = api_name(label);
        let fields = self.org.fields.get(module).map_or(&[][..], Vec::as_slice);
        if fields.iter().any(|f| f.label.eq_ignore_ascii_case(label)) {
            return Err(error("DUPLICATE_DATA", "Duplicate field label", "field_label", json!({})));
        }
        if name.is_empty() || fields.iter().any(|f| f.name.eq_ignore_ascii_case(&name)) {
            let message = "Duplicate API name has been found for a field creation";
            return Err(error("DUPLICATE_DATA", message, "field_label", json!({})));
        }
        let unique = asked["unique"].as_object().is_some_and(|u| !u.is_empty());
        if unique && fields.iter().filter(|f| f.custom && f.unique).count() >= UNIQUE {
            let due = json!({"limit": UNIQUE, "limit_due_to": [{"api_name": "unique", "json_path": format!("$.fields[{row}].unique")}]});
            return Err(object("LIMIT_EXCEEDED", "The field has reached its maximum creation limit", due));
        }
        let id = field_id(fields.len());
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let field = Field { label: label.to_owned(), kind: kind.to_owned(), length, unique, ..Field::custom(&name) };
        self.org.add_field(module, field);
        Ok(json!({"code": "SUCCESS", "details": {"id": id}, "message": "field created", "status": "success"}))
    }
}

/// `CRM Sync Id` is `CRM_Sync_Id`.
fn api_name(label: &str) -> String {
    let kept: String = label.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ' || *c == '_').collect();
    kept.split_whitespace().collect::<Vec<_>>().join("_")
}
