//! Who is there already: one search per record, and after a create of unknown outcome a list of the newest.

use super::{AT_ONCE, failure, records, write};
use crate::{
    error::Result,
    id::RemoteId,
    mapping::Mapping,
    provider::{
        batch::{By, Found, Query},
        session::{Request, Session, encoded},
    },
    record::{Email, Phone, Title},
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// How far our clock may be ahead of Pipedrive's.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// By our own id where a create may have happened, else by e-mail, and by phone only for whom has none: whoever else has
/// that phone in Pipedrive is known from the pull, and a search costs as much as four writes. Organizations by name.
pub(super) async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let mut persons: Vec<BTreeMap<RemoteId, Json>> = vec![BTreeMap::new(); queries.len()];
    let begun = queries.iter().filter(|query| query.record.is_some()).filter_map(|query| query.begun).min();
    if let Some(begun) = begun {
        let since = begun.checked_sub(SKEW).unwrap_or(begun);
        for row in since_then(session, mapping, &since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).await? {
            let ours = records::claimed(&row, mapping);
            let Some((id, seen)) = records::read(&row, mapping) else { continue };
            for (query, persons) in queries.iter().zip(&mut persons) {
                let is_ours = query.record.is_some() && query.record == ours;
                if is_ours || query.made.as_ref().is_some_and(|made| made.is_shown(&seen.fields)) {
                    persons.insert(id.clone(), row.clone());
                }
            }
        }
    }
    let mut searches = Vec::new();
    for (query, persons) in queries.iter().zip(&persons) {
        let unknown = persons.is_empty();
        searches.push(async move { if unknown { search(session, mapping, query).await } else { Ok(Vec::new()) } });
    }
    let hits: Vec<Vec<RemoteId>> = stream::iter(searches).buffered(AT_ONCE).try_collect().await?;
    let shown = write::shown(session, mapping, hits.iter().flatten()).await?;
    for (persons, hits) in persons.iter_mut().zip(hits) {
        persons.extend(hits.into_iter().filter_map(|id| Some((id.clone(), shown.get(&id)?.clone()))));
    }
    Ok(queries.iter().zip(persons).map(|(query, persons)| matches(query, persons, mapping)).collect())
}

/// Every record that was made or changed since.
async fn since_then(session: &Session, mapping: &Mapping, since: &str) -> Result<Vec<Json>> {
    let (mut rows, mut rest) = (Vec::new(), String::new());
    let kind = records::kind(mapping)?;
    let sorted = if kind.version == "v1" { "" } else { "&sort_by=id&sort_direction=asc" };
    loop {
        let query = format!("updated_since={}{sorted}&limit=500{rest}", encoded(since));
        let body = session.send(&Request::get(format!("{}?{query}", kind.path())), failure::of_call).await?.body;
        rows.extend(records::rows(&body).iter().cloned());
        let start = body.pointer("/additional_data/pagination/next_start").and_then(Json::as_u64);
        match (records::next_cursor(&body), start) {
            (Some(next), _) => rest = format!("&cursor={next}"),
            (None, Some(start)) => rest = format!("&start={start}"),
            (None, None) => return Ok(rows),
        }
    }
}

/// Ids of a search's hits (Pipedrive docs: API v2, Search persons, Search organizations). A term has two characters or more, or
/// is an exact one.
async fn search(session: &Session, mapping: &Mapping, query: &Query) -> Result<Vec<RemoteId>> {
    let (term, field) = match (&query.email, &query.phone, &query.title) {
        (Some(email), ..) => (email.as_str().to_owned(), "email"),
        (None, Some(phone), _) => (phone.as_str().trim_start_matches('+').to_owned(), "phone"),
        (None, None, Some(title)) => (title.as_str().to_owned(), "name"),
        (None, None, None) => return Ok(Vec::new()),
    };
    let exact = if field == "phone" { "" } else { "&exact_match=true" };
    let name = records::kind(mapping)?.name;
    let path = format!("/api/v2/{name}/search?term={}&fields={field}{exact}&limit=100", encoded(&term));
    let body = session.send(&Request::get(path), failure::of_search).await?.body;
    let items = body.pointer("/data/items").and_then(Json::as_array).into_iter().flatten();
    Ok(items.filter_map(|item| item.pointer("/item/id").and_then(records::id)).collect())
}

fn title(row: &Json, mapping: &Mapping) -> Option<Title> {
    Title::parse(row.get(mapping.remote_of(By::Title.field())?)?.as_str()?)
}

/// Whether a record is meant is decided by what it shows.
fn matches(query: &Query, persons: BTreeMap<RemoteId, Json>, mapping: &Mapping) -> Vec<Found> {
    let found =
        persons.into_iter().filter(|(_, person)| !records::is_deleted(person)).filter_map(|(remote, person)| {
            let claimed = records::claimed(&person, mapping);
            let has_email = || {
                records::entries(&person, "email").into_iter().filter_map(Email::parse).any(|e| Some(e) == query.email)
            };
            let has_phone = || {
                let phones = records::entries(&person, "phone").into_iter();
                phones.filter_map(|p| Phone::parse(p, &mapping.region)).any(|p| Some(p) == query.phone)
            };
            let says = || query.made.as_ref().zip(records::read(&person, mapping));
            let by = if query.record.is_some() && query.record == claimed {
                By::Record
            } else if says().is_some_and(|(made, (_, seen))| made.is_shown(&seen.fields)) {
                By::Made
            } else if has_email() {
                By::Email
            } else if query.email.is_none() && has_phone() {
                By::Phone
            } else if query.title.is_some() && query.title == title(&person, mapping) {
                By::Title
            } else {
                return None;
            };
            let (_, seen) = records::read(&person, mapping)?;
            Some(Found { remote, by, seen, claimed })
        });
    found.collect()
}
