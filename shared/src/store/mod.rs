//! The state table, by access pattern. Everything is read consistently: a stale read could take work for done.

mod alerts;
mod claims;
mod connections;
mod deletions;
mod edges;
mod engagement;
mod exceptions;
mod jobs;
pub mod keys;
mod leases;
mod pulse;
mod quota;
mod records;
mod rosters;
mod settings;
mod tenants;
pub mod tickets;
mod together;
mod transact;

pub use connections::{Ready, Renewal};
pub use deletions::Tally;
pub use exceptions::{Exception, Open};
pub use jobs::Job;
pub use leases::{KILLS, Lease, MOST_KILLS};
pub use pulse::Watched;
pub use records::{Became, Commit, Lost, Merge, Once, Place};
pub use rosters::Compared;
pub use settings::Setting;
pub use tenants::Tenancy;

use crate::error::{Error, Result};
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        batch_get_item::BatchGetItemError,
        query::{QueryOutput, builders::QueryFluentBuilder},
    },
    types::{AttributeValue, KeysAndAttributes},
};
use futures::{StreamExt, TryStreamExt, stream};
use keys::Pk;
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::HashMap, time::Duration};
use together::Together;

/// Single writes that are sent at the same time.
const AT_ONCE: usize = 16;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The state table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    together: Together,
}

impl Store {
    pub fn new(client: Client, table: String) -> Store {
        Store { client, table, together: Together::default() }
    }

    async fn get<T: DeserializeOwned>(&self, at: &Pk) -> Result<Option<T>> {
        let call = self.client.get_item().table_name(&self.table).consistent_read(true).set_key(Some(at.attributes()));
        Box::pin(call.send()).await.map_err(trouble)?.item.map(read).transpose()
    }

    /// The items at these keys, in any order; a hundred in one call.
    async fn get_all(&self, at: &[Pk]) -> Result<Vec<Item>> {
        let mut distinct = at.to_vec();
        distinct.sort();
        distinct.dedup();
        let mut items = Vec::with_capacity(distinct.len());
        for chunk in distinct.chunks(100) {
            let mut left: Vec<Item> = chunk.iter().map(Pk::attributes).collect();
            for _ in 0..8 {
                let wanted =
                    KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build().map_err(unbuilt)?;
                let answer = self.client.batch_get_item().request_items(&self.table, wanted).send().await;
                let mut answer = answer.map_err(trouble::<BatchGetItemError>)?;
                items.extend(answer.responses.as_mut().and_then(|r| r.remove(&self.table)).unwrap_or_default());
                left = answer
                    .unprocessed_keys
                    .as_mut()
                    .and_then(|u| u.remove(&self.table))
                    .map(|k| k.keys)
                    .unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            if !left.is_empty() {
                return Err(Error::retryable("the table answers only a part of a batched read"));
            }
        }
        Ok(items)
    }

    /// Removes items, whatever they are by now.
    async fn forget(&self, at: Vec<Pk>) -> Result<()> {
        let delete = |at: Pk| async move {
            let call = self.client.delete_item().table_name(&self.table).set_key(Some(at.attributes()));
            call.send().await.map(drop).map_err(trouble)
        };
        stream::iter(at).map(delete).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// A partition's items whose sort key begins with `prefix`, to the end.
    async fn all(&self, pk: &str, prefix: &str) -> Result<Vec<Item>> {
        let (mut after, mut items) = (None, Vec::new());
        loop {
            let page = self.page(pk, prefix, after.as_ref(), 1_000).await?;
            items.extend(page.items.unwrap_or_default());
            after = page.last_evaluated_key.as_ref().and_then(Pk::of);
            if after.is_none() {
                return Ok(items);
            }
        }
    }

    /// One page of a partition's items whose sort key begins with `prefix` and comes after `after`.
    async fn page(&self, pk: &str, prefix: &str, after: Option<&Pk>, limit: i32) -> Result<QueryOutput> {
        self.query(pk, prefix, after, limit).send().await.map_err(trouble)
    }

    fn query(&self, pk: &str, prefix: &str, after: Option<&Pk>, limit: i32) -> QueryFluentBuilder {
        let call = self.client.query().table_name(&self.table).consistent_read(true).limit(limit);
        let call = match prefix {
            "" => call.key_condition_expression("pk = :pk"),
            _ => call
                .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
                .expression_attribute_values(":sk", text(prefix)),
        };
        call.expression_attribute_values(":pk", text(pk)).set_exclusive_start_key(after.map(Pk::attributes))
    }
}

impl Pk {
    /// Where an item is.
    fn of(item: &Item) -> Option<Pk> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Pk { pk: text("pk")?, sk: text("sk")? })
    }

    fn attributes(&self) -> Item {
        HashMap::from([("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))])
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(format!("{value}"))
}

pub(crate) fn read<T: DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::from_item(item).map_err(|e| Error::bug("an item of the table is not what its key says").because(e))
}

pub(crate) fn attribute<T: Serialize>(value: &T) -> Result<AttributeValue> {
    serde_dynamo::to_attribute_value(value).map_err(|e| Error::bug("a value does not fit the table").because(e))
}

/// An item of the table: its body's attributes, its key, and what kind it is.
pub(crate) fn item<T: Serialize>(at: &Pk, kind: &str, body: &T) -> Result<Item> {
    let mut item: Item =
        serde_dynamo::to_item(body).map_err(|e| Error::bug("a value does not fit the table").because(e))?;
    item.extend(at.attributes());
    item.insert("kind".to_owned(), text(kind));
    Ok(item)
}

/// Bytes of an item, no fewer than DynamoDB counts (Amazon DynamoDB docs: Item sizes and formats).
fn bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + 1 + bytes_of(value)).sum()
}

fn bytes_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len() + 1,
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + bytes_of(value)).sum::<usize>(),
        AttributeValue::M(values) => 3 + bytes(values),
        // A record has neither sets nor bytes.
        _ => 1,
    }
}

/// What a conditional call answered; `None` where its condition did not hold.
pub(crate) fn where_it_held<T, E>(sent: std::result::Result<T, SdkError<E>>) -> Result<Option<T>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match sent {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        Err(error) => Err(trouble(error)),
    }
}

/// Everything that can go wrong with the table, apart from conditions, goes away by itself.
pub(crate) fn trouble<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static>(
    error: SdkError<E>,
) -> Error {
    match error.code() {
        Some("ValidationException") => {
            let said = error.message().unwrap_or_default().to_owned();
            Error::bug(format!("DynamoDB takes this for invalid: {said}"))
        }
        code => Error::retryable(format!("DynamoDB: {}", code.unwrap_or("no answer"))).because(error),
    }
}

pub(crate) fn unbuilt(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::bug("a request is not whole").because(error)
}
