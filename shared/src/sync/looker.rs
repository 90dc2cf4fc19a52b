//! One look, and what it makes of the record.

use super::{
    finding::{Who, id_shown, keys_shown},
    look::{Look, raise_conflicts},
    remedy::stopped,
};
use crate::{
    app::App,
    cause::{By, Cause},
    connection::{Connection, State},
    context::{Context, until},
    error::Result,
    id::{RecordId, RemoteId},
    mapping::Mapping,
    planner::{Absorbed, Freshness, Seen, Taken, absorb, freshness},
    provider::Fetched,
    record::{Gone, Key, Link, Object, Record},
    store::{Commit, Exception, Lost},
    telemetry::Metric,
};

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
    /// What is seldom is put on the heap: a page's records wait side by side, and each would take the room of the largest.
    pub(super) async fn one(&self, look: Look, who: Who) -> Result<Done> {
        match (&look.fetched, who) {
            (Fetched::Shown(_), _) if !self.connection.direction.receives() => Ok(Done::Nothing),
            (_, Who::Several(records)) => Box::pin(self.several(&look.remote, &records)).await,
            (Fetched::Shown(_), Who::Known(record)) if record.erased.is_some() => {
                self.forgotten(&look.remote, &record).await
            }
            (Fetched::Shown(seen), Who::New { unclaimed }) => self.unknown(&look, seen, &unclaimed).await,
            (Fetched::Shown(seen), Who::Known(record)) => self.shown(&look, seen, &record).await,
            (_, Who::New { .. }) | (Fetched::NotVisible, _) => Ok(Done::Nothing),
            (Fetched::MergedInto(winner), Who::Known(record)) => Box::pin(self.merged(&record, winner)).await,
            (Fetched::Deleted { at }, Who::Known(record)) => Box::pin(self.deleted(*record, &look.remote, *at)).await,
            (Fetched::Erased, Who::Known(record)) => {
                self.gone(&record, Gone::Erased { at: self.cx.now() }, "erased").await
            }
        }
    }

    /// A remote that no key points to: perhaps it carries our id, because its create's answer was lost; else it is new to the hub.
    async fn unknown(&self, look: &Look, seen: &Seen, unclaimed: &[Key]) -> Result<Done> {
        if let Some(id) = id_shown(self.mapping, seen)
            && let Some(record) = self.app.store.record(&self.connection.tenant, &id).await?
            && record.object == *self.object
        {
            return match record.erased {
                Some(_) => self.forgotten(&look.remote, &record).await,
                None => self.shown(look, seen, &record).await,
            };
        }
        let empty = Record::empty(
            self.connection.tenant.clone(),
            self.object.clone(),
            RecordId::fresh(),
            self.cause(By::Look { connection: self.connection.id.clone() }),
        );
        self.store(None, &empty, &look.remote, seen, unclaimed).await
    }

    /// Nothing is taken in of whom was erased. Where a CRM shows them as another remote than before, a person is told.
    async fn forgotten(&self, remote: &RemoteId, record: &Record) -> Result<Done> {
        if record.links.get(&self.connection.id).and_then(|link| link.remote.as_ref()) != Some(remote) {
            let about = format!("{}:{}:{remote}", record.id, self.connection.id);
            let reason = format!("{} shows somebody who was erased, as its record {remote}", self.connection.crm);
            let exception = Exception::new(&record.tenant, "erased_person", &about, reason, self.cx);
            self.app.store.raise(&exception.on(self.connection).of(&record.id)).await?;
        }
        Ok(Done::Nothing)
    }

    async fn shown(&self, look: &Look, seen: &Seen, record: &Record) -> Result<Done> {
        let Some(link) = record.links.get(&self.connection.id) else {
            return self.store(Some(record), record, &look.remote, seen, &[]).await;
        };
        if let Some(first) = link.remote.as_ref().filter(|first| **first != look.remote && link.gone.is_none()) {
            return Box::pin(self.second(record, first, &look.remote)).await;
        }
        if link.gone.is_some() && link.remote.as_ref() != Some(&look.remote) {
            // Its first remote is no more; this one is the person's from now on, and nothing was agreed with it yet.
            Box::pin(self.app.refer_anew(self.cx, self.connection, record)).await?;
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
            // Whoever absorbed what it shows may not have lived to hand that on.
            Freshness::Drop => Ok(Done::Stands(Box::new(record.clone()))),
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
        let absorbed = absorb(&record.fields, &link, seen, self.mapping, self.connection.judge(self.object));
        if before.is_none() && !self.mapping.includes(&absorbed.hub) {
            return Ok(Done::Nothing);
        }
        if before.is_some_and(|before| changes_nothing(before, &absorbed, self.connection)) {
            return Ok(Done::Stands(Box::new(record.clone())));
        }
        self.raise_all(record, &absorbed).await?;
        let mut after = record.clone();
        after.cause = self.cause(By::Look { connection: self.connection.id.clone() });
        (after.cause.overruled, after.cause.denied) = (absorbed.overruled, absorbed.denied);
        self.bring_back(record, &mut after, &absorbed.hub).await?;
        after.fields = absorbed.hub;
        after.links.insert(self.connection.id.clone(), absorbed.link);
        after.version += 1;
        // Whom a CRM shows for the first time has done nothing yet, nor have those whom it joins.
        if before.is_some() && self.connection.state == State::Active {
            self.connection.settings.fire(before, &mut after, self.cx.now());
        }
        for exception in stopped(&after, self.cx) {
            self.app.store.raise(&exception).await?;
        }
        let shown = keys_shown(self.connection, self.object, self.mapping, remote, seen);
        // To what is new altogether nothing refers.
        let is_news = before.is_some_and(|before| {
            before.links.get(&self.connection.id).is_none_or(|link| link.remote.is_none() || link.gone.is_some())
        });
        Ok(match self.commit(before, after, unclaimed, &shown, seen).await? {
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
        seen: &Seen,
    ) -> Result<Done> {
        let region = &self.connection.region;
        loop {
            let commit = Commit { unclaimed, ..Commit::of(before, &after) };
            match self.app.store.commit(&commit, region, self.cx.now()).await {
                Ok(()) => {
                    self.measure(before.is_none(), seen);
                    return Ok(Done::Stands(Box::new(after)));
                }
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

    /// That what the CRM shows is in the hub. What two databases had long before they met is no lag.
    fn measure(&self, is_new: bool, seen: &Seen) {
        let (crm, cx) = (Some(self.connection.crm), self.cx);
        cx.metrics.count(if is_new { Metric::Inserted } else { Metric::Updated }, crm, 1);
        let met = self.connection.state == State::Active && self.connection.last_success.is_some();
        let lag = seen.modified.filter(|_| met).map(|modified| until(modified, cx.now()));
        lag.into_iter().for_each(|lag| cx.metrics.value(Metric::SyncLag, crm, lag.as_secs_f64() * 1e3));
        cx.metrics.on(&self.connection.tenant, &self.connection.id, |counts| {
            counts.hour.moved += 1;
            counts.lag = counts.lag.max(lag);
            if let Some(lag) = lag {
                counts.hour.timed += 1;
                counts.hour.lag += u64::try_from(lag.as_millis()).unwrap_or_default();
            }
        });
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
        self.cx.cause(by)
    }
}

/// Whether absorbing taught us nothing but a modification time: then nothing is written.
pub fn changes_nothing(before: &Record, absorbed: &Absorbed, connection: &Connection) -> bool {
    let Some(link) = before.links.get(&connection.id) else { return false };
    let same = Link { modified: link.modified, rev: link.rev, ..absorbed.link.clone() };
    before.fields == absorbed.hub && *link == same
}
