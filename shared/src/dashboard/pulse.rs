//! How a connection did in the last two days: figures, and a chart of its hours.

use super::{
    desk::Desk,
    overview::Connection,
    words::{ago, many, span},
};
use crate::{connection::State, control::problem::Problem};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt::Write};

/// The last hours of a connection, as the control API shows them.
#[derive(Debug, Default, Deserialize)]
pub struct Pulse {
    hours: Vec<Hour>,
    budget_percent: Option<u8>,
    budget_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Hour {
    sessions: u32,
    failed: u32,
    moved: u32,
    refused: u32,
    lag_ms: Option<u64>,
}

/// Connections that are asked about at the same time.
const AT_ONCE: usize = 8;
/// Of a day.
const HOURS: usize = 24;
/// From here on the day's calls may run out.
const MUCH: u8 = 80;

/// Those of all connections that are not closed.
pub async fn pulses(desk: &Desk<'_>, connections: &[Connection]) -> Result<BTreeMap<String, Pulse>, Problem> {
    let open = connections.iter().filter(|one| one.state != State::Closed);
    let asked = open.map(|one| async move {
        Ok((one.id.clone(), desk.ask::<Pulse>("pulse", &[("connection", &one.id)], &()).await?))
    });
    stream::iter(asked).buffered(AT_ONCE).try_collect().await
}

impl Pulse {
    /// Records that moved in the last day, and those that were refused.
    pub fn day(&self) -> (u64, u64) {
        (self.of_day(|hour| hour.moved), self.of_day(|hour| hour.refused))
    }

    fn of_day(&self, number: fn(&Hour) -> u32) -> u64 {
        self.hours.iter().rev().take(HOURS).map(|hour| u64::from(number(hour))).sum()
    }

    /// What stands among a connection's figures.
    pub fn figures(&self, now: Timestamp) -> Markup {
        let (moved, refused) = self.day();
        let (sessions, failed) = (self.of_day(|hour| hour.sessions), self.of_day(|hour| hour.failed));
        html! {
            dt { "Success" } dd {
                @match percent(moved, refused) {
                    Some(well) => {
                        span.warn[refused > 0] { (well) " %" } " of " (many(moved + refused, "record")) " in 24 h"
                        @if refused > 0 { ", " (refused) " refused" }
                    }
                    None => span.blank { "no record moved in 24 h" },
                }
                @if failed > 0 { ", " span.warn { (failed) " of " (many(sessions, "session")) " failed" } }
            }
            dt { "API calls" } dd {
                @match (self.budget_percent, self.budget_at) {
                    (Some(used), Some(at)) => {
                        meter min="0" max="100" high=(MUCH) optimum="0" value=(used) aria-label="Of the day's calls" { (used) " %" }
                        " " span.warn[used >= MUCH] { (used) " %" } " of the day's, " (ago(now, at))
                    }
                    _ => span.blank { "the CRM does not tell what is left" },
                }
            }
        }
    }

    /// How many records moved, and how late, hour by hour.
    pub fn charts(&self) -> Markup {
        let of = |number: fn(&Hour) -> u64| self.hours.iter().map(number).collect::<Vec<u64>>();
        let (moved, refused) = (of(|hour| hour.moved.into()), of(|hour| hour.refused.into()));
        let lags = of(|hour| hour.lag_ms.unwrap_or_default().div_ceil(1_000));
        let all: Vec<u64> = moved.iter().zip(&refused).map(|(moved, refused)| moved + refused).collect();
        let (most, worst) = (greatest(&all), greatest(&lags));
        html! {
            div.charts {
                (chart("Records by the hour, two days", &format!("most {most}"), most, &[("moved", all), ("refused", refused)]))
                @if lags.iter().any(|lag| *lag > 0) {
                    (chart("From a change there into the hub", &format!("worst {}", span(seconds(worst))), worst, &[("lag", lags)]))
                }
            }
        }
    }
}

fn greatest(of: &[u64]) -> u64 {
    of.iter().copied().max().unwrap_or_default()
}

fn seconds(of: u64) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

/// Which part went well, to a tenth and never rounded up to all of it; of nothing there is none.
pub fn percent(well: u64, ill: u64) -> Option<String> {
    let tenths = (well * 1_000).checked_div(well + ill)?;
    Some(if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) })
}

/// One bar an hour. What is drawn later stands before what was drawn, so a part is drawn after the whole.
fn chart(what: &str, top: &str, most: u64, series: &[(&str, Vec<u64>)]) -> Markup {
    let width = series.iter().map(|(_, of)| of.len()).max().unwrap_or_default() * STEP;
    html! {
        figure {
            figcaption { span { (what) } span { (top) } }
            svg viewBox={ "0 0 " (width) " " (TALL) } preserveAspectRatio="none" role="img" aria-label={ (what) ": " (top) } {
                @for (class, of) in series { path class=(class) d=(bars(of, most)) {} }
            }
        }
    }
}

/// What an hour takes, of which a part is left blank; and how tall the greatest is.
const STEP: usize = 6;
const TALL: u64 = 40;

/// A path that is as short as it can be: a page of many connections stays small.
fn bars(of: &[u64], most: u64) -> String {
    let mut path = String::new();
    for (place, value) in of.iter().enumerate().filter(|(_, value)| **value > 0) {
        // What there is at all can be seen.
        let tall = (value * TALL).checked_div(most).unwrap_or_default().max(1);
        let written = write!(path, "M{} {TALL}v-{tall}h{}v{tall}z", place * STEP, STEP - 1);
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_said_of_all_alone() {
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(5, 0).as_deref(), Some("100"));
        assert_eq!(percent(99_999, 1).as_deref(), Some("99.9"));
        assert_eq!(percent(1, 2).as_deref(), Some("33.3"));
    }

    #[test]
    fn a_bar_is_as_tall_as_its_part_and_never_unseen() {
        assert_eq!(bars(&[0, 10, 5], 10), "M6 40v-40h5v40zM12 40v-20h5v20z");
        assert_eq!(bars(&[1, 1_000], 1_000), "M0 40v-1h5v1zM6 40v-40h5v40z");
        assert_eq!(bars(&[0, 0], 0), "");
    }
}
