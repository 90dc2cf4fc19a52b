//! Which records refer to which: an item for each, because a company may have thousands of people.

use super::{
    Store, item,
    keys::{self, Pk},
    read, unbuilt,
};
use crate::{
    error::Result,
    id::{RecordId, TenantId},
    record::{Object, Record},
};
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Edge {
    from: RecordId,
}

impl Store {
    /// The records that refer to this one, by one of its names.
    pub async fn referring(&self, tenant: &TenantId, object: &Object, name: &str) -> Result<Vec<RecordId>> {
        let (pk, mut found, mut after) = (keys::edges(tenant, object, name), Vec::new(), None);
        loop {
            let page = self.page(&pk, "", after.as_ref(), PAGE).await?;
            let last = page.last_evaluated_key.as_ref().and_then(|key| key.get("sk")?.as_s().ok().cloned());
            after = last.map(|sk| Pk { pk: pk.clone(), sk });
            for one in page.items.unwrap_or_default() {
                found.push(read::<Edge>(one)?.from);
            }
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// The steps of a transaction by which a record's references become others.
    pub(super) fn moved_edges(&self, before: Option<&Record>, after: &Record) -> Result<Vec<TransactWriteItem>> {
        let had = before.map(Record::references).unwrap_or_default();
        let has = after.references();
        let mut steps = Vec::new();
        for (field, to, name) in has.difference(&had) {
            let at = keys::edge(&after.tenant, to, name, field, &after.id);
            let put = Put::builder().table_name(&self.table);
            let put = put.set_item(Some(item(&at, "edge", &Edge { from: after.id.clone() })?));
            steps.push(TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build());
        }
        for (field, to, name) in had.difference(&has) {
            let at = keys::edge(&after.tenant, to, name, field, &after.id);
            let delete = Delete::builder().table_name(&self.table).set_key(Some(at.attributes()));
            steps.push(TransactWriteItem::builder().delete(delete.build().map_err(unbuilt)?).build());
        }
        Ok(steps)
    }
}

/// Edges of one read.
const PAGE: i32 = 500;
