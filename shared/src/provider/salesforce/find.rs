//! Who is there already, among leads and contacts that people typed in by hand: by e-mail, then by phone.
//!
//! Our own id is not asked for: a create is an upsert by it, and a repeated one finds the first.

use super::{
    query::{self, Among, lists},
    records::{self, Object, PEOPLE, target},
};
use crate::{
    error::Result,
    mapping::Mapping,
    provider::{
        batch::{By, Found, Query},
        session::Session,
    },
    record::{Email, Phone},
};
use serde_json::Value as Json;

/// Both objects' second field for phones (Salesforce docs: Object Reference, Lead, Contact).
const MOBILE: &str = "MobilePhone";

pub(super) async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let target = target(mapping)?;
    let mut found = vec![Vec::new(); queries.len()];
    if let Some(field) = mapping.remote_of("email") {
        let emails = queries.iter().filter_map(|query| query.email.as_ref()).map(|email| email.as_str().to_owned());
        for row in select(session, mapping, &[field], emails.collect()).await? {
            let email = row.get(field).and_then(Json::as_str).and_then(Email::parse);
            let is_meant = |query: &Query| query.email.is_some() && query.email == email;
            add(&row, By::Email, queries, mapping, is_meant, &mut found);
        }
        found.iter_mut().for_each(|found| prefer(target, found));
    }
    if let Some(field) = mapping.remote_of("phone") {
        let unmatched = queries.iter().zip(&found).filter(|(_, found)| found.is_empty());
        let spellings: Vec<String> =
            unmatched.filter_map(|(q, _)| q.phone.as_ref()).flat_map(Phone::spellings).collect();
        let mut by_phone = vec![Vec::new(); queries.len()];
        for row in select(session, mapping, &[field, MOBILE], spellings).await? {
            let phones = [field, MOBILE].map(|field| row.get(field).and_then(Json::as_str));
            let phones: Vec<Phone> =
                phones.into_iter().flatten().filter_map(|p| Phone::parse(p, &mapping.region)).collect();
            let is_meant = |query: &Query| query.phone.as_ref().is_some_and(|phone| phones.contains(phone));
            add(&row, By::Phone, queries, mapping, is_meant, &mut by_phone);
        }
        for (found, mut by_phone) in found.iter_mut().zip(by_phone).filter(|(found, _)| found.is_empty()) {
            prefer(target, &mut by_phone);
            *found = by_phone;
        }
    }
    Ok(found)
}

/// The leads and contacts that have one of the values in one of the fields.
async fn select(session: &Session, mapping: &Mapping, fields: &[&str], values: Vec<String>) -> Result<Vec<Json>> {
    let mut queries = Vec::new();
    for list in lists(values) {
        for object in PEOPLE {
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
fn prefer(target: Object, found: &mut Vec<Found>) {
    let ours = |found: &Found| found.remote.as_str().starts_with(target.prefix);
    if found.iter().any(ours) {
        found.retain(ours);
    }
}
