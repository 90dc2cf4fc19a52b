//! The simulated CRMs as their users see them: where people stand, and what their fields are called.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(crate) struct Screen {
    pub(crate) crm: &'static str,
    /// As a person writes it.
    pub(crate) name: &'static str,
    pub(crate) account_id: &'static str,
    /// The simulator's route to its people.
    pub(crate) object: &'static str,
    /// Hub field, the CRM's field, and what the CRM is sent where nothing is known.
    pub(crate) fields: &'static [(&'static str, &'static str, Option<&'static str>)],
}

pub(crate) const SCREENS: [Screen; 4] = [
    Screen {
        crm: "hubspot",
        name: "HubSpot",
        account_id: "62515",
        object: "contacts",
        fields: &[
            ("first_name", "firstname", None),
            ("last_name", "lastname", None),
            ("company", "company", None),
            ("email", "email", None),
            ("phone", "phone", None),
        ],
    },
    Screen {
        crm: "salesforce",
        name: "Salesforce",
        account_id: "00Dxx0000001gPLEAY",
        object: "lead",
        fields: &[
            ("first_name", "FirstName", None),
            ("last_name", "LastName", Some("-")),
            ("company", "Company", Some("-")),
            ("email", "Email", None),
            ("phone", "Phone", None),
        ],
    },
    Screen {
        crm: "zoho",
        name: "Zoho",
        account_id: "900000001",
        object: "leads",
        fields: &[
            ("first_name", "First_Name", None),
            ("last_name", "Last_Name", Some("-")),
            ("company", "Company", Some("-")),
            ("email", "Email", None),
            ("phone", "Phone", None),
        ],
    },
    // It knows people by their whole names, and files companies apart.
    Screen {
        crm: "pipedrive",
        name: "Pipedrive",
        account_id: "6083095",
        object: "persons",
        fields: &[("name", "name", Some("-")), ("email", "email", None), ("phone", "phone", None)],
    },
];

pub(crate) fn screen(crm: &str) -> Result<&'static Screen> {
    let names = SCREENS.map(|screen| screen.crm).join(", ");
    SCREENS.iter().find(|screen| screen.crm == crm).with_context(|| format!("{crm} is not simulated: {names} are"))
}

impl Screen {
    /// What a hub field is called here.
    pub(crate) fn field(&self, hub: &str) -> Option<&'static str> {
        self.fields.iter().find(|(name, ..)| *name == hub).map(|(_, field, _)| *field)
    }

    /// Some hub fields as a user of this CRM types them. What it has no field for is left out.
    pub(crate) fn typed(&self, person: &[(&str, &str)]) -> Value {
        let known = person.iter().filter_map(|(hub, text)| Some(((*self.field(hub)?).to_owned(), json!(text))));
        let mut typed: Map<String, Value> = known.collect();
        if let Some(name) = self.field("name") {
            let parts = ["first_name", "last_name"];
            let parts = parts.iter().filter_map(|part| person.iter().find(|(hub, _)| hub == part));
            let parts: Vec<&str> = parts.map(|(_, text)| *text).collect();
            if !parts.is_empty() {
                typed.insert(name.to_owned(), json!(parts.join(" ")));
            }
        }
        Value::Object(typed)
    }
}

/// A record as a CRM shows it.
#[derive(Clone, Deserialize)]
pub(crate) struct Shown {
    pub(crate) id: String,
    #[serde(alias = "properties")]
    pub(crate) fields: BTreeMap<String, Value>,
}

impl Shown {
    /// A field as text. Pipedrive's `email` is the primary one of its `emails`, and its custom fields stand apart.
    pub(crate) fn text(&self, field: &str) -> Option<String> {
        let primary =
            |list: &Value| list.as_array()?.iter().find(|entry| entry["primary"] == true).map(|e| e["value"].clone());
        let listed = || self.fields.get(&format!("{field}s")).and_then(primary);
        let custom = || self.fields.get("custom_fields")?.get(field).cloned();
        let value = self.fields.get(field).cloned().or_else(listed).or_else(custom)?;
        match value {
            Value::Null => None,
            Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            other => Some(other.to_string()),
        }
    }
}
