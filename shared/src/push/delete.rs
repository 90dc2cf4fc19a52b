//! People who were deleted elsewhere are deleted here too, if nobody has changed them here meanwhile.

use super::Job;
use crate::{
    cause::{By, Status},
    error::{Error, Result},
    id::RemoteId,
    planner::{Freshness, Seen, Taken, UNDELETABLE, absorb, freshness, says_something_new},
    provider::{Fetched, Outcome, Session, Write},
    record::{Gone, Link, Record, Refusal},
    store::{Commit, Exception, Lost},
    sync::{Pushes, raise_conflicts, steps},
};

/// How often a record that moves meanwhile is read again.
const ROUNDS: usize = 6;

impl Job<'_> {
    /// Reads, then deletes what shows nothing new. The remotes to look at: they moved.
    pub(super) async fn delete(&self, records: Vec<Record>, pushes: &mut Pushes) -> Result<Vec<RemoteId>> {
        let (crm, mut moved) = (self.connection.crm, Vec::new());
        let most = crm.capabilities().max_read.min(crm.capabilities().max_write);
        for batch in records.chunks(most) {
            if !self.has_time() {
                return Err(Error::retryable("no time is left to delete"));
            }
            let writes: Vec<Write> = batch.iter().filter_map(|record| self.removal(record)).collect();
            let ids: Vec<RemoteId> = writes.iter().filter_map(|write| write.remote.clone()).collect();
            let fetched = self.fetch(&ids).await?;
            let (mut doomed, mut removals) = (Vec::new(), Vec::new());
            for ((record, write), fetched) in batch.iter().zip(writes).zip(fetched) {
                match fetched {
                    Fetched::Shown(seen) if self.stays(record, &seen, pushes).await? => {}
                    Fetched::Shown(_) => {
                        doomed.push(record);
                        removals.push(write);
                    }
                    Fetched::Deleted { at } => self.end(record, Gone::Deleted { at }).await?,
                    Fetched::Erased => self.end(record, Gone::Erased { at: self.cx.now() }).await?,
                    Fetched::MergedInto(_) => moved.extend(write.remote),
                    Fetched::NotVisible => self.refused(record, "not_visible", "it is not shown to us").await?,
                }
            }
            self.remove_all(&doomed, &removals).await?;
        }
        Ok(moved)
    }

    fn removal(&self, record: &Record) -> Option<Write> {
        let remote = record.links.get(&self.connection.id)?.remote.clone();
        Some(Write { record: record.id.clone(), remote, changes: Vec::new() })
    }

    /// Whoever is to be forgotten is deleted in another way.
    async fn remove_all(&self, doomed: &[&Record], removals: &[Write]) -> Result<()> {
        for erases in [false, true] {
            let alike = doomed.iter().zip(removals).filter(|(record, _)| record.erased.is_some() == erases);
            let (doomed, removals): (Vec<&Record>, Vec<Write>) =
                alike.map(|(record, write)| (*record, write.clone())).unzip();
            self.remove(&doomed, &removals, erases).await?;
        }
        Ok(())
    }

    async fn remove(&self, doomed: &[&Record], removals: &[Write], erases: bool) -> Result<()> {
        if removals.is_empty() {
            return Ok(());
        }
        let crm = self.connection.crm;
        let delete = async |session: &Session| match erases {
            true => crm.erase(session, self.mapping, removals).await,
            false => crm.delete(session, self.mapping, removals).await,
        };
        let outcomes = match self.app.ask(self.connection, self.calls, delete).await {
            // A right that only deletions need is no reason to stop the connection.
            Err(Error::Config { reason }) => {
                let refused = Outcome::Refused { code: "not_allowed".to_owned(), field: None, message: reason };
                vec![refused; removals.len()]
            }
            Err(error) => {
                self.app.notice(self.connection, self.cx, &error, false).await?;
                return Err(error);
            }
            Ok(outcomes) => outcomes,
        };
        let mut later = outcomes.len() != removals.len();
        for (record, outcome) in doomed.iter().zip(outcomes) {
            match outcome {
                Outcome::Written { .. } | Outcome::Missing | Outcome::Exists { .. } => {
                    let at = self.cx.now();
                    self.end(record, if erases { Gone::Erased { at } } else { Gone::Deleted { at } }).await?
                }
                Outcome::Refused { code, message, .. } => self.refused(record, &code, &message).await?,
                Outcome::Later => later = true,
            }
        }
        if later { Err(Error::retryable("some are deleted later")) } else { Ok(()) }
    }

    /// Whether somebody has changed the person here, and whoever deleted them elsewhere did not know: then they are back.
    async fn stays(&self, record: &Record, seen: &Seen, pushes: &mut Pushes) -> Result<bool> {
        let Some(link) = record.links.get(&self.connection.id) else { return Ok(true) };
        if !self.connection.direction.receives() || record.erased.is_some() {
            return Ok(false);
        }
        let taken = Taken::After { rev: link.rev };
        if freshness(link, seen, taken, self.mapping) != Freshness::Absorb {
            return Err(Error::retryable("the CRM shows an older state than is known"));
        }
        let connection = self.connection;
        let read = absorb(&record.fields, link, seen, self.mapping, connection.judge(self.object));
        // An edit that counts for nobody else is one all the same.
        let edited = says_something_new(&record.fields, &read.hub) || !read.denied.is_empty();
        if !edited && read.parked.is_empty() {
            return Ok(false);
        }
        let reason = format!("{} shows an edit of this person, who was deleted elsewhere", connection.crm);
        let about = format!("{}:{}", record.id, connection.id);
        let exception = Exception::new(&record.tenant, "edited_and_deleted", &about, reason, self.cx);
        self.app.store.raise(&exception.on(connection).of(&record.id)).await?;
        raise_conflicts(self.app, self.cx, connection, &record.id, &read.parked).await?;
        let mut cause = self.cx.cause(By::Look { connection: connection.id.clone() });
        (cause.overruled, cause.denied) = (read.overruled, read.denied);
        let (fields, version) = (read.hub, record.version + 1);
        let mut after = Record { deleted: None, fields, version, cause, ..record.clone() };
        after.links.insert(connection.id.clone(), read.link);
        let commit = Commit::of(Some(record), &after);
        match self.app.store.commit(&commit, &connection.region, self.cx.now()).await {
            Ok(()) => pushes.note(after),
            Err(Lost::Failed(error)) => return Err(error),
            Err(_) => return Err(Error::retryable("a record moved while it was to be deleted")),
        }
        Ok(true)
    }

    async fn end(&self, record: &Record, gone: Gone) -> Result<()> {
        self.settle_link(record, |link| Link { gone: Some(gone.clone()), awaiting: Vec::new(), ..link.clone() }).await
    }

    /// The CRM will not delete it. It is not asked again.
    async fn refused(&self, record: &Record, code: &str, message: &str) -> Result<()> {
        let about = format!("{}:{}", self.connection.id, record.id);
        let reason = format!("{} does not delete this person: {code}: {message}", self.connection.crm);
        let exception = Exception::new(&record.tenant, "not_deleted", &about, reason, self.cx);
        self.app.store.raise(&exception.on(self.connection).of(&record.id)).await?;
        let refusal = Refusal { fingerprint: UNDELETABLE.to_owned(), code: code.to_owned(), field: None };
        self.settle_link(record, |link| Link { refused: Some(refusal.clone()), awaiting: Vec::new(), ..link.clone() })
            .await
    }

    /// What was done in the CRM is remembered, whatever became of the record meanwhile.
    async fn settle_link(&self, record: &Record, next: impl Fn(&Link) -> Link) -> Result<()> {
        let mut record = record.clone();
        for _ in 0..ROUNDS {
            let Some(link) = record.links.get(&self.connection.id) else { return Ok(()) };
            let next = Link { rev: link.rev + 1, ..next(link) };
            let by = By::Push { connection: self.connection.id.clone() };
            let mut cause = self.cx.cause(by);
            cause.steps = steps(link, self.connection, Status::Skipped, "deleted_in_crm");
            match self.app.store.settle(&record, &self.connection.id, &next, &cause).await {
                Ok(()) => return Ok(()),
                Err(Lost::Failed(error)) => return Err(error),
                Err(_) => match self.app.store.record(&record.tenant, &record.id).await? {
                    Some(newer) => record = newer,
                    None => return Ok(()),
                },
            }
        }
        Err(Error::retryable("a record keeps moving while it is deleted"))
    }
}
