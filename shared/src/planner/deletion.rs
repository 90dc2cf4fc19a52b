//! What a deletion in one CRM means for the hub and for the others.

use super::pending;
use crate::{
    id::ConnectionId,
    mapping::Mapping,
    record::{Fields, Link, Record},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What a connection makes of a remote that its CRM's users delete, or archive.
///
/// The default takes nothing from anybody: what it spares can still be deleted, what another spreads is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// How many deletions within an hour are a person's decision: more than so many, or more than such a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    pub most: u32,
    /// Percent of the remotes that the connection knows …
    pub share: u32,
    /// … of which so many may go whatever share that is.
    pub few: u32,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard { most: 500, share: 20, few: 20 }
    }
}

impl Guard {
    /// Whether so many may go in an hour. `known` counts the connection's remotes that were there before; no more of them
    /// than [`Guard::enough`] need be counted.
    pub fn allows(&self, gone: u32, known: u64) -> bool {
        if cfg!(feature = "mutant_a_mass_may_go") {
            return true;
        }
        gone <= self.most && (gone <= self.few || u64::from(gone) * 100 <= u64::from(self.share) * known)
    }

    /// Of so many known remotes `gone` are no more than the share; `None` where no share is asked for.
    pub fn enough(&self, gone: u32) -> Option<u64> {
        let asked = gone > self.few && gone <= self.most && self.share > 0;
        asked.then(|| (u64::from(gone) * 100).div_ceil(u64::from(self.share)))
    }
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
    match unseen && !cfg!(feature = "mutant_a_deletion_beats_an_edit") {
        true => Meaning::Contested,
        false => Meaning::Deletes { spreads },
    }
}

/// Whether what a look brought into the hub says something new: who edits a person that was deleted wants them back.
pub fn says_something_new(before: &Fields, after: &Fields) -> bool {
    let differs = |(field, written): (&String, &crate::record::Written)| before.get(field) != written.value.as_ref();
    after.iter().any(differs) && !cfg!(feature = "mutant_an_edit_stays_deleted")
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
        Some(_) if cfg!(feature = "mutant_push_to_the_deleted") => Errand::Push,
        Some(deleted) => {
            let there = link.is_some_and(|link| link.remote.is_some() && link.gone.is_none());
            let tried = link.and_then(|link| link.refused.as_ref()).is_some_and(|r| r.fingerprint == UNDELETABLE);
            let spreads = deleted.spreads || cfg!(feature = "mutant_a_soft_deletion_spreads");
            match spreads && there && !tried && deleted.by != *connection {
                true => Errand::Delete,
                false => Errand::Nothing,
            }
        }
    }
}
