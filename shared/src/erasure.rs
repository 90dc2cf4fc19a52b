//! A person is forgotten: in the hub, its history, what waits for a person, and, if that is meant, the CRMs. What is left of them anywhere
//! is counted by reading, so the same count says beforehand what there is and afterwards that nothing is.

use crate::{
    app::App,
    cause::{By, Cause, Status},
    connection::Connection,
    context::Context,
    error::{Error, Result},
    history::{Entry, Part},
    id::{ConnectionId, RecordId, RemoteId},
    provider::{Fetched, Session},
    record::{Key, Object, Record, Region},
    store::{Commit, Exception, Lost},
    sync::{Pushes, Tenant, steps},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept of a person, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Traces {
    /// The record, those that became one with it, and the notes and tasks about the person.
    pub records: Vec<RecordId>,
    /// Values in them.
    pub values: usize,
    /// What the person did, as events told it.
    pub events: usize,
    /// Changes in the history that still tell values.
    pub changes: usize,
    /// What waits or waited for a person to decide.
    pub exceptions: usize,
    pub places: Vec<Place>,
}

/// The person in one CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PersonInCrm")]
pub struct Place {
    pub connection: ConnectionId,
    pub remote: RemoteId,
    pub stands: Stands,
}

/// What the CRM itself answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    There,
    /// It shows nothing of them. Where it has a recycle bin, whoever may look into that can still see them until it is emptied.
    Gone,
    /// It cannot be asked now.
    Unknown,
}

impl Traces {
    /// Whether nothing is left of the person in the hub, and nothing in the CRMs where they were to be erased.
    pub fn nothing(&self, in_crms: bool) -> bool {
        let Traces { values, events, changes, exceptions, places, .. } = self;
        values + events + changes + exceptions == 0 && (!in_crms || places.iter().all(|one| one.stands == Stands::Gone))
    }
}

/// How often a record that moves meanwhile is erased once more.
const ROUNDS: usize = 6;
/// Changes, and exceptions, of one read.
const PAGE: i32 = 200;

impl App {
    /// Counts what is kept of a person, by reading it: here, and in the CRMs.
    pub async fn traces(&self, cx: &Context, record: &Record) -> Result<Traces> {
        let Tenant { connections, .. } = Tenant::load(self, &record.tenant).await?;
        let all = self.all_of(record).await?;
        let ids: BTreeSet<RecordId> = all.iter().map(|record| record.id.clone()).collect();
        let mut traces = Traces { records: ids.iter().cloned().collect(), ..Traces::default() };
        for record in &all {
            traces.values += record.fields.iter().count();
            traces.values += record.links.values().map(|link| link.agreed.len() + link.overrides.len()).sum::<usize>();
            traces.events += self.store.events(&record.tenant, &record.id).await?.len();
            traces.changes += self.telling(record).await?;
            for (id, remote) in record.links.iter().filter_map(|(id, link)| Some((id, link.remote.clone()?))) {
                let stands = match connections.get(id) {
                    Some(connection) => self.stands(cx, connection, &record.object, &remote).await,
                    None => Stands::Unknown,
                };
                traces.places.push(Place { connection: id.clone(), remote, stands });
            }
        }
        let about = self.store.exceptions(&record.tenant).await?;
        traces.exceptions = about.iter().filter(|one| concerns(one, &ids, &[])).count();
        Ok(traces)
    }

    /// Erases a person; what is done twice is done once. The history follows when the journal hears of it, the CRMs when they are written to.
    pub async fn erase(&self, cx: &Context, record: &Record, in_crms: bool) -> Result<()> {
        let Tenant { connections, region, .. } = Tenant::load(self, &record.tenant).await?;
        let all = self.all_of(record).await?;
        let ids: BTreeSet<RecordId> = all.iter().map(|record| record.id.clone()).collect();
        let names: Vec<String> = all.iter().flat_map(|record| names(record, &region)).collect();
        self.forget_exceptions(record, &ids, &names).await?;
        let mut pushes = Pushes::default();
        // Whoever the others are known by comes last, so that what broke off can be done again.
        for one in all.into_iter().rev() {
            self.store.forget_events(&one.tenant, &one.id).await?;
            let with = ids.iter().filter(|id| one.id == record.id && **id != one.id).cloned().collect();
            pushes.note(self.erase_one(cx, one, in_crms, with, &connections, &region).await?);
        }
        // What was raised meanwhile.
        self.forget_exceptions(record, &ids, &names).await?;
        tracing::info!(record = %record.id, in_crms, trace = cx.trace, "a person is erased");
        pushes.send(self, cx).await
    }

    async fn erase_one(
        &self,
        cx: &Context,
        mut record: Record,
        in_crms: bool,
        with: BTreeSet<RecordId>,
        connections: &BTreeMap<ConnectionId, Connection>,
        region: &Region,
    ) -> Result<Record> {
        for _ in 0..ROUNDS {
            if record.erased.as_ref().is_some_and(|erased| erased.in_crms || !in_crms) {
                return Ok(record);
            }
            let mut cause = Cause::new(By::Erasure, &cx.trace, cx.now());
            let waiting = record.links.iter().filter_map(|(id, link)| Some((connections.get(id)?, link)));
            let ends = waiting.flat_map(|(connection, link)| steps(link, connection, Status::Skipped, "erased"));
            cause.steps = ends.collect();
            let after = record.erased(in_crms, with.clone(), cause);
            match self.store.commit(&Commit::of(Some(&record), &after), region, cx.now()).await {
                Ok(()) => return Ok(after),
                Err(Lost::Failed(error)) => return Err(error),
                Err(_) => match self.store.record(&record.tenant, &record.id).await? {
                    Some(newer) => record = newer,
                    None => return Err(Error::bug("a record went while it was erased")),
                },
            }
        }
        Err(Error::retryable("a record keeps moving while it is erased"))
    }

    /// The record, first, with those that became one with it and the notes and tasks about the person.
    async fn all_of(&self, record: &Record) -> Result<Vec<Record>> {
        let mut ids: BTreeSet<RecordId> = record.engagement.merged.iter().cloned().collect();
        ids.extend(record.erased.iter().flat_map(|erased| erased.with.iter().cloned()));
        let own = record.fields.get("id").map(ToString::to_string);
        for name in own.iter().map(String::as_str).chain([record.id.as_str()]) {
            ids.extend(self.store.referring(&record.tenant, &record.object, name).await?);
        }
        ids.remove(&record.id);
        let ids: Vec<RecordId> = ids.into_iter().collect();
        let others = self.store.records(&record.tenant, &ids).await?.into_values();
        let mine =
            |other: &Record| other.object == record.object || matches!(other.object, Object::Note | Object::Task);
        Ok([record.clone()].into_iter().chain(others.filter(mine)).collect())
    }

    /// Changes of a record that still tell values.
    async fn telling(&self, record: &Record) -> Result<usize> {
        let (mut count, mut before) = (0, None::<String>);
        loop {
            let page = self.history.page(&record.tenant, &record.id, Part::Changes, before.as_deref(), PAGE);
            let (entries, next) = page.await?;
            count += entries.iter().filter(|entry| matches!(entry, Entry::Change { erased: false, .. })).count();
            match next {
                Some(next) => before = Some(next),
                None => return Ok(count),
            }
        }
    }

    async fn stands(&self, cx: &Context, connection: &Connection, object: &Object, remote: &RemoteId) -> Stands {
        let Ok(mapping) = connection.mapping(object) else { return Stands::Unknown };
        let ids = [remote.clone()];
        let fetch = async |session: &Session| connection.crm.fetch(session, mapping, &ids).await;
        match self.with_session(connection, cx, fetch).await.as_deref() {
            Ok([Fetched::Shown(_) | Fetched::MergedInto(_)]) => Stands::There,
            Ok([Fetched::Deleted { .. } | Fetched::Erased | Fetched::NotVisible]) => Stands::Gone,
            _ => Stands::Unknown,
        }
    }

    async fn forget_exceptions(&self, record: &Record, ids: &BTreeSet<RecordId>, names: &[String]) -> Result<()> {
        let all = self.store.exceptions(&record.tenant).await?;
        let about: Vec<String> = all.into_iter().filter(|one| concerns(one, ids, names)).map(|one| one.id).collect();
        self.store.forget_exceptions(&record.tenant, &about).await
    }
}

/// By what a message that became no record would tell of them, in small letters.
fn names(record: &Record, region: &Region) -> Vec<String> {
    let name = |key: Key| match key {
        Key::Email(email) => Some(email.as_str().to_lowercase()),
        Key::Own(id) => serde_json::to_string(&id).ok().map(|id| id.to_lowercase()),
        Key::Phone(phone) => Some(phone.as_str().to_owned()),
        Key::Remote(..) | Key::Domain(_) | Key::Title(_) => None,
    };
    record.keys(region).into_iter().filter_map(name).collect()
}

fn concerns(exception: &Exception, ids: &BTreeSet<RecordId>, names: &[String]) -> bool {
    let told = exception.payload.as_ref().map(|payload| payload.to_lowercase()).unwrap_or_default();
    exception.record.as_ref().is_some_and(|id| ids.contains(id)) || names.iter().any(|name| told.contains(name))
}
