//! What holds for all of a tenant's connections.

use crate::{engagement::Scoring, planner::Ownership};
use serde::{Deserialize, Serialize};

/// A tenant's own decisions. Where nothing was decided, the defaults hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which source may write which field.
    pub ownership: Ownership,
    /// How many points an event is worth.
    pub scoring: Scoring,
}
