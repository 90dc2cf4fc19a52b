//! Property definitions, and `/crm/properties/{version}/{object}` (HubSpot docs: properties).

use super::Desk;
use super::errors::Refusal;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub struct Property {
    pub name: String,
    /// `string`, `number`, `datetime`, `enumeration`, `bool`, `phone_number`.
    pub kind: String,
    pub field_type: String,
    pub label: String,
    pub unique: bool,
    pub custom: bool,
    pub read_only: bool,
    pub options: Vec<String>,
}

impl Property {
    pub fn text(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: "string".to_owned(),
            field_type: "text".to_owned(),
            label: name.replace('_', " "),
            unique: false,
            custom: true,
            read_only: false,
            options: Vec::new(),
        }
    }

    pub fn show(&self, object: &str) -> Value {
        let options: Vec<_> = self
            .options
            .iter()
            .enumerate()
            .map(|(i, v)| json!({"label": v, "value": v, "displayOrder": i, "hidden": false}))
            .collect();
        json!({
            "name": self.name, "label": self.label, "type": self.kind, "fieldType": self.field_type,
            "groupName": group(object), "description": "", "options": options, "displayOrder": -1,
            "calculated": self.read_only, "externalOptions": false, "hasUniqueValue": self.unique, "hidden": false,
            "hubspotDefined": !self.custom, "formField": !self.read_only, "dataSensitivity": "non_sensitive", "archived": false,
            "modificationMetadata": {"archivable": self.custom, "readOnlyDefinition": !self.custom, "readOnlyValue": self.read_only},
        })
    }
}

/// Where an object's properties stand. Whatever the vendor calls those of notes and tasks, it is not what one would expect.
fn group(object: &str) -> &'static str {
    match object {
        "contacts" => "contactinformation",
        "companies" => "companyinformation",
        "deals" => "dealinformation",
        CUSTOM => "vehicle_information",
        _ => "engagement",
    }
}

/// This portal's admin has added `true` and `false` to the vendor's options of `hs_lead_status`:
/// an option that is not in the list is refused.
const LEAD_STATUS: &[&str] = &[
    "NEW",
    "OPEN",
    "IN_PROGRESS",
    "OPEN_DEAL",
    "UNQUALIFIED",
    "ATTEMPTED_TO_CONTACT",
    "CONNECTED",
    "BAD_TIMING",
    "true",
    "false",
];
const LIFECYCLE: &[&str] = &[
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
];

/// The type of the custom object that every portal has: vehicles (HubSpot docs: custom objects, `objectTypeId`).
pub const CUSTOM: &str = "2-35000001";
/// HubSpot docs: tasks API, properties.
const TASK_STATUS: &[&str] = &["NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"];

/// What a record cannot be made without (HubSpot docs: notes API, tasks API, properties).
pub fn required(object: &str) -> &'static [&'static str] {
    if matches!(object, "notes" | "tasks") { &["hs_timestamp"] } else { &[] }
}

/// The properties that an account has from the start, as far as anyone here needs them.
pub fn standard(object: &str) -> Vec<Property> {
    let texts: &[&str] = match object {
        "contacts" => &[
            "email",
            "firstname",
            "lastname",
            "phone",
            "mobilephone",
            "company",
            "jobtitle",
            "website",
            "address",
            "city",
            "state",
            "zip",
            "country",
            "hs_lead_status",
            "lifecyclestage",
        ],
        "companies" => &["name", "domain", "phone", "city", "country", "industry", "website", "description"],
        CUSTOM => &["name", "plate"],
        "notes" => &["hs_timestamp", "hs_note_body"],
        "tasks" => {
            &["hs_timestamp", "hs_task_subject", "hs_task_body", "hs_task_status", "hs_task_priority", "hs_task_type"]
        }
        _ => &["dealname", "dealstage", "pipeline", "amount", "closedate"],
    };
    let computed = [
        ("hs_object_id", "number"),
        ("createdate", "datetime"),
        (modified_name(object), "datetime"),
        ("hs_searchable_calculated_phone_number", "string"),
        ("hs_searchable_calculated_mobile_number", "string"),
        ("hs_merged_object_ids", "enumeration"),
        ("hs_additional_emails", "enumeration"),
    ];
    let own = texts.iter().map(|name| Property { custom: false, ..Property::text(name) });
    let calculated = computed.iter().map(|(name, kind)| Property {
        kind: (*kind).to_owned(),
        custom: false,
        read_only: true,
        ..Property::text(name)
    });
    let mut all: Vec<_> = own.chain(calculated).collect();
    for property in &mut all {
        let (kind, field_type, options) = match property.name.as_str() {
            "hs_lead_status" => ("enumeration", "radio", LEAD_STATUS),
            "lifecyclestage" => ("enumeration", "radio", LIFECYCLE),
            "phone" | "mobilephone" => ("string", "phonenumber", &[][..]),
            "amount" => ("number", "number", &[][..]),
            "hs_timestamp" => ("datetime", "date", &[][..]),
            "hs_task_status" => ("enumeration", "select", TASK_STATUS),
            "hs_task_priority" => ("enumeration", "select", &["NONE", "LOW", "MEDIUM", "HIGH"][..]),
            "hs_task_type" => ("enumeration", "select", &["EMAIL", "CALL", "TODO"][..]),
            _ => continue,
        };
        property.kind = kind.to_owned();
        property.field_type = field_type.to_owned();
        property.options = options.iter().map(|o| (*o).to_owned()).collect();
    }
    all
}

/// Contacts spell it without `hs_` (HubSpot docs: CRM search).
pub fn modified_name(object: &str) -> &'static str {
    if object == "contacts" { "lastmodifieddate" } else { "hs_lastmodifieddate" }
}

pub fn list(desk: &Desk<'_>, object: &str) -> Reply {
    let all: Vec<_> = desk.portal.properties.get(object).into_iter().flatten().map(|p| p.show(object)).collect();
    Reply::json(200, json!({"results": all}))
}

/// The same in the older version 2: an array, where what is read-only stands beside the rest (HubSpot docs: legacy CRM properties API).
pub fn list_v2(desk: &Desk<'_>, object: &str) -> Reply {
    let shown = |property: &Property| {
        let mut shown = property.show(object);
        let Some(Value::Object(metadata)) = shown.as_object_mut().and_then(|s| s.remove("modificationMetadata")) else {
            return shown;
        };
        for flag in ["readOnlyDefinition", "readOnlyValue"] {
            shown[flag] = metadata.get(flag).cloned().unwrap_or_default();
        }
        shown
    };
    Reply::json(200, desk.portal.properties.get(object).into_iter().flatten().map(shown).collect())
}

pub fn one(desk: &Desk<'_>, object: &str, name: &str) -> Result<Reply, Refusal> {
    let found = desk.portal.property(object, name);
    found.map(|p| Reply::json(200, p.show(object))).ok_or_else(Refusal::not_found)
}

pub fn create(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    let (Some(name), Some(kind), Some(field_type), Some(label), Some(within)) =
        (text("name"), text("type"), text("fieldType"), text("label"), text("groupName"))
    else {
        return Err(Refusal::validation("Invalid input JSON: name, label, type, fieldType and groupName are required"));
    };
    if within != group(object) {
        return Err(Refusal::validation(&format!("There is no property group named '{within}' of {object}.")));
    }
    if desk.portal.property(object, &name).is_some() {
        return Err(Refusal {
            status: 409,
            category: "OBJECT_ALREADY_EXISTS",
            ..Refusal::validation(&format!("A property named '{name}' already exists."))
        });
    }
    let options = body["options"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|o| o["value"].as_str().map(str::to_owned))
        .collect();
    let unique = body["hasUniqueValue"].as_bool().unwrap_or(false);
    let property = Property { kind, field_type, label, unique, options, ..Property::text(&name) };
    let shown = property.show(object);
    desk.portal.add_property(object, property);
    Ok(Reply::json(201, shown))
}
