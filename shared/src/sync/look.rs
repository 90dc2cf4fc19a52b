//! Looks at a CRM: what it shows now enters the hub.

use super::{
    Pushes,
    finding::{keys_shown, who},
    guard::guarded,
    looker::{Done, Looker},
};
use crate::{
    app::App,
    cause::{Status, Step},
    change::Hinted,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::{RecordId, RemoteId},
    planner::{Parked, tells_nothing_new},
    provider::{Fetched, Session},
    record::{Key, Link, Object, Record},
    store::Exception,
    telemetry::Metric,
};
use futures::{StreamExt, stream};
use std::{collections::BTreeMap, time::Duration};

/// What a CRM answered about one remote.
#[derive(Clone, Debug)]
pub struct Look {
    pub remote: RemoteId,
    pub fetched: Fetched,
    /// The links' revisions when the look was begun; `None` for a page of a pull.
    pub begun: Option<Option<u64>>,
}

/// Records that are worked on at the same time: their steps fill two transactions.
const AT_ONCE: usize = 50;
/// Records of a page that are absorbed before the next: as many as one push message names.
const PART: usize = 200;
/// How often a remote is fetched again because its record moved meanwhile.
const ROUNDS: usize = 5;
/// No read of a CRM is begun with less than this left.
const CHUNK_TAKES: Duration = Duration::from_secs(10);

/// Remotes that could not be looked at, or keep moving, and why.
#[derive(Debug)]
pub struct Left {
    pub remotes: Vec<Hinted>,
    pub why: Error,
}

/// Fetches remotes as they are now and absorbs them. A lost race fetches again; what was seen before is never used twice.
///
/// A hint that tells nothing new costs no call: it is the echo of our own write. What others refer to is looked at first.
pub async fn look_again(
    app: &App,
    cx: &Context,
    connection: &Connection,
    hints: Vec<Hinted>,
    pushes: &mut Pushes,
) -> Result<(), Left> {
    let mut left = hints;
    left.sort_by(|a, b| a.object.cmp(&b.object));
    for _ in 0..ROUNDS {
        let mut again = Vec::new();
        while !left.is_empty() {
            let alike = left.iter().take_while(|hint| hint.object == left[0].object).count();
            let most = alike.min(connection.crm.capabilities().max_read);
            let done = match cx.left() > CHUNK_TAKES {
                true => look_once(app, cx, connection, &left[..most], pushes).await,
                false => Err(Error::retryable("no time is left")),
            };
            match done {
                Ok(moved) => again.extend(moved),
                Err(why) => {
                    left.extend(again);
                    return Err(Left { remotes: left, why });
                }
            }
            left.drain(..most);
        }
        again.sort_by(|a: &Hinted, b| (&a.object, &a.remote).cmp(&(&b.object, &b.remote)));
        again.dedup_by(|a, b| a.object == b.object && a.remote == b.remote);
        left = again;
    }
    let why = Error::retryable("records keep moving while they are looked at");
    if left.is_empty() { Ok(()) } else { Err(Left { remotes: left, why }) }
}

/// One read of the CRM for all that is worth a look, of one object; those that must be looked at again.
async fn look_once(
    app: &App,
    cx: &Context,
    connection: &Connection,
    hints: &[Hinted],
    pushes: &mut Pushes,
) -> Result<Vec<Hinted>> {
    let Some(object) = hints.first().map(|hint| hint.object.clone()) else { return Ok(Vec::new()) };
    let mapping = connection.mapping(&object)?;
    let remotes: Vec<RemoteId> = hints.iter().map(|hint| hint.remote.clone()).collect();
    let known = linked(app, connection, &object, &remotes).await?;
    let link = |remote: &RemoteId| known.get(remote).and_then(|record| record.links.get(&connection.id));
    // What was erased or lost a merge the CRM shows no more: there is nothing to fetch.
    let (fated, others): (Vec<&Hinted>, Vec<&Hinted>) = hints.iter().partition(|hint| told(hint).is_some());
    let tells_news = |hint: &&Hinted| !link(&hint.remote).is_some_and(|link| tells_nothing_new(link, hint, mapping));
    // What is only made in this CRM is nobody else's business: what its users write of the kind stays there.
    let is_ours = |hint: &&Hinted| mapping.has_room() || known.contains_key(&hint.remote);
    let ids: Vec<RemoteId> =
        others.into_iter().filter(is_ours).filter(tells_news).map(|hint| hint.remote.clone()).collect();
    let fetch = async |session: &Session| connection.crm.fetch(session, mapping, &ids).await;
    let mut fetched = if ids.is_empty() { Vec::new() } else { app.with_session(connection, cx, fetch).await? };
    app.inward(cx, connection, mapping, fetched.iter_mut().filter_map(Fetched::seen).collect()).await?;
    let fates = fated.into_iter().filter_map(|hint| Some((hint.remote.clone(), told(hint)?)));
    let looks = ids.iter().cloned().zip(fetched).chain(fates).map(|(remote, fetched)| {
        let begun = Some(link(&remote).map(|link| link.rev));
        Look { remote, fetched, begun }
    });
    let moved = absorb_guarded(app, cx, connection, &object, looks.collect(), pushes).await?;
    let again = |remote: RemoteId| {
        let hint = hints.iter().find(|hint| hint.remote == remote && told(hint).is_some());
        hint.cloned().unwrap_or_else(|| Hinted::plain(&object, remote))
    };
    Ok(moved.into_iter().map(again).collect())
}

/// Notes the records of these remotes as they stand, though nobody looks at them.
pub async fn note(app: &App, connection: &Connection, hints: &[Hinted], pushes: &mut Pushes) -> Result<()> {
    for alike in hints.chunk_by(|one, next| one.object == next.object) {
        let remotes: Vec<RemoteId> = alike.iter().map(|hint| hint.remote.clone()).collect();
        let known = linked(app, connection, &alike[0].object, &remotes).await?;
        known.into_values().for_each(|record| pushes.note(record));
    }
    Ok(())
}

/// What became of a remote, where a delivery alone tells it.
fn told(hint: &Hinted) -> Option<Fetched> {
    match &hint.merged_into {
        _ if hint.erased => Some(Fetched::Erased),
        Some(winner) => Some(Fetched::MergedInto(winner.clone())),
        None => None,
    }
}

/// The records that are linked to these remotes.
pub async fn linked(
    app: &App,
    connection: &Connection,
    object: &Object,
    remotes: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Record>> {
    let keys: Vec<Key> = remotes.iter().map(|remote| Key::Remote(connection.id.clone(), remote.clone())).collect();
    let holders = app.store.holders(&connection.tenant, object, &keys).await?;
    let ids: Vec<RecordId> = holders.values().flatten().cloned().collect();
    let records = app.store.records(&connection.tenant, &ids).await?;
    let of = |remote: &RemoteId, key: &Key| Some((remote.clone(), records.get(holders.get(key)?.first()?)?.clone()));
    Ok(remotes.iter().zip(&keys).filter_map(|(remote, key)| of(remote, key)).collect())
}

/// Absorbs what a CRM showed of one object's records; the remotes that must be fetched again. Deletions are followed if they
/// are not too many.
pub async fn absorb_guarded(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    looks: Vec<Look>,
    pushes: &mut Pushes,
) -> Result<Vec<RemoteId>> {
    let looks = guarded(app, cx, connection, object, looks).await?;
    absorb_looks(app, cx, connection, object, looks, pushes).await
}

/// As [`absorb_guarded`], for what a person has decided about.
pub async fn absorb_looks(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    looks: Vec<Look>,
    pushes: &mut Pushes,
) -> Result<Vec<RemoteId>> {
    let mapping = connection.mapping(object)?;
    let people = looks.iter().map(|look| match &look.fetched {
        Fetched::Shown(seen) => keys_shown(connection, object, mapping, &look.remote, seen),
        _ => vec![Key::Remote(connection.id.clone(), look.remote.clone())],
    });
    let people: Vec<Vec<Key>> = people.collect();
    let keys: Vec<Key> = people.iter().flatten().cloned().collect();
    let holders = app.store.holders(&connection.tenant, object, &keys).await?;
    let found = who(app, &connection.tenant, &people, &holders).await?;
    let looker = Looker { app, cx, connection, object, mapping };
    let done: Vec<(RemoteId, Result<Done>)> = stream::iter(looks.into_iter().zip(found))
        .map(|(look, who)| async {
            let remote = look.remote.clone();
            (remote, looker.one(look, who).await)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut again = Vec::new();
    for (remote, done) in done {
        match done? {
            Done::Stands(record) => pushes.note(*record),
            Done::Linked(record) => {
                app.follow(connection, std::iter::once(&*record), pushes).await?;
                pushes.note(*record);
            }
            Done::Nothing => {}
            Done::Again => again.push(remote),
            Done::Look(other) => again.push(other),
        }
    }
    Ok(again)
}

/// Absorbs what a page told, a part after the other: a page may have two thousand records, and what is made of them is many times as large.
/// What cannot be told from something older is fetched at once.
pub async fn absorb_listed(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    looks: Vec<Look>,
) -> Result<()> {
    let mut looks = guarded(app, cx, connection, object, looks).await?.into_iter().peekable();
    while looks.peek().is_some() {
        let (part, mut pushes) = (looks.by_ref().take(PART).collect(), Pushes::default());
        let again = absorb_looks(app, cx, connection, object, part, &mut pushes).await?;
        let again = again.into_iter().map(|remote| Hinted::plain(object, remote)).collect();
        let done = look_again(app, cx, connection, again, &mut pushes).await;
        pushes.send(app, cx).await?;
        done.map_err(|left| left.why)?;
    }
    Ok(())
}

/// Asks a person about the fields that are parked.
pub async fn raise_conflicts(
    app: &App,
    cx: &Context,
    connection: &Connection,
    record: &RecordId,
    parked: &[Parked],
) -> Result<()> {
    cx.metrics.count(Metric::Conflicts, Some(connection.crm), parked.len());
    for parked in parked {
        let side = |v: &Option<crate::record::Value>| v.as_ref().map_or("nothing".to_owned(), |v| format!("\"{v}\""));
        let reason =
            format!("agreed {}, ours {}, theirs {}", side(&parked.base), side(&parked.ours), side(&parked.theirs));
        let about = format!("{record}:{}:{}", connection.id, parked.field);
        let exception = Exception::new(&connection.tenant, "conflict", &about, reason, cx);
        let exception = Exception { agreed: parked.base.clone(), ..exception };
        app.store.raise(&exception.on(connection).of(record).field(&parked.field)).await?;
    }
    Ok(())
}

/// The end of every request that waits for a link.
pub fn steps(link: &Link, connection: &Connection, status: Status, code: &str) -> Vec<Step> {
    let end = |awaiting: &crate::record::Awaiting| Step {
        request: awaiting.request.clone(),
        connection: Some(connection.id.clone()),
        workflow: awaiting.workflow.clone(),
        status,
        code: Some(code.to_owned()),
        remote: link.remote.clone(),
        fields: Vec::new(),
    };
    link.awaiting.iter().map(end).collect()
}
