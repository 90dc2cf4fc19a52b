//! What travels between the functions: hints, pushes, pulls, and where a pull stands.

use crate::{
    id::{ConnectionId, RecordId, RemoteId, TenantId},
    record::{Agreed, Object, RemoteField, Value},
    request::Fetch,
    scope::Scope,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// "These remotes of this connection may have changed", nothing more. The message of the queue `changes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hints {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub remotes: Vec<Hinted>,
    pub trace: String,
}

/// One remote that may have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hinted {
    /// What it is: set by who knows the connection's mappings.
    #[serde(default, skip_serializing_if = "is_person")]
    pub object: Object,
    pub remote: RemoteId,
    /// It was deleted for privacy: afterwards the CRM shows nothing at all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// It lost a merge, which nothing but a delivery tells afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<RemoteId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tells: Option<Tells>,
    /// What it tells is all that was said of the remote until then, but for blanks: nothing to go by for whoever knows less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
}

impl Hinted {
    /// A remote of which nothing is told: it must be looked at.
    pub fn plain(object: &Object, remote: RemoteId) -> Hinted {
        Hinted { object: object.clone(), ..Hinted::telling(remote, None) }
    }

    /// A remote whose fields are told.
    pub fn telling(remote: RemoteId, tells: Option<Tells>) -> Hinted {
        Hinted { object: Object::default(), remote, erased: false, merged_into: None, tells, as_of: None }
    }

    /// Another hint about the same remote.
    pub fn and(&mut self, other: &Hinted) {
        self.erased |= other.erased;
        self.merged_into = self.merged_into.take().or_else(|| other.merged_into.clone());
        let both = self.tells.take().zip(other.tells.as_ref());
        self.tells = both.and_then(|(told, also)| told.and(also));
        self.as_of = self.as_of.max(other.as_of);
    }
}

fn is_person(object: &Object) -> bool {
    *object == Object::Person
}

/// What a delivery claims that fields show, as digests: enough to know the echo of our own write without a call,
/// too little to leak, and never believed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tells(pub BTreeMap<RemoteField, String>);

impl Tells {
    /// One field, as the CRM spells it.
    pub fn field(field: &str, value: Option<&Value>) -> Tells {
        Tells([(field.to_owned(), Agreed::digest(value))].into())
    }

    /// Both, unless they contradict each other.
    pub fn and(mut self, other: &Tells) -> Option<Tells> {
        for (field, digest) in &other.0 {
            if self.0.insert(field.clone(), digest.clone()).is_some_and(|before| before != *digest) {
                return None;
            }
        }
        Some(self)
    }
}

/// "These records may have something pending for this connection." The message of the queue `pushes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub records: Vec<RecordId>,
    pub trace: String,
}

/// A stretch of work on a file. A message of the queue `imports`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filing {
    pub tenant: TenantId,
    pub file: Filed,
    pub id: String,
    /// How far it was when this was sent.
    pub rev: u64,
    pub trace: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filed {
    Import,
    Export,
}

/// One stretch of scheduled work on a connection. The message of the queue `pulls`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pull {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub work: Work,
    pub trace: String,
    /// The person who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Read what changed among one object's records in the CRM, from the connection's cursor.
    Delta {
        #[serde(default)]
        object: Object,
    },
    /// Read what was deleted in the CRM.
    Deletions(Walk),
    /// Follow the deletions that rested, as a person decided.
    Rested(Rested),
    /// Walk the tenant's records, and let begin what begins because nothing happened since.
    Quiet {
        then: Timestamp,
        #[serde(default)]
        shard: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<RecordId>,
    },
    /// Read who is on one of the CRM's own lists.
    List {
        #[serde(default)]
        object: Object,
        list: String,
    },
    /// Compare what the CRM shows with the hub, everybody of an object.
    Compare(Box<Comparison>),
    /// Read records that a workflow asked for, and tell it.
    Fetch(Box<Fetching>),
    /// Walk the tenant's records, and take back what is in the scope.
    Undo {
        scope: Box<Scope>,
        #[serde(default)]
        shard: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<RecordId>,
    },
    /// Walk the tenant's records, of every object, and push whatever is pending.
    Sweep {
        #[serde(default)]
        shard: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<RecordId>,
    },
}

/// A fetch, and how far it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetching {
    pub fetch: Fetch,
    /// The next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[serde(default)]
    pub so_far: Tally,
}

/// What was read for a fetch, and what of it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub pages: u32,
    /// Records that the CRM showed.
    pub read: u32,
    /// Records that the workflow heard of.
    pub fetched: u32,
    /// Records for which the filter does not hold.
    pub filtered: u32,
    /// Records that are not in the hub: they are not this CRM's business by its mapping, or wait for a person.
    pub left_out: u32,
}

impl Tally {
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            pages: self.pages + other.pages,
            read: self.read + other.read,
            fetched: self.fetched + other.fetched,
            filtered: self.filtered + other.filtered,
            left_out: self.left_out + other.left_out,
        }
    }
}

/// A full comparison of one object, and how far it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub object: Object,
    pub begun: Timestamp,
    /// What differs is mended at once.
    pub mends: bool,
    pub side: Side,
    /// Of those that were shown, made or changed a moment ago.
    #[serde(default)]
    pub moving: u32,
    pub so_far: Differences,
}

/// What is walked next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Crm {
        #[serde(default)]
        after: Option<String>,
    },
    Hub {
        at: (u8, Option<RecordId>),
        /// The CRM is asked for each by its id.
        asks: bool,
    },
}

/// What differs between the hub and a CRM, in records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Differences {
    /// What the CRM shows …
    pub shown: u32,
    /// … those of them that the hub knows …
    pub known: u32,
    /// … and what the hub knows to be there.
    pub linked: u32,
    /// They are in the CRM, and not in the hub.
    pub extra: u32,
    /// They show what the hub has not heard.
    pub different: u32,
    /// They lack what the hub has to say.
    pub unsent: u32,
    /// The hub knows of them, and they are there no more.
    pub missing: u32,
    /// How many there are by the CRM's own count; left out where it tells no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u32>,
    /// By how many that is another number than it shows, beyond what changed meanwhile.
    #[serde(default)]
    pub miscounted: u32,
}

impl Differences {
    pub fn all(&self) -> u32 {
        self.extra + self.different + self.unsent + self.missing + self.miscounted
    }

    /// Holds what the CRM shows against its own counts, before it showed anything and afterwards; of what it shows so many were
    /// `moving`, made or changed a moment ago, and may not be counted yet.
    pub fn count(&mut self, before: u32, after: u32, moving: u32) {
        let (least, most) = (before.min(after), before.max(after) + moving);
        self.counted = Some(after);
        self.miscounted = least.saturating_sub(self.shown).max(self.shown.saturating_sub(most));
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Differences { extra, different, unsent, missing, counted, miscounted, .. } = self;
        write!(
            f,
            "{extra} are not in the hub, {different} show what it has not heard, {unsent} lack what it says, and {missing} more are there no longer"
        )?;
        match counted {
            Some(counted) if *miscounted > 0 => write!(f, "; its own count is {counted}"),
            _ => Ok(()),
        }
    }
}

/// A walk through what a CRM deleted, and how far it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    #[serde(default)]
    pub object: Object,
    pub since: Timestamp,
    pub begun: Timestamp,
    /// The next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What the pages before it told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Removed>,
}

/// Deletions that waited for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rested {
    #[serde(default)]
    pub object: Object,
    /// Which time of waiting it was.
    pub rests: String,
    /// They were meant: the connection's policy holds for them. Otherwise their links end, and nobody else hears of it.
    pub meant: bool,
}

/// A remote that is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    pub remote: RemoteId,
    pub at: Timestamp,
    /// It lost a merge, where the CRM says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<RemoteId>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_another_only_beyond_what_moves() {
        let held = |shown, before, after, moving| {
            let mut differences = Differences { shown, ..Differences::default() };
            differences.count(before, after, moving);
            assert_eq!(differences.counted, Some(after));
            differences.miscounted
        };
        assert_eq!(held(10, 10, 10, 0), 0);
        assert_eq!(
            (held(9, 10, 9, 0), held(10, 10, 9, 0), held(10, 10, 11, 0)),
            (0, 0, 0),
            "some went or came meanwhile"
        );
        assert_eq!((held(12, 10, 10, 2), held(12, 10, 10, 1)), (0, 1), "what is new may not be counted yet");
        assert_eq!((held(8, 10, 10, 5), held(8, 10, 9, 0)), (2, 1), "not everybody is shown");
    }
}
