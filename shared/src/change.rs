//! What travels between the functions: hints, pushes, pulls, and where a pull stands.

use crate::id::{ConnectionId, RecordId, RemoteId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// "These remotes of this connection may have changed", nothing more. The message of the queue `changes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hints {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub remotes: Vec<RemoteId>,
    /// Those of them that were deleted for privacy: afterwards the CRM shows nothing at all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<RemoteId>,
    pub trace: String,
}

/// "These records may have something pending for this connection." The message of the queue `pushes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub records: Vec<RecordId>,
    pub trace: String,
}

/// One stretch of scheduled work on a connection. The message of the queue `pulls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pull {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub work: Work,
    pub trace: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Read what changed in the CRM, from the connection's cursor.
    Delta,
    /// Walk the tenant's records and push whatever is pending.
    Sweep {
        #[serde(default)]
        shard: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<RecordId>,
    },
}

/// Where a pull stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Cursor {
    #[default]
    Beginning,
    /// Reading everything there is, before any change is asked for. `started` is where changes are read from next.
    Listing { after: String, started: Timestamp },
    /// Everything modified before `since` was seen, and of what was modified since then, what is not later than (`modified`, `id`).
    Since { since: Timestamp, page: Option<Place> },
}

/// A place inside a run of pages that are sorted by modification time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The window starts at this time …
    pub from: Timestamp,
    /// … and, where more records than a window holds share that one time, after this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_id: Option<RemoteId>,
    /// The CRM's own offset or token inside the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The newest modification seen in this run.
    pub newest: Timestamp,
}
