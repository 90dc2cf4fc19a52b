//! Fields, modules, organisation and users (Zoho docs: metadata APIs).

use super::Desk;
use super::errors;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub label: String,
    /// `text`, `email`, `phone`, `picklist`, `integer`, `currency`, `date`, `lookup`, `boolean`, `datetime`, `website`, `textarea`.
    pub kind: String,
    pub length: usize,
    pub mandatory: bool,
    pub unique: bool,
    pub custom: bool,
    pub read_only: bool,
    pub options: Vec<&'static str>,
}

impl Field {
    /// A single line that an admin of the account has added.
    pub fn custom(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: name.replace('_', " "),
            kind: "text".to_owned(),
            length: 255,
            mandatory: false,
            unique: false,
            custom: true,
            read_only: false,
            options: Vec::new(),
        }
    }

    fn system(name: &str, kind: &str, length: usize) -> Self {
        Self { kind: kind.to_owned(), length, custom: false, ..Self::custom(name) }
    }

    fn show(&self, n: usize) -> Value {
        let options: Vec<_> = self.options.iter().map(|o| json!({"display_value": o, "actual_value": o})).collect();
        let unique = if self.unique { json!({"casesensitive": "false"}) } else { json!({}) };
        let json_type = match self.kind.as_str() {
            "integer" => "integer",
            "boolean" => "boolean",
            "currency" => "double",
            "ownerlookup" | "lookup" => "jsonobject",
            _ => "string",
        };
        json!({
            "id": field_id(n), "api_name": self.name, "field_label": self.label,
            "data_type": self.kind, "json_type": json_type, "length": self.length, "system_mandatory": self.mandatory,
            "custom_field": self.custom, "read_only": self.read_only, "unique": unique, "pick_list_values": options, "lookup": {},
            "external": null, "visible": true,
        })
    }
}

/// Of the nth field of a module.
pub fn field_id(n: usize) -> String {
    (5_725_767_000_000_002_000u64 + n as u64 * 2).to_string()
}

const LEAD_STATUS: &[&str] = &[
    "-None-",
    "Attempted to Contact",
    "Contact in Future",
    "Contacted",
    "Junk Lead",
    "Lost Lead",
    "Not Contacted",
    "Pre-Qualified",
    "Not Qualified",
];

pub fn standard(module: &str) -> Vec<Field> {
    let own: &[(&str, &str, usize)] = match module {
        "Leads" => &[
            ("First_Name", "text", 40),
            ("Last_Name", "text", 80),
            ("Company", "text", 200),
            ("Email", "email", 100),
            ("Phone", "phone", 30),
            ("Mobile", "phone", 30),
            ("Website", "website", 450),
            ("Designation", "text", 100),
            ("Lead_Source", "picklist", 120),
            ("Lead_Status", "picklist", 120),
            ("Description", "textarea", 32_000),
            ("City", "text", 100),
            ("Country", "text", 100),
        ],
        "Contacts" => &[
            ("First_Name", "text", 40),
            ("Last_Name", "text", 80),
            ("Email", "email", 100),
            ("Phone", "phone", 50),
            ("Mobile", "phone", 30),
            ("Title", "text", 100),
            ("Description", "textarea", 32_000),
        ],
        "Accounts" => &[
            ("Account_Name", "text", 200),
            ("Phone", "phone", 30),
            ("Website", "website", 450),
            ("Billing_City", "text", 100),
            ("Billing_Country", "text", 100),
        ],
        // A module of the organisation's own.
        "Vehicles" => &[("Name", "text", 120), ("Plate", "text", 255)],
        "Tasks" => &[
            ("Subject", "text", 300),
            ("Description", "textarea", 32_000),
            ("Due_Date", "date", 20),
            ("Status", "picklist", 120),
            ("Priority", "picklist", 120),
            ("What_Id", "lookup", 0),
        ],
        "Notes" => &[("Note_Title", "text", 120), ("Note_Content", "textarea", 32_000), ("Parent_Id", "lookup", 0)],
        _ => &[
            ("Deal_Name", "text", 120),
            ("Stage", "picklist", 120),
            ("Closing_Date", "date", 20),
            ("Amount", "currency", 16),
            ("Account_Name", "lookup", 0),
            ("Contact_Name", "lookup", 0),
        ],
    };
    let computed = [
        ("Created_Time", "datetime"),
        ("Modified_Time", "datetime"),
        ("Created_By", "ownerlookup"),
        ("Modified_By", "ownerlookup"),
        ("Owner", "ownerlookup"),
    ];
    let mandatory: &[&str] = match module {
        "Leads" => &["Last_Name", "Company"],
        "Contacts" => &["Last_Name"],
        "Accounts" => &["Account_Name"],
        "Vehicles" => &["Name"],
        "Tasks" => &["Subject"],
        "Notes" => &["Note_Content", "Parent_Id"],
        _ => &["Deal_Name", "Stage"],
    };
    let own = own.iter().map(|(name, kind, length)| Field {
        mandatory: mandatory.contains(name),
        options: if *name == "Lead_Status" { LEAD_STATUS.to_vec() } else { Vec::new() },
        ..Field::system(name, kind, *length)
    });
    own.chain(computed.iter().map(|(name, kind)| Field { read_only: true, ..Field::system(name, kind, 120) })).collect()
}

/// The module that a lookup leads to: one that leads to several says which, itself or beside it (Zoho docs: Notes API, `Parent_Id`;
/// insert records, `$se_module`).
pub fn looked_up<'s>(name: &str, value: &'s Value, row: &'s Value) -> Option<&'s str> {
    match name {
        "Contact_Name" => Some("Contacts"),
        "Parent_Id" => value["module"]["api_name"].as_str(),
        "What_Id" => row["$se_module"].as_str(),
        _ => Some("Accounts"),
    }
}

/// The field that upsert takes for a duplicate check of its own (Zoho docs: upsert, system-defined duplicate check fields). Tasks
/// and notes have none.
pub fn system_key(module: &str) -> Option<&'static str> {
    Some(match module {
        "Leads" | "Contacts" => "Email",
        "Accounts" => "Account_Name",
        "Deals" => "Deal_Name",
        "Vehicles" => "Name",
        _ => return None,
    })
}

pub fn fields(desk: &Desk<'_>, call: &Call) -> Result<Reply, Reply> {
    let module = call.param("module").ok_or_else(|| errors::missing_param("module"))?;
    let fields = desk.org.fields.get(module).ok_or_else(errors::invalid_module)?;
    let shown: Vec<_> = fields.iter().enumerate().map(|(n, f)| f.show(n)).collect();
    Ok(Reply::json(200, json!({"fields": shown})))
}

pub fn modules(desk: &Desk<'_>) -> Reply {
    let shown: Vec<_> =
        desk.org.modules.keys().map(|m| json!({"api_name": m, "module_name": m, "api_supported": true})).collect();
    Reply::json(200, json!({"modules": shown}))
}

pub fn org(desk: &Desk<'_>) -> Reply {
    let org = json!({
        "id": format!("57257670000000{}", desk.org.id), "zgid": desk.org.id, "company_name": "Simulated Ltd", "primary_email": "admin@zoho.example",
        "time_zone": "Asia/Kolkata", "currency": "US Dollar", "iso_code": "USD", "country_code": "IN",
    });
    Reply::json(200, json!({"org": [org]}))
}

pub fn users(desk: &Desk<'_>) -> Reply {
    let user = super::show::user(crate::records::Source::App);
    let count = desk.org.modules.len().min(1);
    Reply::json(
        200,
        json!({"users": [{"id": user["id"], "full_name": user["name"], "email": user["email"], "status": "active"}], "info": {"count": count, "more_records": false}}),
    )
}
