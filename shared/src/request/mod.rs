//! What the workflow service asks for: one message of the queue `sync-requests`.

mod apply;
mod fetch;

pub use apply::{Applied, BadValue, apply};
pub use fetch::{Asker, Fetch, Inward};

use crate::{
    engagement::Event,
    id::{ConnectionId, RequestId, Source, TenantId},
    record::{Object, Workflow, canonical},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A sync request. Unknown keys are ignored; an unknown version is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SyncRequest {
    /// The version of this contract: 1.
    pub version: u32,
    /// Done once, however often it arrives within 30 days.
    pub id: RequestId,
    pub tenant_id: TenantId,
    /// Null: every active connection that sends.
    #[serde(default)]
    pub connection_id: Option<ConnectionId>,
    /// What it is about: `person` (or `lead`, `contact`), `company`, `deal`, `note`, `task`, or an object of the tenant's own.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = r"^[a-z0-9_]{1,40}$"))]
    pub object: Object,
    /// Only `send` is known.
    pub direction: Direction,
    /// In whose name the values are written: `workflow`, `billing`, `commerce`, `email_platform`, …; who may write what is the tenant's to say.
    #[serde(default = "workflow_service")]
    pub source: Source,
    /// When the values became true; decides between requests that arrive out of order.
    #[schemars(with = "String")]
    pub occurred_at: Timestamp,
    /// The person (or under `record` whatever else it is about): `id`, `email`, `phone`, `first_name`, `last_name` (or `name` for the two), and whatever else there is.
    /// Other names that are well known, such as `firstname`, `jobTitle` or `organization`, stand for the hub's own.
    /// `salesforce_id`, `hubspot_contact_id` and the like, or a connection's name with `_id`, hold that CRM's own id of it. A field that is absent, null or empty is left as it is.
    #[serde(alias = "record")]
    pub lead: BTreeMap<String, serde_json::Value>,
    /// CRM field → text with `{{placeholders}}` for the lead's fields.
    #[serde(default, alias = "syncFields")]
    pub sync_fields: BTreeMap<String, String>,
    /// What the person did: at most 20 events, each counted once however often it arrives.
    #[serde(default)]
    #[schemars(with = "Vec<Event>", length(max = 20))]
    pub events: Vec<serde_json::Value>,
    #[serde(default)]
    pub workflow: Option<Workflow>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Send,
}

/// Who is meant where no source is named.
pub(crate) fn workflow_service() -> Source {
    "workflow".to_owned().try_into().unwrap_or_else(|_| unreachable!("`workflow` is a valid source"))
}

/// Why a message is no sync request that can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {reason}")]
pub struct Refused {
    /// A stable code.
    pub code: &'static str,
    pub reason: String,
}

/// What can still be read of a message that is refused, so that its workflow hears of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remains {
    pub tenant: Option<TenantId>,
    pub id: Option<RequestId>,
    pub connection: Option<ConnectionId>,
    pub workflow: Option<Workflow>,
}

/// The largest request that is taken, in bytes; the item it becomes is limited too.
const LARGEST: usize = 128 * 1024;
/// The most events of one request: they are counted in one transaction, of a hundred steps.
const MOST_EVENTS: usize = 20;

impl SyncRequest {
    /// Reads a message, or says why it cannot be done.
    pub fn parse(body: &str) -> Result<SyncRequest, Refused> {
        let refused = |code, reason: String| Refused { code, reason };
        if body.len() > LARGEST {
            return Err(refused("request_too_large", format!("{} bytes; at most {LARGEST} are taken", body.len())));
        }
        let json: serde_json::Value =
            serde_json::from_str(body).map_err(|e| refused("malformed_json", e.to_string()))?;
        let version = json.get("version");
        if version != Some(&1.into()) {
            let found = version.map_or("missing".to_owned(), ToString::to_string);
            return Err(refused("unknown_version", format!("version is {found}; this system knows 1")));
        }
        if let Some(direction) = json.get("direction").and_then(|d| d.as_str()).filter(|d| *d != "send") {
            return Err(refused("wrong_direction", format!("direction is {direction:?}; only \"send\" is done")));
        }
        let request: SyncRequest =
            serde_json::from_value(json).map_err(|e| refused("malformed_request", e.to_string()))?;
        let told = request.events.len();
        match told > MOST_EVENTS {
            true => Err(refused("too_many_events", format!("{told} events; at most {MOST_EVENTS} are taken"))),
            false => Ok(request.canonical()),
        }
    }

    /// With the hub's own names of its fields. Where two names of one field are told, each stays what it is.
    fn canonical(mut self) -> SyncRequest {
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in self.lead.keys() {
            // A person's `name` is parted when it is applied.
            let ours = if name == "name" { name } else { canonical(&self.object, name) };
            names.entry(ours.to_owned()).or_default().push(name.clone());
        }
        for (ours, told) in names {
            if let [one] = told.as_slice()
                && let Some(value) = self.lead.remove(one)
            {
                self.lead.insert(ours, value);
            }
        }
        self
    }

    /// What can be read of a message that [`SyncRequest::parse`] refused.
    pub fn remains(body: &str) -> Remains {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(body) else { return Remains::default() };
        let text = |key: &str| json.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        Remains {
            tenant: text("tenant_id").and_then(|id| id.try_into().ok()),
            id: text("id").and_then(|id| id.try_into().ok()),
            connection: text("connection_id").and_then(|id| id.try_into().ok()),
            workflow: json.get("workflow").cloned().and_then(|w| serde_json::from_value(w).ok()),
        }
    }
}

#[cfg(test)]
mod tests;
