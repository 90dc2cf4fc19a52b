//! Before a write: what the linked remotes show now, and who among the unlinked is there already.

use super::{
    Job,
    item::{End, Item},
};
use crate::{
    error::Result,
    id::{RecordId, RemoteId},
    planner::{Freshness, Route, Seen, Taken, absorb, freshness, route},
    provider::{Fetched, Found, Query, Session, batch::By},
    record::{Key, Link, Said},
    store::Exception,
    sync::keys_shown,
};
use std::collections::{BTreeMap, BTreeSet};

/// Which records each key points to.
type Holders = BTreeMap<Key, Vec<RecordId>>;

/// What a CRM shows of a batch.
enum Answer {
    Linked(Vec<Fetched>),
    Unlinked(Search),
}

/// Who among the unlinked is in the CRM, and whose they are already.
struct Search {
    queries: Vec<Query>,
    found: Vec<Vec<Found>>,
    holders: Holders,
}

impl Job<'_> {
    /// Reads and absorbs. What is left after a failure comes later.
    pub(super) async fn read(&self, items: Vec<Item>) -> (Vec<Item>, Result<()>) {
        let (lacking, complete): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| item.lacks(self.mapping));
        let (linked, unlinked): (Vec<Item>, Vec<Item>) =
            lacking.into_iter().partition(|item| item.link.remote.is_some());
        let capabilities = self.connection.crm.capabilities();
        let mut batches: Vec<Vec<Item>> =
            batches(linked, capabilities.max_read).chain(batches(unlinked, capabilities.max_find)).collect();
        let (shown, asked) = self.a_few_at_once(&batches, async |batch: &Vec<Item>| self.ask(batch).await).await;
        let (mut taken, mut done) = (BTreeSet::new(), Ok(()));
        for (batch, shown) in batches.iter_mut().zip(shown) {
            let shown = shown.flatten().filter(|_| done.is_ok());
            let is_shown = shown.is_some();
            done = match shown {
                Some(Answer::Linked(fetched)) => self.take_linked(batch, fetched).await,
                Some(Answer::Unlinked(search)) => self.take_found(batch, search, &mut taken).await,
                None => done,
            };
            if !is_shown || done.is_err() {
                batch.iter_mut().filter(|item| item.is_open()).for_each(|item| item.end = End::Later);
            }
        }
        (complete.into_iter().chain(batches.into_iter().flatten()).collect(), asked.and(done))
    }

    /// What the CRM shows of these, which are all linked or all unlinked; `None` where there is no time to ask.
    async fn ask(&self, items: &[Item]) -> Result<Option<Answer>> {
        if !self.has_time_to_read() {
            return Ok(None);
        }
        let ids: Vec<RemoteId> = items.iter().filter_map(|item| item.link.remote.clone()).collect();
        let answer = match ids.is_empty() {
            true => Answer::Unlinked(self.find(items).await?),
            false => Answer::Linked(self.fetch(&ids).await?),
        };
        Ok(Some(answer))
    }

    /// What the CRM shows of these, in the hub's terms.
    pub(super) async fn fetch(&self, ids: &[RemoteId]) -> Result<Vec<Fetched>> {
        let crm = self.connection.crm;
        let fetch = async |session: &Session| crm.fetch(session, self.mapping, ids).await;
        let mut fetched = self.app.with_session(self.connection, self.calls, fetch).await?;
        self.inward(fetched.iter_mut().filter_map(Fetched::seen).collect()).await?;
        Ok(fetched)
    }

    async fn take_linked(&self, items: &mut [Item], fetched: Vec<Fetched>) -> Result<()> {
        for (item, fetched) in items.iter_mut().zip(fetched) {
            let taken = Taken::After { rev: item.link.rev };
            match fetched {
                Fetched::Shown(seen) if freshness(&item.link, &seen, taken, self.mapping) == Freshness::Absorb => {
                    self.absorb(item, &seen)
                }
                Fetched::Shown(_) => item.end = End::Later,
                Fetched::Deleted { .. } | Fetched::Erased | Fetched::MergedInto(_) => item.end = End::Moved,
                Fetched::NotVisible => item.end = self.not_visible(item).await?,
            }
        }
        Ok(())
    }

    /// What the CRM showed, in the hub's terms.
    pub(super) async fn inward(&self, shown: Vec<&mut Seen>) -> Result<()> {
        self.app.inward(self.cx, self.connection, self.mapping, shown).await
    }

    async fn not_visible(&self, item: &Item) -> Result<End> {
        let about = format!("{}:{}", self.connection.id, item.record.id);
        let reason = format!("{} no longer shows the record that this one is linked to", self.connection.crm);
        let exception = Exception::new(&item.record.tenant, "not_visible", &about, reason, self.cx);
        self.app.store.raise(&exception.on(self.connection).of(&item.record.id)).await?;
        Ok(End::Stuck { code: "not_visible" })
    }

    async fn find(&self, items: &[Item]) -> Result<Search> {
        let queries: Vec<Query> = items.iter().map(|item| self.query(item)).collect();
        let crm = self.connection.crm;
        let find = async |session: &Session| crm.find(session, self.mapping, &queries).await;
        let mut found = self.app.with_session(self.connection, self.calls, find).await?;
        self.inward(found.iter_mut().flatten().map(|found| &mut found.seen).collect()).await?;
        let remotes = found.iter().flatten().map(|f| Key::Remote(self.connection.id.clone(), f.remote.clone()));
        let lookups = queries.iter().flat_map(Query::lookups);
        let keys: Vec<Key> = remotes.chain(lookups).collect();
        let holders = self.app.store.holders(&self.connection.tenant, self.object, &keys).await?;
        Ok(Search { queries, found, holders })
    }

    /// `taken` are the remotes that items of this push were linked to so far.
    async fn take_found(&self, items: &mut [Item], search: Search, taken: &mut BTreeSet<RemoteId>) -> Result<()> {
        let Search { queries, found, holders } = search;
        for ((item, query), found) in items.iter_mut().zip(&queries).zip(found) {
            let found = self.nobodys(found, &holders, taken);
            let (by_key, by_lookup): (Vec<&Found>, Vec<&Found>) = found.iter().partition(|f| f.by.is_unique());
            match (by_key.as_slice(), by_lookup.as_slice()) {
                ([], [one]) if self.is_theirs_alone(query, one, &holders) => {
                    self.link(item, one, &holders, taken).await?
                }
                ([], _) => {}
                ([one], _) => self.link(item, one, &holders, taken).await?,
                (several, _) => item.end = self.stuck(item, several, "matches several records of the CRM").await?,
            }
        }
        Ok(())
    }

    /// People share phones, companies share names. One tells who somebody is only where one record of ours has it, and where
    /// the remote shows no other mailbox, or domain, than ours.
    fn is_theirs_alone(&self, query: &Query, found: &Found, holders: &Holders) -> bool {
        let by = query.lookups().find(|key| found.by.is(key));
        let shared = by.and_then(|key| holders.get(&key)).is_some_and(|holders| holders.len() > 1);
        let shown = keys_shown(self.connection, self.object, self.mapping, &found.remote, &found.seen);
        let another = |key: &Key| match key {
            Key::Email(theirs) => query.email.as_ref().is_some_and(|ours| ours != theirs),
            Key::Domain(theirs) => query.domain.as_ref().is_some_and(|ours| ours != theirs),
            Key::Remote(..) | Key::Own(_) | Key::Phone(_) | Key::Title(_) => false,
        };
        !shared && !shown.iter().any(another)
    }

    /// Of what is known by what it says alone, the first that is nobody's yet; of all else everything.
    fn nobodys(&self, mut found: Vec<Found>, holders: &Holders, taken: &BTreeSet<RemoteId>) -> Vec<Found> {
        let is_free = |found: &Found| {
            let key = Key::Remote(self.connection.id.clone(), found.remote.clone());
            holders.get(&key).is_none_or(Vec::is_empty) && !taken.contains(&found.remote)
        };
        let mut first = true;
        found.retain(|found| found.by != By::Made || is_free(found) && std::mem::take(&mut first));
        found
    }

    fn query(&self, item: &Item) -> Query {
        let keys = Key::of(self.object, &item.hub, &self.connection.region);
        let Link { intent, said, .. } = &item.link;
        let mut query = match route(&item.link) {
            Route::Find => {
                let made = Some(said.clone()).filter(|said| !said.is_empty());
                Query { record: Some(item.record.id.clone()), begun: *intent, made, ..Query::default() }
            }
            _ => Query::default(),
        };
        for key in keys {
            match key {
                Key::Email(email) => query.email = Some(email),
                Key::Phone(phone) => query.phone = Some(phone),
                Key::Domain(domain) => query.domain = Some(domain),
                Key::Title(title) => query.title = Some(title),
                Key::Own(_) | Key::Remote(..) => {}
            }
        }
        query
    }

    /// The remote that is this person becomes the record's, unless it is another record's already.
    async fn link(
        &self,
        item: &mut Item,
        found: &Found,
        holders: &Holders,
        taken: &mut BTreeSet<RemoteId>,
    ) -> Result<()> {
        let key = Key::Remote(self.connection.id.clone(), found.remote.clone());
        let others = holders.get(&key).into_iter().flatten().chain(&found.claimed).any(|id| *id != item.record.id);
        if others || taken.contains(&found.remote) {
            if found.by.is_unique() {
                item.end = self.stuck(item, &[found], "is a record of the CRM that another record has").await?;
            }
            return Ok(());
        }
        taken.insert(found.remote.clone());
        item.link.remote = Some(found.remote.clone());
        (item.link.intent, item.link.said) = (None, Said::default());
        self.absorb(item, &found.seen);
        Ok(())
    }

    async fn stuck(&self, item: &Item, found: &[&Found], what: &str) -> Result<End> {
        let remotes: Vec<&str> = found.iter().map(|f| f.remote.as_str()).collect();
        let about = format!("{}:{}", self.connection.id, item.record.id);
        let reason = format!("this record {what}: {}", remotes.join(", "));
        let exception = Exception::new(&item.record.tenant, "same_identity", &about, reason, self.cx);
        self.app.store.raise(&exception.on(self.connection).of(&item.record.id)).await?;
        Ok(End::Stuck { code: "same_identity" })
    }

    fn absorb(&self, item: &mut Item, seen: &Seen) {
        if !self.connection.direction.receives() {
            return;
        }
        let absorbed = absorb(&item.hub, &item.link, seen, self.mapping, self.connection.judge(self.object));
        item.hub = absorbed.hub;
        item.link = absorbed.link;
        item.overruled.extend(absorbed.overruled);
        item.denied.extend(absorbed.denied);
        item.parked.extend(absorbed.parked);
    }
}

/// The items in batches, each of its own.
fn batches(items: Vec<Item>, size: usize) -> impl Iterator<Item = Vec<Item>> {
    let mut items = items.into_iter();
    std::iter::from_fn(move || {
        let batch: Vec<Item> = items.by_ref().take(size).collect();
        (!batch.is_empty()).then_some(batch)
    })
}
