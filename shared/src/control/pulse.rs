//! What was done on a connection of late, hour by hour.

use super::{
    call::{Call, Told},
    route::Nothing,
};
use crate::watch;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// Hours that are shown.
const HOURS: i64 = 48;

/// The last two days of a connection.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pulse")]
pub struct Shown {
    /// The oldest first; the last is not over yet.
    hours: Vec<Hour>,
    /// Percent of the account's calls for the day that are used; null where the CRM does not tell.
    budget_percent: Option<u8>,
    /// When the CRM told that.
    budget_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PulseHour")]
pub struct Hour {
    /// When it began.
    at: Timestamp,
    /// Sessions with the CRM.
    sessions: u32,
    /// Those that failed, other than for a rate limit.
    failed: u32,
    /// Records that were made or changed, on either side.
    moved: u32,
    /// Records that the CRM refused.
    refused: u32,
    /// Milliseconds from a change in the CRM until it was in the hub, on average; null where none is known.
    lag_ms: Option<u64>,
}

pub async fn show(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    let (connection, now) = (call.connection().await?, call.cx.now());
    let pulse = call.app.store.pulse(&connection.tenant, &connection.id, now).await?;
    let used = pulse.used.as_ref();
    let hours = pulse.last(HOURS, now).map(|(place, hour)| shown(place, hour)).collect();
    Ok(Shown { hours, budget_percent: used.map(|seen| seen.what), budget_at: used.map(|seen| seen.at) }.into())
}

fn shown(place: watch::Place, hour: watch::Hour) -> Hour {
    let at = Timestamp::UNIX_EPOCH.saturating_add(SignedDuration::from_hours(place)).unwrap_or(Timestamp::MAX);
    let lag_ms = hour.mean_lag().and_then(|lag| u64::try_from(lag.as_millis()).ok());
    let watch::Hour { sessions, failed, moved, refused, .. } = hour;
    Hour { at, sessions, failed, moved, refused, lag_ms }
}
