//! Fields and custom fields (Pipedrive API v2: person fields, deal fields, organization fields).

use super::{Desk, errors, show};
use crate::wire::{Call, Reply};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

#[derive(Debug, Clone)]
pub struct Custom {
    pub name: String,
    /// 40 hexadecimal digits.
    pub code: String,
    /// `field_type`
    pub kind: String,
    /// Of `enum` and `set`.
    pub options: Vec<(u64, String)>,
}

impl Custom {
    pub fn text(name: &str, code: &str) -> Self {
        Self { name: name.to_owned(), code: code.to_owned(), kind: "varchar".to_owned(), options: Vec::new() }
    }

    /// A text field whose code follows from its name.
    pub fn named(name: &str) -> Self {
        let digest = Sha256::digest(name);
        Self::text(name, &digest.iter().take(20).map(|b| format!("{b:02x}")).collect::<String>())
    }

    fn show(&self) -> Value {
        let options: Vec<Value> = self.options.iter().map(|(id, label)| json!({"id": id, "label": label})).collect();
        let options = if options.is_empty() { Value::Null } else { json!(options) };
        field(&self.name, &self.code, &self.kind, options, true)
    }
}

type Fits = fn(&Value) -> bool;
type Standard = (&'static str, &'static str, &'static str);

/// The kinds of custom fields, and the JSON of their values in records.
pub const TYPES: [(&str, Fits); 16] = [
    ("varchar", Value::is_string),
    ("text", Value::is_string),
    ("varchar_auto", Value::is_string),
    ("phone", Value::is_string),
    ("date", Value::is_string),
    ("double", Value::is_number),
    ("enum", Value::is_u64),
    ("user", Value::is_u64),
    ("org", Value::is_u64),
    ("people", Value::is_u64),
    ("set", Value::is_array),
    ("monetary", Value::is_object),
    ("daterange", Value::is_object),
    ("time", Value::is_object),
    ("timerange", Value::is_object),
    ("address", Value::is_object),
];

/// The fields that every company has, by table: name, code, type.
#[rustfmt::skip]
const STANDARD: [(&str, &[Standard]); 3] = [
    ("persons", &[
        ("Name", "name", "varchar"), ("First name", "first_name", "varchar"), ("Last name", "last_name", "varchar"),
        ("Phone", "phone", "phone"), ("Email", "email", "varchar"), ("Organization", "org_id", "org"), ("Owner", "owner_id", "user"),
        ("Labels", "label_ids", "set"), ("Job title", "job_title", "varchar"), ("Birthday", "birthday", "date"),
        ("Postal address", "postal_address", "address"), ("Visible to", "visible_to", "visible_to"),
        ("Person created", "add_time", "date"), ("Update time", "update_time", "date"), ("ID", "id", "int"),
    ]),
    ("organizations", &[
        ("Name", "name", "varchar"), ("Owner", "owner_id", "user"), ("Address", "address", "address"), ("Labels", "label_ids", "set"),
        ("Website", "website", "varchar"), ("LinkedIn profile", "linkedin", "varchar"), ("Industry", "industry", "enum"),
        ("Annual revenue", "annual_revenue", "double"), ("Number of employees", "employee_count", "int"),
        ("Visible to", "visible_to", "visible_to"), ("Organization created", "add_time", "date"),
        ("Update time", "update_time", "date"), ("ID", "id", "int"),
    ]),
    ("deals", &[
        ("Title", "title", "varchar"), ("Owner", "owner_id", "user"), ("Value", "value", "monetary"), ("Contact person", "person_id", "people"),
        ("Organization", "org_id", "org"), ("Stage", "stage_id", "stage"), ("Status", "status", "status"), ("Lost reason", "lost_reason", "varchar_options"),
        ("Expected close date", "expected_close_date", "date"), ("Labels", "label_ids", "set"), ("Visible to", "visible_to", "visible_to"),
        ("Deal created", "add_time", "date"), ("Update time", "update_time", "date"), ("ID", "id", "int"),
    ]),
];

/// `/api/v2/personFields` is about `persons`.
pub fn table_of(path: &str) -> Option<&'static str> {
    [("personFields", "persons"), ("organizationFields", "organizations"), ("dealFields", "deals")]
        .into_iter()
        .find_map(|(p, table)| (p == path).then_some(table))
}

pub fn list(desk: &Desk<'_>, table: &str) -> Reply {
    let data: Vec<Value> = shown(desk, table).collect();
    Reply::json(200, json!({"success": true, "data": data, "additional_data": {"next_cursor": null}}))
}

pub fn one(desk: &Desk<'_>, table: &str, code: &str) -> Result<Reply, Reply> {
    let found = shown(desk, table).find(|f| f["field_code"] == code);
    found.map(|f| show::found(&f)).ok_or_else(errors::not_found)
}

/// Makes a custom field; two may have one name.
pub fn create(desk: &mut Desk<'_>, table: &'static str, call: &Call) -> Result<Reply, Reply> {
    let body = call.json().unwrap_or(&Value::Null);
    let name = body["field_name"].as_str().filter(|n| (1..=255).contains(&n.chars().count()));
    let name = name.ok_or_else(|| errors::bad("field_name: must have 1 to 255 characters"))?.to_owned();
    let kind = body["field_type"].as_str().filter(|k| TYPES.iter().any(|(t, _)| t == k));
    let kind = kind.ok_or_else(|| errors::bad("field_type: no such type"))?.to_owned();
    let labels: Vec<&str> =
        body["options"].as_array().into_iter().flatten().filter_map(|o| o["label"].as_str()).collect();
    if labels.is_empty() == matches!(kind.as_str(), "enum" | "set") {
        return Err(errors::bad("options: required for enum and set, and for them alone"));
    }
    let options = (1..).zip(labels.into_iter().map(str::to_owned)).collect();
    let custom = Custom { name, code: desk.rng.hex(40), kind, options };
    let shown = custom.show();
    desk.company.customs.entry(table).or_default().push(custom);
    Ok(show::found(&shown))
}

pub fn delete(desk: &mut Desk<'_>, table: &'static str, code: &str) -> Result<Reply, Reply> {
    let customs = desk.company.customs.entry(table).or_default();
    let at = customs.iter().position(|c| c.code == code).ok_or_else(errors::not_found)?;
    Ok(show::found(&customs.remove(at).show()))
}

fn shown(desk: &Desk<'_>, table: &str) -> impl Iterator<Item = Value> {
    let standard = STANDARD.iter().filter(move |(t, _)| *t == table).flat_map(|(_, fields)| *fields);
    let standard = standard.map(|(name, code, kind)| field(name, code, kind, Value::Null, false));
    standard.chain(desk.company.customs(table).iter().map(Custom::show))
}

fn field(name: &str, code: &str, kind: &str, options: Value, custom: bool) -> Value {
    let mut field = json!({
        "field_name": name, "field_code": code, "description": null, "field_type": kind, "subfields": null,
        "is_custom_field": custom, "is_optional_response_field": false,
    });
    field["options"] = options;
    field
}
