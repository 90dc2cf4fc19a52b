//! What the journal could not keep lies whole in a bucket, and is kept after all once the cause is gone.

use super::journal::Told;
use crate::{
    app::App,
    context::Context,
    error::{Error, Result},
    history::Entry,
    store::{Exception, Open},
};
use aws_lambda_events::dynamodb::Event as Streamed;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A batch of changes that the journal was given until Lambda gave it up, mostly a single one.
#[derive(Clone, Debug)]
pub struct Missed {
    pub key: String,
    /// When it was given up.
    pub at: Timestamp,
    /// Why, as Lambda says it: `RetryAttemptsExhausted`, …
    pub condition: String,
    /// The last invocation, as the function's log names it.
    pub request: String,
    pub tries: u32,
    event: Streamed,
}

/// How the names of Lambda's files begin: `aws/lambda/<event source>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random>`
/// (AWS Lambda docs: <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>).
const PREFIX: &str = "aws/lambda/";

/// What Lambda puts into S3 for a batch of a stream that it gives up (same page). The event is JSON within the JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    request_context: Request,
    timestamp: Timestamp,
    payload: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    request_id: String,
    condition: String,
    approximate_invoke_count: u32,
}

impl Missed {
    /// How many changes it tells.
    pub fn changes(&self) -> usize {
        self.event.records.len()
    }

    fn read(key: &str, file: &[u8]) -> Result<Missed> {
        // The JSON's error could quote the file, which holds people.
        let odd = || Error::Config { reason: format!("{key} is not what Lambda writes of a batch that failed") };
        let Failure { request_context: request, timestamp: at, payload } =
            serde_json::from_slice(file).map_err(|_| odd())?;
        let event = serde_json::from_str(&payload).map_err(|_| odd())?;
        let Request { request_id: request, condition, approximate_invoke_count: tries } = request;
        Ok(Missed { key: key.to_owned(), at, condition, request, tries, event })
    }
}

impl App {
    /// The names of all files that tell what the journal could not keep.
    pub async fn all_missed(&self) -> Result<Vec<String>> {
        self.failures.names(PREFIX).await
    }

    pub async fn missed(&self, key: &str) -> Result<Missed> {
        Missed::read(key, &self.failures.whole(key).await?)
    }

    /// Keeps what was missed, by the journal's own way, and takes its file away. To do it again changes nothing: entries have the
    /// change's own key, events and requests their own id.
    pub async fn replay(&self, cx: &Context, missed: &Missed) -> Result<()> {
        let mut told = Told::of(&missed.event)?;
        told.raised = self.still_open(told.raised).await?;
        told.keep(self, cx).await?;
        self.forget_again(&told).await?;
        self.failures.delete(&missed.key).await
    }

    /// Nobody is alerted of what ended long ago: its end was told already, and would not be told again.
    async fn still_open(&self, raised: Vec<Exception>) -> Result<Vec<Exception>> {
        let mut open = Vec::new();
        for exception in raised {
            let now = self.store.exception(&exception.tenant, &exception.id).await?;
            if now.is_some_and(|now| now.state == Open::Open && now.at == exception.at) {
                open.push(exception);
            }
        }
        Ok(open)
    }

    /// The stream keeps a record's order and a replay does not: whoever was erased meanwhile has values in the history again. They are
    /// looked for afterwards, because whoever is erased later still is erased by the journal.
    async fn forget_again(&self, told: &Told) -> Result<()> {
        let changed = |entry: &Entry| match entry {
            Entry::Change { tenant, record, .. } => Some((tenant.clone(), record.clone())),
            Entry::Timeline { .. } => None,
        };
        for (tenant, record) in told.entries.iter().filter_map(changed).collect::<BTreeSet<_>>() {
            self.history.erase(&tenant, &record, self.store.settings(&tenant).await?.retention).await?;
        }
        Ok(())
    }
}
