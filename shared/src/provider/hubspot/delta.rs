//! What changed, page by page; everything there is; what was deleted.
//!
//! A run of pages asks for whatever was modified at or after the last time it has seen, so no page depends on an offset
//! that moves while records do, and no window is ever full. Where one millisecond fills a page, it is read by id.
//!
//! The index lags by an unknown time ("a few moments", HubSpot docs: CRM search), so a record may turn up behind the
//! newest one seen. Everything since `since` is therefore read again until it is [`OVERLAP`] old by HubSpot's own clock:
//! as much of it as fits on a page that is fetched anyway each time, and all of it once in every [`OVERLAP`].

use super::{
    call,
    records::{archived, id, modified, property, read, time},
};
use crate::{
    change::{Cursor, Place, Removed, Walk},
    error::Result,
    id::RemoteId,
    mapping::Mapping,
    planner::Seen,
    provider::{Deleted, Page, Session},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

/// How far behind the index may be.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Records on a page of a search (HubSpot docs: CRM search, limits).
const PAGE: usize = 200;
/// How many of them may have been seen before.
const SPARE: usize = 100;
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

pub(super) async fn delta(session: &Session, mapping: &Mapping, cursor: &Cursor, now: Timestamp) -> Result<Page> {
    match cursor {
        Cursor::Beginning => listing(session, mapping, None, now).await,
        Cursor::Listing { after, started } => listing(session, mapping, Some(after), *started).await,
        Cursor::Since { since, page } => {
            let place = resumed(*since, page.as_ref(), now);
            let (rows, next, answer) = call::search(session, mapping, question(mapping, &place), &[]).await?;
            let run = Run {
                since: *since,
                place,
                rows: &rows,
                full: !rows.is_empty() && (next.is_some() || rows.len() >= PAGE),
                clock: answer.date(),
                modified: call::modified_property(mapping),
            };
            let (next, more) = run.next();
            Ok(Page { shown: rows.iter().filter_map(|row| shown(row, mapping)).collect(), next, more })
        }
    }
}

/// Where to read: inside a run, at its place; otherwise where the last run ended, or from `since` when that is due again.
fn resumed(since: Timestamp, page: Option<&Place>, now: Timestamp) -> Place {
    let due = now.duration_since(since) >= OVERLAP * 2;
    match page {
        Some(place) if place.token.is_some() => place.clone(),
        // A short run: it leaves `since` where it is.
        Some(place) if !due => Place { token: Some(moved(since, OVERLAP).to_string()), ..place.clone() },
        _ => Place { from: since, from_id: None, token: None, newest: page.map_or(since, |place| place.newest) },
    }
}

fn question(mapping: &Mapping, place: &Place) -> Json {
    let property = call::modified_property(mapping);
    let modified = |operator: &str| json!({"propertyName": property, "operator": operator, "value": place.from.as_millisecond().to_string()});
    let (filters, by) = match &place.from_id {
        None => (vec![modified("GTE")], property),
        Some(id) => (
            vec![modified("EQ"), json!({"propertyName": "hs_object_id", "operator": "GT", "value": id})],
            "hs_object_id",
        ),
    };
    json!({"filterGroups": [{"filters": filters}], "sorts": [{"propertyName": by, "direction": "ASCENDING"}], "limit": PAGE})
}

/// A page of a run, and what follows from it.
struct Run<'a> {
    since: Timestamp,
    place: Place,
    rows: &'a [Json],
    full: bool,
    clock: Option<Timestamp>,
    modified: &'static str,
}

impl Run<'_> {
    fn next(&self) -> (Cursor, bool) {
        let newest = self.rows.iter().filter_map(|row| self.at(row)).fold(self.place.newest, Timestamp::max);
        // What HubSpot's clock said when the run began; it is at least as late as anything it has shown.
        let began = self
            .place
            .token
            .as_ref()
            .and_then(|token| token.parse().ok())
            .unwrap_or_else(|| self.clock.unwrap_or(newest).max(newest));
        let on = |from, from_id| Place { from, from_id, token: Some(began.to_string()), newest };
        let last = self.rows.iter().rev().find_map(|row| self.at(row)).filter(|last| *last > self.place.from);
        let place = match (&self.place.from_id, self.full, last) {
            (None, true, Some(last)) => on(last, None),
            (None, true, None) => on(self.place.from, "0".parse().ok()),
            (Some(before), true, _) => {
                match self.rows.iter().filter_map(id).filter(|id| number(id) > number(before)).max_by_key(number) {
                    Some(highest) => on(self.place.from, Some(highest)),
                    None => on(moved(self.place.from, MILLISECOND), None),
                }
            }
            (Some(_), false, _) => on(moved(self.place.from, MILLISECOND), None),
            (None, false, _) => return (self.rest(began, newest), false),
        };
        (Cursor::Since { since: self.since, page: Some(place) }, true)
    }

    /// The end of a run.
    fn rest(&self, began: Timestamp, newest: Timestamp) -> Cursor {
        let since = self.since.max(moved(began, -OVERLAP));
        let spare = self.rows.len().checked_sub(SPARE).and_then(|place| self.at(self.rows.get(place)?));
        let from = spare.unwrap_or(self.place.from);
        let page = (from > since).then_some(Place { from, from_id: None, token: None, newest });
        Cursor::Since { since, page }
    }

    fn at(&self, row: &Json) -> Option<Timestamp> {
        time(property(row, self.modified)).or_else(|| modified(row))
    }
}

/// A time some way off; where there is none, as HubSpot may show any, the time itself.
fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

fn number(id: &RemoteId) -> u64 {
    id.as_str().parse().unwrap_or_default()
}

fn shown(row: &Json, mapping: &Mapping) -> Option<(RemoteId, Seen)> {
    Some((id(row)?, read(row, mapping.remote_fields())))
}

/// A page of everything there is; then on from when that began.
async fn listing(session: &Session, mapping: &Mapping, after: Option<&str>, started: Timestamp) -> Result<Page> {
    let (rows, next, answer) = call::list(session, mapping, false, after).await?;
    let started = if after.is_none() { answer.date().map_or(started, |clock| clock.min(started)) } else { started };
    let shown = rows.iter().filter_map(|row| shown(row, mapping)).collect();
    Ok(match next {
        Some(after) => Page { shown, next: Cursor::Listing { after, started }, more: true },
        None => Page { shown, next: Cursor::Since { since: moved(started, -OVERLAP), page: None }, more: false },
    })
}

/// There is no feed of deletions: the list of archived records is walked, which holds those of the last 90 days
/// (HubSpot docs: CRM objects, list; restore records).
pub(super) async fn deleted(session: &Session, mapping: &Mapping, walk: &Walk) -> Result<Deleted> {
    let (rows, next, _) = call::list(session, mapping, true, walk.after.as_deref()).await?;
    let removed = |row| Some(Removed { remote: id(row)?, at: archived(row)?, merged_into: None });
    let removed = rows.iter().filter_map(removed);
    Ok(Deleted { remotes: removed.filter(|removed| removed.at >= walk.since).collect(), next, covered: None })
}

#[cfg(test)]
#[path = "delta_tests.rs"]
mod tests;
