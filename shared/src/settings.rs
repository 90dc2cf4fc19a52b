//! What holds for all of a tenant's connections.

use crate::{
    alert::Alerts,
    engagement::{Effects, Scoring},
    planner::Ownership,
    record::Record,
    trigger::Triggers,
    watch::Thresholds,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Nothing is read from the tenant's CRMs, and nothing is written to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
    /// Counts the changes of what was decided.
    pub version: u64,
    /// When people were last looked through for what begins because nothing happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_through: Option<Timestamp>,
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
