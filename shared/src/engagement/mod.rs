//! What people do with the product's pages, calls and e-mails: each event counted once, scored and made into notes, tasks and
//! deals by the tenant's rules. Pure.

mod count;
mod effects;
mod event;
mod scoring;

pub use count::{Counted, Counting, Told, count, noted, source};
pub use effects::{BadEffect, Effect, Effects};
pub use event::{BadEvent, Event, Kind, read};
pub use scoring::{BadRule, Contribution, Per, Rule, Scoring};

use crate::{
    id::{EventId, RecordId},
    mapping::Formula,
    planner::Ownership,
    record::{Fields, Value, WrongKind},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a rule may have this name.
pub(crate) fn is_name(name: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=40).contains(&name.len()) && name.bytes().all(sound)
}

/// What is wrong with a rule of this name and condition beside those names, whatever else it says.
fn fault<'r>(names: &mut BTreeSet<&'r str>, name: &'r str, when: Option<&Formula>) -> Option<&'static str> {
    if !is_name(name) {
        return Some("its name has 1 to 40 letters, digits, underscores and hyphens");
    }
    if !names.insert(name) {
        return Some("another rule has this name");
    }
    when.is_some_and(Formula::is_template).then_some("its condition is an expression, such as seconds > 300")
}

/// The hub's field for the score.
const SCORE: &str = "lead_score";

/// What a person's events come to: part of their record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Engagement {
    /// How many there were.
    #[serde(default)]
    pub events: u64,
    /// The sum of all contributions; may be negative.
    #[serde(default)]
    pub score: i64,
    /// By the hub's field: how many, or how many seconds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub totals: BTreeMap<String, i64>,
    /// When the last of them happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Records that became one with this one: their events are this person's too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub merged: BTreeSet<RecordId>,
}

impl Engagement {
    pub fn is_empty(&self) -> bool {
        *self == Engagement::default()
    }

    /// Tells by the hub's fields what is another now than it was; those that hold something of another kind. So a score of the product's
    /// own stands until an event scores.
    pub fn tell(
        &self,
        before: &Engagement,
        fields: &mut Fields,
        ownership: &Ownership,
        now: Timestamp,
    ) -> Vec<WrongKind> {
        let source = source();
        let score = (self.score != before.score).then_some((SCORE, self.score));
        let totals = self.totals.iter().filter(|(field, total)| before.totals.get(*field) != Some(*total));
        let news = totals.map(|(field, total)| (field.as_str(), *total)).chain(score);
        let ours = news.filter(|(field, _)| ownership.allows(field, &source));
        ours.filter_map(|(field, total)| fields.put(field, Some(Value::number(total.into())), now, &source).err())
            .collect()
    }

    /// Of two records that become one. What both were told of stands twice until it is scored anew.
    pub fn join(&mut self, of: &RecordId, other: &Engagement) {
        // Whoever became one with it is remembered, whatever they did: who is forgotten is forgotten as a whole.
        self.merged.extend(other.merged.iter().chain([of]).cloned());
        self.events += other.events;
        self.score += other.score;
        self.last = self.last.max(other.last);
        for (field, total) in &other.totals {
            *self.totals.entry(field.clone()).or_default() += total;
        }
    }
}

/// What is remembered apart from the record, so that nothing counts twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noted {
    /// Senders of e-mails have one id for what was sent, opened and clicked.
    Event(Kind, EventId),
    /// A rule has scored in this visit, or for this person.
    Scored { rule: String, visit: Option<String> },
}

#[cfg(test)]
mod tests;
