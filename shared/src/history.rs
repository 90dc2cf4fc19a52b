//! The history table: append-only, one page per record.

use crate::{
    cause::{Cause, Status, Step},
    error::{Error, Result},
    id::{ConnectionId, RecordId, TenantId},
    record::{FieldName, RemoteField, Value},
    settings::Retention,
    store::{attribute, keys, number, read, text, trouble, unbuilt},
};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, PutRequest, WriteRequest},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

#[derive(Clone, Debug)]
pub struct History {
    client: Client,
    table: String,
}

/// What happened to a record: an entry per change, and one per step of a sync request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    Change {
        tenant: TenantId,
        record: RecordId,
        version: u64,
        cause: Cause,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<FieldChange>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sent: Vec<SentChange>,
        /// Its values were erased: what is left tells that there was a change, of which fields, when and by whom.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        erased: bool,
    },
    Timeline {
        tenant: TenantId,
        record: RecordId,
        at: Timestamp,
        trace: String,
        step: Step,
    },
}

/// What of a record's history is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Changes,
    Timeline,
}

impl Part {
    /// How the keys of its entries begin.
    pub fn begins(self) -> &'static str {
        match self {
            Part::Changes => "V#",
            Part::Timeline => "E#",
        }
    }
}

/// A field of the hub, before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    pub field: FieldName,
    #[serde(default)]
    pub before: Option<Value>,
    #[serde(default)]
    pub after: Option<Value>,
}

/// A field that was agreed with a CRM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SentChange {
    pub connection: ConnectionId,
    pub field: RemoteField,
    #[serde(default)]
    pub before: Option<Value>,
    #[serde(default)]
    pub after: Option<Value>,
}

/// Entries of one read.
const PAGE: i32 = 200;

impl Entry {
    /// The same event has the same key, so that telling it twice changes nothing.
    fn key(&self) -> (String, String) {
        match self {
            Entry::Change { tenant, record, version, .. } => {
                (keys::history(tenant, record), format!("V#{version:020}"))
            }
            Entry::Timeline { tenant, record, at, step, .. } => {
                let connection = step.connection.as_ref().map_or("", |c| c.as_str());
                let status = order(step.status);
                let at = at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
                (keys::history(tenant, record), format!("E#{at}#{status}#{}#{connection}", step.request))
            }
        }
    }

    /// The same without any value.
    pub fn erased(mut self) -> Entry {
        if let Entry::Change { cause, fields, sent, erased, .. } = &mut self {
            fields.iter_mut().for_each(|change| (change.before, change.after) = (None, None));
            sent.iter_mut().for_each(|change| (change.before, change.after) = (None, None));
            cause.overruled.iter_mut().for_each(|lost| lost.value = None);
            cause.denied.iter_mut().for_each(|denied| denied.value = None);
            *erased = true;
        }
        self
    }

    pub fn tenant(&self) -> &TenantId {
        match self {
            Entry::Change { tenant, .. } | Entry::Timeline { tenant, .. } => tenant,
        }
    }

    fn at(&self) -> Timestamp {
        match self {
            Entry::Change { cause, .. } => cause.at,
            Entry::Timeline { at, .. } => *at,
        }
    }
}

/// Steps of one instant, in the order in which they happen.
fn order(status: Status) -> u8 {
    match status {
        Status::Pending => 0,
        Status::Waiting => 1,
        Status::Skipped => 2,
        Status::Failed => 3,
        Status::Succeeded => 4,
    }
}

impl History {
    pub fn new(client: Client, table: String) -> History {
        History { client, table }
    }

    /// Appends entries, 25 in a call, each for as long as its tenant keeps them.
    pub async fn append(&self, entries: &[Entry], kept: &BTreeMap<TenantId, Retention>) -> Result<()> {
        let mut left = Vec::with_capacity(entries.len());
        for entry in entries {
            let AttributeValue::M(mut item) = attribute(entry)? else { return Err(Error::bug("an entry is a map")) };
            let (pk, sk) = entry.key();
            item.extend([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))]);
            let kept = kept.get(entry.tenant()).copied().unwrap_or_default();
            item.insert("ttl".to_owned(), number(kept.ends(entry.at()).as_second()));
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(unbuilt)?;
            left.push(WriteRequest::builder().put_request(put).build());
        }
        let mut rounds = 0;
        while !left.is_empty() {
            let chunk: Vec<WriteRequest> = left.drain(..left.len().min(25)).collect();
            let answer =
                self.client.batch_write_item().request_items(&self.table, chunk).send().await.map_err(trouble)?;
            let refused = answer.unprocessed_items.and_then(|mut u| u.remove(&self.table)).unwrap_or_default();
            if !refused.is_empty() {
                rounds += 1;
                if rounds > 8 {
                    return Err(Error::retryable("the history table takes only a part of what it is given"));
                }
                tokio::time::sleep(Duration::from_millis(50 << rounds)).await;
            }
            left.extend(refused);
        }
        Ok(())
    }

    /// Takes the values out of everything that happened to a record before its person was erased for the last time; what is left tells
    /// that it happened. What came after it, with a new consent, stays. Doing it again changes nothing.
    pub async fn erase(&self, tenant: &TenantId, record: &RecordId, kept: Retention) -> Result<()> {
        let kept = BTreeMap::from([(tenant.clone(), kept)]);
        let (mut before, mut after_it) = (None, true);
        loop {
            let (entries, next) = self.page(tenant, record, Part::Changes, before.as_deref(), PAGE).await?;
            let tells = |entry: &Entry| !matches!(entry, Entry::Change { erased: true, .. });
            let until = entries.into_iter().skip_while(|entry| after_it && tells(entry)).collect::<Vec<_>>();
            after_it &= until.is_empty();
            let values = until.into_iter().filter(tells).map(Entry::erased).collect::<Vec<_>>();
            self.append(&values, &kept).await?;
            match next {
                Some(next) => before = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// A page of what happened to a record, the latest first: of its changes, or of its timeline. And where to go on.
    pub async fn page(
        &self,
        tenant: &TenantId,
        record: &RecordId,
        part: Part,
        before: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<Entry>, Option<String>)> {
        let pk = keys::history(tenant, record);
        let start = before.map(|sk| HashMap::from([("pk".to_owned(), text(&pk)), ("sk".to_owned(), text(sk))]));
        let call = self.client.query().table_name(&self.table).scan_index_forward(false).limit(limit);
        let call = call
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(&pk))
            .expression_attribute_values(":sk", text(part.begins()))
            .set_exclusive_start_key(start);
        let page = call.send().await.map_err(trouble)?;
        let next = page.last_evaluated_key.as_ref().and_then(|at| at.get("sk")?.as_s().ok().cloned());
        Ok((page.items.unwrap_or_default().into_iter().map(read).collect::<Result<_>>()?, next))
    }

    /// Everything that happened to a record: changes by version, then the timeline.
    pub async fn of(&self, tenant: &TenantId, record: &RecordId) -> Result<Vec<Entry>> {
        let call = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let mut items = call
            .expression_attribute_values(":pk", text(keys::history(tenant, record)))
            .into_paginator()
            .items()
            .send();
        let mut entries = Vec::new();
        while let Some(item) = items.next().await {
            let item: HashMap<String, AttributeValue> = item.map_err(trouble)?;
            entries.push(read(item)?);
        }
        Ok(entries)
    }
}
