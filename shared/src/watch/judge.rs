//! Facts in, findings out.

use super::{
    Thresholds,
    pulse::{Pulse, is_fresh},
};
use crate::connection::{Connection, Mode, State};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What may be wrong with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Silent,
    Lagging,
    Rejecting,
    Dropped,
    Failing,
    NearLimit,
    ShutOut,
}

impl Kind {
    pub const ALL: [Kind; 7] =
        [Kind::Silent, Kind::Lagging, Kind::Rejecting, Kind::Dropped, Kind::Failing, Kind::NearLimit, Kind::ShutOut];

    /// The code of the exception that it is.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Silent => "no_success",
            Kind::Lagging => "sync_lags",
            Kind::Rejecting => "many_refused",
            Kind::Dropped => "volume_dropped",
            Kind::Failing => "many_errors",
            Kind::NearLimit => "quota_low",
            Kind::ShutOut => "needs_reauth",
        }
    }
}

/// What is known of a connection.
#[derive(Debug)]
pub struct Facts<'a> {
    pub connection: &'a Connection,
    pub pulse: &'a Pulse,
    /// Since when it is seen to work.
    pub since: Timestamp,
    pub now: Timestamp,
}

/// Something that a person should see to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    pub reason: String,
}

/// How often is looked.
const LOOK: SignedDuration = SignedDuration::from_mins(5);
/// What was seen of failures and refusals counts for so long.
const FRESH: SignedDuration = SignedDuration::from_mins(15);
/// A push that was handed back is heard of again within this, however long a CRM asks us to wait.
const WAITS: SignedDuration = SignedDuration::from_hours(24);

/// What is wrong, one finding of a kind.
pub fn judge(facts: &Facts<'_>, thresholds: &Thresholds) -> Vec<Finding> {
    let judged = |kind| Some(Finding { kind, reason: kind_of(kind, facts, thresholds)? });
    Kind::ALL.into_iter().filter_map(judged).collect()
}

fn kind_of(kind: Kind, facts: &Facts<'_>, thresholds: &Thresholds) -> Option<String> {
    let Facts { connection, .. } = facts;
    // What a person has stopped, or not begun, is silent by right.
    let is_on = connection.state == State::Active && connection.works();
    match kind {
        Kind::ShutOut => match connection.state {
            State::NeedsReauth { since } => {
                Some(format!("{} has not let us in since {}", connection.crm.title(), minute(since)))
            }
            _ => None,
        },
        _ if !is_on => None,
        Kind::Silent => silent(facts, thresholds),
        Kind::Lagging => lagging(facts, thresholds),
        Kind::Rejecting => rejecting(facts, thresholds),
        Kind::Dropped => dropped(facts, thresholds),
        Kind::Failing => failing(facts, thresholds),
        Kind::NearLimit => near_limit(facts, thresholds),
    }
}

fn silent(Facts { connection, since, now, .. }: &Facts<'_>, thresholds: &Thresholds) -> Option<String> {
    let is_pulled = connection.receives() && connection.objects_read().next().is_some();
    let every = connection.every().filter(|_| is_pulled)?;
    // What was resumed a moment ago had no time yet.
    let last = connection.last_success.unwrap_or(*since).max(*since);
    let most = SignedDuration::from_secs(every.as_secs().saturating_mul(i64::from(thresholds.silent_intervals.max(1))));
    let waited = now.duration_since(last);
    (waited > most)
        .then(|| format!("no pull has succeeded since {}; one is due every {} minutes", minute(last), every.as_mins()))
}

fn lagging(Facts { connection, pulse, since, now, .. }: &Facts<'_>, thresholds: &Thresholds) -> Option<String> {
    if connection.mode != Mode::RealTime {
        return None;
    }
    let waits = pulse.waits.filter(|seen| is_fresh(seen.at, *now, WAITS)).and_then(|seen| seen.what);
    let waited = waits.map(|since| now.duration_since(since).as_secs());
    if let Some(waited) = waited.filter(|waited| *waited > i64::from(thresholds.push_lag_seconds)) {
        return Some(format!("the oldest push has waited for {waited} seconds"));
    }
    // What changed while it rested could not be heard sooner.
    let fresh = pulse.lag.filter(|seen| is_fresh(seen.at, *now, FRESH));
    // What changed while it rested could not be heard sooner; that it rests no more is seen at the next look.
    let lag = fresh.filter(|seen| seen.at - seen.what + LOOK >= *since)?.what.as_secs();
    let reason = || format!("what changed in {} was in the hub {} minutes later", connection.crm.title(), lag / 60);
    (lag > u64::from(thresholds.pull_lag_seconds)).then(reason)
}

fn rejecting(Facts { pulse, now, .. }: &Facts<'_>, thresholds: &Thresholds) -> Option<String> {
    pulse.refused.filter(|at| is_fresh(*at, *now, FRESH))?;
    let lately = pulse.lately(*now);
    let all = lately.moved.saturating_add(lately.refused);
    let is_much =
        lately.refused >= thresholds.reject_least.max(1) && is_over(lately.refused, all, thresholds.reject_percent);
    is_much.then(|| format!("{} of the last {all} records were refused", lately.refused))
}

fn dropped(Facts { pulse, now, .. }: &Facts<'_>, thresholds: &Thresholds) -> Option<String> {
    let (moved, expected) = pulse.volume(*now)?;
    let fewer = expected.saturating_sub(moved);
    let is_much = expected >= thresholds.drop_least.max(1) && is_over(fewer, expected, thresholds.drop_percent);
    is_much.then(|| format!("{moved} records moved in the last whole hour; by the days before it would be {expected}"))
}

fn failing(Facts { connection, pulse, now, .. }: &Facts<'_>, thresholds: &Thresholds) -> Option<String> {
    pulse.failed.filter(|at| is_fresh(*at, *now, FRESH))?;
    let lately = pulse.lately(*now);
    let is_much = lately.failed >= thresholds.error_least.max(1)
        && is_over(lately.failed, lately.sessions, thresholds.error_percent);
    is_much.then(|| {
        format!("{} of the last {} sessions with {} failed", lately.failed, lately.sessions, connection.crm.title())
    })
}

fn near_limit(Facts { pulse, now, .. }: &Facts<'_>, thresholds: &Thresholds) -> Option<String> {
    // Days of vendors begin at other hours than ours: what was told long ago says nothing of this one.
    let used = pulse.used.filter(|seen| is_fresh(seen.at, *now, SignedDuration::from_hours(6)))?.what;
    (used >= thresholds.budget_percent).then(|| format!("{used} % of the account's calls for the day are used"))
}

/// Whether it is so many percent of the whole at least.
fn is_over(part: u32, whole: u32, percent: u8) -> bool {
    whole > 0 && u64::from(part) * 100 >= u64::from(whole) * u64::from(percent)
}

/// To the minute, which is what people plan by.
fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
