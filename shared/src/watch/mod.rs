//! Whether a connection does well: what was counted on it, judged by its tenant's thresholds. A stream of changes cannot see silence.

mod held;
mod judge;
mod pulse;

pub use held::Held;
pub use judge::{Facts, Finding, Kind, judge};
pub use pulse::{Counts, Hour, Place, Pulse, Seen};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From when on something is worth telling a person. What is left out stays as it is by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Intervals between two pulls without a success.
    pub silent_intervals: u16,
    /// Seconds from a change in the CRM until it is in the hub.
    pub pull_lag_seconds: u32,
    /// Seconds that the oldest push has waited.
    pub push_lag_seconds: u32,
    /// Percent of an hour's records that the CRM refuses …
    pub reject_percent: u8,
    /// … if they are so many at least.
    pub reject_least: u32,
    /// Percent by which an hour's records are fewer than in this hour of the days before …
    pub drop_percent: u8,
    /// … if there are so many by then.
    pub drop_least: u32,
    /// Percent of an hour's sessions with the CRM that fail …
    pub error_percent: u8,
    /// … if they are so many at least.
    pub error_least: u32,
    /// Percent of the day's calls that are used.
    pub budget_percent: u8,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            silent_intervals: 2,
            pull_lag_seconds: 900,
            push_lag_seconds: 30,
            reject_percent: 10,
            reject_least: 5,
            drop_percent: 80,
            drop_least: 20,
            error_percent: 25,
            error_least: 4,
            budget_percent: 80,
        }
    }
}
