//! Fields that lead to other records: in a CRM they hold the CRM's ids, in the hub the product's own, or ours where the product has
//! none.
//!
//! What a CRM shows is translated before anything is compared, and what is written just before it is sent. Where a record is
//! not known on the other side yet, nothing is said of the field: it waits, and [`App::follow`] tells when it need not.

use super::{
    Pushes,
    look::{linked, look_again},
};
use crate::{
    app::App,
    cause::By,
    change::Hinted,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::{RecordId, RemoteId, TenantId},
    mapping::Mapping,
    planner::{Change, Seen},
    provider::Write,
    record::{Agreed, Fields, Key, Object, Record, RemoteField, Value},
    store::Lost,
};
use std::collections::{BTreeMap, BTreeSet};

/// How often a record that moves meanwhile is read again.
const ROUNDS: usize = 5;
/// Records that are changed at the same time.
const AT_ONCE: usize = 16;

/// Where records are in one CRM, by what the hub calls them.
#[derive(Debug, Default)]
pub struct Leads(BTreeMap<Object, BTreeMap<String, RemoteId>>);

impl Leads {
    /// Whether a change can be sent: it leads nowhere, or to what is there.
    pub fn knows(&self, change: &Change, mapping: &Mapping) -> bool {
        !mapping.refers(&change.field) || change.value.is_none() || self.remote(change, mapping).is_some()
    }

    /// A write as the CRM takes it.
    pub fn outward(&self, write: &Write, mapping: &Mapping) -> Write {
        let spelt = |change: &Change| match mapping.refers(&change.field) {
            true => {
                let remote = self.remote(change, mapping).and_then(|remote| Value::text(remote.as_str()));
                Change { value: remote, ..change.clone() }
            }
            false => change.clone(),
        };
        Write { changes: write.changes.iter().map(spelt).collect(), ..write.clone() }
    }

    fn remote(&self, change: &Change, mapping: &Mapping) -> Option<&RemoteId> {
        let (_, object) = mapping.references().into_iter().find(|(field, _)| *field == change.field)?;
        self.0.get(&object)?.get(&change.value.as_ref()?.to_string())
    }
}

impl App {
    /// Where the records that these refer to are in a connection's CRM.
    pub async fn leads(
        &self,
        connection: &Connection,
        mapping: &Mapping,
        hubs: impl Iterator<Item = &Fields> + Clone,
    ) -> Result<Leads> {
        let mut leads = Leads::default();
        for (field, object) in mapping.referring() {
            let names: BTreeSet<String> = hubs.clone().filter_map(|hub| Some(hub.get(field)?.to_string())).collect();
            let records = self.called(&connection.tenant, &object, &names).await?;
            let remote = |record: &Record| {
                let link = record.links.get(&connection.id).filter(|link| link.gone.is_none())?;
                link.remote.clone()
            };
            let found = records.iter().filter_map(|(name, record)| Some((name.clone(), remote(record)?)));
            leads.0.entry(object).or_default().extend(found);
        }
        Ok(leads)
    }

    /// The records of these names: the product's own, or ours. A merged one stands for its survivor.
    async fn called(
        &self,
        tenant: &TenantId,
        object: &Object,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Record>> {
        let own: Vec<Key> = names.iter().cloned().map(Key::Own).collect();
        let holders = self.store.holders(tenant, object, &own).await?;
        let id = |(name, key): (&String, &Key)| {
            let held = holders.get(key).and_then(|held| held.first().cloned());
            Some((name.clone(), held.or_else(|| name.parse().ok())?))
        };
        let ids: BTreeMap<String, RecordId> = names.iter().zip(&own).filter_map(id).collect();
        let records = self.store.records(tenant, &ids.values().cloned().collect::<Vec<_>>()).await?;
        let merged: Vec<RecordId> = records.values().filter_map(|record| record.merged_into.clone()).collect();
        let survivors = self.store.records(tenant, &merged).await?;
        let stands = |id: &RecordId| {
            let record = records.get(id).filter(|record| record.object == *object)?;
            record.merged_into.as_ref().map_or(Some(record), |survivor| survivors.get(survivor)).cloned()
        };
        Ok(ids.iter().filter_map(|(name, id)| Some((name.clone(), stands(id)?))).collect())
    }

    /// What a CRM showed, with the hub's names in the fields that lead to other records. One that the hub does not know yet is
    /// looked at first; one that cannot be seen says nothing.
    pub async fn inward(
        &self,
        cx: &Context,
        connection: &Connection,
        mapping: &Mapping,
        mut shown: Vec<&mut Seen>,
    ) -> Result<()> {
        for (field, object) in mapping.references() {
            let named = |seen: &&mut Seen| seen.fields.get(field)?.as_ref()?.to_string().parse::<RemoteId>().ok();
            let remotes: BTreeSet<RemoteId> = shown.iter().filter_map(named).collect();
            let names = self.names(cx, connection, &object, remotes).await?;
            for seen in &mut shown {
                let Some(Some(value)) = seen.fields.get(field) else { continue };
                match value.to_string().parse::<RemoteId>().ok().and_then(|remote| names.get(&remote)) {
                    Some(name) => drop(seen.fields.insert(field.to_owned(), Some(name.clone()))),
                    None => drop(seen.fields.remove(field)),
                }
            }
        }
        Ok(())
    }

    /// What the hub calls these remotes.
    async fn names(
        &self,
        cx: &Context,
        connection: &Connection,
        object: &Object,
        remotes: BTreeSet<RemoteId>,
    ) -> Result<BTreeMap<RemoteId, Value>> {
        if remotes.is_empty() || !connection.mappings.contains_key(object) {
            return Ok(BTreeMap::new());
        }
        let all: Vec<RemoteId> = remotes.into_iter().collect();
        let mut known = linked(self, connection, object, &all).await?;
        let strangers: Vec<RemoteId> = all.into_iter().filter(|remote| !known.contains_key(remote)).collect();
        if !strangers.is_empty() {
            let hints = strangers.iter().map(|remote| Hinted::plain(object, remote.clone())).collect();
            let mut pushes = Pushes::default();
            // What is referred to refers to less in turn: the objects are in that order.
            Box::pin(look_again(self, cx, connection, hints, &mut pushes)).await.map_err(|left| left.why)?;
            pushes.send(self, cx).await?;
            known.extend(linked(self, connection, object, &strangers).await?);
        }
        let name = |record: &Record| record.fields.get("id").cloned().or_else(|| Value::text(record.id.as_str()));
        Ok(known.into_iter().filter_map(|(remote, record)| Some((remote, name(&record)?))).collect())
    }

    /// These records came to be in a connection's CRM just now: what refers to them can be written in full.
    pub async fn follow(
        &self,
        connection: &Connection,
        linked: impl Iterator<Item = &Record>,
        pushes: &mut Pushes,
    ) -> Result<()> {
        for record in linked {
            for one in self.referring(connection, record).await? {
                pushes.add(connection, &one);
            }
        }
        Ok(())
    }

    /// The remote of this record is no more, and another is to stand for it: what was agreed about leading to it counts no more. To be
    /// called before that is stored, so that nobody is forgotten.
    pub async fn refer_anew(&self, cx: &Context, connection: &Connection, record: &Record) -> Result<()> {
        let names = names_of(record);
        let referring = self.referring(connection, record).await?;
        for some in referring.chunks(AT_ONCE) {
            let records = self.store.records(&record.tenant, some).await?.into_values();
            let anew = records.map(|one| self.refers_anew(cx, connection, &record.object, &names, one));
            futures::future::try_join_all(anew).await?;
        }
        Ok(())
    }

    /// Whoever refers to a record, if that matters to a connection.
    async fn referring(&self, connection: &Connection, record: &Record) -> Result<Vec<RecordId>> {
        let mut references = connection.mappings.values().flat_map(Mapping::references);
        if !references.any(|(_, to)| to == record.object) {
            return Ok(Vec::new());
        }
        let mut referring = BTreeSet::new();
        for name in names_of(record) {
            referring.extend(self.store.referring(&record.tenant, &record.object, &name).await?);
        }
        Ok(referring.into_iter().collect())
    }

    async fn refers_anew(
        &self,
        cx: &Context,
        connection: &Connection,
        to: &Object,
        names: &[String],
        mut record: Record,
    ) -> Result<()> {
        for _ in 0..ROUNDS {
            let (Some(link), Ok(mapping)) = (record.links.get(&connection.id), connection.mapping(&record.object))
            else {
                return Ok(());
            };
            let mut next = link.clone();
            let leads = |field: &RemoteField, agreed: &Agreed| {
                let is_name = agreed.ours.as_ref().is_some_and(|ours| names.contains(&ours.to_string()));
                is_name && mapping.references().iter().any(|(known, object)| known == field && object == to)
            };
            next.agreed.retain(|field, agreed| !leads(field, agreed));
            if next == *link {
                return Ok(());
            }
            next.rev += 1;
            let cause = cx.cause(By::Push { connection: connection.id.clone() });
            match self.store.settle(&record, &connection.id, &next, &cause).await {
                Ok(()) => return Ok(()),
                Err(Lost::Failed(error)) => return Err(error),
                Err(_) => match self.store.record(&record.tenant, &record.id).await? {
                    Some(newer) => record = newer,
                    None => return Ok(()),
                },
            }
        }
        Err(Error::retryable("a record keeps moving while what it leads to is made again"))
    }
}

/// What others may call a record: by our id, or by the product's own.
fn names_of(record: &Record) -> Vec<String> {
    let own = record.fields.get("id").map(ToString::to_string);
    [Some(record.id.to_string()), own].into_iter().flatten().collect()
}
