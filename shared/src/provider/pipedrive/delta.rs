//! What changed, oldest first (Pipedrive docs: API v2, Persons, `updated_since`, `updated_until`).
//!
//! A run reads a window that is closed before it begins, so that nothing moves in it but out of it; whatever leaves it is in the
//! next one. Times are whole seconds.

use super::{failure, records};
use crate::{
    change::{Cursor, Place},
    error::{Error, Result},
    mapping::Mapping,
    provider::{
        Page,
        session::{Answer, Request, Session, encoded},
    },
};
use jiff::{SignedDuration, Timestamp};

/// How long the newest changes are left alone.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// How much of the last window is read again: what is stamped within it may be shown late.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
const PAGE: usize = 500;

pub(super) async fn delta(session: &Session, mapping: &Mapping, cursor: &Cursor, now: Timestamp) -> Result<Page> {
    let window = Window::at(cursor, now);
    let judge = if window.cursor.is_some() { of_page } else { failure::of_call };
    let answer = session.send(&Request::get(window.path(records::kind(mapping)?.name)), judge).await?;
    let rows = records::rows(&answer.body);
    let shown = rows.iter().filter_map(|row| records::read(row, mapping)).collect();
    let (next, more) = window.next(&answer);
    Ok(Page { shown, next, more })
}

/// A cursor that is no longer taken is no failure: its window begins anew.
fn of_page(answer: &Answer) -> Option<Error> {
    if answer.status.as_u16() == 400 { None } else { failure::of_call(answer) }
}

#[derive(Clone, Debug, PartialEq)]
struct Window {
    since: Timestamp,
    /// Not included.
    until: Timestamp,
    /// Where the next window begins.
    edge: Option<Timestamp>,
    cursor: Option<String>,
}

impl Window {
    fn at(cursor: &Cursor, now: Timestamp) -> Window {
        let Cursor::Since { since, page } = cursor else { return Window::new(Timestamp::UNIX_EPOCH, now) };
        let Some(Place { from: until, newest: edge, token: Some(token), .. }) = page else {
            return Window::new(*since, now);
        };
        Window { since: *since, until: *until, edge: Some(*edge), cursor: Some(token.clone()) }
    }

    fn new(since: Timestamp, now: Timestamp) -> Window {
        Window { since, until: now - FRESH, edge: None, cursor: None }
    }

    fn path(&self, name: &str) -> String {
        let time = |at: Timestamp| encoded(&at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let until = time(self.until);
        let mut path =
            format!("/api/v2/{name}?sort_by=update_time&sort_direction=asc&limit={PAGE}&updated_until={until}");
        if self.since > Timestamp::UNIX_EPOCH {
            path.push_str(&format!("&updated_since={}", time(self.since)));
        }
        if let Some(cursor) = &self.cursor {
            path.push_str(&format!("&cursor={cursor}"));
        }
        path
    }

    fn next(&self, answer: &Answer) -> (Cursor, bool) {
        let rest = |since| (Cursor::Since { since, page: None }, false);
        if !answer.status.is_success() {
            return rest(self.since);
        }
        // Our clock may be ahead: what Pipedrive's own says counts, as of the first page.
        let told = answer.date().map_or(self.until, |date| self.until.min(date - FRESH));
        let edge = self.edge.unwrap_or(told);
        match records::next_cursor(&answer.body) {
            Some(token) => {
                let place = Place { from: self.until, from_id: None, token: Some(token), newest: edge };
                (Cursor::Since { since: self.since, page: Some(place) }, true)
            }
            None => rest(self.since.max(edge - OVERLAP)),
        }
    }
}

#[cfg(test)]
#[path = "delta_tests.rs"]
mod tests;
