//! Who wins where both sides changed a field.

use crate::id::Source;
use crate::record::{Value, Written};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    #[serde(default)]
    pub conflicts: Strategy,
    /// The sources that win a tie, first one first. A source that is not listed comes before the listed ones
    /// if it is no CRM: what the tenant's own product says on purpose outranks what a CRM happens to show.
    #[serde(default)]
    pub priority: Vec<Source>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    CrmWins,
    LocalWins,
    #[default]
    NewestWins,
    Manual,
}

/// A field that both sides changed.
pub struct Conflict<'a> {
    pub ours: &'a Written,
    pub theirs: Option<&'a Value>,
    pub theirs_source: &'a Source,
    /// Their edit happened after this …
    pub after: Option<Timestamp>,
    /// … and not after this.
    pub until: Option<Timestamp>,
}

impl Policy {
    /// A pure function of both values, their sources and times: the order in which they arrived plays no part.
    pub fn judge(&self, conflict: &Conflict<'_>) -> Verdict {
        match self.conflicts {
            Strategy::CrmWins => Verdict::Take,
            Strategy::LocalWins => Verdict::Restore,
            Strategy::Manual => Verdict::Park,
            Strategy::NewestWins => self.newest(conflict),
        }
    }

    fn newest(&self, c: &Conflict<'_>) -> Verdict {
        if c.after.is_some_and(|after| c.ours.at <= after) {
            return Verdict::Take;
        }
        if c.until.is_some_and(|until| c.ours.at > until) {
            return Verdict::Restore;
        }
        let (ours, theirs) = (self.rank(&c.ours.source), self.rank(c.theirs_source));
        let value = |v: Option<&Value>| v.map(ToString::to_string);
        match ours.cmp(&theirs) {
            std::cmp::Ordering::Less => Verdict::Restore,
            std::cmp::Ordering::Greater => Verdict::Take,
            std::cmp::Ordering::Equal if value(c.ours.value.as_ref()) >= value(c.theirs) => Verdict::Restore,
            std::cmp::Ordering::Equal => Verdict::Take,
        }
    }

    /// Lower wins.
    fn rank(&self, source: &Source) -> usize {
        self.priority.iter().position(|s| s == source).map_or(0, |place| place + 1)
    }
}
