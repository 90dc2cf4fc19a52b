//! A person is forgotten: in the hub, its history, what waits for a person, and, if that is meant, the CRMs. What is left of them anywhere
//! is counted by reading, so the same count says beforehand what there is and afterwards that nothing is.

use crate::{
    app::App,
    cause::{By, Status},
    connection::Connection,
    context::Context,
    error::Result,
    history::{Entry, Part},
    id::{ConnectionId, RecordId, RemoteId},
    inbox::keys_named,
    provider::{Fetched, Session},
    record::{Key, Object, Record, Region},
    request::SyncRequest,
    store::{Exception, Open},
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

/// Why a record cannot be erased by itself.
pub fn unforgettable(record: &Record) -> Option<String> {
    match &record.merged_into {
        _ if record.object != Object::Person => Some("people are forgotten, nothing else".to_owned()),
        Some(survivor) => Some(format!("it became one with {survivor}: erase that one")),
        None => None,
    }
}

/// Changes of one read.
const PAGE: i32 = 200;

impl App {
    /// Counts what is kept of a person, by reading it: here, and in the CRMs.
    pub async fn traces(&self, cx: &Context, record: &Record) -> Result<Traces> {
        let Tenant { connections, region, .. } = Tenant::load(self, &record.tenant).await?;
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
        let (keys, region) = (all.iter().flat_map(|record| record.keys(&region)).collect(), &region);
        let left = |one: &&Exception| !(says_where(one) && one.state == Open::Resolved);
        traces.exceptions = about.iter().filter(|one| concerns(one, &ids, &keys, region)).filter(left).count();
        Ok(traces)
    }

    /// Erases a person; what is done twice is done once. The history follows when the journal hears of it, the CRMs when they are written to.
    pub async fn erase(&self, cx: &Context, record: &Record, in_crms: bool) -> Result<()> {
        let Tenant { connections, region, .. } = Tenant::load(self, &record.tenant).await?;
        let all = self.all_of(record).await?;
        let ids: BTreeSet<RecordId> = all.iter().map(|record| record.id.clone()).collect();
        let keys: BTreeSet<Key> = all.iter().flat_map(|record| record.keys(&region)).collect();
        self.forget_exceptions(record, &ids, &keys, &region).await?;
        let mut pushes = Pushes::default();
        // Whoever the others are known by comes last, so that what broke off can be done again.
        for one in all.into_iter().rev() {
            let with = ids.iter().filter(|id| one.id == record.id && **id != one.id).cloned().collect();
            let erased = self.erase_one(cx, one, in_crms, with, &connections, &region).await?;
            // From here on nobody counts another.
            self.store.forget_events(&erased.tenant, &erased.id).await?;
            pushes.note(erased);
        }
        // What was raised meanwhile.
        self.forget_exceptions(record, &ids, &keys, &region).await?;
        tracing::info!(record = %record.id, in_crms, trace = cx.trace, "a person is erased");
        pushes.send(self, cx).await
    }

    async fn erase_one(
        &self,
        cx: &Context,
        record: Record,
        in_crms: bool,
        with: BTreeSet<RecordId>,
        connections: &BTreeMap<ConnectionId, Connection>,
        region: &Region,
    ) -> Result<Record> {
        let change = |record: &Record| {
            // What a CRM would not delete is asked of it once more.
            let is_refused = record.links.values().any(|link| link.refused.is_some());
            if record.erased.as_ref().is_some_and(|erased| erased.in_crms || !in_crms) && !is_refused {
                return None;
            }
            let mut cause = cx.cause(By::Erasure);
            let waiting = record.links.iter().filter_map(|(id, link)| Some((connections.get(id)?, link)));
            let ends = waiting.flat_map(|(connection, link)| steps(link, connection, Status::Skipped, "erased"));
            cause.steps = ends.collect();
            Some(record.erased(in_crms, with.clone(), cause))
        };
        let done = self.store.recommit(record, region, cx.now(), change).await;
        done.map(|(record, _)| record).map_err(|lost| lost.error("a record keeps moving while it is erased"))
    }

    /// The record, first, with those that became one with it and the notes and tasks about the person.
    async fn all_of(&self, record: &Record) -> Result<Vec<Record>> {
        let mut with: BTreeSet<RecordId> = record.engagement.merged.iter().cloned().collect();
        with.extend(record.erased.iter().flat_map(|erased| erased.with.iter().cloned()));
        let mut ids = with.clone();
        let own = record.fields.get("id").map(ToString::to_string);
        for name in own.iter().map(String::as_str).chain([record.id.as_str()]) {
            ids.extend(self.store.referring(&record.tenant, &record.object, name).await?);
        }
        ids.remove(&record.id);
        let ids: Vec<RecordId> = ids.into_iter().collect();
        let others = self.store.records(&record.tenant, &ids).await?.into_values();
        let is_about = |other: &Record| matches!(other.object, Object::Note | Object::Task);
        let mine = |other: &Record| with.contains(&other.id) || is_about(other);
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

    async fn forget_exceptions(
        &self,
        record: &Record,
        ids: &BTreeSet<RecordId>,
        keys: &BTreeSet<Key>,
        region: &Region,
    ) -> Result<()> {
        let all = self.store.exceptions(&record.tenant).await?;
        let about = all.into_iter().filter(|one| concerns(one, ids, keys, region) && !says_where(one));
        let about: Vec<String> = about.map(|one| one.id).collect();
        self.store.forget_exceptions(&record.tenant, &about).await
    }
}

/// It tells that a CRM has them as another record too: that must be seen to, and it names nobody.
fn says_where(exception: &Exception) -> bool {
    ["duplicate_in_crm", "erased_person"].contains(&exception.code.as_str())
}

/// It is about one of these records, or is a message that became no record and has a key of theirs.
fn concerns(exception: &Exception, ids: &BTreeSet<RecordId>, keys: &BTreeSet<Key>, region: &Region) -> bool {
    let told = exception.payload.as_ref().is_some_and(|payload| match SyncRequest::parse(payload) {
        Ok(request) => keys_named(&request.object, &request.lead, region).iter().any(|key| keys.contains(key)),
        // Nobody can tell what it says, but a mailbox is one.
        Err(_) => keys.iter().any(|key| matches!(key, Key::Email(email) if mentions(payload, email.as_str()))),
    });
    told || exception.record.as_ref().is_some_and(|id| ids.contains(id))
}

/// Whether a text has this mailbox, and not as the end of another.
fn mentions(text: &str, mailbox: &str) -> bool {
    let (text, mailbox) = (text.to_lowercase(), mailbox.to_lowercase());
    let part = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    text.match_indices(&mailbox).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + mailbox.len()..].chars().next());
        !before.is_some_and(part) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_mailbox_is_no_other_that_ends_as_it_does() {
        assert!(mentions(r#"{"lead": {"email": "Ann@x.com"}"#, "ann@x.com"));
        assert!(!mentions("joann@x.com", "ann@x.com") && !mentions("ann@x.community", "ann@x.com"));
    }
}
