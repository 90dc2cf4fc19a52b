//! A remote that its CRM's users deleted, and a person who comes back.

use super::{
    look::steps,
    looker::{Done, Looker},
};
use crate::{
    cause::{By, Status},
    error::Result,
    id::RemoteId,
    planner::{Deletes, Meaning, meaning, says_something_new},
    record::{Deletion, Fields, Gone, Link, Record},
    store::{Commit, Exception, Lost},
};
use jiff::Timestamp;

/// How often a deletion is tried again on a newer record: no later look may tell of it.
const ROUNDS: usize = 5;

impl Looker<'_> {
    /// What a deletion means is the connection's policy.
    pub(super) async fn deleted(&self, mut record: Record, remote: &RemoteId, at: Timestamp) -> Result<Done> {
        for _ in 0..ROUNDS {
            match self.deleted_once(&record, remote, at).await? {
                Done::Again => match self.app.store.record(&record.tenant, &record.id).await? {
                    Some(newer) => record = newer,
                    None => return Ok(Done::Nothing),
                },
                done => return Ok(done),
            }
        }
        Ok(Done::Again)
    }

    async fn deleted_once(&self, record: &Record, remote: &RemoteId, at: Timestamp) -> Result<Done> {
        let live = |link: &&Link| link.gone.is_none() && link.remote.as_ref() == Some(remote);
        let Some(link) = record.links.get(&self.connection.id).filter(live) else {
            // It is known: whoever learned it may not have lived to hand that on.
            return Ok(Done::Stands(Box::new(record.clone())));
        };
        let policy = match (&record.deleted, self.connection.deletes()) {
            (Some(known), Deletes::Propagate) if !known.spreads => Deletes::Propagate,
            (Some(_), _) => Deletes::Ignore,
            (None, policy) => policy,
        };
        let sends = self.connection.sends();
        let gone = Gone::Deleted { at };
        match meaning(policy, &record.fields, link, self.mapping, sends, self.cx.now()) {
            Meaning::Ends => self.gone(record, gone, "deleted").await,
            Meaning::Deletes { spreads } => self.bury(record, link, at, spreads).await,
            Meaning::MadeAgain => self.make_again(record, link).await,
            Meaning::Contested => {
                self.ask(record, "edited_and_deleted", "deleted this person, who had been changed elsewhere").await?;
                self.gone(record, gone, "deleted").await
            }
            Meaning::Insisted => {
                self.ask(record, "deleted_again", "deleted this person again, soon after they were made again").await?;
                self.gone(record, gone, "deleted").await
            }
        }
    }

    async fn ask(&self, record: &Record, code: &str, what: &str) -> Result<()> {
        let about = format!("{}:{}", record.id, self.connection.id);
        let reason = format!("{} {what}", self.connection.crm);
        let exception = Exception::new(&record.tenant, code, &about, reason, self.cx);
        self.app.store.raise(&exception.on(self.connection).of(&record.id)).await
    }

    /// The hub's record counts as deleted, and whoever is to follow hears of it.
    async fn bury(&self, record: &Record, link: &Link, at: Timestamp, spreads: bool) -> Result<Done> {
        let mut after = record.clone();
        after.cause = self.cause(By::Remote { connection: self.connection.id.clone(), what: "deleted".to_owned() });
        after.cause.steps = steps(link, self.connection, Status::Skipped, "deleted_in_crm");
        after.deleted = Some(Deletion { at, by: Some(self.connection.id.clone()), spreads });
        after.version += 1;
        let gone = Some(Gone::Deleted { at });
        let ended = Link { gone, awaiting: Vec::new(), rev: link.rev + 1, ..link.clone() };
        after.links.insert(self.connection.id.clone(), ended);
        let commit = Commit::of(Some(record), &after);
        match self.app.store.commit(&commit, &self.connection.region, self.cx.now()).await {
            Ok(()) => Ok(Done::Stands(Box::new(after))),
            Err(Lost::Failed(error)) => Err(error),
            Err(_) => Ok(Done::Again),
        }
    }

    /// The link forgets its remote, so that the next push makes another.
    async fn make_again(&self, record: &Record, link: &Link) -> Result<Done> {
        let cause = self.cause(By::Remote { connection: self.connection.id.clone(), what: "deleted".to_owned() });
        let (overrides, awaiting) = (link.overrides.clone(), link.awaiting.clone());
        let restored = Some(self.cx.now());
        let next = Link { overrides, awaiting, restored, rev: link.rev + 1, ..Link::default() };
        self.app.refer_anew(self.cx, self.connection, record).await?;
        match self.app.store.settle(record, &self.connection.id, &next, &cause).await {
            Ok(()) => {
                let mut after = Record { cause, version: record.version + 1, ..record.clone() };
                after.links.insert(self.connection.id.clone(), next);
                Ok(Done::Stands(Box::new(after)))
            }
            Err(Lost::Failed(error)) => Err(error),
            Err(_) => Ok(Done::Again),
        }
    }

    /// A person who was deleted is back where their remote is, and where somebody edits them.
    pub(super) async fn bring_back(&self, before: &Record, after: &mut Record, hub: &Fields) -> Result<()> {
        let Some(deleted) = &before.deleted else { return Ok(()) };
        let link = before.links.get(&self.connection.id);
        let returned = link.is_none_or(|link| link.gone.is_some() || link.remote.is_none());
        let edited = says_something_new(&before.fields, hub) || !after.cause.denied.is_empty();
        if !returned && !edited {
            return Ok(());
        }
        if deleted.spreads && !returned {
            self.ask(before, "edited_and_deleted", "shows an edit of this person, who was deleted elsewhere").await?;
        }
        after.deleted = None;
        Ok(())
    }
}
