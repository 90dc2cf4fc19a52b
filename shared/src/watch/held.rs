//! What an instance has counted and not yet stored: good news waits a little, so that a busy connection costs a write a minute.

use super::{Counts, Pulse};
use crate::id::{ConnectionId, TenantId};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::{BTreeMap, HashMap},
    mem,
    sync::{Mutex, PoisonError},
};

/// How long counts may wait, if the instance is asked again; one that never is takes at most this much with it.
const WAITS: SignedDuration = SignedDuration::from_mins(1);
/// Records that may wait.
const MOST: u32 = 50;

pub type Of = (TenantId, ConnectionId);

/// One instance's.
#[derive(Debug, Default)]
pub struct Held(Mutex<HashMap<Of, Waiting>>);

#[derive(Debug)]
struct Waiting {
    counts: Counts,
    /// When the last of them was counted.
    at: Timestamp,
    stored: Option<Timestamp>,
    /// What was stored last was bad news: that it is over is news too.
    was_bad: bool,
    /// The share of the day's calls that was stored last.
    used: Option<u8>,
}

impl Held {
    /// Adds what an invocation counted; what is to be stored by now, and the hour to which it belongs.
    pub fn due(&self, counted: BTreeMap<Of, Counts>, now: Timestamp) -> Vec<(Of, Timestamp, Counts)> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        for (of, counts) in counted {
            let new = || Waiting { counts: Counts::default(), at: now, stored: None, was_bad: false, used: None };
            let waiting = held.entry(of.clone()).or_insert_with(new);
            if Pulse::place(waiting.at) != Pulse::place(now) {
                due.extend(waiting.take(now).map(|(at, counts)| (of, at, counts)));
            }
            waiting.counts = waiting.counts.and(&counts);
            waiting.at = now;
        }
        held.retain(|of, waiting| {
            let rested = waiting.stored.is_none_or(|at| now.duration_since(at) >= WAITS);
            if rested || waiting.is_urgent() {
                match waiting.take(now) {
                    Some((at, counts)) => due.push((of.clone(), at, counts)),
                    None => return !rested,
                }
            }
            true
        });
        due
    }

    /// All that waits.
    pub fn all(&self) -> Vec<(Of, Timestamp, Counts)> {
        let held = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        held.into_iter().filter_map(|(of, mut waiting)| waiting.take(waiting.at).map(|(at, c)| (of, at, c))).collect()
    }
}

impl Waiting {
    fn is_urgent(&self) -> bool {
        self.was_bad || self.counts.is_bad() || self.counts.used > self.used || self.counts.hour.moved >= MOST
    }

    fn take(&mut self, now: Timestamp) -> Option<(Timestamp, Counts)> {
        let counts = mem::take(&mut self.counts);
        (counts != Counts::default()).then(|| {
            (self.stored, self.was_bad, self.used) = (Some(now), counts.is_bad(), counts.used.or(self.used));
            (self.at, counts)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Held, Of};
    use crate::watch::Hour;
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn of(name: &str) -> Of {
        ("tenant".parse().unwrap(), name.parse().unwrap())
    }

    fn moved(moved: u32) -> Counts {
        Counts { hour: Hour { sessions: 1, moved, ..Hour::default() }, ..Counts::default() }
    }

    fn failed() -> Counts {
        Counts { hour: Hour { sessions: 1, failed: 1, ..Hour::default() }, ..Counts::default() }
    }

    fn after(held: &Held, seconds: i64, counted: &[(&str, Counts)]) -> Vec<(i64, Counts)> {
        let counted = counted.iter().map(|(name, counts)| (of(name), counts.clone())).collect::<BTreeMap<_, _>>();
        let due = held.due(counted, Timestamp::from_second(seconds).unwrap());
        due.into_iter().map(|(_, at, counts)| (at.as_second(), counts)).collect()
    }

    #[test]
    fn good_news_is_stored_once_a_minute() {
        let held = Held::default();
        assert_eq!(after(&held, 0, &[("a", moved(1))]), [(0, moved(1))], "the first at once");
        assert_eq!(after(&held, 10, &[("a", moved(1))]), []);
        assert_eq!(after(&held, 20, &[("a", moved(48))]), []);
        let sum = Counts { hour: Hour { sessions: 3, moved: 51, ..Hour::default() }, ..Counts::default() };
        assert_eq!(after(&held, 30, &[("a", moved(2))]), [(30, sum)], "not too much of it waits");
        assert_eq!(after(&held, 40, &[("a", moved(1))]), []);
        assert_eq!(after(&held, 95, &[("b", moved(1))]).len(), 2, "whoever else it is about");
        assert_eq!(after(&held, 900, &[]), [], "and nothing is stored twice");
    }

    #[test]
    fn bad_news_and_its_end_do_not_wait() {
        let held = Held::default();
        assert_eq!(after(&held, 0, &[("a", moved(1))]).len(), 1);
        assert_eq!(after(&held, 1, &[("a", failed())]), [(1, failed())]);
        assert_eq!(after(&held, 2, &[("a", moved(1))]), [(2, moved(1))]);
        assert_eq!(after(&held, 3, &[("a", moved(1))]), []);
    }

    #[test]
    fn each_hour_has_its_own() {
        let held = Held::default();
        assert_eq!(after(&held, 3_590, &[("a", moved(1))]).len(), 1);
        assert_eq!(after(&held, 3_595, &[("a", moved(2))]), []);
        assert_eq!(after(&held, 3_605, &[("a", moved(4))]), [(3_595, moved(2))]);
        assert_eq!(
            held.all().into_iter().map(|(_, at, c)| (at.as_second(), c.hour.moved)).collect::<Vec<_>>(),
            [(3_605, 4)]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_stored_twice(steps in prop::collection::vec((0..90_i64, 0..3_usize, 0..60_u32, any::<bool>()), 1..60)) {
            let (held, mut now, mut expected, mut stored) = (Held::default(), Timestamp::UNIX_EPOCH, Hour::default(), Hour::default());
            for (seconds, name, n, bad) in steps {
                now += SignedDuration::from_secs(seconds);
                let counts = if bad { failed() } else { moved(n) };
                expected = expected.and(counts.hour);
                let due = held.due(BTreeMap::from([(of(["a", "b", "c"][name]), counts)]), now);
                stored = due.iter().fold(stored, |sum, (_, _, counts)| sum.and(counts.hour));
            }
            stored = held.all().iter().fold(stored, |sum, (_, _, counts)| sum.and(counts.hour));
            prop_assert_eq!(stored, expected);
        }
    }
}
