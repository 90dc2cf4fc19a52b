//! A batch of queue messages, and what becomes of each.

use crate::{
    app::App,
    error::{Error, Fate, Result},
    queue::{receives, sent},
    telemetry::chain,
};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// A message that was read.
pub(super) struct Message<T> {
    pub(super) job: T,
    pub(super) id: String,
    /// How often it was received, this time included.
    pub(super) receives: u32,
    /// When it was sent, by the queue's clock.
    pub(super) sent: Option<Timestamp>,
    receipt: String,
}

impl<T> Message<T> {
    /// The same message, with what became of its job.
    pub(super) fn with<U>(self, job: U) -> Message<U> {
        Message { job, id: self.id, receives: self.receives, sent: self.sent, receipt: self.receipt }
    }
}

/// The messages of one invocation. Those that are kept are hidden and reported; the rest is done.
pub(super) struct Batch<'a> {
    app: &'a App,
    queue: &'a str,
    kept: Mutex<SqsBatchResponse>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(app: &'a App, queue: &'a str) -> Batch<'a> {
        Batch { app, queue, kept: Mutex::default() }
    }

    /// The messages that can be read; the others go to the dead-letter queue by being received too often, loudly.
    pub(super) fn read<T: DeserializeOwned>(&self, event: SqsEvent) -> Vec<Message<T>> {
        let mut messages = Vec::with_capacity(event.records.len());
        for message in event.records {
            let id = message.message_id.clone().unwrap_or_default();
            match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
                Ok(job) => messages.push(Message {
                    job,
                    id,
                    receives: receives(&message),
                    sent: sent(&message),
                    receipt: message.receipt_handle.unwrap_or_default(),
                }),
                Err(error) => {
                    tracing::error!(message.id = id, error = chain(&error), "a message of ours cannot be read");
                    self.list(id);
                }
            }
        }
        messages
    }

    /// Parts off the messages that ended their function before. From its second receive on it is noted that work on a
    /// message begins, and after it, that the function has [survived](Self::survived).
    pub(super) async fn killers<T>(
        &self,
        messages: Vec<Message<T>>,
        now: Timestamp,
    ) -> Result<(Vec<Message<T>>, Vec<Message<T>>)> {
        let (mut killers, mut plain) = (Vec::new(), Vec::new());
        for message in messages {
            let again = message.receives > 1;
            match again && self.app.store.begin_suspect(self.queue, &message.id, now).await? > 0 {
                true => killers.push(message),
                false => plain.push(message),
            }
        }
        Ok((killers, plain))
    }

    pub(super) async fn survived<'m, T: 'm>(&self, messages: impl Iterator<Item = &'m Message<T>>) -> Result<()> {
        for message in messages.filter(|message| message.receives > 1) {
            self.app.store.clear_suspect(self.queue, &message.id).await?;
        }
        Ok(())
    }

    /// What an error makes of a message.
    pub(super) async fn settle<T>(&self, message: &Message<T>, error: &Error, trace: &str) {
        match error.fate(message.receives) {
            Fate::Done => tracing::warn!(error = chain(error), trace, "set aside until a person acts"),
            Fate::Again { after } => {
                tracing::info!(error = chain(error), after = after.as_secs(), trace, "later");
                self.keep(message, after).await;
            }
            Fate::Dead => {
                tracing::error!(error = chain(error), trace, "a broken assumption");
                self.keep(message, Duration::from_secs(300)).await;
            }
        }
    }

    /// Hands a message back, hidden for a while.
    pub(super) async fn keep<T>(&self, message: &Message<T>, after: Duration) {
        self.app.queue.hide(self.queue, &message.receipt, after).await;
        self.list(message.id.clone());
    }

    /// Whether a message is handed back.
    pub(super) fn is_kept(&self, id: &str) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.batch_item_failures.iter().any(|failure| failure.item_identifier == id)
    }

    fn list(&self, id: String) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.batch_item_failures.iter().any(|failure| failure.item_identifier == id) {
            return;
        }
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        kept.batch_item_failures.push(failure);
    }

    pub(super) fn response(self) -> SqsBatchResponse {
        self.kept.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
