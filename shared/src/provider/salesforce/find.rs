//! Who is there already, among what people typed in by hand: by e-mail, then by phone; a company by its domain, then its name.
//!
//! Our own id is not asked for: a create is an upsert by it, and a repeated one finds the first. What has no room for it is looked for
//! among what was made since then, by what it says.

use super::{
    query::{self, Among, lists},
    records::{self, Object, objects, target},
};
use crate::{
    error::Result,
    mapping::Mapping,
    provider::{
        batch::{By, Found, Query},
        session::Session,
    },
    record::Key,
};
use jiff::SignedDuration;
use serde_json::Value as Json;

/// The second field for phones of both leads and contacts (Salesforce docs: Object Reference, Lead, Contact).
const MOBILE: &str = "MobilePhone";

/// All keys in one call: a phone that is asked for in vain costs less than a call for it alone.
pub(super) async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let target = target(mapping)?;
    let keyed = By::KEYS.into_iter().filter_map(|by| Some((by, mapping.remote_of(by.field())?)));
    let keyed = keyed.map(|(by, field)| (by, if by == By::Phone { vec![field, MOBILE] } else { vec![field] }));
    let keyed: Vec<(By, Vec<&str>)> = keyed.collect();
    let mut asked = Vec::new();
    for (by, fields) in &keyed {
        let values = queries.iter().filter_map(|query| query.key(*by)).flat_map(|key| key.spellings());
        asked.extend(selects(mapping, fields, values.collect())?.into_iter().map(|soql| (*by, soql)));
    }
    let texts: Vec<String> = asked.iter().map(|(_, soql)| soql.clone()).collect();
    let rows = query::all(session, Among::Live, &texts).await?;
    let mut found = made(session, mapping, queries).await?;
    for (by, fields) in keyed {
        let mut matched = vec![Vec::new(); queries.len()];
        for row in asked.iter().zip(&rows).filter(|((of, _), _)| *of == by).flat_map(|(_, rows)| rows) {
            let shown = fields.iter().filter_map(|field| by.read(row.get(*field)?.as_str()?, &mapping.region));
            let shown: Vec<Key> = shown.collect();
            let is_meant = |query: &Query| query.key(by).is_some_and(|key| shown.contains(&key));
            add(row, by, queries, mapping, is_meant, &mut matched);
        }
        for (found, mut matched) in found.iter_mut().zip(matched).filter(|(found, _)| found.is_empty()) {
            prefer(target, &mut matched);
            *found = matched;
        }
    }
    Ok(found)
}

/// How far our clock may be ahead of Salesforce's.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What says the same as creates that may have happened.
async fn made(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let mut found = vec![Vec::new(); queries.len()];
    let Some(begun) = queries.iter().filter(|query| query.made.is_some()).filter_map(|query| query.begun).min() else {
        return Ok(found);
    };
    let object = target(mapping)?;
    let since = query::time(begun.checked_sub(SKEW).unwrap_or(begun));
    let soql = format!("SELECT {} FROM {} WHERE CreatedDate >= {since}", object.fields(mapping)?, object.name);
    let rows = query::all(session, Among::Live, &[soql]).await?;
    for row in rows.iter().flatten() {
        let Some((remote, seen)) = records::read(row, mapping) else { continue };
        for (query, found) in queries.iter().zip(&mut found) {
            if query.made.as_ref().is_some_and(|made| made.is_shown(&seen.fields)) {
                found.push(Found { remote: remote.clone(), by: By::Made, seen: seen.clone(), claimed: None });
            }
        }
    }
    Ok(found)
}

/// Queries for the records that have one of the values in one of the fields.
fn selects(mapping: &Mapping, fields: &[&str], values: Vec<String>) -> Result<Vec<String>> {
    let mut queries = Vec::new();
    for list in lists(values) {
        for object in objects(mapping) {
            let Object { name, only, .. } = object;
            let mut asked = object.fields(mapping)?;
            for besides in fields.iter().filter(|field| !asked.split(',').any(|one| one == **field)).collect::<Vec<_>>()
            {
                asked.push(',');
                asked.push_str(besides);
            }
            let either = fields.iter().map(|field| format!("{field} IN ({list})")).collect::<Vec<_>>().join(" OR ");
            queries.push(format!("SELECT {asked} FROM {name} WHERE ({either}){only}"));
        }
    }
    Ok(queries)
}

fn add(
    row: &Json,
    by: By,
    queries: &[Query],
    mapping: &Mapping,
    is_meant: impl Fn(&Query) -> bool,
    found: &mut [Vec<Found>],
) {
    let Some((remote, seen)) = records::read(row, mapping) else { return };
    let claimed = records::claimed(row, mapping);
    for (query, found) in queries.iter().zip(found) {
        if is_meant(query) && !found.iter().any(|known| known.remote == remote) {
            found.push(Found { remote: remote.clone(), by, seen: seen.clone(), claimed: claimed.clone() });
        }
    }
}

/// Somebody may be a lead and a contact at once: the object that we file people under decides.
fn prefer(target: Object<'_>, found: &mut Vec<Found>) {
    let ours = |found: &Found| found.remote.as_str().starts_with(target.prefix);
    if found.iter().any(ours) {
        found.retain(ours);
    }
}
