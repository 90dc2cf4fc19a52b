//! One tenant's link to one CRM account.

use crate::{
    change::Cursor,
    error::{Error, Result},
    id::{AccountId, ConnectionId, TenantId},
    mapping::{Direction, Mapping},
    planner::{Deletes, Judge, Ownership, Policy},
    provider::Crm,
    record::{Object, Region},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Configuration and state of a connection. Credentials are in Secrets Manager, never here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub tenant: TenantId,
    pub id: ConnectionId,
    pub crm: Crm,
    pub account: AccountId,
    pub state: State,
    /// A person has approved what it would write, once and for all.
    #[serde(default)]
    pub approved: bool,
    pub direction: Direction,
    pub mappings: BTreeMap<Object, Mapping>,
    #[serde(default)]
    pub policy: Policy,
    /// The tenant's; read together with the connection.
    #[serde(skip)]
    pub ownership: Ownership,
    #[serde(default)]
    pub region: Region,
    #[serde(default)]
    pub allowance: Allowance,
    /// HubSpot's older signatures carry no timestamp and can be replayed: accepted only where this says so.
    #[serde(default)]
    pub accepts_legacy_signatures: bool,
    /// Seconds between two pulls.
    pub pull_every: u32,
    /// Where each object's next pull starts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cursors: BTreeMap<Object, Cursor>,
    /// Until when each object's deletions are known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deletions_read: BTreeMap<Object, Timestamp>,
    /// The webhook subscription, where the CRM lets them expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// Everything pending is to be looked through once more: the schedule sees to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owes_sweep: bool,
    /// When its next scheduled work is due; kept by the `due` index.
    pub due_at: Timestamp,
    /// Counts the changes of this item.
    #[serde(default)]
    pub version: u64,
}

/// How much of an account's limits we may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Allowance {
    /// Percent of what other apps draw on too that is left to them.
    pub left_to_others: u8,
    /// The account's budget for a day, where the CRM does not tell: Pipedrive's tokens, Zoho's credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u64>,
}

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance { left_to_others: 20, per_day: None }
    }
}

/// Whether a connection works, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// Two databases meet: everything is read and matched, nothing is written before it is approved.
    Joining,
    Active,
    Paused {
        reason: String,
    },
    /// The CRM no longer accepts our credentials. Nothing is lost; reconnecting catches up.
    NeedsReauth {
        since: Timestamp,
    },
    Closed,
}

/// A webhook subscription that expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    pub channel: String,
    pub expires_at: Timestamp,
}

impl Connection {
    /// Whether pushes may be sent.
    pub fn sends(&self) -> bool {
        self.state == State::Active && self.direction.sends()
    }

    /// Whether looks may enter the hub.
    pub fn receives(&self) -> bool {
        matches!(self.state, State::Active | State::Joining) && self.direction.receives()
    }

    /// By what its looks at an object are judged now.
    pub fn judge<'a>(&'a self, object: &'a Object) -> Judge<'a> {
        let meets = self.state == State::Joining;
        Judge { connection: &self.id, object, policy: &self.policy, ownership: &self.ownership, meets }
    }

    /// What it makes of deletions now. What it does not hear of, or was not approved, counts for itself alone.
    pub fn deletes(&self) -> Deletes {
        match self.policy.deletes {
            _ if !self.approved => Deletes::Ignore,
            Deletes::SoftDelete | Deletes::Propagate if !self.direction.receives() => Deletes::Ignore,
            deletes => deletes,
        }
    }

    /// How an object is spelt in this CRM; an error where the connection has nothing to do with it.
    pub fn mapping(&self, object: &Object) -> Result<&Mapping> {
        self.mappings.get(object).ok_or_else(|| Error::bug("a connection without a mapping for this object"))
    }

    /// The object that is filed under a name of the CRM's own.
    pub fn filed_under(&self, name: &str) -> Option<&Object> {
        let people = self.crm.capabilities().people;
        let is = |object: &Object, mapping: &Mapping| {
            mapping.object == name || *object == Object::Person && people.contains(&name)
        };
        self.mappings.iter().find(|(object, mapping)| is(object, mapping)).map(|(object, _)| object)
    }
}
