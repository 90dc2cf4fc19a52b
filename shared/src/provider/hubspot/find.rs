//! Which contacts match: by our id, by e-mail, by phone.

use super::{
    call::{self, LONGEST},
    records::{self, id, text},
};
use crate::{
    error::Result,
    id::RecordId,
    mapping::Mapping,
    provider::{Found, Query, Session, batch::By},
    record::{Email, Phone},
};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// A contact's other addresses are as much its own: none of them can be given to another contact
/// (HubSpot docs: contacts, `hs_additional_emails`).
const ADDRESSES: &[&str] = &["email", "hs_additional_emails"];

/// Reads by a unique property are immediate; only phones need the search, whose index lags (HubSpot docs: CRM search).
pub(super) async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let mut found: Vec<Vec<Found>> = vec![Vec::new(); queries.len()];
    let matcher = Matcher { mapping, queries };
    let records: BTreeSet<&str> =
        queries.iter().filter_map(|query| query.record.as_ref().map(RecordId::as_str)).collect();
    matcher.note(&mut found, By::Record, &by_property(session, mapping, &mapping.id_field, &records).await?);
    let emails: BTreeSet<&str> = queries.iter().filter_map(|query| query.email.as_ref().map(Email::as_str)).collect();
    matcher.note(&mut found, By::Email, &by_property(session, mapping, "email", &emails).await?);
    let unmatched = queries.iter().zip(&found).filter(|(_, found)| found.is_empty());
    let phones: BTreeSet<&Phone> = unmatched.filter_map(|(query, _)| query.phone.as_ref()).collect();
    let rows = by_phone(session, mapping, &phones).await?;
    let mut by_phone: Vec<Vec<Found>> = vec![Vec::new(); queries.len()];
    matcher.note(&mut by_phone, By::Phone, &rows);
    Ok(found
        .into_iter()
        .zip(by_phone)
        .map(|(found, by_phone)| if found.is_empty() { by_phone } else { found })
        .collect())
}

async fn by_property(
    session: &Session,
    mapping: &Mapping,
    property: &str,
    values: &BTreeSet<&str>,
) -> Result<Vec<Json>> {
    let values: Vec<&str> = values.iter().copied().collect();
    call::batch(session, mapping, Some(property), false, &values, ADDRESSES).await
}

struct Matcher<'a> {
    mapping: &'a Mapping,
    queries: &'a [Query],
}

impl Matcher<'_> {
    /// Notes for each query the rows that really match it, unless a stronger key has found them already.
    fn note(&self, found: &mut [Vec<Found>], by: By, rows: &[Json]) {
        for row in rows {
            let Some(remote) = id(row) else { continue };
            let claimed = text(row, &self.mapping.id_field).and_then(|id| id.parse().ok());
            for (query, found) in self.queries.iter().zip(found.iter_mut()) {
                if self.matches(query, by, row, claimed.as_ref()) && !found.iter().any(|f| f.remote == remote) {
                    let seen = records::read(row, self.mapping.remote_fields());
                    found.push(Found { remote: remote.clone(), by, seen, claimed: claimed.clone() });
                }
            }
        }
    }

    fn matches(&self, query: &Query, by: By, row: &Json, claimed: Option<&RecordId>) -> bool {
        match by {
            By::Record => query.record.is_some() && query.record.as_ref() == claimed,
            By::Email => query.email.as_ref().is_some_and(|wanted| {
                let shown = ADDRESSES.iter().filter_map(|name| text(row, name)).flat_map(|list| list.split(';'));
                shown.filter_map(Email::parse).any(|shown| shown == *wanted)
            }),
            By::Phone => query.phone.as_ref().is_some_and(|wanted| {
                let shown = phone_properties(self.mapping).into_iter().filter_map(|name| text(row, name));
                shown.filter_map(|raw| Phone::parse(raw, &self.mapping.region)).any(|shown| shown == *wanted)
            }),
        }
    }
}

/// A person is known by either of a contact's own two phones, whichever of them is mapped.
fn phone_properties(mapping: &Mapping) -> Vec<&str> {
    match mapping.remote_of("phone") {
        None | Some("phone" | "mobilephone") => vec!["phone", "mobilephone"],
        Some(own) => vec![own],
    }
}

/// Phones are indexed without country code and punctuation (HubSpot docs: CRM search, "search by phone number").
/// Any other property is compared letter by letter, in lower case.
async fn by_phone(session: &Session, mapping: &Mapping, phones: &BTreeSet<&Phone>) -> Result<Vec<Json>> {
    let more = phone_properties(mapping);
    let (searched, calculated) = match more.as_slice() {
        [own] => (vec![*own], false),
        _ => (vec!["hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number"], true),
    };
    let values =
        phones.iter().flat_map(|phone| if calculated { vec![phone.national_digits()] } else { phone.spellings() });
    let values: BTreeSet<String> = values.collect();
    let fixed = question(&searched, &[]).to_string().len() + json!(call::properties(mapping, &more)).to_string().len();
    // Where the properties take all the room, the search leaves them out by itself.
    let room = LONGEST.checked_sub(fixed).filter(|room| *room > 500).unwrap_or(LONGEST / 2) / searched.len();
    let mut left = fitting(values, room);
    let mut found = Vec::new();
    while let Some(values) = left.pop() {
        let (rows, next, _) = call::search(session, mapping, question(&searched, &values), &more).await?;
        match values.len() {
            // Too many share these: each half is asked for alone. One phone that fills a page is nobody's.
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
fn fitting(values: BTreeSet<String>, room: usize) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = Vec::new();
    let mut used = usize::MAX;
    for value in values {
        used = used.saturating_add(value.len() + r#""","#.len());
        match parts.last_mut().filter(|_| used <= room) {
            Some(part) => part.push(value),
            None => {
                used = value.len() + r#""","#.len();
                parts.push(vec![value]);
            }
        }
    }
    parts
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
