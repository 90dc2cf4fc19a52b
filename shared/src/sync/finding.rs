//! Which record is it? Our id that the CRM shows, then the e-mail address, then a phone, domain or name that only one record has.

use crate::{
    app::App,
    connection::Connection,
    error::Result,
    id::{RecordId, RemoteId, TenantId},
    mapping::Mapping,
    planner::Seen,
    record::{Key, Object, Record, Region},
};
use std::collections::{BTreeMap, BTreeSet};

/// Whom a set of keys points to.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    Known(Box<Record>),
    /// Nobody yet. `unclaimed` are the lookups that nobody has.
    New {
        unclaimed: Vec<Key>,
    },
    /// Two records: neither is touched.
    Several(BTreeSet<RecordId>),
}

/// Whom each set of keys points to, by the records that have them, which are read at once.
pub async fn who(
    app: &App,
    tenant: &TenantId,
    people: &[Vec<Key>],
    holders: &BTreeMap<Key, Vec<RecordId>>,
) -> Result<Vec<Who>> {
    let ids: Vec<RecordId> = holders.values().flatten().cloned().collect();
    let mut records = app.store.records(tenant, &ids).await?;
    follow_merges(app, tenant, &mut records).await?;
    Ok(people.iter().map(|keys| decide(keys, holders, &records)).collect())
}

/// A merged record stands for its survivor.
async fn follow_merges(app: &App, tenant: &TenantId, records: &mut BTreeMap<RecordId, Record>) -> Result<()> {
    for _ in 0..4 {
        let merged: Vec<(RecordId, RecordId)> =
            records.iter().filter_map(|(id, r)| Some((id.clone(), r.merged_into.clone()?))).collect();
        if merged.is_empty() {
            return Ok(());
        }
        let survivors: Vec<RecordId> = merged.iter().map(|(_, into)| into.clone()).collect();
        let survivors = app.store.records(tenant, &survivors).await?;
        for (id, into) in merged {
            records.remove(&id);
            records.extend(survivors.get(&into).map(|survivor| (id, survivor.clone())));
        }
    }
    Ok(())
}

/// Unique keys decide; lookups are asked one after the other where they say nothing, and count only if they are one record's.
fn decide(keys: &[Key], holders: &BTreeMap<Key, Vec<RecordId>>, records: &BTreeMap<RecordId, Record>) -> Who {
    let held = |key: &Key| -> Vec<&Record> {
        let ids = holders.get(key).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| records.get(id)).collect()
    };
    let distinct = |found: Vec<&Record>| -> BTreeMap<RecordId, Record> {
        found.into_iter().map(|r| (r.id.clone(), r.clone())).collect()
    };
    let by_unique = distinct(keys.iter().filter(|key| key.is_unique()).flat_map(held).collect());
    let found = match by_unique.is_empty() {
        false => by_unique,
        true => {
            let lookups = keys.iter().filter(|key| !key.is_unique());
            let mut alone = lookups
                .map(|key| distinct(held(key).into_iter().filter(|record| !contradicts(record, keys)).collect()));
            alone.find(|found| found.len() == 1).unwrap_or_default()
        }
    };
    let ids: BTreeSet<RecordId> = found.keys().cloned().collect();
    match found.into_values().next() {
        Some(record) if ids.len() == 1 => Who::Known(Box::new(record)),
        Some(_) => Who::Several(ids),
        None => {
            let unheld = |key: &&Key| !key.is_unique() && holders.get(*key).is_none_or(Vec::is_empty);
            Who::New { unclaimed: keys.iter().filter(unheld).cloned().collect() }
        }
    }
}

/// Whether what tells records apart is another here than the one asked for: people do share phones.
fn contradicts(record: &Record, keys: &[Key]) -> bool {
    let own = Key::of(&record.object, &record.fields, &Region::default());
    let same_kind = |a: &Key, b: &Key| a.tells_apart() && std::mem::discriminant(a) == std::mem::discriminant(b);
    own.iter().any(|has| keys.iter().any(|asked| same_kind(has, asked) && has != asked))
}

/// What a remote shows of who it is. An e-mail address or a phone counts as the mapping reads it.
pub fn keys_shown(
    connection: &Connection,
    object: &Object,
    mapping: &Mapping,
    remote: &RemoteId,
    seen: &Seen,
) -> Vec<Key> {
    let shown = |hub: &str| {
        let rule = mapping.rules.iter().find(|rule| rule.hub == hub && rule.direction.receives())?;
        let value = seen.fields.get(&rule.remote)?.as_ref()?;
        rule.invert(value, &mapping.region).map(|value| value.to_string())
    };
    let personal = Key::among(object, |field| if field == "id" { None } else { shown(field) }, &mapping.region);
    [Key::Remote(connection.id.clone(), remote.clone())].into_iter().chain(personal).collect()
}

/// The record id that a remote shows in our field, if it is one.
pub fn id_shown(mapping: &Mapping, seen: &Seen) -> Option<RecordId> {
    seen.fields.get(&mapping.id_field)?.as_ref()?.to_string().parse().ok()
}
