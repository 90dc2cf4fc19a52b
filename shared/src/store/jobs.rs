//! Imports and exports: each is one item, which says how far it is.

use super::{Store, item, keys::Pk, read, trouble, where_it_held};
use crate::{context::plus, error::Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;

/// Long work on a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job<T> {
    pub of: T,
    /// Counts its changes: whoever changes it names the one before.
    pub rev: u64,
    /// Seconds since 1970; DynamoDB removes the item some time after, as S3 its files.
    pub ttl: i64,
}

/// As long as the template lets their files lie.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

impl<T> Job<T> {
    pub fn new(of: T, now: Timestamp) -> Job<T> {
        Job { of, rev: 1, ttl: plus(now, KEPT).as_second() }
    }
}

impl Store {
    pub async fn job<T: DeserializeOwned>(&self, at: &Pk) -> Result<Option<Job<T>>> {
        self.get(at).await
    }

    /// Stores a new one.
    pub async fn put_job<T: Serialize>(&self, at: &Pk, job: &Job<T>) -> Result<()> {
        let call = self.client.put_item().table_name(&self.table).set_item(Some(item(at, "job", job)?));
        call.send().await.map(drop).map_err(trouble)
    }

    /// Puts what it is now in the place of what it was; `None` where somebody else did meanwhile.
    pub async fn advance_job<T: Serialize>(&self, at: &Pk, was: &Job<T>, is: T) -> Result<Option<Job<T>>> {
        let job = Job { of: is, rev: was.rev + 1, ttl: was.ttl };
        let call = self.client.put_item().table_name(&self.table).set_item(Some(item(at, "job", &job)?));
        let call = call.condition_expression("rev = :was").expression_attribute_values(":was", super::number(was.rev));
        Ok(where_it_held(call.send().await)?.map(|_| job))
    }

    /// A page of a tenant's, the newest first, and the key after which the next one begins.
    pub async fn job_page<T: DeserializeOwned>(
        &self,
        pk: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<Job<T>>, Option<String>)> {
        let after = after.map(|sk| Pk { pk: pk.to_owned(), sk: sk.to_owned() });
        let page = self.query(pk, "", after.as_ref(), limit).scan_index_forward(false).send().await.map_err(trouble)?;
        let next = page.last_evaluated_key.as_ref().and_then(Pk::of).map(|at| at.sk);
        Ok((page.items.unwrap_or_default().into_iter().map(read).collect::<Result<_>>()?, next))
    }
}
