//! What changed, oldest first (Zoho docs: Get records, <https://www.zoho.com/crm/developer/docs/api/v8/get-records.html>).
//!
//! A run starts at the watermark and ends where Zoho has no more. Between two pages it starts anew at the newest second seen
//! wherever few records share that second, so that an edit during the run shifts nothing past it; otherwise it goes by token.
//!
//! What Zoho shows may lack what was written a moment ago. So everything before the watermark, which stays two minutes behind
//! Zoho's own clock (its `Date` header), is settled; what is newer is read twice: at once, and a second time once it can be
//! settled, every ten minutes. In between a run asks only for what is newer than the newest record seen, so that a quiet
//! account costs one call however much happened just before.

use super::{
    failure,
    find::{literal, query},
    records::{self, Asked, asked, modified, time},
};
use crate::{
    change::{Cursor, Place},
    error::Result,
    id::RemoteId,
    mapping::Mapping,
    provider::{
        Page,
        session::{Answer, Request, Session, encoded},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

/// How late Zoho may show a change. Not documented: a safe guess.
pub(super) const OVERLAP: SignedDuration = SignedDuration::from_mins(2);
/// How often what was not settled is read a second time.
const LOOK_BACK: SignedDuration = SignedDuration::from_mins(10);
/// How long Zoho may take to answer: what changes behind a page's back is not older than this when the page arrives.
const ANSWER: SignedDuration = SignedDuration::from_secs(15);
/// Times are whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);
/// Records on a page, at most.
const PAGE: usize = 200;
/// So many of a page may come again to be safe from shifts.
const AGAIN: usize = 50;
/// Rows of one query by id, at most.
const ROWS: usize = 2_000;

/// Where a run stands: everything before `since` is settled.
struct Run {
    since: Timestamp,
    place: Place,
}

/// One page.
pub(super) async fn delta(session: &Session, mapping: &Mapping, cursor: &Cursor, now: Timestamp) -> Result<Page> {
    let asked = asked(mapping, &[])?;
    let run = Run::at(cursor, now);
    if let Some(id) = &run.place.from_id {
        let body = query(session, &asked, &one_second(&run.place, id), 0, ROWS).await?;
        return Ok(run.page_of_one_second(&body, mapping));
    }
    let answer = session.send(&list(&asked, &run.place), failure::of_page).await?;
    Ok(run.page(&answer, mapping))
}

fn list(asked: &Asked<'_>, place: &Place) -> Request {
    let Asked { module, fields } = asked;
    let mut path = format!(
        "/crm/v8/{module}?fields={}&sort_by=Modified_Time&sort_order=asc&per_page={PAGE}{}",
        fields.join(","),
        converted(module)
    );
    if let Some(token) = &place.token {
        path.push_str("&page_token=");
        path.push_str(&encoded(token));
    }
    let mut request = Request::get(path);
    if place.from > Timestamp::UNIX_EPOCH {
        request.headers.push(("if-modified-since", time(place.from)));
    }
    request
}

/// Converted leads are shown only where they are asked for.
pub(super) fn converted(module: &str) -> &'static str {
    if module == "Leads" { "&converted=both" } else { "" }
}

impl Run {
    /// The beginning is a run like any other: sorted by time, whatever changes meanwhile comes again at its end.
    fn at(cursor: &Cursor, now: Timestamp) -> Run {
        let Cursor::Since { since, page } = cursor else { return Run::from(Timestamp::UNIX_EPOCH) };
        let Some(place) = page else { return Run::from(*since) };
        let run = Run { since: *since, place: place.clone() };
        if run.rests() && now >= plus(*since, LOOK_BACK) { Run::from(*since) } else { run }
    }

    fn from(since: Timestamp) -> Run {
        Run { since, place: Place { from: since, from_id: None, token: None, newest: since } }
    }

    /// Whether this starts where the last run ended, with something not yet settled.
    fn rests(&self) -> bool {
        let Place { from, from_id, token, newest } = &self.place;
        from_id.is_none() && token.is_none() && from == newest && *from > self.since
    }

    fn page(self, answer: &Answer, mapping: &Mapping) -> Page {
        if failure::place_lost(answer) {
            return Page { shown: Vec::new(), next: self.start_anew(), more: true };
        }
        let rows = records::rows(&answer.body);
        if rows.is_empty() && self.rests() {
            return Page { shown: Vec::new(), next: self.cursor(), more: false };
        }
        let shown = rows.iter().filter_map(|row| records::read(row, mapping)).collect();
        let newest = rows.iter().filter_map(modified).max();
        let known = newest.unwrap_or(self.place.newest);
        let shown_at = answer.date().unwrap_or(known).max(known);
        let run = if let Some(newest) = newest { self.seen_to(newest, shown_at) } else { self };
        let more = !rows.is_empty() && records::more(&answer.body).unwrap_or(rows.len() >= PAGE);
        let next = if more { run.go_on(rows, &answer.body) } else { run.rest(shown_at) };
        Page { shown, next, more }
    }

    /// A page, by id, of a second that more records share than a list reaches.
    fn page_of_one_second(mut self, body: &Json, mapping: &Mapping) -> Page {
        let shown: Vec<_> = records::rows(body).iter().filter_map(|row| records::read(row, mapping)).collect();
        self.place.from_id = shown.last().filter(|_| records::more(body) == Some(true)).map(|(last, _)| last.clone());
        if self.place.from_id.is_none() {
            self.place.from = plus(self.place.newest, SECOND);
        }
        Page { shown, next: self.cursor(), more: true }
    }

    /// This run, having seen what Zoho showed at `shown_at`. Behind the first page that was too fresh, the watermark stays.
    fn seen_to(mut self, newest: Timestamp, shown_at: Timestamp) -> Run {
        let settled = self.since >= self.place.newest;
        if settled {
            let next = minus(shown_at, OVERLAP).min(plus(newest, SECOND));
            self.since = self.since.max(next);
        }
        self.place.newest = self.place.newest.max(newest);
        self
    }

    fn go_on(mut self, rows: &[Json], body: &Json) -> Cursor {
        let second = minus(self.place.newest, SECOND);
        let again = rows.iter().filter_map(modified).filter(|at| *at > second).count();
        let token = body.pointer("/info/next_page_token").and_then(Json::as_str);
        match token {
            Some(token) if second <= self.place.from || again > AGAIN => {
                self.place.token = Some(token.to_owned());
                self.cursor()
            }
            _ => self.start_anew(),
        }
    }

    /// From the newest second seen; where that is no progress, through that second by id.
    fn start_anew(mut self) -> Cursor {
        self.place.token = None;
        let second = minus(self.place.newest, SECOND);
        if second > self.place.from {
            self.place.from = second;
        } else {
            self.place.from_id = "0".parse().ok();
        }
        self.cursor()
    }

    /// At rest after the newest second seen, or in it while more may happen there; or at the watermark where that is later.
    fn rest(mut self, shown_at: Timestamp) -> Cursor {
        let (before, after) = (minus(self.place.newest, SECOND), plus(self.place.newest, SECOND));
        if before <= self.since {
            return Cursor::Since { since: self.since, page: None };
        }
        let over = after <= minus(shown_at, ANSWER);
        let from = if over { after } else { before };
        self.place = Place { from, newest: from, from_id: None, token: None };
        self.cursor()
    }

    fn cursor(self) -> Cursor {
        Cursor::Since { since: self.since, page: Some(self.place) }
    }
}

/// Everything of the newest second that was seen, beyond an id.
fn one_second(place: &Place, after: &RemoteId) -> String {
    let (from, until) = (literal(&time(place.from)), literal(&time(plus(place.newest, SECOND))));
    let times = format!("((Modified_Time >= {from}) and (Modified_Time <= {until}))");
    format!("({times} and (id > {}))", literal(after.as_str()))
}

fn minus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}

fn plus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "delta_tests.rs"]
mod tests;
