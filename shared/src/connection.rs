//! One tenant's link to one CRM account.

use crate::{
    change::Cursor,
    error::{Error, Result},
    id::{AccountId, ConnectionId, TenantId},
    mapping::{Direction, Mapping},
    planner::{Deletes, Judge, Mass, Policy},
    provider::Crm,
    record::{Object, Region},
    settings::Settings,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
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
    pub settings: Settings,
    #[serde(default)]
    pub region: Region,
    #[serde(default)]
    pub allowance: Allowance,
    /// HubSpot's older signatures carry no timestamp and can be replayed: accepted only where this says so.
    #[serde(default)]
    pub accepts_legacy_signatures: bool,
    #[serde(default)]
    pub mode: Mode,
    /// Seconds between two pulls in real time.
    pub pull_every: u32,
    /// Where each object's next pull starts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cursors: BTreeMap<Object, Cursor>,
    /// Until when each object's deletions are known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deletions_read: BTreeMap<Object, Timestamp>,
    /// When each object was last compared in full.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub compared: BTreeMap<Object, Timestamp>,
    /// The webhook subscription, where the CRM lets them expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// Everything pending is to be looked through once more: the schedule sees to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owes_sweep: bool,
    /// It would write so much that a person is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// Until then a person has let it write as much as it will.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_until: Option<Timestamp>,
    /// When its next scheduled work is due; kept by the `due` index.
    pub due_at: Timestamp,
    /// Counts the changes of this item.
    #[serde(default)]
    pub version: u64,
}

/// When hub and CRM tell each other what changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// At once; a pull every few minutes finds what no webhook told.
    #[default]
    RealTime,
    /// Once an hour, both ways. Webhooks are not listened to.
    Hourly,
    /// Once a day.
    Daily,
    /// When a person asks.
    Manual,
}

impl Mode {
    /// Whether what changed waits to be told together.
    pub fn gathers(self) -> bool {
        self != Mode::RealTime
    }
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// What a connection writes no more of, before a person has let it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    pub since: Timestamp,
    pub mass: Mass,
}

impl Hold {
    /// By what a person knows it: whoever finds at the same time that it is too much asks the same question.
    pub fn about(&self, connection: &Connection) -> String {
        format!("{}:{}", connection.id, self.since.strftime("%Y-%m-%dT%H"))
    }
}

/// A webhook subscription that expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    pub channel: String,
    pub expires_at: Timestamp,
}

impl Connection {
    /// Whether anything is read or written now.
    pub fn works(&self) -> bool {
        matches!(self.state, State::Active | State::Joining) && self.settings.stopped.is_none()
    }

    /// Whether pushes may be sent.
    pub fn sends(&self) -> bool {
        self.state == State::Active && self.works() && self.direction.sends()
    }

    /// Whether a person has let it write as much as it will.
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.free_until.is_some_and(|until| now < until)
    }

    /// Whether looks may enter the hub.
    pub fn receives(&self) -> bool {
        self.works() && self.direction.receives()
    }

    /// How long after one exchange the next is due; `None` where nobody asks but a person.
    pub fn every(&self) -> Option<SignedDuration> {
        match self.mode {
            Mode::RealTime => Some(SignedDuration::from_secs(i64::from(self.pull_every.max(60)))),
            Mode::Hourly => Some(SignedDuration::from_hours(1)),
            Mode::Daily => Some(SignedDuration::from_hours(24)),
            Mode::Manual => None,
        }
    }

    /// By what its looks at an object are judged now.
    pub fn judge<'a>(&'a self, object: &'a Object) -> Judge<'a> {
        let meets = self.state == State::Joining;
        Judge { connection: &self.id, object, policy: &self.policy, ownership: &self.settings.ownership, meets }
    }

    /// What it makes of deletions now. What it does not hear of, or was not approved, counts for itself alone.
    pub fn deletes(&self) -> Deletes {
        match self.policy.deletes {
            _ if !self.approved => Deletes::Ignore,
            Deletes::SoftDelete | Deletes::Propagate if !self.direction.receives() => Deletes::Ignore,
            deletes => deletes,
        }
    }

    /// The objects that are read from this CRM: not those that are only made there, because it has no room for our ids.
    pub fn objects_read(&self) -> impl Iterator<Item = (&Object, &Mapping)> {
        self.mappings.iter().filter(|(_, mapping)| mapping.has_room())
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
