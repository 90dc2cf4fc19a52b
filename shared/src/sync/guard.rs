//! Deletions before they are followed: too many within an hour are a person's decision, and some are merges.

use super::look::{Look, linked};
use crate::{
    app::App,
    change::Removed,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::RemoteId,
    planner::{Deletes, Mass},
    provider::{Fetched, Query, Session},
    record::{Key, Object, Record},
    store::Exception,
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
    let more = u32::try_from(news.len()).unwrap_or(u32::MAX);
    match count(app, cx, connection, object, Mass::Deletions, more).await?.rests {
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

/// What counting some more of a mass came to.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// There are too many: so many are they now.
    pub(crate) too_many: Option<u32>,
    /// The name of the time for which deletions wait.
    rests: Option<String>,
}

/// Counts some more of a mass within the hour.
pub(crate) async fn count(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    mass: Mass,
    more: u32,
) -> Result<Counted> {
    let guard = connection.policy.guards(mass);
    for _ in 0..ROUNDS {
        let tally = app.store.tally(connection, mass).await?;
        let before = tally.lately(cx.now());
        let all = before.saturating_add(more);
        if tally.rests.is_some() {
            return Ok(Counted { too_many: Some(all), rests: tally.rests });
        }
        let known = match guard.enough(all) {
            // Those that were deleted within the hour are known no more.
            Some(enough) if mass == Mass::Deletions => {
                known(app, connection, object, enough).await? + u64::from(before)
            }
            Some(enough) => known(app, connection, object, enough).await?,
            None => 0,
        };
        let is_allowed = guard.allows(all, known);
        let next = match mass {
            Mass::Deletions if !is_allowed => tally.resting(cx.now()),
            _ => tally.and(more, cx.now()),
        };
        if app.store.set_tally(connection, mass, &tally, &next).await? {
            return Ok(Counted { too_many: (!is_allowed).then_some(all), rests: next.rests });
        }
    }
    Err(Error::retryable("what this connection does is being counted"))
}

/// How many remotes of an object the connection has, if they are less than `enough`.
async fn known(app: &App, connection: &Connection, object: &Object, enough: u64) -> Result<u64> {
    let is_there = |record: &&Record| {
        let link = record.links.get(&connection.id);
        record.object == *object && link.is_some_and(|link| link.remote.is_some() && link.gone.is_none())
    };
    let (mut known, mut place) = (0, Some((0, None)));
    while let Some(at) = place.take_if(|_| known < enough) {
        let (records, next) = app.store.walk(&connection.tenant, &at, PAGE).await?;
        known += records.iter().filter(is_there).count() as u64;
        place = next;
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
    match app.store.tally(connection, Mass::Deletions).await?.rests.as_deref() == Some(rests) {
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
