//! The custom objects of an account (HubSpot docs: custom objects, retrieve existing custom objects).

use super::Desk;
use super::properties::CUSTOM;
use crate::wire::Reply;
use serde_json::{Value, json};

/// The right to read them (HubSpot docs: scopes).
pub const SCOPE: &str = "crm.schemas.custom.read";
const NAME: &str = "vehicle";

/// Every account has vehicles, and nothing else that is custom.
pub fn list(desk: &Desk<'_>) -> Reply {
    let properties = desk.portal.properties.get(CUSTOM);
    let properties: Vec<Value> = properties.into_iter().flatten().map(|property| property.show(CUSTOM)).collect();
    let vehicles = json!({
        "id": CUSTOM.trim_start_matches("2-"), "objectTypeId": CUSTOM, "name": NAME, "metaType": "PORTAL_SPECIFIC",
        "fullyQualifiedName": format!("p{}_{NAME}", desk.portal.id), "labels": {"singular": "Vehicle", "plural": "Vehicles"},
        "primaryDisplayProperty": "name", "secondaryDisplayProperties": [], "requiredProperties": ["name"],
        "searchableProperties": ["name", "plate"], "properties": properties, "associations": [], "archived": false,
    });
    Reply::json(200, json!({"results": [vehicles]}))
}
