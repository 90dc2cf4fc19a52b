//! What was heard of exceptions, and what was told of them.

use super::{Item, Store, item, keys, keys::Pk, number, read, text, trouble, unbuilt};
use crate::{
    alert::{Incident, Mark},
    error::Result,
    id::{ConnectionId, TenantId},
};
use aws_sdk_dynamodb::{
    error::SdkError,
    types::{Put, TransactWriteItem},
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A queue keeps messages for two weeks, so what is older is heard of no more.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Store {
    /// What was last heard of these exceptions.
    pub async fn marks(&self, tenant: &TenantId, exceptions: &[String]) -> Result<BTreeMap<String, Mark>> {
        let at: Vec<Pk> = exceptions.iter().map(|id| keys::mark(tenant, id)).collect();
        let found = self.get_all(&at).await?.into_iter();
        let marked = found.filter_map(|item| {
            let id = item.get("exception")?.as_s().ok()?.clone();
            Some(read(item).map(|mark| (id, mark)))
        });
        marked.collect()
    }

    /// What is told of a code on a connection.
    pub async fn incident(&self, tenant: &TenantId, code: &str, connection: Option<&ConnectionId>) -> Result<Incident> {
        Ok(self.get(&keys::incident(tenant, code, connection)).await?.unwrap_or_default())
    }

    /// Stores an incident, and what was heard of its exceptions, unless somebody else has changed it since. Whether it was stored.
    pub async fn set_incident(
        &self,
        tenant: &TenantId,
        (code, connection): (&str, Option<&ConnectionId>),
        incident: &Incident,
        heard: &BTreeMap<String, Mark>,
        now: Timestamp,
    ) -> Result<bool> {
        let forgotten = number((now + KEPT).as_second());
        let mut stored = item(&keys::incident(tenant, code, connection), "incident", incident)?;
        // One that is over and told is soon forgotten.
        if incident.open == 0 && incident.told.is_empty() {
            stored.insert("ttl".to_owned(), forgotten.clone());
        }
        let before = number(incident.version.saturating_sub(1));
        let mut steps = vec![self.put_step(stored, Some(before))?];
        for (id, mark) in heard {
            let mut stored = item(&keys::mark(tenant, id), "mark", mark)?;
            stored.insert("exception".to_owned(), text(id));
            // One that is open is remembered until it ends, however long that takes.
            if mark.ended {
                stored.insert("ttl".to_owned(), forgotten.clone());
            }
            steps.push(self.put_step(stored, None)?);
        }
        match self.client.transact_write_items().set_transact_items(Some(steps)).send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(e)) if e.err().is_transaction_canceled_exception() => Ok(false),
            Err(error) => Err(trouble(error)),
        }
    }

    fn put_step(
        &self,
        stored: Item,
        version: Option<aws_sdk_dynamodb::types::AttributeValue>,
    ) -> Result<TransactWriteItem> {
        let put = Put::builder().table_name(&self.table).set_item(Some(stored));
        let put = match version {
            Some(version) => put
                .condition_expression("attribute_not_exists(pk) OR version = :v")
                .expression_attribute_values(":v", version),
            None => put,
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build())
    }
}
