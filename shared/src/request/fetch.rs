//! What a workflow asks for of a CRM: its records, by object, list or filter. Also a message of the queue `sync-requests`.

use super::Refused;
use crate::{
    id::{ConnectionId, RequestId, TenantId},
    mapping::Formula,
    record::{Object, Workflow},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fetch: records of a CRM come back on the event bus. Unknown keys are ignored; an unknown version is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fetch {
    /// The version of this contract: 1.
    pub version: u32,
    /// Given back in every event, and a part of each event's own id.
    pub id: RequestId,
    pub tenant_id: TenantId,
    /// Whose CRM is read.
    pub connection_id: ConnectionId,
    /// What is fetched: `person` (or `lead`, `contact`), `company`, `deal`, or an object of the tenant's own.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = r"^[a-z0-9_]{1,40}$"))]
    pub object: Object,
    /// Always `fetch`. What has a `lead` to send is a sync request.
    pub direction: Inward,
    /// One of the CRM's own lists, by its id there: HubSpot's lists, Salesforce's list views, Zoho's custom views, Pipedrive's filters.
    /// Without it, all records of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Only those for whom this expression of the hub's fields holds, such as `lead_score >= 75 and not email_opted_out`.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", length(max = 1000))]
    pub filter: Option<Formula>,
    /// Given back in every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Workflow>,
}

/// The other way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inward {
    Fetch,
}

/// Who is told what became of a fetch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asker {
    pub fetch: RequestId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Workflow>,
}

/// The largest message that is taken, in bytes: all of it goes on from page to page.
const LARGEST: usize = 16 * 1024;

impl Fetch {
    /// Whether a message that is no sync request is a fetch: it has the other direction, and nothing to send.
    pub fn is_meant(body: &str) -> bool {
        let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        json.get("direction").is_some_and(|way| way == "fetch")
            && ["lead", "record"].iter().all(|key| json.get(key).is_none())
    }

    /// Reads a message, or says why it cannot be done.
    pub fn parse(body: &str) -> Result<Fetch, Refused> {
        let refused = |code, reason: String| Refused { code, reason };
        if body.len() > LARGEST {
            return Err(refused("request_too_large", format!("{} bytes; at most {LARGEST} are taken", body.len())));
        }
        let json: serde_json::Value =
            serde_json::from_str(body).map_err(|e| refused("malformed_json", e.to_string()))?;
        if json.get("version") != Some(&1.into()) {
            return Err(refused("unknown_version", "this system knows version 1".to_owned()));
        }
        if let Some(filter) = json.get("where").and_then(|filter| filter.as_str()) {
            let filter = Formula::parse(filter).map_err(|e| refused("bad_filter", e.to_string()))?;
            if filter.is_template() {
                let reason = "a filter is an expression, such as lead_score >= 75".to_owned();
                return Err(refused("bad_filter", reason));
            }
        }
        let fetch: Fetch = serde_json::from_value(json).map_err(|e| refused("malformed_request", e.to_string()))?;
        Ok(fetch.canonical())
    }

    /// With the hub's own names of fields.
    pub fn canonical(self) -> Fetch {
        let filter = self.filter.map(|filter| filter.canonical(&self.object));
        Fetch { filter, ..self }
    }

    pub fn asker(&self) -> Asker {
        Asker { fetch: self.id.clone(), workflow: self.workflow.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::Fetch;
    use serde_json::{Value as Json, json};

    fn asked(with: &Json) -> String {
        let mut fetch =
            json!({"version": 1, "id": "f1", "tenant_id": "demo", "connection_id": "hubspot", "direction": "fetch"});
        let more = with.as_object().cloned().unwrap_or_default();
        fetch.as_object_mut().unwrap().extend(more);
        fetch.to_string()
    }

    #[test]
    fn a_fetch_is_read_and_speaks_of_fields_by_the_hubs_own_names() {
        let body = asked(
            &json!({"object": "lead", "list": "17", "where": "jobtitle == 'CTO'", "workflow": {"id": "wf"}, "new": 1}),
        );
        assert!(Fetch::is_meant(&body));
        let fetch = Fetch::parse(&body).unwrap();
        assert_eq!((fetch.object.as_str(), fetch.list.as_deref()), ("person", Some("17")));
        assert_eq!(fetch.filter.as_ref().unwrap().source(), "job_title == 'CTO'");
        assert_eq!(fetch.asker().workflow.unwrap().id.as_deref(), Some("wf"));
        assert_eq!(Fetch::parse(&serde_json::to_string(&fetch).unwrap()).unwrap(), fetch);
    }

    /// "The execution path only sends data when the step is configured for outbound CRM sync": a lead is not fetched.
    #[test]
    fn what_has_something_to_send_is_no_fetch() {
        for body in [asked(&json!({"lead": {}})), asked(&json!({"record": {}})), asked(&json!({"direction": "send"}))] {
            assert!(!Fetch::is_meant(&body), "{body}");
        }
        assert!(!Fetch::is_meant("no json"));
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let cases = [
            (json!({"where": "lead_score >"}), "bad_filter"),
            (json!({"where": "{{email}}"}), "bad_filter"),
            (json!({"where": 7}), "malformed_request"),
            (json!({"connection_id": null}), "malformed_request"),
            (json!({"object": "No such"}), "malformed_request"),
            (json!({"version": 2}), "unknown_version"),
            (json!({"list": "x".repeat(17_000)}), "request_too_large"),
        ];
        for (with, code) in cases {
            assert_eq!(Fetch::parse(&asked(&with)).unwrap_err().code, code, "{with}");
        }
    }
}
