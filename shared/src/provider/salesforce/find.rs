//! Who is there already, among what people typed in by hand: by e-mail, then by phone; a company by its domain, then its name.
//!
//! Our own id is not asked for: a create is an upsert by it, and a repeated one finds the first.

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
use serde_json::Value as Json;

/// The second field for phones of both leads and contacts (Salesforce docs: Object Reference, Lead, Contact).
const MOBILE: &str = "MobilePhone";

pub(super) async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let target = target(mapping)?;
    let mut found = vec![Vec::new(); queries.len()];
    for by in By::KEYS {
        let Some(field) = mapping.remote_of(by.field()) else { continue };
        let fields = if by == By::Phone { vec![field, MOBILE] } else { vec![field] };
        let wanted = queries.iter().zip(&found).filter(|(_, found)| found.is_empty());
        let values: Vec<String> =
            wanted.filter_map(|(query, _)| query.key(by)).flat_map(|key| key.spellings()).collect();
        let mut matched = vec![Vec::new(); queries.len()];
        for row in select(session, mapping, &fields, values).await? {
            let shown = fields.iter().filter_map(|field| by.read(row.get(*field)?.as_str()?, &mapping.region));
            let shown: Vec<Key> = shown.collect();
            let is_meant = |query: &Query| query.key(by).is_some_and(|key| shown.contains(&key));
            add(&row, by, queries, mapping, is_meant, &mut matched);
        }
        for (found, mut matched) in found.iter_mut().zip(matched).filter(|(found, _)| found.is_empty()) {
            prefer(target, &mut matched);
            *found = matched;
        }
    }
    Ok(found)
}

/// The records that have one of the values in one of the fields.
async fn select(session: &Session, mapping: &Mapping, fields: &[&str], values: Vec<String>) -> Result<Vec<Json>> {
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
    Ok(query::all(session, Among::Live, &queries).await?.into_iter().flatten().collect())
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
