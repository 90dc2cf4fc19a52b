//! Records and what points to them.

use super::{
    Item, Store, attribute, bytes, item, keys,
    keys::Pk,
    number, read, text,
    transact::{Step, one_per_item},
    unbuilt,
};
use crate::{
    cause::Cause,
    engagement::Counting,
    error::{Error, Result},
    id::{ConnectionId, RecordId, RequestId, TenantId},
    record::{Key, Link, Object, Record, Region},
};
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request that was done. Remembered for 30 days, in one transaction with what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Once {
    pub request: RequestId,
    /// Of the message's body: the same id with another body is another request.
    pub digest: String,
    pub record: RecordId,
    /// So that who asks again hears the same.
    #[serde(default)]
    pub became: Became,
    /// Seconds since 1970; DynamoDB removes the item some time after.
    pub ttl: i64,
}

/// What a request made of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    Created,
    #[default]
    Updated,
    /// Nothing that it says was news.
    Unchanged,
}

impl Became {
    pub fn of(before: Option<&Record>, after: &Record) -> Became {
        let Some(before) = before else { return Became::Created };
        let values = |record: &Record| {
            let values =
                record.fields.iter().filter_map(|(name, written)| Some((name.clone(), written.value.clone()?)));
            values.collect::<BTreeMap<_, _>>()
        };
        let remotes = |record: &Record| {
            let remotes = record.links.iter().filter_map(|(id, link)| Some((id.clone(), link.remote.clone()?)));
            remotes.collect::<BTreeMap<_, _>>()
        };
        let same =
            before.deleted == after.deleted && remotes(before) == remotes(after) && values(before) == values(after);
        if same { Became::Unchanged } else { Became::Updated }
    }
}

impl Once {
    pub fn new(request: RequestId, digest: String, record: RecordId, now: Timestamp) -> Once {
        let ttl = (now + SignedDuration::from_hours(30 * 24)).as_second();
        Once { request, digest, record, became: Became::default(), ttl }
    }

    /// The same, with what it made of the record.
    pub fn making(self, became: Became) -> Once {
        Once { became, ..self }
    }
}

/// A change of one record, to be stored whole or not at all.
#[derive(Debug)]
pub struct Commit<'a> {
    pub before: Option<&'a Record>,
    pub after: &'a Record,
    pub once: Option<&'a Once>,
    /// Phones by which nobody was found, so that two people cannot come into being by one number at once.
    pub unclaimed: &'a [Key],
    /// Events that are counted by it.
    pub counting: Option<&'a Counting>,
}

impl<'a> Commit<'a> {
    /// A change that comes from no request.
    pub fn of(before: Option<&'a Record>, after: &'a Record) -> Commit<'a> {
        Commit { before, after, once: None, unclaimed: &[], counting: None }
    }
}

/// Two records that become one: each as it was and as it will be.
#[derive(Debug)]
pub struct Merge<'a> {
    pub survivor: (&'a Record, &'a Record),
    /// The other one, which stays as a tombstone.
    pub loser: (&'a Record, &'a Record),
}

/// Why a change was not stored.
#[derive(Debug)]
pub enum Lost {
    /// Someone else changed the record, or claimed a phone: read again and decide again.
    Race,
    /// Another record has this unique key.
    Taken(Key),
    /// The request was done meanwhile.
    Done,
    /// The item would be larger than the table takes.
    TooLarge,
    Failed(Error),
}

impl From<Error> for Lost {
    fn from(error: Error) -> Lost {
        Lost::Failed(error)
    }
}

impl Lost {
    /// For whom nothing but a failure is left to tell: the work comes back.
    pub fn error(self, what: &str) -> Error {
        match self {
            Lost::Failed(error) => error,
            Lost::Race | Lost::Taken(_) | Lost::Done | Lost::TooLarge => Error::retryable(what),
        }
    }
}

/// How often a record that moves meanwhile is changed as it is then.
const ROUNDS: usize = 6;

/// A record larger than this, in bytes as DynamoDB counts them, is an exception. DynamoDB ends at 400 KB.
const LARGEST: usize = 350 * 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) record: RecordId,
}

/// A place in a walk over a tenant's records: their shard, and the one that was last.
pub type Place = (u8, Option<RecordId>);

impl Store {
    pub async fn record(&self, tenant: &TenantId, id: &RecordId) -> Result<Option<Record>> {
        self.get(&keys::record(tenant, id)).await
    }

    pub async fn records(&self, tenant: &TenantId, ids: &[RecordId]) -> Result<BTreeMap<RecordId, Record>> {
        let at: Vec<Pk> = ids.iter().map(|id| keys::record(tenant, id)).collect();
        let records = self.get_all(&at).await?.into_iter().map(read::<Record>);
        records.map(|record| record.map(|r| (r.id.clone(), r))).collect()
    }

    /// One page of a shard's records, in the order of their ids, and where to go on.
    pub async fn record_page(
        &self,
        tenant: &TenantId,
        shard: u8,
        after: Option<&RecordId>,
        limit: i32,
    ) -> Result<(Vec<Record>, Option<RecordId>)> {
        let after = after.map(|id| keys::record(tenant, id));
        let page = self.page(&keys::record_shard(tenant, shard), "", after.as_ref(), limit).await?;
        let next = page.last_evaluated_key.as_ref().and_then(|k| k.get("sk")?.as_s().ok()?.parse().ok());
        let records = page.items.unwrap_or_default().into_iter().map(read).collect::<Result<_>>()?;
        Ok((records, next))
    }

    /// The next page of a walk over all of a tenant's records, and where that goes on; `None` at its end.
    pub async fn walk(
        &self,
        tenant: &TenantId,
        (shard, after): &Place,
        limit: i32,
    ) -> Result<(Vec<Record>, Option<Place>)> {
        if *shard >= keys::RECORD_SHARDS {
            return Ok((Vec::new(), None));
        }
        let (records, last) = self.record_page(tenant, *shard, after.as_ref(), limit).await?;
        let next = match last {
            Some(last) => (*shard, Some(last)),
            None => (shard + 1, None),
        };
        Ok((records, Some(next).filter(|(shard, _)| *shard < keys::RECORD_SHARDS)))
    }

    /// Which records each of these keys points to: one, none, or for a phone perhaps several.
    pub async fn holders(
        &self,
        tenant: &TenantId,
        object: &Object,
        wanted: &[Key],
    ) -> Result<BTreeMap<Key, Vec<RecordId>>> {
        let at: Vec<Pk> = wanted.iter().map(|key| keys::identity(tenant, object, key)).collect();
        let items = self.get_all(&at).await?;
        Ok(held(wanted, &at, &items))
    }

    /// What is known of these requests, and which records have the keys, in one read.
    pub async fn known(
        &self,
        tenant: &TenantId,
        object: &Object,
        requests: &[RequestId],
        wanted: &[Key],
        now: Timestamp,
    ) -> Result<(BTreeMap<RequestId, Once>, BTreeMap<Key, Vec<RecordId>>)> {
        let at: Vec<Pk> = wanted.iter().map(|key| keys::identity(tenant, object, key)).collect();
        let all = requests.iter().map(|id| keys::once(tenant, id)).chain(at.iter().cloned());
        let items = self.get_all(&all.collect::<Vec<_>>()).await?;
        let is_request = |item: &Item| item.get("kind") == Some(&text("once"));
        let (done, keys): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_request);
        let done = done.into_iter().map(read::<Once>).collect::<Result<Vec<_>>>()?.into_iter();
        let done = done.filter(|once| once.ttl > now.as_second()).map(|once| (once.request.clone(), once));
        Ok((done.collect(), held(wanted, &at, &keys)))
    }

    /// Stores a change: the record, the keys that moved, and the request it came from, all or nothing.
    ///
    /// One write where no key moves and no request is done.
    pub async fn commit(&self, commit: &Commit<'_>, region: &Region, now: Timestamp) -> Result<(), Lost> {
        self.transact(|| self.steps(commit, region, now), commit.once.is_some()).await
    }

    /// What a commit does. Whatever it claims comes behind the record itself, and that a request is done comes last.
    fn steps(&self, commit: &Commit<'_>, region: &Region, now: Timestamp) -> Result<Vec<Step>, Lost> {
        let Commit { before, after, once, unclaimed, counting } = commit;
        let at = keys::record(&after.tenant, &after.id);
        let stored = item(&at, "record", after)?;
        if bytes(&stored) > LARGEST {
            return Err(Lost::TooLarge);
        }
        let put = Put::builder().table_name(&self.table).set_item(Some(stored));
        let put = match before {
            Some(before) => {
                put.condition_expression("version = :v").expression_attribute_values(":v", number(before.version))
            }
            None => put.condition_expression("attribute_not_exists(pk)"),
        };
        let mut steps = vec![(None, TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build())];
        let had = before.map(|r| r.keys(region)).unwrap_or_default();
        let has = after.keys(region);
        for key in has.iter().filter(|key| !had.contains(key)) {
            let step = self.claim(after, key, unclaimed.contains(key))?;
            steps.push((Some(key.clone()), step));
        }
        // Who was erased is known by what told them apart, and by nothing that others may share.
        let kept = |key: &Key| after.erased.is_some() && (key.is_unique() || !had.iter().any(Key::is_unique));
        for key in had.iter().filter(|key| !has.contains(key) && !kept(key)) {
            steps.push((None, self.release(after, key)?));
        }
        steps.extend(self.moved_edges(*before, after)?.into_iter().map(|step| (None, step)));
        if let Some(counting) = counting {
            steps.extend(self.counted(after, counting)?);
        }
        if let Some(once) = once {
            let put = Put::builder().table_name(&self.table).set_item(Some(item(
                &keys::once(&after.tenant, &once.request),
                "once",
                once,
            )?));
            let put = put
                .condition_expression("attribute_not_exists(pk) OR #ttl <= :now")
                .expression_attribute_names("#ttl", "ttl");
            let put = put.expression_attribute_values(":now", number(now.as_second()));
            steps.push((None, TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build()));
        }
        Ok(steps)
    }

    /// Changes a record as it stands, and once more where somebody else changed it meanwhile: what it is then, and whether it was changed.
    /// It was not where there is nothing to change, or no such record any more.
    pub async fn recommit(
        &self,
        mut record: Record,
        region: &Region,
        now: Timestamp,
        change: impl Fn(&Record) -> Option<Record>,
    ) -> Result<(Record, bool), Lost> {
        for _ in 0..ROUNDS {
            let Some(after) = change(&record) else { return Ok((record, false)) };
            match self.commit(&Commit::of(Some(&record), &after), region, now).await {
                Ok(()) => return Ok((after, true)),
                Err(Lost::Race) => match self.record(&record.tenant, &record.id).await? {
                    Some(newer) => record = newer,
                    None => return Ok((record, false)),
                },
                Err(lost) => return Err(lost),
            }
        }
        Err(Lost::Race)
    }

    /// Stores a merge: survivor, tombstone and every key that moves, all or nothing.
    pub async fn merge(&self, merge: &Merge<'_>, region: &Region) -> Result<(), Lost> {
        self.transact(|| Ok(one_per_item(self.joining(merge, region)?)), false).await
    }

    fn joining(&self, merge: &Merge<'_>, region: &Region) -> Result<Vec<Step>> {
        let Merge { survivor: (survivor, joined), loser: (loser, tombstone) } = merge;
        let mut steps = Vec::new();
        for (before, after) in [(survivor, joined), (loser, tombstone)] {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item(&keys::record(&after.tenant, &after.id), "record", after)?))
                .condition_expression("version = :v")
                .expression_attribute_values(":v", number(before.version));
            steps.push((None, TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build()));
        }
        let (had, has) = (survivor.keys(region), joined.keys(region));
        let lost = loser.keys(region);
        for key in has.iter().filter(|key| !had.contains(key)) {
            let moves = key.is_unique() && lost.contains(key);
            let step = if moves { self.hand_over(loser, joined, key)? } else { self.claim(joined, key, false)? };
            steps.push((Some(key.clone()), step));
        }
        for key in lost.iter().filter(|key| !key.is_unique() || !has.contains(key)) {
            // By its other ids and mailboxes the person is still found; remotes are the CRM's own affair.
            let step = match key {
                Key::Own(_) | Key::Email(_) => self.hand_over(loser, joined, key)?,
                Key::Phone(_) | Key::Domain(_) | Key::Title(_) | Key::Remote(..) => self.release(loser, key)?,
            };
            steps.push((None, step));
        }
        steps.extend(self.moved_edges(Some(survivor), joined)?.into_iter().map(|step| (None, step)));
        Ok(steps)
    }

    /// Moves one link on, if it has not moved since it was read. The record's fields are not touched.
    pub async fn settle(
        &self,
        record: &Record,
        connection: &ConnectionId,
        link: &Link,
        cause: &Cause,
    ) -> Result<(), Lost> {
        let before = record.links.get(connection);
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::record(&record.tenant, &record.id).attributes()))
            .update_expression("SET links.#c = :link, cause = :cause ADD version :one")
            .expression_attribute_names("#c", connection.as_str())
            .expression_attribute_values(":link", attribute(link)?)
            .expression_attribute_values(":cause", attribute(cause)?)
            .expression_attribute_values(":one", number(1));
        let update = match before {
            Some(before) => update
                .condition_expression("links.#c.rev = :rev AND attribute_not_exists(merged_into)")
                .expression_attribute_values(":rev", number(before.rev)),
            None => update.condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(links.#c) AND attribute_not_exists(erased)",
            ),
        };
        let update = update.build().map_err(unbuilt)?;
        let had = before.and_then(|l| l.remote.clone());
        if had == link.remote {
            return self.update(update).await;
        }
        let steps = || {
            let mut steps = vec![(None, TransactWriteItem::builder().update(update.clone()).build())];
            for (remote, claims) in [(link.remote.clone(), true), (had.clone(), false)] {
                let Some(remote) = remote else { continue };
                let key = Key::Remote(connection.clone(), remote);
                let step = if claims { self.claim(record, &key, false)? } else { self.release(record, &key)? };
                steps.push((claims.then_some(key), step));
            }
            Ok(steps)
        };
        self.transact(steps, false).await
    }
}

/// Whom each key points to, by the items that are there.
fn held(wanted: &[Key], at: &[Pk], items: &[Item]) -> BTreeMap<Key, Vec<RecordId>> {
    let by_pk: BTreeMap<String, Vec<RecordId>> = items.iter().map(|item| (pk_of(item), holders_in(item))).collect();
    let held = |(key, at): (&Key, &Pk)| (key.clone(), by_pk.get(&at.pk).cloned().unwrap_or_default());
    wanted.iter().zip(at).map(held).collect()
}

fn pk_of(item: &Item) -> String {
    item.get("pk").and_then(|v| v.as_s().ok()).cloned().unwrap_or_default()
}

fn holders_in(item: &Item) -> Vec<RecordId> {
    let one = item.get("record").and_then(|v| v.as_s().ok()).into_iter();
    let several = item.get("holders").and_then(|v| v.as_ss().ok()).into_iter().flatten();
    one.chain(several).filter_map(|id| id.parse().ok()).collect()
}
