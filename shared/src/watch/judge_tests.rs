use super::{Facts, Kind, judge};
use crate::{
    connection::{Connection, Mode, State},
    mapping::Direction,
    provider::Crm,
    record::Object,
    watch::{Hour, Pulse, Seen, Thresholds},
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

/// A Wednesday at noon.
const NOW: &str = "2026-11-18T12:10:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

fn connection() -> Connection {
    let mut connection: Connection = serde_json::from_value(json!({
        "tenant": "acme", "id": "zoho", "crm": "zoho", "account": "1", "state": {"is": "active"}, "direction": "both",
        "mappings": {}, "pull_every": 300, "due_at": NOW, "last_success": ago(4),
    }))
    .unwrap();
    connection.mappings = Crm::Zoho.default_mappings(&[Object::Person]);
    connection
}

fn found(connection: &Connection, pulse: &Pulse, since: Timestamp) -> Vec<Kind> {
    let facts = Facts { connection, pulse, since, now: now() };
    judge(&facts, &Thresholds::default()).into_iter().map(|finding| finding.kind).collect()
}

fn of(connection: &Connection, pulse: &Pulse) -> Vec<Kind> {
    found(connection, pulse, ago(60_000))
}

#[test]
fn a_connection_that_does_well_has_no_findings() {
    assert_eq!(of(&connection(), &Pulse::default()), []);
}

#[test]
fn silence_is_two_intervals_without_a_success() {
    let silent = |last: Option<i64>, change: fn(&mut Connection)| {
        let mut connection = Connection { last_success: last.map(ago), ..connection() };
        change(&mut connection);
        of(&connection, &Pulse::default()) == [Kind::Silent]
    };
    assert!(!silent(Some(10), |_| {}) && silent(Some(11), |_| {}) && silent(None, |_| {}));
    assert!(!silent(Some(119), |c| c.mode = Mode::Hourly) && silent(Some(121), |c| c.mode = Mode::Hourly));
    let by_right: [fn(&mut Connection); 4] = [
        |c| c.mode = Mode::Manual,
        |c| c.state = State::Paused { reason: String::new() },
        |c| c.state = State::Joining,
        |c| c.direction = Direction::ToCrm,
    ];
    assert!(by_right.into_iter().all(|change| !silent(Some(9_000), change)), "nobody expects any");
    let resumed = Connection { last_success: Some(ago(9_000)), ..connection() };
    assert_eq!(found(&resumed, &Pulse::default(), ago(9)), [], "it had no time yet");
    assert_eq!(found(&resumed, &Pulse::default(), ago(11)), [Kind::Silent]);
}

#[test]
fn a_dead_grant_is_nothing_else_besides() {
    let dead =
        Connection { state: State::NeedsReauth { since: ago(90) }, last_success: Some(ago(900)), ..connection() };
    let pulse = Pulse { used: Some(Seen { what: 99, at: ago(1) }), ..Pulse::default() };
    assert_eq!(of(&dead, &pulse), [Kind::ShutOut]);
}

#[test]
fn lag_is_of_the_oldest_push_or_of_the_last_looks() {
    let waits = |since: Option<i64>, at: i64| Pulse {
        waits: Some(Seen { what: since.map(|seconds| now() - SignedDuration::from_secs(seconds)), at: ago(at) }),
        ..Pulse::default()
    };
    let lag = |minutes: u64, at: i64| Pulse {
        lag: Some(Seen { what: Duration::from_secs(60 * minutes), at: ago(at) }),
        ..Pulse::default()
    };
    let lags = |pulse: Pulse| of(&connection(), &pulse) == [Kind::Lagging];
    assert!(lags(waits(Some(31), 0)) && !lags(waits(Some(30), 0)) && !lags(waits(None, 0)));
    assert!(lags(waits(Some(20_000), 300)), "a CRM may ask us to wait for hours");
    assert!(lags(lag(16, 1)) && !lags(lag(15, 1)) && !lags(lag(300, 16)), "it has caught up since");
    let daily = Connection { mode: Mode::Daily, ..connection() };
    assert_eq!(of(&daily, &lag(300, 1)), [], "a day is what was asked for");
}

fn busy(hour: Hour) -> Pulse {
    let hours = [(Pulse::place(now()), hour)].into_iter().collect();
    Pulse { hours, failed: Some(ago(1)), refused: Some(ago(1)), ..Pulse::default() }
}

#[test]
fn refusals_and_errors_are_told_when_they_are_many_and_a_large_part() {
    let refused = |refused, moved| of(&connection(), &busy(Hour { refused, moved, ..Hour::default() }));
    assert_eq!((refused(5, 45), refused(4, 0), refused(5, 46)), (vec![Kind::Rejecting], vec![], vec![]));
    let failed = |failed, sessions| of(&connection(), &busy(Hour { failed, sessions, ..Hour::default() }));
    assert_eq!((failed(4, 16), failed(3, 3), failed(4, 17)), (vec![Kind::Failing], vec![], vec![]));
    let over = Pulse { failed: Some(ago(16)), ..busy(Hour { failed: 9, sessions: 9, ..Hour::default() }) };
    assert_eq!(of(&connection(), &over), [], "it ended a while ago");
}

#[test]
fn the_budget_is_told_at_four_fifths_of_it() {
    let used = |what, at| of(&connection(), &Pulse { used: Some(Seen { what, at: ago(at) }), ..Pulse::default() });
    assert_eq!((used(80, 1), used(79, 1), used(99, 400)), (vec![Kind::NearLimit], vec![], vec![]));
}

/// So many records in the last whole hour, and in the same hour of the days before, the latest first.
fn volumes(last: u32, before: &[u32]) -> Pulse {
    let place = Pulse::place(now()) - 1;
    let hour = |day: usize, moved: u32| (place - 24 * day as i64, Hour { moved, ..Hour::default() });
    let days = before.iter().enumerate().map(|(day, moved)| hour(day + 1, *moved));
    Pulse { hours: days.chain([hour(0, last)]).collect(), ..Pulse::default() }
}

#[test]
fn a_drop_is_by_the_days_before_and_no_weekend() {
    let drops = |last, before: &[u32]| of(&connection(), &volumes(last, before)) == [Kind::Dropped];
    assert!(drops(20, &[100, 100, 100]) && !drops(21, &[100, 100, 100]));
    assert!(!drops(0, &[100, 100]), "two days say too little");
    assert!(!drops(0, &[19, 19, 19, 19]), "so few may be none");
    assert!(!drops(0, &[100, 100, 100, 100, 100, 3, 2]), "a week ago it was as little");
    assert!(drops(0, &[3, 2, 100, 100, 100, 100, 100]), "after a weekend");
}

proptest! {
    /// Doing better never makes anything worse, and no threshold is passed by less than nothing.
    #[test]
    fn findings_only_grow_with_what_is_bad(refused in 0..200_u32, moved in 0..2_000_u32, failed in 0..100_u32, well in 0..400_u32) {
        let hour = Hour { sessions: failed + well, failed, moved, refused, ..Hour::default() };
        let bad = of(&connection(), &busy(hour));
        let better = Hour { moved: moved + 1, sessions: hour.sessions + 1, ..hour };
        let fewer = Hour { refused: refused.saturating_sub(1), failed: failed.saturating_sub(1), ..hour };
        for other in [better, fewer] {
            let now = of(&connection(), &busy(other));
            prop_assert!(now.iter().all(|kind| bad.contains(kind)), "{:?} {:?}", bad, now);
        }
    }

    #[test]
    fn more_volume_is_never_a_drop(last in 0..500_u32, more in 0..500_u32, before in prop::collection::vec(0..500_u32, 0..8)) {
        let drops = |last| of(&connection(), &volumes(last, &before)).contains(&Kind::Dropped);
        prop_assert!(drops(last) || !drops(last + more));
        prop_assert!(!drops(before.iter().copied().max().unwrap_or_default()));
    }
}
