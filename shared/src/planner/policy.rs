//! Who wins where a CRM shows a field otherwise than agreed.

use super::{Deletes, Guard, Ownership, ownership::CONSENT};
use crate::{
    id::{ConnectionId, Source},
    mutant,
    record::{FieldName, Object, Value, Written},
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::BTreeMap};

/// What becomes of a field that the CRM shows otherwise than agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The CRM's value enters the hub.
    Take,
    /// Ours must be pushed again.
    Restore,
    /// Each side keeps its own.
    Leave,
    /// A person decides.
    Park,
}

/// How a connection settles conflicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    #[serde(default)]
    pub conflicts: Strategy,
    /// Of some objects, and of some of the hub's fields: the narrowest rule holds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub apart: BTreeMap<Object, Apart>,
    /// The sources that win a tie, first one first. A source that is not listed comes before those that are: list
    /// the connections, and what the tenant's own product says on purpose outranks what a CRM happens to show.
    #[serde(default)]
    pub priority: Vec<Source>,
    /// What a remote that its users delete means for the rest.
    #[serde(default)]
    pub deletes: Deletes,
    /// How many deletions in the CRM are a person's decision …
    #[serde(default)]
    pub guard: Guard,
    /// … how many records that are written there though no sync request asks for it …
    #[serde(default = "Guard::of_writes")]
    pub writes: Guard,
    /// … and how many that lose a value there.
    #[serde(default = "Guard::of_blanks")]
    pub blanks: Guard,
    /// What becomes of fields that differ when the two sides first meet.
    #[serde(default)]
    pub joining: Joining,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            conflicts: Strategy::default(),
            apart: BTreeMap::new(),
            priority: Vec::new(),
            deletes: Deletes::default(),
            guard: Guard::default(),
            writes: Guard::of_writes(),
            blanks: Guard::of_blanks(),
            joining: Joining::default(),
        }
    }
}

/// How one object's conflicts are settled, where not as all others are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Apart {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<Strategy>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<FieldName, Strategy>,
}

/// By what a connection's looks at one object are judged.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    pub connection: &'a ConnectionId,
    pub object: &'a Object,
    pub policy: &'a Policy,
    pub ownership: &'a Ownership,
    /// The two sides meet now: the connection is not approved yet.
    pub meets: bool,
}

/// How fields are settled that both sides had filled in before they knew of each other.
///
/// By default a person decides: which of two databases is right is nothing that can be seen in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Joining {
    #[default]
    Conflict,
    HubWins,
    CrmWins,
    NewestWins,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    CrmWins,
    LocalWins,
    #[default]
    NewestWins,
    Manual,
}

/// A field that the CRM shows otherwise than agreed.
pub(super) struct Difference<'a> {
    /// Whether what the CRM shows may enter the hub, or says something at all: a blank under a keep rule does not.
    pub heard: bool,
    /// It waits for a person already, or two machines fight over it.
    pub disputed: bool,
    /// Nothing was agreed about it before, and both sides have a value.
    pub first: bool,
    /// The hub's field that it flows into, if it flows into any.
    pub hub: Option<&'a str>,
    /// Our side's write, if we send it …
    pub ours: Option<&'a Written>,
    /// … and whether it is not as agreed either.
    pub ours_changed: bool,
    pub theirs: &'a Written,
}

impl Difference<'_> {
    /// Somebody says that this person wants no e-mails: not ours to take, perhaps, but nobody's to undo.
    fn opts_out(&self) -> bool {
        self.hub == Some(CONSENT) && self.theirs.value == Some(Value::Flag(true))
    }
}

impl Judge<'_> {
    /// A pure function of both writes and of what mapping and ownership allow: the order in which they arrived plays no part.
    pub(super) fn judge(&self, difference: &Difference<'_>) -> Verdict {
        let opposed = difference.ours.filter(|_| difference.ours_changed);
        match (opposed, self.strategy(difference)) {
            _ if !difference.heard => Verdict::Leave,
            _ if difference.disputed => Verdict::Park,
            _ if !self.owns(difference.hub) && (difference.ours.is_none() || difference.opts_out()) => Verdict::Leave,
            _ if !self.owns(difference.hub) => Verdict::Restore,
            (None, _) | (Some(_), Strategy::CrmWins) => Verdict::Take,
            (Some(_), Strategy::LocalWins) => Verdict::Restore,
            (Some(_), Strategy::Manual) => Verdict::Park,
            (Some(ours), Strategy::NewestWins) if self.policy.beats(difference.theirs, ours) => Verdict::Take,
            (Some(_), Strategy::NewestWins) => Verdict::Restore,
        }
    }

    /// Whether what the CRM shows may be written into a field of the hub.
    pub(super) fn owns(&self, hub: Option<&str>) -> bool {
        hub.is_none_or(|field| self.ownership.allows_crm(field, self.connection))
    }

    fn strategy(&self, difference: &Difference<'_>) -> Strategy {
        let meets = self.meets && difference.first && !mutant::lives("nobody_meets");
        match self.policy.joining {
            _ if !meets => self.between(difference, self.policy.strategy(self.object, difference.hub)),
            Joining::Conflict => Strategy::Manual,
            Joining::HubWins => Strategy::LocalWins,
            Joining::CrmWins => Strategy::CrmWins,
            Joining::NewestWins => Strategy::NewestWins,
        }
    }

    /// Whether "the CRM" or "local" wins says nothing of two CRMs: between them it is the newer edit, or whoever was looked at first would
    /// win by that.
    fn between(&self, difference: &Difference<'_>, strategy: Strategy) -> Strategy {
        let is_of_another_crm = |ours: &&Written| ours.after.is_some() && ours.source != Source::from(self.connection);
        let of_crms = difference.ours.filter(is_of_another_crm).is_some() && !mutant::lives("first_looked_at_wins");
        match strategy {
            Strategy::CrmWins | Strategy::LocalWins if of_crms => Strategy::NewestWins,
            strategy => strategy,
        }
    }
}

impl Policy {
    /// The strategy of one field of an object, by the narrowest rule.
    fn strategy(&self, object: &Object, field: Option<&str>) -> Strategy {
        let apart = self.apart.get(object);
        let of_field = apart.zip(field).and_then(|(apart, field)| apart.fields.get(field));
        of_field.copied().or_else(|| apart?.conflicts).unwrap_or(self.conflicts)
    }

    /// Whether `a` is the newer write; a tie is broken by source, then by value.
    pub(super) fn beats(&self, a: &Written, b: &Written) -> bool {
        if surely_before(a, b) || surely_before(b, a) {
            return surely_before(b, a);
        }
        let standing = |w: &Written| (Reverse(self.rank(&w.source)), w.value.as_ref().map(ToString::to_string));
        standing(a) > standing(b) && !mutant::lives("first_come_wins")
    }

    /// Lower wins.
    fn rank(&self, source: &Source) -> usize {
        self.priority.iter().position(|s| s == source).map_or(0, |place| place + 1)
    }
}

/// A write is at one time, or somewhere in (`after`, `at`]; what overlaps is a tie.
fn surely_before(a: &Written, b: &Written) -> bool {
    b.after.map_or(end(a) < b.at, |after| end(a) <= after)
}

/// The latest moment of a write: a CRM's time in whole seconds stands for the whole second.
fn end(w: &Written) -> Timestamp {
    let coarse = w.after.is_some() && w.at.subsec_nanosecond() == 0;
    if coarse { w.at.saturating_add(SignedDuration::from_millis(999)).unwrap_or(w.at) } else { w.at }
}
