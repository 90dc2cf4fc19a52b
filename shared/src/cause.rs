//! Why a record changed, written into the change itself, so that the stream can tell the story.

use crate::{
    engagement::Told,
    id::{ConnectionId, RemoteId, RequestId, Source},
    record::{FieldName, RemoteField, Value, Workflow},
    trigger::Fired,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What made a change of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    pub by: By,
    /// Runs through message, record, push, CRM call and log.
    pub trace: String,
    pub at: Timestamp,
    /// The person who asked for it, by their issuer's name for them; nobody where it happened by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What became of sync requests by this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Values that lost a conflict by this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overruled: Vec<Overruled>,
    /// Values that were not taken, because the field is not their source's to write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<Denied>,
    /// Events that were counted by this change, with what each added to the score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<Told>,
    /// What began by this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fired: Vec<Fired>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A sync request was applied.
    Request { id: RequestId, source: Source },
    /// A CRM showed something new.
    Look { connection: ConnectionId },
    /// A push was settled.
    Push { connection: ConnectionId },
    /// A CRM merged, deleted or erased the remote.
    Remote { connection: ConnectionId, what: String },
    /// The tenant's rules are others.
    Rules { what: String },
    /// A person decided about a conflict with a CRM.
    Person { connection: ConnectionId },
    /// Changes were undone.
    Undo,
    /// The person is forgotten.
    Erasure,
}

/// One step of a sync request's way through one connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    pub request: RequestId,
    pub connection: Option<ConnectionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Workflow>,
    pub status: Status,
    /// A stable code: why it waits, was skipped, or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteId>,
    /// The fields that were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<RemoteField>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StepStatus")]
pub enum Status {
    Pending,
    Waiting,
    Succeeded,
    Skipped,
    Failed,
}

/// A value that lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overruled {
    pub connection: ConnectionId,
    pub field: RemoteField,
    /// Who lost: `hub` or the CRM.
    pub loser: Side,
    pub value: Option<Value>,
}

/// A value of somebody's who may not write the field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Denied {
    pub field: FieldName,
    pub source: Source,
    pub value: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Hub,
    Remote,
}

impl Cause {
    pub fn new(by: By, trace: &str, at: Timestamp) -> Cause {
        let (steps, overruled, denied, counted, fired) = Default::default();
        Cause { by, trace: trace.to_owned(), at, actor: None, steps, overruled, denied, counted, fired }
    }
}
