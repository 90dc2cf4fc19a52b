//! A person's events, and which rules have scored: items of their own, stored in one transaction with what they change.

use super::{Store, item, keys, keys::Pk, read, transact::Step, trouble, unbuilt, where_it_held};
use crate::{
    engagement::{Counted, Counting, Noted},
    error::Result,
    id::{RecordId, TenantId},
    record::Record,
};
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// That a rule has scored, or nothing but a key.
#[derive(Serialize)]
struct Mark {}

impl Store {
    /// What of this is known already of each record, in one batched read. Records that became one with it count as it does.
    pub async fn noted(&self, asked: &[(&Record, BTreeSet<Noted>)]) -> Result<BTreeMap<RecordId, BTreeSet<Noted>>> {
        let mut places: BTreeMap<Pk, (&RecordId, &Noted)> = BTreeMap::new();
        for (record, noted) in asked {
            for holder in record.engagement.merged.iter().chain([&record.id]) {
                places.extend(noted.iter().map(|one| (keys::noted(&record.tenant, holder, one), (&record.id, one))));
            }
        }
        let at: Vec<Pk> = places.keys().cloned().collect();
        let mut known: BTreeMap<RecordId, BTreeSet<Noted>> = BTreeMap::new();
        for item in self.get_all(&at).await? {
            let found = Pk::of(&item).and_then(|pk| places.get(&pk));
            if let Some((record, noted)) = found {
                known.entry((*record).clone()).or_default().insert((*noted).clone());
            }
        }
        Ok(known)
    }

    /// Everything that a person did, by type.
    pub async fn events(&self, tenant: &TenantId, record: &RecordId) -> Result<Vec<Counted>> {
        self.all(&keys::engaged(tenant, record), keys::EVENT).await?.into_iter().map(read).collect()
    }

    /// Removes everything that a person did, and which rules have scored for it.
    pub async fn forget_events(&self, tenant: &TenantId, record: &RecordId) -> Result<()> {
        let items = self.all(&keys::engaged(tenant, record), "").await?;
        self.forget(items.iter().filter_map(Pk::of).collect()).await
    }

    /// Which rules have scored for a person, as keys.
    pub async fn scored(&self, record: &Record) -> Result<BTreeSet<Pk>> {
        let mut scored = BTreeSet::new();
        for holder in record.engagement.merged.iter().chain([&record.id]) {
            let items = self.all(&keys::engaged(&record.tenant, holder), keys::SCORED).await?;
            scored.extend(items.iter().filter_map(Pk::of));
        }
        Ok(scored)
    }

    /// Tells anew what these events added to the score, and which rules have scored; `before` are those that had.
    pub async fn rewrite(
        &self,
        record: &Record,
        events: &[(RecordId, Counted)],
        scored: &[Noted],
        before: &BTreeSet<Pk>,
    ) -> Result<()> {
        let at = |holder: &RecordId, noted: &Noted| keys::noted(&record.tenant, holder, noted);
        let now: BTreeSet<Pk> = scored.iter().map(|noted| at(&record.id, noted)).collect();
        for stale in before.difference(&now) {
            let call = self.client.delete_item().table_name(&self.table).set_key(Some(stale.attributes()));
            call.send().await.map_err(trouble)?;
        }
        for (holder, one) in events {
            let put = self.client.put_item().table_name(&self.table);
            let put = put.set_item(Some(item(&at(holder, &one.event.noted()), "event", one)?));
            // One that was forgotten meanwhile stays so.
            where_it_held(put.condition_expression("attribute_exists(pk)").send().await)?;
        }
        for new in now.difference(before) {
            let stored = item(new, "scored", &Mark {})?;
            self.client.put_item().table_name(&self.table).set_item(Some(stored)).send().await.map_err(trouble)?;
        }
        Ok(())
    }

    /// The steps by which events are counted once: each fails where somebody else was quicker.
    pub(super) fn counted(&self, record: &Record, counting: &Counting) -> Result<Vec<Step>> {
        let at = |noted: &Noted| keys::noted(&record.tenant, &record.id, noted);
        let events = counting.counted.iter().map(|one| item(&at(&one.event.noted()), "event", one));
        let scored = counting.scored.iter().map(|noted| item(&at(noted), "scored", &Mark {}));
        let step = |item: Result<super::Item>| {
            let put = Put::builder().table_name(&self.table).set_item(Some(item?));
            let put = put.condition_expression("attribute_not_exists(pk)").build().map_err(unbuilt)?;
            Ok((None, TransactWriteItem::builder().put(put).build()))
        };
        events.chain(scored).map(step).collect()
    }
}
