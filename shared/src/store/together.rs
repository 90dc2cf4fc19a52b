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
    steps: Vec<TransactWriteItem>,
    /// Nobody tells where whoever came first was stopped.
    done: oneshot::Sender<Joint>,
}

/// What became of steps.
#[derive(Debug)]
pub(super) enum Joint {
    Done,
    /// Nobody came who fits together with them: here they are again.
    Alone(Vec<TransactWriteItem>),
    /// They were sent and refused, because of one of them or of another's, or not answered. They are not copied for that: it is seldom.
    Failed,
}

impl Together {
    /// Does all of the steps or none. Who is not told that they are done does them alone, and hears what stands in the way.
    pub(super) async fn done(&self, client: &Client, steps: Vec<TransactWriteItem>) -> Joint {
        let (done, told) = oneshot::channel();
        if self.join(Waiting { steps, done }) {
            let groups = grouped(self.gather().await);
            join_all(groups.into_iter().map(|group| send(client, group))).await;
        }
        told.await.unwrap_or(Joint::Failed)
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
    groups.retain(|group| !group.is_empty());
    groups
}

async fn send(client: &Client, mut group: Vec<Waiting>) {
    if group.len() == 1 {
        // Asked by itself it tells what stands in its way.
        let alone = group.remove(0);
        return tell(alone.done, Joint::Alone(alone.steps));
    }
    let (steps, told): (Vec<_>, Vec<_>) = group.into_iter().map(|waiting| (waiting.steps, waiting.done)).unzip();
    let steps = steps.into_iter().flatten().collect();
    let sent = client.transact_write_items().set_transact_items(Some(steps)).send().await.is_ok();
    told.into_iter().for_each(|done| tell(done, if sent { Joint::Done } else { Joint::Failed }));
}

fn tell(done: oneshot::Sender<Joint>, joint: Joint) {
    // Who was stopped meanwhile need not know.
    let _ = done.send(joint);
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
