//! Looks at a CRM: what it shows now enters the hub.

use super::{
    Pushes,
    finding::{Who, id_shown, keys_shown, who},
};
use crate::{
    app::App,
    cause::{By, Cause, Status, Step},
    change::Hinted,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::{RecordId, RemoteId},
    mapping::Mapping,
    planner::{Absorbed, Freshness, Parked, Seen, Taken, absorb, freshness, tells_nothing_new},
    provider::{Fetched, Session},
    record::{Gone, Key, Link, Object, Record},
    store::{Commit, Exception, Lost},
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

/// Records that are worked on at the same time.
const AT_ONCE: usize = 16;
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
    let ids: Vec<RemoteId> = others.into_iter().filter(tells_news).map(|hint| hint.remote.clone()).collect();
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

/// What became of a remote, where a delivery alone tells it.
fn told(hint: &Hinted) -> Option<Fetched> {
    match &hint.merged_into {
        _ if hint.erased => Some(Fetched::Erased),
        Some(winner) => Some(Fetched::MergedInto(winner.clone())),
        None => None,
    }
}

/// The records that are linked to these remotes.
pub(super) async fn linked(
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
    let looks = super::guard::guarded(app, cx, connection, object, looks).await?;
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
    let found = who(app, &connection.tenant, object, &people).await?;
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

pub(super) enum Done {
    /// The record as it stands now.
    Stands(Box<Record>),
    /// As it stands now, and that it is in this CRM is news.
    Linked(Box<Record>),
    Nothing,
    Again,
    /// Its remote is another now.
    Look(RemoteId),
}

pub(super) struct Looker<'a> {
    pub(super) app: &'a App,
    pub(super) cx: &'a Context,
    pub(super) connection: &'a Connection,
    pub(super) object: &'a Object,
    pub(super) mapping: &'a Mapping,
}

impl Looker<'_> {
    async fn one(&self, look: Look, who: Who) -> Result<Done> {
        match (&look.fetched, who) {
            (Fetched::Shown(_), _) if !self.connection.direction.receives() => Ok(Done::Nothing),
            (_, Who::Several(records)) => self.several(&look.remote, &records).await,
            (Fetched::Shown(seen), Who::New { unclaimed }) => self.unknown(&look, seen, &unclaimed).await,
            (Fetched::Shown(seen), Who::Known(record)) => self.shown(&look, seen, &record).await,
            (_, Who::New { .. }) | (Fetched::NotVisible, _) => Ok(Done::Nothing),
            (Fetched::MergedInto(winner), Who::Known(record)) => self.merged(&record, winner).await,
            (Fetched::Deleted { at }, Who::Known(record)) => self.deleted(*record, &look.remote, *at).await,
            (Fetched::Erased, Who::Known(record)) => {
                self.gone(&record, Gone::Erased { at: self.cx.now() }, "erased").await
            }
        }
    }

    /// A remote that no key points to: perhaps it carries our id, because its create's answer was lost; else it is new to the hub.
    async fn unknown(&self, look: &Look, seen: &Seen, unclaimed: &[Key]) -> Result<Done> {
        if let Some(id) = id_shown(self.mapping, seen)
            && let Some(record) = self.app.store.record(&self.connection.tenant, &id).await?
        {
            return self.shown(look, seen, &record).await;
        }
        let empty = Record::empty(
            self.connection.tenant.clone(),
            self.object.clone(),
            RecordId::fresh(),
            self.cause(By::Look { connection: self.connection.id.clone() }),
        );
        self.store(None, &empty, &look.remote, seen, unclaimed).await
    }

    async fn shown(&self, look: &Look, seen: &Seen, record: &Record) -> Result<Done> {
        let Some(link) = record.links.get(&self.connection.id) else {
            return self.store(Some(record), record, &look.remote, seen, &[]).await;
        };
        if let Some(first) = link.remote.as_ref().filter(|first| **first != look.remote && link.gone.is_none()) {
            return self.second(record, first, &look.remote).await;
        }
        if link.gone.is_some() && link.remote.as_ref() != Some(&look.remote) {
            // Its first remote is no more; this one is the person's from now on, and nothing was agreed with it yet.
            let (rev, awaiting) = (link.rev, link.awaiting.clone());
            let mut relinked = record.clone();
            relinked.links.insert(self.connection.id.clone(), Link { rev, awaiting, ..Link::default() });
            return self.store(Some(record), &relinked, &look.remote, seen, &[]).await;
        }
        let taken = match look.begun {
            Some(Some(rev)) => Taken::After { rev },
            Some(None) if link.remote.is_none() => Taken::After { rev: link.rev },
            Some(None) => return Ok(Done::Again),
            None => Taken::Sometime,
        };
        match freshness(link, seen, taken, self.mapping) {
            Freshness::Drop => Ok(Done::Nothing),
            Freshness::FetchAgain => Ok(Done::Again),
            Freshness::Absorb => self.store(Some(record), record, &look.remote, seen, &[]).await,
        }
    }

    /// Absorbs and stores; nothing is written where nothing changed.
    async fn store(
        &self,
        before: Option<&Record>,
        record: &Record,
        remote: &RemoteId,
        seen: &Seen,
        unclaimed: &[Key],
    ) -> Result<Done> {
        let link = record.links.get(&self.connection.id).cloned().unwrap_or_default();
        let link = Link { remote: Some(remote.clone()), gone: None, intent: None, ..link };
        let absorbed =
            absorb(&record.fields, &link, seen, &self.connection.id, self.mapping, &self.connection.judging());
        if before.is_some_and(|before| changes_nothing(before, &absorbed, self.connection)) {
            return Ok(Done::Stands(Box::new(record.clone())));
        }
        self.raise_all(record, &absorbed).await?;
        let mut after = record.clone();
        after.cause = self.cause(By::Look { connection: self.connection.id.clone() });
        after.cause.overruled = absorbed.overruled;
        self.bring_back(record, &mut after, &absorbed.hub).await?;
        after.fields = absorbed.hub;
        after.links.insert(self.connection.id.clone(), absorbed.link);
        after.version += 1;
        let shown = keys_shown(self.connection, self.object, self.mapping, remote, seen);
        // To what is new altogether nothing refers.
        let is_news = before.is_some_and(|before| {
            before.links.get(&self.connection.id).is_none_or(|link| link.remote.is_none() || link.gone.is_some())
        });
        Ok(match self.commit(before, after, unclaimed, &shown).await? {
            Done::Stands(record) if is_news => Done::Linked(record),
            done => done,
        })
    }

    /// `shown` are the keys by which it was asked who this is: one of them that is taken by now is a lost race.
    async fn commit(
        &self,
        before: Option<&Record>,
        mut after: Record,
        unclaimed: &[Key],
        shown: &[Key],
    ) -> Result<Done> {
        let region = &self.connection.region;
        loop {
            let commit = Commit { before, after: &after, once: None, unclaimed };
            match self.app.store.commit(&commit, region, self.cx.now()).await {
                Ok(()) => return Ok(Done::Stands(Box::new(after))),
                Err(Lost::Race | Lost::Done) => return Ok(Done::Again),
                Err(Lost::Taken(key)) if shown.contains(&key) => return Ok(Done::Again),
                Err(Lost::Taken(key)) => {
                    // Someone else has this key: that field waits for a person, the others go on.
                    self.raise_taken(&after, &key).await?;
                    if !after.fields.yield_key(&key, before.map(|b| &b.fields)) {
                        return Ok(Done::Nothing);
                    }
                }
                Err(Lost::TooLarge) => {
                    let reason = "the record would be larger than the table takes";
                    let exception =
                        Exception::new(&after.tenant, "record_too_large", after.id.as_str(), reason, self.cx);
                    self.app.store.raise(&exception.on(self.connection).of(&after.id)).await?;
                    return Ok(Done::Nothing);
                }
                Err(Lost::Failed(error)) => return Err(error),
            }
        }
    }

    async fn raise_taken(&self, record: &Record, key: &Key) -> Result<()> {
        let reason = format!("{} shows a {key} that another record has", self.connection.crm);
        let about = format!("{}:{key}", record.id);
        let exception = Exception::new(&record.tenant, "same_identity", &about, reason, self.cx);
        self.app.store.raise(&exception.on(self.connection).of(&record.id)).await
    }

    async fn raise_all(&self, record: &Record, absorbed: &Absorbed) -> Result<()> {
        raise_conflicts(self.app, self.cx, self.connection, &record.id, &absorbed.parked).await?;
        for misfit in &absorbed.misfits {
            let about = format!("{}:{}:{}", record.id, self.connection.id, misfit.field);
            let exception = Exception::new(&record.tenant, "wrong_kind", &about, misfit.to_string(), self.cx);
            self.app.store.raise(&exception.on(self.connection).of(&record.id).field(&misfit.field)).await?;
        }
        Ok(())
    }

    pub(super) fn cause(&self, by: By) -> Cause {
        Cause::new(by, &self.cx.trace, self.cx.now())
    }
}

/// Asks a person about the fields that are parked.
pub async fn raise_conflicts(
    app: &App,
    cx: &Context,
    connection: &Connection,
    record: &RecordId,
    parked: &[Parked],
) -> Result<()> {
    for parked in parked {
        let side = |v: &Option<crate::record::Value>| v.as_ref().map_or("nothing".to_owned(), |v| format!("{v:?}"));
        let reason =
            format!("agreed {}, ours {}, theirs {}", side(&parked.base), side(&parked.ours), side(&parked.theirs));
        let about = format!("{record}:{}:{}", connection.id, parked.field);
        let exception = Exception::new(&connection.tenant, "conflict", &about, reason, cx);
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

/// Whether absorbing taught us nothing but a modification time: then nothing is written.
fn changes_nothing(before: &Record, absorbed: &Absorbed, connection: &Connection) -> bool {
    let Some(link) = before.links.get(&connection.id) else { return false };
    let same = Link { modified: link.modified, rev: link.rev, ..absorbed.link.clone() };
    before.fields == absorbed.hub && *link == same
}
