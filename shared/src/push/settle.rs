//! What was agreed by a push, remembered.

use super::{
    Job,
    item::{End, Item},
    waiting::give_up,
};
use crate::{
    cause::{By, Status, Step},
    error::{Error, Result},
    id::{RecordId, RemoteId},
    planner::{Change, Shown, fingerprint, read_back, refused, settle, wanted},
    record::{Awaiting, Key, Link, Record, Refusal},
    store::{Commit, Exception, Lost},
    sync::{raise_conflicts, steps, stopped},
    telemetry::Metric,
};
use futures::{StreamExt, stream};

/// Records that are settled at the same time.
const AT_ONCE: usize = 16;
/// How often a settle that lost a race is tried again on the newer record.
const ROUNDS: usize = 6;

/// The records as they stand after a push, and those to be pushed again.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) records: Vec<Record>,
    pub(super) again: Vec<RecordId>,
    /// Remotes to look at: they moved, or showed an edit that could not be stored.
    pub(super) look: Vec<RemoteId>,
    pub(super) later: bool,
}

impl Job<'_> {
    /// Remembers what became of each item.
    pub(super) async fn settle(&self, items: Vec<Item>) -> Result<Settled> {
        let mut settled = Settled::default();
        self.measure(&items);
        for item in &items {
            match item.end {
                End::Moved => settled.look.extend(item.link.remote.clone()),
                End::Later => settled.later = true,
                _ => {}
            }
        }
        let done: Vec<Result<Done>> =
            stream::iter(items).map(|item| self.settle_one(item)).buffer_unordered(AT_ONCE).collect().await;
        for done in done {
            match done? {
                Done::Stands { record, look } => {
                    settled.records.push(*record);
                    settled.look.extend(look);
                }
                Done::Again(record) => settled.again.push(record),
                Done::Nothing => {}
            }
        }
        Ok(settled)
    }

    /// What the CRM made of them.
    fn measure(&self, items: &[Item]) {
        let crm = Some(self.connection.crm);
        let is_written = |item: &&Item| matches!(item.end, End::Written { .. });
        let is_new = |item: &&Item| {
            item.record.links.get(&self.connection.id).is_none_or(|link| link.remote.is_none() || link.gone.is_some())
        };
        let written = items.iter().filter(is_written).count();
        let inserted = items.iter().filter(is_written).filter(is_new).count();
        let refused = items.iter().filter(|item| matches!(item.end, End::Refused { .. })).count();
        self.cx.metrics.count(Metric::Inserted, crm, inserted);
        self.cx.metrics.count(Metric::Updated, crm, written - inserted);
        self.cx.metrics.count(Metric::Rejected, crm, refused);
        if written + refused > 0 {
            self.cx.metrics.on(&self.connection.tenant, &self.connection.id, |counts| {
                counts.hour.moved += u32::try_from(written).unwrap_or(u32::MAX);
                counts.hour.refused += u32::try_from(refused).unwrap_or(u32::MAX);
            });
        }
    }

    async fn settle_one(&self, mut item: Item) -> Result<Done> {
        let id = item.record.id.clone();
        raise_conflicts(self.app, self.cx, self.connection, &id, &item.parked).await?;
        if let End::Refused { code, field, message } = &item.end {
            self.raise_refusal(&item, code, field.as_deref(), message).await?;
            if let Some(field) = field.clone().filter(|field| item.link.overrides.contains_key(field)) {
                item.end = End::Unfit { field };
            }
        }
        let again = matches!(item.end, End::Exists | End::Unfit { .. });
        // What could not be done now is not handed on: its message comes back, a hint was sent, or a person was asked.
        let rests = match item.end {
            End::Moved | End::Later => true,
            // What its CRM showed before that is others' to know.
            End::Stuck { .. } => item.hub == item.record.fields,
            _ => false,
        };
        let stands = |record: Box<Record>, look| match (again, rests) {
            (true, _) => Done::Again(id.clone()),
            (_, true) => Done::Nothing,
            _ => Done::Stands { record, look },
        };
        let first = self.apply(&item, &item.record, item.link.clone(), true);
        match self.store(&item.record, first).await? {
            Stored::Yes(record) => return Ok(stands(record, None)),
            Stored::Taken => return self.already_linked(&item.record).await,
            Stored::Race => {}
        }
        // Someone was quicker. What was sent and seen is still true: it is applied to the newer record, nothing is sent again.
        for _ in 0..ROUNDS {
            let Some(newer) = self.app.store.record(&self.connection.tenant, &id).await? else {
                return Ok(Done::Nothing);
            };
            let link = newer.links.get(&self.connection.id).cloned().unwrap_or_default();
            let made = item.link.made || link.made;
            let link = Link { remote: item.link.remote.clone().or(link.remote.clone()), made, ..link };
            let after = self.apply(&item, &newer, link, false);
            match self.store(&newer, after).await? {
                Stored::Yes(record) => {
                    // An edit that the CRM showed meanwhile was not taken over: it is looked at once more.
                    let look = item.link.remote.clone().filter(|_| item.hub != item.record.fields || item.raced());
                    return Ok(stands(record, look));
                }
                Stored::Taken => return self.already_linked(&newer).await,
                Stored::Race => {}
            }
        }
        Err(Error::retryable("a record keeps moving while it is settled"))
    }

    /// The record after this push; `None` where nothing is to be stored.
    fn apply(&self, item: &Item, record: &Record, link: Link, first: bool) -> Option<Record> {
        let mut after = record.clone();
        let mut cause = self.cx.cause(By::Push { connection: self.connection.id.clone() });
        if first {
            after.fields = item.hub.clone();
            cause.overruled.clone_from(&item.overruled);
            cause.denied.clone_from(&item.denied);
        }
        let before = item.record.links.get(&self.connection.id);
        let heard =
            |one: &Awaiting| before.is_some_and(|l| l.awaiting.iter().any(|known| known.request == one.request));
        let ends = |one: &Awaiting| heard(one) && !matches!(item.end, End::Exists | End::Unfit { .. });
        let (waiting, left): (Vec<_>, Vec<_>) = link.awaiting.iter().cloned().partition(ends);
        let ending = Link { awaiting: waiting, ..link.clone() };
        let end = |status, code: &str| steps(&ending, self.connection, status, code);
        let rev = record.links.get(&self.connection.id).map_or(0, |l| l.rev) + 1;
        let next = match &item.end {
            End::Moved | End::Later => return None,
            End::Exists => link,
            End::Unfit { field } => {
                let mut link = link;
                link.overrides.remove(field);
                link
            }
            End::Nothing => {
                cause.steps = match refused(&after.fields, &link, self.mapping) {
                    _ if record.deleted.is_some() => end(Status::Skipped, "deleted_in_crm"),
                    Some(code) => end(Status::Failed, code),
                    None if !self.mapping.includes(&after.fields) => end(Status::Skipped, "not_included"),
                    None if !item.link.waits.is_empty() => end(Status::Skipped, "waits_for_reference"),
                    None if link.parked.is_empty() => end(Status::Skipped, "already_there"),
                    None => end(Status::Skipped, "waits_for_decision"),
                };
                link
            }
            End::Stuck { code } => {
                cause.steps = end(Status::Failed, code);
                link
            }
            End::Refused { code, field, .. } => {
                cause.steps = end(Status::Failed, code);
                let fingerprint = fingerprint(&wanted(&item.hub, &item.link, self.mapping), self.mapping);
                let refused = Some(Refusal { fingerprint, code: code.clone(), field: field.clone() });
                Link { refused, intent: None, ..link }
            }
            End::Written { sent, shown, seen } => {
                let sent: Vec<Change> =
                    sent.iter().filter(|change| change.field != self.mapping.id_field).cloned().collect();
                cause.steps = {
                    let fields: Vec<String> = sent.iter().map(|c| c.field.clone()).collect();
                    succeeded(end(Status::Succeeded, "written"), &fields)
                };
                let seen = seen.clone().unwrap_or_default();
                // What was never agreed about is agreed by the rules of now.
                let mapped = if link.agreed.is_empty() { self.mapping.since() } else { link.mapped };
                let link = Link { mapped, ..link };
                match first {
                    false => settle(&link, &sent, &seen, *shown),
                    true => {
                        let judge = self.connection.judge(self.object);
                        let read = read_back(&item.hub, &link, &sent, &seen, *shown, self.mapping, judge);
                        after.fields = read.hub;
                        cause.overruled.extend(read.overruled);
                        cause.denied.extend(read.denied);
                        read.link
                    }
                }
            }
        };
        let next = match &record.erased {
            None => Link { waits: item.link.waits.clone(), awaiting: left, rev, ..next },
            // Nothing is kept of whom but where they are.
            Some(_) => Link { rev, ..next.erased(next.remote.clone()) },
        };
        let same = record
            .links
            .get(&self.connection.id)
            .is_some_and(|before| Link { rev: before.rev, modified: before.modified, ..next.clone() } == *before);
        if same && after.fields == record.fields && cause.steps.is_empty() {
            return None;
        }
        after.links.insert(self.connection.id.clone(), next);
        after.cause = cause;
        after.version += 1;
        if after.fields != record.fields {
            self.connection.settings.fire(Some(record), &mut after, self.cx.now());
        }
        Some(after)
    }

    async fn store(&self, before: &Record, after: Option<Record>) -> Result<Stored> {
        let Some(after) = after else { return Ok(Stored::Yes(Box::new(before.clone()))) };
        for exception in stopped(&after, self.cx) {
            self.app.store.raise(&exception).await?;
        }
        let link = after.links.get(&self.connection.id).ok_or_else(|| Error::bug("a push without a link"))?;
        let done = if after.fields == before.fields && after.erased.is_none() {
            self.app.store.settle(before, &self.connection.id, link, &after.cause).await
        } else {
            let commit = Commit::of(Some(before), &after);
            self.app.store.commit(&commit, &self.connection.region, self.cx.now()).await
        };
        match done {
            Ok(()) => Ok(Stored::Yes(Box::new(after))),
            Err(Lost::Failed(error)) => Err(error),
            Err(Lost::Taken(Key::Remote(..))) => Ok(Stored::Taken),
            Err(_) => Ok(Stored::Race),
        }
    }

    /// The remote is another record's link: two records are one person, and a person must say so.
    async fn already_linked(&self, record: &Record) -> Result<Done> {
        let about = format!("{}:{}", self.connection.id, record.id);
        let reason = format!("the record of {} that this one would be linked to is another's", self.connection.crm);
        let exception = Exception::new(&record.tenant, "same_identity", &about, reason, self.cx);
        self.app.store.raise(&exception.on(self.connection).of(&record.id)).await?;
        give_up(self.app, self.cx, self.connection, &record.id, "same_identity", false).await?;
        Ok(Done::Nothing)
    }

    async fn raise_refusal(&self, item: &Item, code: &str, field: Option<&str>, message: &str) -> Result<()> {
        let fingerprint = fingerprint(&wanted(&item.hub, &item.link, self.mapping), self.mapping);
        let about = format!("{}:{}:{fingerprint}", self.connection.id, item.record.id);
        let reason = format!("{} refuses this record: {code}: {message}", self.connection.crm);
        let mut exception = Exception::new(&item.record.tenant, "refused_by_crm", &about, reason, self.cx);
        exception.field = field.map(str::to_owned);
        self.app.store.raise(&exception.on(self.connection).of(&item.record.id)).await
    }
}

/// What settling one item came to.
enum Done {
    /// The record as it stands, and a remote to be looked at.
    Stands {
        record: Box<Record>,
        look: Option<RemoteId>,
    },
    /// To be pushed again.
    Again(RecordId),
    Nothing,
}

enum Stored {
    Yes(Box<Record>),
    /// The record moved meanwhile.
    Race,
    /// The remote is another record's.
    Taken,
}

fn succeeded(steps: Vec<Step>, fields: &[String]) -> Vec<Step> {
    steps.into_iter().map(|step| Step { fields: fields.to_vec(), ..step }).collect()
}

impl Item {
    /// Whether the read-back shows a later state than our write.
    fn raced(&self) -> bool {
        matches!(&self.end, End::Written { shown: Shown::After(Some(written)), seen: Some(seen), .. } if seen.modified > Some(*written))
    }
}
