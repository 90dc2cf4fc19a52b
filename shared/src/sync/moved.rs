//! Remotes that were merged, deleted or doubled.

use super::{
    look::steps,
    looker::{Done, Looker},
    merge,
};
use crate::{
    cause::{By, Status},
    error::Result,
    id::{RecordId, RemoteId},
    provider::{Fetched, Session},
    record::{Gone, Link, Record},
    store::{Exception, Lost},
};
use std::collections::BTreeSet;

impl Looker<'_> {
    /// Keys that point to two records: neither is touched, a person decides.
    pub(super) async fn several(&self, remote: &RemoteId, ids: &BTreeSet<RecordId>) -> Result<Done> {
        let ids: Vec<RecordId> = ids.iter().cloned().collect();
        let records = self.app.store.records(&self.connection.tenant, &ids).await?;
        if self.others_moved(records.values(), remote).await? {
            return Ok(Done::Again);
        }
        let names: Vec<&str> = ids.iter().map(RecordId::as_str).collect();
        let reason = format!("remote {remote} in {} matches the records {}", self.connection.crm, names.join(" and "));
        let about = format!("{}:{}:{remote}", self.connection.id, self.object);
        let exception = Exception::new(&self.connection.tenant, "same_identity", &about, reason, self.cx);
        self.app.store.raise(&exception.on(self.connection)).await?;
        Ok(Done::Nothing)
    }

    /// A second remote for a linked record is never linked, unless the first one is no more: it may have been merged into this one.
    pub(super) async fn second(&self, record: &Record, first: &RemoteId, remote: &RemoteId) -> Result<Done> {
        if self.others_moved([record], remote).await? {
            return Ok(Done::Again);
        }
        let reason = format!("{} has two records for one person: {first} and {remote}", self.connection.crm);
        let about = format!("{}:{}:{remote}", self.connection.id, self.object);
        let exception = Exception::new(&record.tenant, "duplicate_in_crm", &about, reason, self.cx)
            .on(self.connection)
            .of(&record.id);
        self.app.store.raise(&exception).await?;
        Ok(Done::Nothing)
    }

    /// Follows the remotes of these records, other than the given one, that were merged or deleted: merges are resolved first.
    /// Whether there were any.
    pub(super) async fn others_moved(
        &self,
        records: impl IntoIterator<Item = &Record>,
        remote: &RemoteId,
    ) -> Result<bool> {
        let crm = self.connection.crm;
        let linked =
            |record: &Record| record.links.get(&self.connection.id).filter(|link| link.gone.is_none())?.remote.clone();
        let others = records.into_iter().filter_map(|record| Some((linked(record)?, record)));
        let (ids, records): (Vec<RemoteId>, Vec<&Record>) = others.filter(|(id, _)| id != remote).unzip();
        if ids.is_empty() {
            return Ok(false);
        }
        let fetch = async |session: &Session| crm.fetch(session, self.mapping, &ids).await;
        let mut moved = false;
        for (now, record) in self.app.with_session(self.connection, self.cx, fetch).await?.into_iter().zip(records) {
            match now {
                Fetched::MergedInto(winner) => drop(self.merged(record, &winner).await?),
                // The person is still there, as another remote: nobody else hears of it.
                Fetched::Deleted { at } => drop(self.gone(record, Gone::Deleted { at }, "deleted").await?),
                Fetched::Shown(_) | Fetched::Erased | Fetched::NotVisible => continue,
            }
            moved = true;
        }
        Ok(moved)
    }

    pub(super) async fn merged(&self, record: &Record, winner: &RemoteId) -> Result<Done> {
        let raced = merge::merged(self.app, self.cx, self.connection, record, winner).await?;
        Ok(if raced { Done::Again } else { Done::Look(winner.clone()) })
    }

    /// The remote is no more: its link says so, the hub and the other CRMs keep theirs, requests that wait for it end.
    pub(super) async fn gone(&self, record: &Record, gone: Gone, what: &str) -> Result<Done> {
        let news = |link: &&Link| match (&link.gone, &gone) {
            (None, _) | (Some(Gone::Deleted { .. }), Gone::Erased { .. }) => true,
            (Some(_), _) => false,
        };
        let Some(link) = record.links.get(&self.connection.id).filter(news) else { return Ok(Done::Nothing) };
        if matches!(gone, Gone::Erased { .. }) && record.erased.is_none() {
            let about = format!("{}:{}", record.id, self.connection.id);
            let reason = format!("{} deleted this person for privacy", self.connection.crm);
            let exception = Exception::new(&record.tenant, "erased_in_crm", &about, reason, self.cx);
            self.app.store.raise(&exception.on(self.connection).of(&record.id)).await?;
        }
        let mut cause = self.cause(By::Remote { connection: self.connection.id.clone(), what: what.to_owned() });
        cause.steps = steps(link, self.connection, Status::Skipped, &format!("{what}_in_crm"));
        let next = Link { gone: Some(gone), awaiting: Vec::new(), rev: link.rev + 1, ..link.clone() };
        match self.app.store.settle(record, &self.connection.id, &next, &cause).await {
            Ok(()) => Ok(Done::Nothing),
            Err(Lost::Failed(error)) => Err(error),
            Err(_) => Ok(Done::Again),
        }
    }
}
