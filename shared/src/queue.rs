//! SQS, as the functions use it: send many, and hide what comes back later.

use crate::{
    change::{Pull, Work},
    error::{Error, Result},
    id::{ConnectionId, TenantId, hex},
};
use aws_lambda_events::sqs::SqsMessage;
use aws_sdk_sqs::{Client, error::ProvideErrorMetadata, types::SendMessageBatchRequestEntry};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    body: String,
    /// A FIFO queue hands out one group's messages in order; a standard queue shares itself fairly among groups.
    group: String,
    deduplication: Option<String>,
}

impl Outgoing {
    pub fn new<T: Serialize>(body: &T, group: &impl ToString) -> Result<Outgoing> {
        let body = serde_json::to_string(body).map_err(|e| Error::bug("a message that is no JSON").because(e))?;
        Ok(Outgoing { body, group: name(&group.to_string()), deduplication: None })
    }

    /// Work on a connection, which is done in its order. What a person decided may have to wait, and what is fetched may take long: they keep
    /// nothing else from going on.
    pub fn of_pull(pull: &Pull) -> Result<Outgoing> {
        let group = group(&pull.tenant, &pull.connection);
        match pull.work {
            Work::Rested(_) => Outgoing::new(pull, &format!("{group}.decided")),
            Work::Fetch(_) => Outgoing::new(pull, &format!("{group}.fetched")),
            Work::Undo { .. } => Outgoing::new(pull, &format!("{group}.undone")),
            Work::Compare(_) => Outgoing::new(pull, &format!("{group}.compared")),
            _ => Outgoing::new(pull, &group),
        }
    }

    /// For FIFO queues: a message with an id that was sent within five minutes is swallowed.
    pub fn deduplicated(self, id: &str) -> Outgoing {
        Outgoing { deduplication: Some(name(id)), ..self }
    }
}

/// The message group of one connection: ids of connections are told apart by their tenant.
pub fn group(tenant: &TenantId, connection: &ConnectionId) -> String {
    format!("{tenant}.{connection}")
}

/// A name as SQS takes it for groups and deduplication: 128 characters of ASCII; any other is replaced by its digest.
fn name(name: &str) -> String {
    match name.len() <= 128 && name.chars().all(|c| c.is_ascii_graphic()) {
        true => name.to_owned(),
        false => hex(&Sha256::digest(name)),
    }
}

/// The most that SQS takes in one call.
const MOST: usize = 10;
/// SQS hides a message for 12 hours at most, counted from when it was received.
const LONGEST: Duration = Duration::from_secs(11 * 3600);

impl Queue {
    pub fn new(client: Client) -> Queue {
        Queue { client }
    }

    /// Sends all of them, ten in a call.
    pub async fn send(&self, url: &str, messages: &[Outgoing]) -> Result<()> {
        for chunk in messages.chunks(MOST) {
            let mut entries = Vec::with_capacity(chunk.len());
            for (place, message) in chunk.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(&message.body);
                let entry =
                    entry.message_group_id(&message.group).set_message_deduplication_id(message.deduplication.clone());
                entries.push(entry.build().map_err(|e| Error::bug("a message without its body").because(e))?);
            }
            let sent = self.client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
            let sent = sent.map_err(|e| {
                Error::retryable(format!("SQS: {}", e.code().unwrap_or("no answer"))).because(e.into_service_error())
            })?;
            if let Some(failed) = sent.failed.first() {
                return Err(Error::retryable(format!("SQS took a part of a batch: {}", failed.code)));
            }
        }
        Ok(())
    }

    /// Hides a received message for a while, never for less. A failure to is borne: the message comes back earlier.
    pub async fn hide(&self, url: &str, receipt: &str, after: Duration) {
        let seconds = i32::try_from(after.min(LONGEST).as_millis().div_ceil(1000)).unwrap_or(i32::MAX);
        let call = self.client.change_message_visibility().queue_url(url).receipt_handle(receipt);
        if let Err(error) = call.visibility_timeout(seconds).send().await {
            tracing::warn!(code = error.code(), "a message comes back earlier than it should");
        }
    }
}

/// When a message was sent.
pub fn sent(message: &SqsMessage) -> Option<Timestamp> {
    Timestamp::from_millisecond(message.attributes.get("SentTimestamp")?.parse().ok()?).ok()
}

/// How often a message was received, this time included.
pub fn receives(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|n| n.parse().ok()).unwrap_or(1)
}
