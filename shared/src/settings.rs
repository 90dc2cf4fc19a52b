//! What holds for all of a tenant's connections.

use crate::{
    alert::Alerts,
    engagement::{Effects, Scoring},
    planner::Ownership,
    record::Record,
    trigger::Triggers,
    watch::Thresholds,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU16;

/// A tenant's own decisions. Where nothing was decided, the defaults hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which source may write which field.
    pub ownership: Ownership,
    /// How many points an event is worth.
    pub scoring: Scoring,
    /// What is made of an event.
    pub effects: Effects,
    /// What begins when a condition comes to hold.
    pub triggers: Triggers,
    /// From when on something is worth telling a person.
    pub watch: Thresholds,
    /// Who is told of what waits for a person.
    pub alerts: Alerts,
    /// How long is kept what happened.
    pub retention: Retention,
    /// Nothing is read from the tenant's CRMs, and nothing is written to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
    /// Counts the changes of what was decided.
    pub version: u64,
    /// When people were last looked through for what begins because nothing happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_through: Option<Timestamp>,
}

/// How many days are kept of what happened: a record's history and timeline, and exceptions that have ended. What it says holds for what
/// happens from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    pub days: NonZeroU16,
}

impl Default for Retention {
    /// A year, and a month to look back at it.
    fn default() -> Retention {
        Retention { days: NonZeroU16::MIN.saturating_add(399) }
    }
}

impl Retention {
    /// When what happened then is forgotten.
    pub fn ends(self, at: Timestamp) -> Timestamp {
        at + SignedDuration::from_hours(24 * i64::from(self.days.get()))
    }
}

/// That everything rests, for one tenant or for all. Nothing is lost: what comes meanwhile waits in the hub, and what changes in the CRMs is
/// pulled afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stop {
    pub since: Timestamp,
    pub reason: String,
}

impl Settings {
    /// Lets begin what a change of a record begins, within that change.
    pub fn fire(&self, before: Option<&Record>, after: &mut Record, now: Timestamp) {
        self.triggers.fire(before, after, &self.ownership, now);
    }

    /// As [`Settings::fire`], of a record that has not changed since `then`.
    pub fn fire_since(&self, then: Timestamp, before: &Record, after: &mut Record, now: Timestamp) {
        self.triggers.fire_between((before, then), after, &self.ownership, now);
    }
}
