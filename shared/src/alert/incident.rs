//! What is told of one code on one connection: that it began, that it grew, that it is over. Exceptions are heard of in any order, and more
//! than once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// That an exception was opened or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub exception: String,
    /// When it was opened: one that is opened anew is another.
    pub at: Timestamp,
    pub ended: bool,
}

/// What was last heard of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub at: Timestamp,
    pub ended: bool,
}

/// The exceptions of one code on one connection, as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// How many of them are open.
    pub open: u32,
    /// Since when any is; it tells one time from the next.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// By channel.
    #[serde(default)]
    pub told: BTreeMap<String, Told>,
    /// Counts the changes.
    #[serde(default)]
    pub version: u64,
}

/// What a channel was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How many were open; none: that it is over.
    pub count: u32,
    pub at: Timestamp,
    /// It has taken it. Until then somebody is about to tell it, or died over that.
    pub sent: bool,
}

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    Begun {
        count: u32,
    },
    /// There are ten times as many as it was told.
    Grown {
        count: u32,
    },
    Over,
}

/// What is to be done about a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Tell(Say),
    /// Somebody else is about to.
    Wait,
}

/// How long whoever is about to tell a channel something is waited for.
pub const ABOUT_TO: SignedDuration = SignedDuration::from_secs(60);
/// So many times as many are told once more.
const GROWN: u32 = 10;

impl Say {
    pub fn count(self) -> u32 {
        match self {
            Say::Begun { count } | Say::Grown { count } => count,
            Say::Over => 0,
        }
    }
}

/// What is known of an exception after something was heard of it, and how many more are open by that; `None` where that is old news.
pub fn heard(known: Option<&Mark>, heard: &Heard) -> Option<(Mark, i64)> {
    let next = Mark { at: heard.at, ended: heard.ended };
    let was_open = known.is_some_and(|known| !known.ended);
    match known {
        Some(known) if heard.at < known.at => None,
        Some(known) if heard.at == known.at && (known.ended || !heard.ended) => None,
        _ => Some((next, i64::from(!heard.ended) - i64::from(was_open))),
    }
}

impl Incident {
    /// With so many more open.
    pub fn and(&self, more: i64, now: Timestamp) -> Incident {
        let open = u32::try_from(i64::from(self.open).saturating_add(more).max(0)).unwrap_or(u32::MAX);
        // To whom nobody has said that it is over, it still is the same one.
        let is_another = self.open == 0 && open > 0 && self.told.is_empty();
        let since = if is_another { Some(now) } else { self.since };
        Incident { open, since, version: self.version + 1, ..self.clone() }
    }

    /// With what a channel is about to be told, or has taken.
    pub fn telling(&self, channel: &str, say: Say, sent: bool, now: Timestamp) -> Incident {
        let mut next = Incident { version: self.version + 1, ..self.clone() };
        match (say, sent) {
            (Say::Over, true) => drop(next.told.remove(channel)),
            _ => drop(next.told.insert(channel.to_owned(), Told { count: say.count(), at: now, sent })),
        }
        next
    }

    /// Nobody has taken it: as it was before.
    pub fn untold(&self, channel: &str, before: Option<Told>) -> Incident {
        let mut next = Incident { version: self.version + 1, ..self.clone() };
        match before {
            Some(told) => drop(next.told.insert(channel.to_owned(), told)),
            None => drop(next.told.remove(channel)),
        }
        next
    }
}

/// What each of these channels, and those that were told of it, are to hear now.
pub fn due(incident: &Incident, channels: &BTreeSet<&str>, now: Timestamp) -> BTreeMap<String, Next> {
    let all: BTreeSet<&str> = channels.iter().copied().chain(incident.told.keys().map(String::as_str)).collect();
    let next = |channel: &str| {
        let told = incident.told.get(channel);
        if told.is_some_and(|told| !told.sent && now.duration_since(told.at) < ABOUT_TO) {
            return Some(Next::Wait);
        }
        let taken = told.filter(|told| told.sent);
        let count = incident.open;
        match (count, taken) {
            (0, _) => told.map(|_| Next::Tell(Say::Over)),
            (_, None) => channels.contains(channel).then_some(Next::Tell(Say::Begun { count })),
            (_, Some(told)) if count >= told.count.saturating_mul(GROWN) => Some(Next::Tell(Say::Grown { count })),
            _ => None,
        }
    };
    all.into_iter().filter_map(|channel| Some((channel.to_owned(), next(channel)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Heard, Incident, Mark, Next, Say, due, heard};
    use jiff::Timestamp;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Hears of all of it, and tells one channel whatever is due at each step.
    fn after(all: &[Heard]) -> (Incident, Vec<Say>) {
        let (mut marks, mut incident, mut said) = (BTreeMap::<String, Mark>::new(), Incident::default(), Vec::new());
        for one in all {
            if let Some((mark, more)) = heard(marks.get(&one.exception), one) {
                marks.insert(one.exception.clone(), mark);
                incident = incident.and(more, at(1_000));
            }
            for (channel, next) in due(&incident, &BTreeSet::from(["ops"]), at(1_000)) {
                let Next::Tell(say) = next else { panic!("nobody else is there") };
                incident = incident.telling(&channel, say, true, at(1_000));
                said.push(say);
            }
        }
        (incident, said)
    }

    fn opened(exception: &str, second: i64) -> Heard {
        Heard { exception: exception.to_owned(), at: at(second), ended: false }
    }

    fn ended(exception: &str, second: i64) -> Heard {
        Heard { ended: true, ..opened(exception, second) }
    }

    #[test]
    fn a_storm_is_a_few_words() {
        let all: Vec<Heard> = (0..1_000).map(|n| opened(&format!("x{n}"), 1)).collect();
        let (_, said) = after(&all);
        assert_eq!(
            said,
            [Say::Begun { count: 1 }, Say::Grown { count: 10 }, Say::Grown { count: 100 }, Say::Grown { count: 1_000 }]
        );
    }

    #[test]
    fn what_ended_before_it_was_heard_of_is_never_told() {
        assert_eq!(after(&[ended("x", 1), opened("x", 1)]).1, []);
        assert_eq!(
            after(&[opened("x", 1), opened("x", 1), ended("x", 1), opened("x", 1)]).1,
            [Say::Begun { count: 1 }, Say::Over]
        );
        let again = [opened("x", 1), ended("x", 1), opened("x", 2)];
        assert_eq!(
            after(&again).1,
            [Say::Begun { count: 1 }, Say::Over, Say::Begun { count: 1 }],
            "that is another time"
        );
    }

    #[test]
    fn whoever_died_over_telling_is_followed() {
        let (channels, begun) = (BTreeSet::from(["ops"]), Next::Tell(Say::Begun { count: 1 }));
        let incident =
            Incident { open: 1, ..Incident::default() }.telling("ops", Say::Begun { count: 1 }, false, at(0));
        let next = |second| due(&incident, &channels, at(second)).remove("ops").unwrap();
        assert_eq!((next(59), next(60)), (Next::Wait, begun));
        assert_eq!(
            due(&incident.untold("ops", None), &channels, at(1)).remove("ops"),
            Some(begun),
            "it was refused for now"
        );
    }

    #[test]
    fn what_begins_again_before_anybody_heard_that_it_was_over_is_the_same() {
        let begun = Incident::default().and(1, at(1)).telling("ops", Say::Begun { count: 1 }, true, at(1));
        let again = begun.and(-1, at(2)).and(1, at(3));
        assert_eq!((again.since, due(&again, &BTreeSet::from(["ops"]), at(3))), (Some(at(1)), BTreeMap::new()));
        let over = begun.and(-1, at(2)).telling("ops", Say::Over, true, at(2)).and(1, at(3));
        assert_eq!(over.since, Some(at(3)), "another time, by another name");
    }

    proptest! {
        #![proptest_config(crate::planner::cases(500))]

        /// Whatever the order, and however often each is heard: what is open in the end is what was opened last and not ended.
        #[test]
        fn order_and_repetition_change_nothing(
            rounds in prop::collection::vec((1..4_i64, any::<bool>()), 1..6),
            order in prop::collection::vec(any::<prop::sample::Index>(), 40),
        ) {
            let mut all = Vec::new();
            for (n, (times, left_open)) in rounds.iter().enumerate() {
                for second in 1..=*times {
                    all.push(opened(&format!("x{n}"), second));
                    if second < *times || !left_open {
                        all.push(ended(&format!("x{n}"), second));
                    }
                }
            }
            let mut told: Vec<Heard> = order.iter().map(|index| index.get(&all).clone()).collect();
            // Nothing is lost.
            told.extend(all.iter().rev().cloned());
            let (incident, said) = after(&told);
            let open = rounds.iter().filter(|(_, left_open)| *left_open).count();
            prop_assert_eq!(incident.open as usize, open);
            let last = said.last().copied();
            prop_assert_eq!(last.is_some_and(|say| say != Say::Over), open > 0, "{:?}", said);
            let alternates = said.windows(2).all(|two| (two[0] == Say::Over) != matches!(two[1], Say::Over) || matches!(two[1], Say::Grown { .. }));
            prop_assert!(alternates, "{:?}", said);
        }
    }
}
