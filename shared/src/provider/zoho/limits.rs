//! What Zoho allows (Zoho docs: API limits).

use crate::provider::quota::{Day, Limits, Told, Weight, number};
use std::time::Duration;

/// Credits in a rolling day of the whole organisation: 5,000 in the free edition, 50,000 and more in the others. What is left
/// is told once half is spent. There is no limit of calls in a time, but one of calls at the same time to an app: ten and
/// more of our kind, which are four of a push, one of a pull and five looks; five in the free edition, where more is refused and waits.
pub(super) const LIMITS: Limits = Limits {
    at_once: 4,
    windows: &[],
    day: Some(Day { least: 5_000, wait: Duration::from_secs(900), metered: false }),
    weigh: |_| Weight::default(),
    told: |headers| Told { day_left: number(headers, "x-api-credits-remaining"), ..Told::default() },
};
