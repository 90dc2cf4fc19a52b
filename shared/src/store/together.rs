//! What several ask for at the same time is sent as one transaction: a page of new contacts is four calls instead of a hundred.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, TransactWriteItem},
};
use futures::future::join_all;
use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::oneshot, task::yield_now};

/// Steps of one transaction (Amazon DynamoDB docs: TransactWriteItems). It takes 4 MB too, which a hundred common records are far from.
const MOST: usize = 100;

/// Those who wait until the one that came first sends for all.
#[derive(Clone, Debug, Default)]
pub(super) struct Together(Arc<Mutex<Vec<Waiting>>>);

#[derive(Debug)]
struct Waiting {
    /// Shared with whoever asks, who does them alone where nobody else came: they are copied only where several go together.
    steps: Arc<Vec<TransactWriteItem>>,
    /// Whether they were done. Nobody tells where whoever came first was stopped.
    done: oneshot::Sender<bool>,
}

impl Together {
    /// Whether the steps were done, all of them. Where they were not, each does its own, and hears what stood in its way.
    pub(super) async fn done(&self, client: &Client, steps: &Arc<Vec<TransactWriteItem>>) -> bool {
        let (done, told) = oneshot::channel();
        if self.join(Waiting { steps: steps.clone(), done }) {
            let groups = grouped(self.gather().await);
            join_all(groups.into_iter().map(|group| send(client, group))).await;
        }
        told.await.unwrap_or(false)
    }

    /// Whether nobody was there before.
    fn join(&self, waiting: Waiting) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(waiting);
        all.len() == 1
    }

    /// All who come to the same place while this one waits for them.
    async fn gather(&self) -> Vec<Waiting> {
        let _lead = Lead(self);
        yield_now().await;
        self.take()
    }

    fn take(&self) -> Vec<Waiting> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends whoever waits on their own ways when it is stopped before it has taken them along.
struct Lead<'a>(&'a Together);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

/// Those who go together: DynamoDB takes one step per item in a transaction.
fn grouped(all: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let (mut groups, mut group, mut places, mut steps) = (Vec::new(), Vec::new(), HashSet::new(), 0);
    for waiting in all {
        let own: Vec<Place> = waiting.steps.iter().filter_map(place).collect();
        let fits = steps + waiting.steps.len() <= MOST && !own.iter().any(|place| places.contains(place));
        if !fits {
            groups.push(mem::take(&mut group));
            places.clear();
            steps = 0;
        }
        steps += waiting.steps.len();
        places.extend(own);
        group.push(waiting);
    }
    groups.push(group);
    groups
}

async fn send(client: &Client, group: Vec<Waiting>) {
    let (steps, told): (Vec<_>, Vec<_>) = group.into_iter().map(|waiting| (waiting.steps, waiting.done)).unzip();
    // Alone it is asked by itself, which tells what stands in its way.
    let sent = told.len() > 1 && {
        let steps = steps.iter().flat_map(|steps| steps.iter().cloned()).collect();
        client.transact_write_items().set_transact_items(Some(steps)).send().await.is_ok()
    };
    drop(steps);
    for done in told {
        // Who was stopped meanwhile need not know.
        let _ = done.send(sent);
    }
}

type Place = (String, String);

/// The key of the item that a step is about.
fn place(step: &TransactWriteItem) -> Option<Place> {
    let of = |item: &std::collections::HashMap<String, AttributeValue>| {
        Some((item.get("pk")?.as_s().ok()?.clone(), item.get("sk")?.as_s().ok()?.clone()))
    };
    let put = || of(step.put()?.item());
    let update = || of(step.update()?.key());
    let delete = || of(step.delete()?.key());
    put().or_else(update).or_else(delete)
}
