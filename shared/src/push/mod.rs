//! One batch of records to one CRM. No blind write: what the CRM shows is read first, in the same call that finds what to create.

mod delete;
mod guard;
mod item;
mod read;
mod settle;
mod waiting;
mod write;

pub use waiting::{give_up, tell_waiting};

use crate::{
    app::App,
    change::{Hinted, Hints},
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::{RecordId, RemoteId},
    mapping::Mapping,
    planner::{Errand, Mass, errand},
    queue::{Outgoing, group},
    record::{Object, Record},
    sync::Pushes,
};
use futures::{StreamExt, stream};
use item::{End, Item};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Those of the records that lack something in this connection's CRM, or whose requests wait for a word about it. The others
/// are noted: whoever had the message before may have absorbed an edit, and not lived to hand it on.
pub async fn worth_pushing(
    app: &App,
    connection: &Connection,
    records: &[RecordId],
    pushes: &mut Pushes,
) -> Result<Vec<Record>> {
    if !connection.sends() {
        return Ok(Vec::new());
    }
    let records = app.store.records(&connection.tenant, records).await?;
    let held = connection.held.as_ref().is_some_and(|held| held.mass == Mass::Writes);
    let is_asked = |record: &Record| record.links.get(&connection.id).is_some_and(|link| !link.awaiting.is_empty());
    let needed = |record: &Record| {
        let needed =
            connection.mapping(&record.object).is_ok_and(|mapping| Item::is_needed(record, connection, mapping));
        needed && (!held || is_asked(record))
    };
    let (needed, complete): (Vec<Record>, Vec<Record>) = records.into_values().partition(needed);
    complete.into_iter().for_each(|record| pushes.note(record));
    Ok(needed)
}

/// Brings one CRM up to date with these records. What others refer to is written first.
pub async fn push(
    app: &App,
    cx: &Context,
    connection: &Connection,
    records: Vec<Record>,
    pushes: &mut Pushes,
) -> Result<()> {
    let mut by_object: BTreeMap<Object, Vec<Record>> = BTreeMap::new();
    for record in records {
        by_object.entry(record.object.clone()).or_default().push(record);
    }
    for (object, records) in by_object {
        push_alike(app, cx, connection, &object, records, pushes).await?;
    }
    Ok(())
}

/// Records of one object, in the CRM's largest batches: what is new and what is known are batched apart, each over all of
/// the records. What was written is settled even if the next batch fails.
async fn push_alike(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    records: Vec<Record>,
    pushes: &mut Pushes,
) -> Result<()> {
    let mapping = connection.mapping(object)?;
    let settling = SETTLE_TAKES * u32::try_from(records.len()).unwrap_or(u32::MAX);
    let job = Job { app, cx, calls: &cx.before(settling), connection, object, mapping };
    let delete = |record: &Record| errand(record, &connection.id) == Errand::Delete;
    let (doomed, records): (Vec<Record>, Vec<Record>) = records.into_iter().partition(delete);
    let deleted = job.delete(doomed, pushes).await;
    let is_linked = |record: &Record| record.links.get(&connection.id).is_some_and(|link| link.remote.is_some());
    let unlinked: BTreeSet<RecordId> = records.iter().filter(|r| !is_linked(r)).map(|r| r.id.clone()).collect();
    let items: Vec<Item> = records.into_iter().map(|record| Item::new(record, connection)).collect();
    let (mut items, read) = job.read(items).await;
    job.guard(&mut items).await?;
    let written = job.write(&mut items).await;
    if items.iter().any(|item| matches!(item.end, End::Refused { .. })) {
        app.inspect_if_due(cx, connection).await?;
    }
    let settled = job.settle(items).await?;
    for record in settled.again {
        pushes.add(connection, &record);
    }
    let linked = settled.records.iter().filter(|record| unlinked.contains(&record.id) && is_linked(record));
    app.follow(connection, linked, pushes).await?;
    for record in settled.records {
        pushes.note(record);
    }
    job.look_at(settled.look).await?;
    read.and(written)?;
    job.look_at(deleted?).await?;
    if settled.later {
        let what = "some records come later".to_owned();
        return Err(Error::Retryable { what, after: Some(Duration::from_secs(2)), source: None });
    }
    Ok(())
}

/// What one push works with.
struct Job<'a> {
    app: &'a App,
    cx: &'a Context,
    /// The same, less the time that it takes to remember what became of all its records: by it the CRM is called.
    calls: &'a Context,
    connection: &'a Connection,
    object: &'a Object,
    mapping: &'a Mapping,
}

/// No batch is begun with less than this left, beside what settling takes …
const BATCH_TAKES: Duration = Duration::from_secs(15);
/// … which is so much for a record at the worst.
const SETTLE_TAKES: Duration = Duration::from_millis(10);

impl Job<'_> {
    /// Does something with each, as many at the same time as the CRM allows, and tells what came of it in their order: while the
    /// one is answered the limits let others go. After a failure nothing more is begun; what is under way ends by itself,
    /// because a token may be renewed in it.
    async fn a_few_at_once<T, D>(
        &self,
        all: impl IntoIterator<Item = T>,
        work: impl AsyncFn(T) -> Result<D>,
    ) -> (Vec<Option<D>>, Result<()>) {
        let failed = AtomicBool::new(false);
        let (work, failed) = (&work, &failed);
        let begun = stream::iter(all).map(async |one| {
            if failed.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let done = work(one).await;
            failed.fetch_or(done.is_err(), Ordering::Relaxed);
            done.map(Some)
        });
        let at_once = self.connection.crm.capabilities().limits.at_once;
        let mut first = Ok(());
        let done: Vec<Result<Option<D>>> = begun.buffered(at_once).collect().await;
        let done = done.into_iter().map(|done| match done {
            Ok(done) => done,
            Err(error) => {
                first = std::mem::replace(&mut first, Ok(())).and(Err(error));
                None
            }
        });
        (done.collect(), first)
    }

    fn has_time(&self) -> bool {
        self.calls.left() > BATCH_TAKES
    }

    /// Reading ends sooner than writing: what was found is to be written in the same go.
    fn has_time_to_read(&self) -> bool {
        self.calls.left() > BATCH_TAKES * 2
    }

    /// Remotes that moved go through the usual look, by way of a hint.
    async fn look_at(&self, remotes: Vec<RemoteId>) -> Result<()> {
        if remotes.is_empty() {
            return Ok(());
        }
        let (tenant, connection) = (self.connection.tenant.clone(), self.connection.id.clone());
        let remotes = remotes.into_iter().map(|remote| Hinted::plain(self.object, remote)).collect();
        let group = group(&tenant, &connection);
        let hints = Hints { tenant, connection, remotes, trace: self.cx.trace.clone() };
        self.app.queue.send(&self.app.settings.changes, &[Outgoing::new(&hints, &group)?]).await
    }
}
