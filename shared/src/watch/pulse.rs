//! What was done on a connection, hour by hour, and how it last stood.

use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// No webhook takes so long.
const LATE: Duration = Duration::from_mins(1);

/// What was done for a connection, by an invocation or several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    pub hour: Hour,
    /// The worst time from a change in the CRM until it was in the hub.
    pub lag: Option<Duration>,
    /// Whether pushes were worked on, and since when the oldest of those waits that were handed back.
    pub waits: Option<Option<Timestamp>>,
    /// Percent of the day's calls that are used.
    pub used: Option<u8>,
    /// Whether a push is handed back, or was before: somebody else may have stored that one waits.
    pub retried: bool,
}

impl Counts {
    /// Together with what came later.
    pub fn and(&self, later: &Counts) -> Counts {
        Counts {
            hour: self.hour.and(later.hour),
            lag: self.lag.max(later.lag),
            waits: later.waits.or(self.waits),
            used: later.used.or(self.used),
            retried: self.retried || later.retried,
        }
    }

    /// Whether somebody may have to be told.
    pub fn is_bad(&self) -> bool {
        let is_late = self.lag.is_some_and(|lag| lag >= LATE);
        self.hour.failed > 0 || self.hour.refused > 0 || self.retried || is_late
    }
}

/// What there was in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// Sessions with the CRM.
    pub sessions: u32,
    /// Those that failed, other than for a rate limit.
    pub failed: u32,
    /// Records that were made or changed, on either side.
    pub moved: u32,
    /// Records that the CRM refused.
    pub refused: u32,
    /// Of those that moved: how many tell when they were changed in the CRM.
    pub timed: u32,
    /// Milliseconds that those took from there into the hub, all together.
    pub lag: u64,
}

impl Hour {
    pub fn and(self, other: Hour) -> Hour {
        Hour {
            sessions: self.sessions.saturating_add(other.sessions),
            failed: self.failed.saturating_add(other.failed),
            moved: self.moved.saturating_add(other.moved),
            refused: self.refused.saturating_add(other.refused),
            timed: self.timed.saturating_add(other.timed),
            lag: self.lag.saturating_add(other.lag),
        }
    }

    /// From a change in the CRM until it was in the hub, on average.
    pub fn mean_lag(self) -> Option<Duration> {
        Some(Duration::from_millis(self.lag.checked_div(u64::from(self.timed))?))
    }
}

/// Something that was seen, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    pub what: T,
    pub at: Timestamp,
}

/// An hour, counted from the epoch.
pub type Place = i64;

/// What is known of the last days.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulse {
    pub hours: BTreeMap<Place, Hour>,
    pub lag: Option<Seen<Duration>>,
    pub waits: Option<Seen<Option<Timestamp>>>,
    pub used: Option<Seen<u8>>,
    pub failed: Option<Timestamp>,
    pub refused: Option<Timestamp>,
}

impl Pulse {
    pub const DAYS: i64 = 7;

    pub fn place(at: Timestamp) -> Place {
        at.as_second().div_euclid(3_600)
    }

    pub fn hour(&self, place: Place) -> Hour {
        self.hours.get(&place).copied().unwrap_or_default()
    }

    /// So many hours, the last of which is this one, oldest first.
    pub fn last(&self, hours: i64, now: Timestamp) -> impl Iterator<Item = (Place, Hour)> {
        let place = Pulse::place(now);
        (place - hours + 1..=place).map(|place| (place, self.hour(place)))
    }

    /// This hour and the one before.
    pub fn lately(&self, now: Timestamp) -> Hour {
        self.last(2, now).fold(Hour::default(), |sum, (_, hour)| sum.and(hour))
    }

    /// How many records moved in the last whole hour, and how many are to be expected by the days before: as many as in the middle one of
    /// them, or as a week ago where that were fewer. `None` where too little is known.
    pub fn volume(&self, now: Timestamp) -> Option<(u32, u32)> {
        let place = Pulse::place(now) - 1;
        let first = *self.hours.keys().next()?;
        let days: Vec<Place> =
            (1..=Pulse::DAYS).map(|day| place - 24 * day).filter(|before| *before >= first).collect();
        let mut moved: Vec<u32> = days.iter().map(|before| self.hour(*before).moved).collect();
        let week_ago = moved.get(Pulse::DAYS as usize - 1).copied();
        moved.sort_unstable();
        let middle = *moved.get(moved.len().checked_sub(1)? / 2)?;
        (moved.len() >= 3).then(|| (self.hour(place).moved, week_ago.map_or(middle, |week_ago| week_ago.min(middle))))
    }
}

/// Whether something is no older than that.
pub(super) fn is_fresh(at: Timestamp, now: Timestamp, most: SignedDuration) -> bool {
    now.duration_since(at) <= most
}
