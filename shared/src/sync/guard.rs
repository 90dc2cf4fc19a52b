//! Deletions before they are followed: too many within an hour are a person's decision, and some are merges.

use super::look::{Look, linked};
use crate::{
    app::App,
    change::Removed,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::{RecordId, RemoteId},
    planner::Deletes,
    provider::{Fetched, Query, Session},
    record::{Key, Object, Record},
    store::{Exception, keys::RECORD_SHARDS},
};
use std::collections::BTreeMap;

/// Records of one read.
const PAGE: i32 = 500;
/// How often the tally is tried again where others count too.
const ROUNDS: usize = 10;

/// The looks that may be followed; deletions that may not are kept for a person. Webhooks and pulls are counted alike.
pub(super) async fn guarded(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    looks: Vec<Look>,
) -> Result<Vec<Look>> {
    let remotes: Vec<RemoteId> = looks.iter().filter(|look| gone(look)).map(|look| look.remote.clone()).collect();
    if remotes.is_empty() {
        return Ok(looks);
    }
    let mut news = linked(app, connection, object, &remotes).await?;
    news.retain(|remote, record| is_news(connection, remote, record));
    if news.is_empty() {
        return Ok(looks);
    }
    let (deleted, mut others): (Vec<Look>, Vec<Look>) =
        looks.into_iter().partition(|look| gone(look) && news.contains_key(&look.remote));
    match rests(app, cx, connection, object, u32::try_from(news.len()).unwrap_or(u32::MAX)).await? {
        None => others.extend(survived(app, cx, connection, object, deleted, &news).await?),
        Some(rests) => keep(app, cx, connection, object, &rests, &deleted).await?,
    }
    Ok(others)
}

/// As [`guarded`], for deletions that a person has confirmed: they are not counted.
pub async fn confirmed(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    looks: Vec<Look>,
) -> Result<Vec<Look>> {
    let (deleted, mut others): (Vec<Look>, Vec<Look>) = looks.into_iter().partition(gone);
    let remotes: Vec<RemoteId> = deleted.iter().map(|look| look.remote.clone()).collect();
    let records = linked(app, connection, object, &remotes).await?;
    others.extend(survived(app, cx, connection, object, deleted, &records).await?);
    Ok(others)
}

fn gone(look: &Look) -> bool {
    matches!(look.fetched, Fetched::Deleted { .. })
}

/// Whether a deletion is one that nobody knew of, and not our own doing.
fn is_news(connection: &Connection, remote: &RemoteId, record: &Record) -> bool {
    let ours = record.deleted.as_ref().is_some_and(|deleted| deleted.spreads);
    let link = record.links.get(&connection.id);
    !ours && link.is_some_and(|link| link.gone.is_none() && link.remote.as_ref() == Some(remote))
}

/// Counts some more deletions. `None` if they may be followed, else the name of the time that they wait.
async fn rests(app: &App, cx: &Context, connection: &Connection, object: &Object, more: u32) -> Result<Option<String>> {
    let guard = connection.policy.guard;
    for _ in 0..ROUNDS {
        let tally = app.store.tally(connection).await?;
        if tally.rests.is_some() {
            return Ok(tally.rests);
        }
        let before = tally.gone(cx.now());
        let gone = before.saturating_add(more);
        let known = match guard.enough(gone) {
            Some(enough) => known(app, connection, object, enough).await? + u64::from(before),
            None => 0,
        };
        let next = if guard.allows(gone, known) { tally.and(more, cx.now()) } else { tally.resting(cx.now()) };
        if app.store.set_tally(connection, &tally, &next).await? {
            return Ok(next.rests);
        }
    }
    Err(Error::retryable("deletions of this connection are being counted"))
}

/// How many remotes of an object the connection has, if they are less than `enough`.
async fn known(app: &App, connection: &Connection, object: &Object, enough: u64) -> Result<u64> {
    let is_there = |record: &&Record| {
        let link = record.links.get(&connection.id);
        record.object == *object && link.is_some_and(|link| link.remote.is_some() && link.gone.is_none())
    };
    let mut known = 0;
    for shard in 0..RECORD_SHARDS {
        let mut after: Option<RecordId> = None;
        while known < enough {
            let (records, next) = app.store.record_page(&connection.tenant, shard, after.as_ref(), PAGE).await?;
            known += records.iter().filter(is_there).count() as u64;
            after = next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(known)
}

/// Keeps deletions until a person decides, who is asked.
async fn keep(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    rests: &str,
    deleted: &[Look],
) -> Result<()> {
    let removed = |look: &Look| match look.fetched {
        Fetched::Deleted { at } => Some(Removed { remote: look.remote.clone(), at, merged_into: None }),
        _ => None,
    };
    let removed: Vec<Removed> = deleted.iter().filter_map(removed).collect();
    app.store.rest(connection, object, rests, &removed).await?;
    let reason = format!(
        "so much was deleted in {} within an hour that it may be a mistake; none of the rest is followed before a person has decided",
        connection.crm
    );
    let exception =
        Exception::new(&connection.tenant, "mass_delete", &format!("{}:{rests}", connection.id), reason, cx);
    app.store.raise(&exception.on(connection)).await?;
    match app.store.tally(connection).await?.rests.as_deref() == Some(rests) {
        true => Ok(()),
        false => Err(Error::retryable("a person decides about deletions right now")),
    }
}

/// Deletions of what is still there as another remote are merges: not every CRM says so.
async fn survived(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    mut deleted: Vec<Look>,
    records: &BTreeMap<RemoteId, Record>,
) -> Result<Vec<Look>> {
    if connection.deletes() == Deletes::Ignore {
        return Ok(deleted);
    }
    let (mapping, crm) = (connection.mapping(object)?, connection.crm);
    let query = |look: &Look| {
        let keys = Key::of(object, &records.get(&look.remote)?.fields, &connection.region);
        keys.into_iter().find_map(|key| match key {
            Key::Email(email) => Some(Query { email: Some(email), ..Query::default() }),
            _ => None,
        })
    };
    for batch in deleted.chunks_mut(crm.capabilities().max_find) {
        let asked: Vec<(&mut Look, Query)> = batch
            .iter_mut()
            .filter_map(|look| {
                let query = query(look)?;
                Some((look, query))
            })
            .collect();
        let queries: Vec<Query> = asked.iter().map(|(_, query)| query.clone()).collect();
        if queries.is_empty() {
            continue;
        }
        let find = async |session: &Session| crm.find(session, mapping, &queries).await;
        for ((look, _), found) in asked.into_iter().zip(app.with_session(connection, cx, find).await?) {
            let other = found.into_iter().find(|found| found.by.is_unique() && found.remote != look.remote);
            if let Some(other) = other {
                look.fetched = Fetched::MergedInto(other.remote);
            }
        }
    }
    Ok(deleted)
}
