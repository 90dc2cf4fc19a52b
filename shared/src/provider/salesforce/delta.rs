//! What changed, oldest first; among leads and contacts together.
//!
//! A page goes on after the last record of the one before, by (`SystemModstamp`, `Id`): no cursor of Salesforce's is kept,
//! because those expire after 15 minutes (Salesforce docs: SOAP API, QueryLocator), and records that share one second
//! are no trouble. A record is stamped when it is saved and shown when its transaction ends, so every run starts
//! [`OVERLAP`] before the beginning of the one before, by Salesforce's own clock.

use super::{
    query::{Among, Rows, first_pages, time},
    records::{self, Object, id, modified, objects},
};
use crate::{
    change::{Cursor, Place},
    error::Result,
    id::RemoteId,
    mapping::Mapping,
    provider::{Page, session::Session},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

/// How late a change may be shown: a transaction lasts ten minutes at most, of which most is waiting
/// (Salesforce docs: Apex Governor Limits). Five are advised for pulls.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// One record more than a page holds (Salesforce docs: REST API, Query, batch size): so the answer says whether there is more.
const LIMIT: usize = 2_001;

pub(super) async fn delta(session: &Session, mapping: &Mapping, cursor: &Cursor) -> Result<Page> {
    let run = Run::at(cursor);
    let objects = objects(mapping);
    let queries = objects.iter().map(|object| Ok(question(&run.place, *object, &object.fields(mapping)?)));
    let queries = queries.collect::<Result<Vec<_>>>()?;
    let (pages, answered) = first_pages(session, Among::Live, &queries).await?;
    let rows = in_order(pages, &objects);
    let (next, more) = run.next(&rows, answered);
    // There may be thousands of rows: each is given up as it is read.
    let shown = rows.rows.into_iter().filter_map(|row| records::read(&row, mapping)).collect();
    Ok(Page { shown, next, more })
}

struct Run {
    since: Timestamp,
    place: Place,
}

/// The rows of all objects, as far as all are known.
struct Merged {
    rows: Vec<Json>,
    /// Whether there is more behind the last of them.
    more: bool,
}

impl Run {
    fn at(cursor: &Cursor) -> Run {
        let from = |since| Place { from: since, from_id: None, token: None, newest: since };
        match cursor {
            Cursor::Beginning | Cursor::Listing { .. } => {
                Run { since: Timestamp::UNIX_EPOCH, place: from(Timestamp::UNIX_EPOCH) }
            }
            Cursor::Since { since, page } => Run { since: *since, place: page.clone().unwrap_or_else(|| from(*since)) },
        }
    }

    fn next(&self, merged: &Merged, answered: Option<Timestamp>) -> (Cursor, bool) {
        let newest = merged.rows.iter().filter_map(modified).fold(self.place.newest, Timestamp::max);
        let began = self.place.token.as_ref().and_then(|token| token.parse().ok());
        let began: Timestamp = began.or(answered).unwrap_or(newest);
        let last = merged.rows.last().and_then(|row| Some((modified(row)?, id(row)?)));
        match last.filter(|_| merged.more) {
            Some((from, last)) => {
                let page = Place { from, from_id: Some(last), token: Some(began.to_string()), newest };
                (Cursor::Since { since: self.since, page: Some(page) }, true)
            }
            None => {
                let since = self.since.max(began.checked_sub(OVERLAP).unwrap_or(began));
                (Cursor::Since { since, page: None }, false)
            }
        }
    }
}

fn question(place: &Place, object: Object<'_>, fields: &str) -> String {
    let Object { name, only, .. } = object;
    let from = time(place.from);
    let after = match seen_of(place, object) {
        Seen::Nothing => format!("SystemModstamp >= {from}"),
        Seen::All => format!("SystemModstamp > {from}"),
        Seen::UpTo(id) => format!("(SystemModstamp > {from} OR (SystemModstamp = {from} AND Id > '{id}'))"),
    };
    format!("SELECT {fields} FROM {name} WHERE {after}{only} ORDER BY SystemModstamp, Id LIMIT {LIMIT}")
}

/// What was seen of an object's records of the place's very second.
enum Seen<'a> {
    Nothing,
    /// Ids are compared by Salesforce, and within one object only.
    UpTo(&'a RemoteId),
    All,
}

fn seen_of<'p>(place: &'p Place, object: Object<'_>) -> Seen<'p> {
    match &place.from_id {
        Some(id) if id.as_str().starts_with(object.prefix) => Seen::UpTo(id),
        Some(id) if id.as_str() > object.prefix => Seen::All,
        _ => Seen::Nothing,
    }
}

/// By time, then object, then as Salesforce sorts ids. What lies behind the end of a page that is not the last is left
/// for the next call.
fn in_order(pages: Vec<Rows>, objects: &[Object<'_>]) -> Merged {
    let key = |row: &Json, object: &Object<'_>| (modified(row).unwrap_or(Timestamp::MAX), object.prefix);
    let ends = pages.iter().zip(objects).filter(|(page, _)| !page.done() || page.rows.len() >= LIMIT);
    let end = ends.filter_map(|(page, object)| Some(key(page.rows.last()?, object))).min();
    let rows = pages
        .into_iter()
        .zip(objects)
        .flat_map(|(page, object)| page.rows.into_iter().map(move |row| (key(&row, object), row)).collect::<Vec<_>>());
    let mut rows: Vec<_> = rows.filter(|(key, _)| end.is_none_or(|end| *key <= end)).collect();
    rows.sort_by_key(|(key, _)| *key);
    Merged { rows: rows.into_iter().map(|(_, row)| row).collect(), more: end.is_some() }
}

#[cfg(test)]
#[path = "delta_tests.rs"]
mod tests;
