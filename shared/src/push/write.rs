//! The write itself.

use super::{
    Job,
    item::{End, Item},
};
use crate::{
    cause::By,
    error::{Error, Result},
    id::RemoteId,
    planner::{Route, Shown, route},
    provider::{Creates, Echo, Fetched, Outcome, Session, Write},
    record::{Link, Record, Said},
    store::Lost,
    sync::Leads,
    telemetry::chain,
};
use futures::{StreamExt, stream};

/// An item, and what is written of it.
type Sending<'a> = (&'a mut Item, Write);

/// Intents that are recorded at the same time.
const AT_ONCE: usize = 16;

impl Job<'_> {
    /// Creates, updates, and reads back what the CRM does not echo. What is left after a failure comes later.
    pub(super) async fn write(&self, items: &mut [Item]) -> Result<()> {
        let hubs = items.iter().filter(|item| item.is_open()).map(|item| &item.hub);
        let leads = self.app.leads(self.connection, self.mapping, hubs).await?;
        let open = items.iter_mut().filter(|item| item.is_open());
        let writes =
            open.filter_map(|item| item.write(self.connection, self.mapping, &leads).map(|write| (item, write)));
        let (mut creates, mut updates): (Vec<Sending<'_>>, Vec<Sending<'_>>) =
            writes.partition(|(item, _)| item.creates());
        let most = self.connection.crm.capabilities().max_write;
        let batches = creates.chunks_mut(most).map(|batch| (true, batch));
        let batches = batches.chain(updates.chunks_mut(most).map(|batch| (false, batch)));
        let write = async |(creates, batch): (bool, &mut [Sending<'_>])| match self.has_time() {
            true => self.write_batch(batch, creates, &leads).await,
            false => Ok(()),
        };
        let (_, done) = self.a_few_at_once(batches, write).await;
        for (item, _) in creates.into_iter().chain(updates).filter(|(item, _)| item.is_open()) {
            item.end = End::Later;
        }
        if done.is_ok() {
            self.read_back(items).await;
        }
        done
    }

    async fn write_batch(&self, batch: &mut [Sending<'_>], creates: bool, leads: &Leads) -> Result<()> {
        let crm = self.connection.crm;
        let repeats = crm.capabilities().creates == Creates::Guarded || !self.mapping.has_room();
        let outward: Vec<Write> = batch.iter().map(|(_, write)| leads.outward(write, self.mapping)).collect();
        if creates && repeats {
            self.intend(batch, &outward).await?;
        }
        // An item whose record moved meanwhile comes later.
        let (batch, writes): (Vec<&mut Sending<'_>>, Vec<Write>) =
            batch.iter_mut().zip(outward).filter(|((item, _), _)| item.is_open()).unzip();
        let call = async |session: &Session| match creates {
            true => crm.create(session, self.mapping, &writes).await,
            false => crm.update(session, self.mapping, &writes).await,
        };
        let mut outcomes = self.app.with_session(self.connection, self.calls, call).await?;
        self.inward(outcomes.iter_mut().filter_map(Outcome::seen).collect()).await?;
        if outcomes.len() != writes.len() {
            return Err(Error::bug("a CRM's answer has another number of rows than the question"));
        }
        for ((item, write), outcome) in batch.into_iter().zip(outcomes) {
            item.ended(write.clone(), outcome);
        }
        Ok(())
    }

    /// Records that these are about to be created, where a repetition would make another: after an unknown outcome they
    /// are looked for.
    async fn intend(&self, batch: &mut [Sending<'_>], outward: &[Write]) -> Result<()> {
        let intents = batch.iter().zip(outward).map(|((item, _), write)| self.intent(item, write));
        let noted: Vec<Result<Option<Record>>> = stream::iter(intents).buffered(AT_ONCE).collect().await;
        for ((item, _), noted) in batch.iter_mut().zip(noted) {
            match noted? {
                Some(record) => {
                    let stored = record.links.get(&self.connection.id);
                    let Link { rev, intent, said, .. } = stored.cloned().unwrap_or_default();
                    (item.link.rev, item.link.intent, item.link.said) = (rev, intent, said);
                    item.record = record;
                }
                None => item.end = End::Later,
            }
        }
        Ok(())
    }

    /// The record with its intent; `None` where it moved meanwhile.
    async fn intent(&self, item: &Item, write: &Write) -> Result<Option<Record>> {
        let (mut record, link) = (item.record.clone(), item.record.links.get(&self.connection.id));
        let link = link.cloned().unwrap_or_default();
        let said = if self.mapping.has_room() { Said::default() } else { write.said() };
        if link.intent.is_some() && link.said == said {
            return Ok(Some(record));
        }
        let intent = link.intent.or(Some(self.cx.now()));
        let link = Link { intent, said, rev: link.rev + 1, ..link };
        let cause = self.cx.cause(By::Push { connection: self.connection.id.clone() });
        match self.app.store.settle(&record, &self.connection.id, &link, &cause).await {
            Ok(()) => {
                record.links.insert(self.connection.id.clone(), link);
                record.version += 1;
                record.cause = cause;
                Ok(Some(record))
            }
            Err(Lost::Failed(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// One read per batch for all rows whose answer did not show the record. Without it the next look tells.
    async fn read_back(&self, items: &mut [Item]) {
        let capabilities = self.connection.crm.capabilities();
        if capabilities.echo == Echo::Fields {
            return;
        }
        let unseen = |item: &&mut Item| matches!(item.end, End::Written { seen: None, .. });
        let mut unseen: Vec<&mut Item> = items.iter_mut().filter(unseen).collect();
        let batches = unseen.chunks_mut(capabilities.max_read);
        let (_, done) = self.a_few_at_once(batches, async |batch: &mut [&mut Item]| self.see(batch).await).await;
        if let Err(error) = done {
            tracing::info!(error = chain(&error), trace = self.cx.trace, "what was written could not be read back");
        }
    }

    /// What the CRM shows of a batch that it has just written.
    async fn see(&self, batch: &mut [&mut Item]) -> Result<()> {
        let ids: Vec<RemoteId> = batch.iter().filter_map(|item| item.link.remote.clone()).collect();
        for (item, fetched) in batch.iter_mut().zip(self.fetch(&ids).await?) {
            if let (End::Written { seen, .. }, Fetched::Shown(shown)) = (&mut item.end, fetched) {
                *seen = Some(shown);
            }
        }
        Ok(())
    }
}

impl Item {
    /// Whether the remote has no id yet.
    fn creates(&self) -> bool {
        match route(&self.link) {
            Route::Create | Route::Find => true,
            Route::Update(_) | Route::Nowhere => false,
        }
    }

    fn ended(&mut self, write: Write, outcome: Outcome) {
        self.end = match outcome {
            Outcome::Written { remote, modified, seen } => {
                self.link.made |= write.remote.is_none();
                self.link.remote = Some(remote);
                let shown = if seen.is_some() { Shown::Echoed } else { Shown::After(modified) };
                End::Written { sent: write.changes, shown, seen }
            }
            Outcome::Refused { code, field, message } => End::Refused { code, field, message },
            Outcome::Exists { remote } => {
                self.link.remote = Some(remote);
                End::Exists
            }
            Outcome::Missing => End::Moved,
            Outcome::Later => End::Later,
        };
    }
}
