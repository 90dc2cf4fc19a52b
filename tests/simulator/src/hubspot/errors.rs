//! HubSpot's error bodies (HubSpot docs: error handling).

use crate::clock::Rng;
use crate::wire::Reply;
use serde_json::{Value, json};

/// A call, or one row of a batch, that HubSpot does not do.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub status: u16,
    pub category: &'static str,
    pub message: String,
    pub errors: Option<Value>,
}

impl Refusal {
    pub fn validation(message: &str) -> Self {
        Self { status: 400, category: "VALIDATION_ERROR", message: message.to_owned(), errors: None }
    }

    pub fn unreadable() -> Self {
        Self::validation("Invalid input JSON on line 1, column 1: could not be read")
    }

    pub fn missing_scope(scope: &str) -> Self {
        let message = "This app hasn't been granted all required scopes to make this call.";
        let errors = json!([{"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": [scope]}}]);
        Self { status: 403, category: "MISSING_SCOPES", message: message.to_owned(), errors: Some(errors) }
    }

    pub fn not_found() -> Self {
        Self { status: 404, category: "OBJECT_NOT_FOUND", message: "resource not found".to_owned(), errors: None }
    }

    /// `Property values were not valid: [{…}]`: a list of JSON objects inside the text.
    pub fn property(name: &str, code: &str, message: &str) -> Self {
        let list = json!([{"isValid": false, "message": message, "error": code, "name": name, "localizedErrorMessage": message, "portalId": 0}]);
        Self::validation(&format!("Property values were not valid: {list}"))
    }

    /// Observed, not documented: the id is only in the text, and not there when the other one is a row of the same batch.
    pub fn email_taken(existing: Option<u64>) -> Self {
        let id = existing.map(|id| format!(" Existing ID: {id}")).unwrap_or_default();
        Self { status: 409, category: "CONFLICT", message: format!("Contact already exists.{id}"), errors: None }
    }

    pub fn value_taken(name: &str, value: &str, existing: Option<u64>) -> Self {
        let existing = existing.map_or("another input".to_owned(), |id| id.to_string());
        let message = format!(
            "Cannot set PropertyValueCoordinates{{propertyName={name}, value={value}}}. {existing} already has that value."
        );
        Self::property(name, "CONFLICTING_UNIQUE_VALUE", &message)
    }

    pub fn reply(self, rng: &mut Rng) -> Reply {
        let mut body =
            json!({"status": "error", "message": self.message, "correlationId": rng.uuid(), "category": self.category});
        if let Some(errors) = self.errors {
            body["errors"] = errors;
        }
        Reply::json(self.status, body)
    }

    /// This refusal as an entry of a 207's `errors`.
    pub fn row(&self, context: &Value) -> Value {
        json!({"status": "error", "category": self.category, "message": self.message, "context": context})
    }
}

/// 429: `TEN_SECONDLY_ROLLING`, `SECONDLY` (search) or `DAILY`. There is no documented `Retry-After`.
pub fn too_many(rng: &mut Rng, policy: &str) -> Reply {
    let name = policy.to_lowercase();
    Reply::json(
        429,
        json!({
            "status": "error", "message": format!("You have reached your {name} limit."), "errorType": "RATE_LIMIT",
            "correlationId": rng.uuid(), "policyName": policy, "requestId": rng.uuid(),
        }),
    )
}

/// 423 Locked: bulk writes to the same records, wait two seconds or more.
pub fn locked(rng: &mut Rng) -> Reply {
    Reply::json(
        423,
        json!({"status": "error", "message": "The resource is locked.", "correlationId": rng.uuid(), "category": "LOCKED"}),
    )
}

/// 477 Migration in Progress, with seconds to wait.
pub fn migrating(rng: &mut Rng) -> Reply {
    let body = json!({"status": "error", "message": "Migration in progress", "correlationId": rng.uuid(), "category": "MIGRATION_IN_PROGRESS"});
    Reply::json(477, body).with("Retry-After", &3)
}
