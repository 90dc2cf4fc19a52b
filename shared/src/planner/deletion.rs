//! What a deletion in one CRM means for the hub and for the others.

use super::pending;
use crate::{
    id::ConnectionId,
    mapping::Mapping,
    mutant,
    record::{Fields, Link, Record},
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a connection makes of a remote that its CRM's users delete, or archive.
///
/// The default takes nothing from anybody: what it spares can still be deleted, what another spreads is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deletes {
    /// The link ends. The hub and the other CRMs keep theirs.
    #[default]
    Ignore,
    /// The hub's record counts as deleted: nothing is pushed to anyone, and the other CRMs keep theirs. It is back once the
    /// remote is restored, or somebody edits the person in a CRM. A sync request does not bring it back.
    SoftDelete,
    /// As that, and the person is deleted in the other CRMs too.
    Propagate,
    /// The remote is made again.
    Restore,
}

/// What becomes of a record whose remote is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The link ends, and nobody else hears of it.
    Ends,
    /// The hub's record is deleted with it, and where it `spreads`, so are the other remotes.
    Deletes { spreads: bool },
    /// Whoever deleted it had not seen all that was said meanwhile: the rest stays, and a person is asked.
    Contested,
    /// It is made again.
    MadeAgain,
    /// It was made again not long ago, and somebody deleted that too: a person is asked.
    Insisted,
}

/// Two deletions of a remote within this are no mistake.
const SOON: SignedDuration = SignedDuration::from_hours(24);

/// What the deletion of a link's remote means. `sends`: what the hub says is pushed to this CRM at all.
pub fn meaning(policy: Deletes, hub: &Fields, link: &Link, mapping: &Mapping, sends: bool, now: Timestamp) -> Meaning {
    let spreads = match policy {
        Deletes::Ignore => return Meaning::Ends,
        Deletes::Restore if !sends => return Meaning::Ends,
        Deletes::Restore if link.restored.is_some_and(|at| now.duration_since(at) < SOON) => return Meaning::Insisted,
        Deletes::Restore => return Meaning::MadeAgain,
        Deletes::SoftDelete => false,
        Deletes::Propagate => true,
    };
    let unseen = sends && !pending(hub, &Link { gone: None, ..link.clone() }, mapping).is_empty();
    match unseen && !mutant::lives("a_deletion_beats_an_edit") {
        true => Meaning::Contested,
        false => Meaning::Deletes { spreads },
    }
}

/// Whether what a look brought into the hub says something new: who edits a person that was deleted wants them back.
pub fn says_something_new(before: &Fields, after: &Fields) -> bool {
    let differs = |(field, written): (&String, &crate::record::Written)| before.get(field) != written.value.as_ref();
    after.iter().any(differs) && !mutant::lives("an_edit_stays_deleted")
}

/// What is to be done for a record in one connection's CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Whatever is pending is pushed.
    Push,
    /// Its remote is deleted there too.
    Delete,
    Nothing,
}

/// The code of a link's refusal where the CRM will not delete its remote.
pub const UNDELETABLE: &str = "delete";

pub fn errand(record: &Record, connection: &ConnectionId) -> Errand {
    let link = record.links.get(connection);
    match &record.deleted {
        _ if record.merged_into.is_some() => Errand::Nothing,
        None => Errand::Push,
        Some(_) if mutant::lives("push_to_the_deleted") => Errand::Push,
        Some(deleted) => {
            let there = link.is_some_and(|link| link.remote.is_some() && link.gone.is_none());
            let tried = link.and_then(|link| link.refused.as_ref()).is_some_and(|r| r.fingerprint == UNDELETABLE);
            let spreads = deleted.spreads || mutant::lives("a_soft_deletion_spreads");
            // Where what made the record is undone, what was there before stays; who is erased is erased everywhere.
            let concerned = match &deleted.by {
                Some(by) => by != connection,
                None => record.erased.is_some() || link.is_some_and(|link| link.made),
            };
            match spreads && there && !tried && concerned {
                true => Errand::Delete,
                false => Errand::Nothing,
            }
        }
    }
}
