//! Which records match: contacts by our id, by e-mail, by phone; companies by our id, by domain, by name.

use super::{
    call::{self, LONGEST},
    records::{self, id, text},
};
use crate::{
    error::Result,
    mapping::Mapping,
    provider::{Found, Query, Session, batch::By},
    record::{Key, Phone},
};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// A contact's other addresses are as much its own: none of them can be given to another contact
/// (HubSpot docs: contacts, `hs_additional_emails`).
const ADDRESSES: &[&str] = &["email", "hs_additional_emails"];

/// Reads by a unique property are immediate; whatever else there is needs the search, whose index lags (HubSpot docs: CRM search).
pub(super) async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let mut found: Vec<Vec<Found>> = vec![Vec::new(); queries.len()];
    let matcher = Matcher { mapping, queries };
    let ids: BTreeSet<&str> = queries.iter().filter_map(|query| query.record.as_ref()).map(|id| id.as_str()).collect();
    matcher.note(&mut found, By::Record, &by_property(session, mapping, &mapping.id_field, &ids).await?);
    for by in By::KEYS {
        // By our own id and by e-mail the same records may be meant; lookups are for those whom nothing else has found.
        let open = queries.iter().zip(&found).filter(|(_, found)| by.is_unique() || found.is_empty());
        let keys: BTreeSet<Key> = open.filter_map(|(query, _)| query.key(by)).collect();
        let values: BTreeSet<String> = keys.iter().flat_map(Key::spellings).collect();
        let rows = match by {
            By::Email => by_property(session, mapping, "email", &values.iter().map(String::as_str).collect()).await?,
            By::Phone => {
                let (properties, digits) = phones(mapping);
                let national =
                    |key: &Key| if let Key::Phone(phone) = key { Some(Phone::national_digits(phone)) } else { None };
                let values = if digits { keys.iter().filter_map(national).collect() } else { values };
                search(session, mapping, &properties, values, &matcher.properties(by)).await?
            }
            _ => {
                let property = mapping.remote_of(by.field()).into_iter().collect::<Vec<_>>();
                search(session, mapping, &property, values, &[]).await?
            }
        };
        let mut matched: Vec<Vec<Found>> = if by.is_unique() { found.clone() } else { vec![Vec::new(); queries.len()] };
        matcher.note(&mut matched, by, &rows);
        for (found, matched) in found.iter_mut().zip(matched).filter(|(found, _)| by.is_unique() || found.is_empty()) {
            *found = matched;
        }
    }
    Ok(found)
}

async fn by_property(
    session: &Session,
    mapping: &Mapping,
    property: &str,
    values: &BTreeSet<&str>,
) -> Result<Vec<Json>> {
    let values: Vec<&str> = values.iter().copied().collect();
    let more = if property == "email" || mapping.remote_of("email").is_some() { ADDRESSES } else { &[] };
    call::batch(session, mapping, Some(property), false, &values, more).await
}

struct Matcher<'a> {
    mapping: &'a Mapping,
    queries: &'a [Query],
}

impl<'a> Matcher<'a> {
    /// Notes for each query the rows that really match it, unless a stronger key has found them already.
    fn note(&self, found: &mut [Vec<Found>], by: By, rows: &[Json]) {
        for row in rows {
            let Some(remote) = id(row) else { continue };
            let claimed = text(row, &self.mapping.id_field).and_then(|id| id.parse().ok());
            let shown = self.shown(by, row);
            let is_meant = |query: &Query| match by {
                By::Record => query.record.is_some() && query.record == claimed,
                _ => query.key(by).is_some_and(|key| shown.contains(&key)),
            };
            for (query, found) in self.queries.iter().zip(found.iter_mut()) {
                if is_meant(query) && !found.iter().any(|f| f.remote == remote) {
                    let seen = records::read(row, self.mapping.remote_fields());
                    found.push(Found { remote: remote.clone(), by, seen, claimed: claimed.clone() });
                }
            }
        }
    }

    fn shown(&self, by: By, row: &Json) -> Vec<Key> {
        let texts = self.properties(by).into_iter().filter_map(|name| text(row, name)).flat_map(|list| {
            let separated = by == By::Email;
            list.split(move |c| separated && c == ';')
        });
        texts.filter_map(|raw| by.read(raw, &self.mapping.region)).collect()
    }

    /// The properties that hold such a key.
    fn properties(&self, by: By) -> Vec<&'a str> {
        match (by, self.mapping.remote_of(by.field())) {
            (By::Email, _) => ADDRESSES.to_vec(),
            // A person is known by either of a contact's own two phones, whichever of them is mapped.
            (By::Phone, None | Some("phone" | "mobilephone")) => vec!["phone", "mobilephone"],
            (_, mapped) => mapped.into_iter().collect(),
        }
    }
}

/// The properties that phones are searched in, and whether by their national digits: those are indexed without country code and
/// punctuation (HubSpot docs: CRM search, "search by phone number").
fn phones(mapping: &Mapping) -> (Vec<&str>, bool) {
    match mapping.remote_of("phone") {
        None | Some("phone" | "mobilephone") => {
            (vec!["hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number"], true)
        }
        Some(own) => (vec![own], false),
    }
}

/// The records that have one of the values in one of the properties. Values are compared letter by letter, in lower case.
async fn search(
    session: &Session,
    mapping: &Mapping,
    searched: &[&str],
    values: BTreeSet<String>,
    more: &[&str],
) -> Result<Vec<Json>> {
    if searched.is_empty() {
        return Ok(Vec::new());
    }
    let parts = |properties: Vec<&str>| {
        let fixed = question(searched, &[]).to_string().len() + json!(properties).to_string().len();
        fitting(&values, LONGEST.saturating_sub(fixed) / searched.len())
    };
    // Searches are the scarcest of calls. Where fewer do without the properties, those of whom they find are read afterwards.
    let (full, bare) = (parts(call::properties(mapping, more)), parts(vec![call::modified_property(mapping)]));
    let mut left = if bare.len() < full.len() { bare } else { full };
    let mut found = Vec::new();
    while let Some(values) = left.pop() {
        let (rows, next, _) = call::search(session, mapping, question(searched, &values), more).await?;
        match values.len() {
            // Too many share these: each half is asked for alone. One value that fills a page is nobody's.
            length @ 2.. if next.is_some() => left.extend(values.chunks(length.div_ceil(2)).map(<[String]>::to_vec)),
            _ => found.extend(rows),
        }
    }
    Ok(found)
}

/// Groups of filters are alternatives.
fn question(properties: &[&str], values: &[String]) -> Json {
    let group = |property| json!({"filters": [{"propertyName": property, "operator": "IN", "values": values}]});
    json!({"filterGroups": properties.iter().map(group).collect::<Vec<_>>(), "limit": 200})
}

/// The values, in as many parts as their room demands.
fn fitting(values: &BTreeSet<String>, room: usize) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    let mut used = usize::MAX;
    for value in values {
        used = used.saturating_add(value.len() + r#""","#.len());
        match parts.last_mut().filter(|_| used <= room) {
            Some(part) => part.push(value.clone()),
            None => {
                used = value.len() + r#""","#.len();
                parts.push(vec![value.clone()]);
            }
        }
    }
    parts
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
