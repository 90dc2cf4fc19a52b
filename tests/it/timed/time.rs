//! A clock that stands still while anybody works, and goes on to the next thing that somebody waits for.

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use shared::context::{Clock, plus};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

#[derive(Debug)]
pub(crate) struct Time {
    now: Mutex<Timestamp>,
    waiting: Mutex<BTreeMap<(Timestamp, u64), oneshot::Sender<()>>>,
    /// Counts who began to wait or was woken.
    pub(crate) moves: AtomicU64,
}

impl Time {
    pub(crate) fn from(now: Timestamp) -> Time {
        Time { now: Mutex::new(now), waiting: Mutex::default(), moves: AtomicU64::new(0) }
    }

    /// When the first of those who wait goes on.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.waiting.lock().unwrap().first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn count(&self) -> usize {
        self.waiting.lock().unwrap().len()
    }

    pub(crate) fn advance(&self, to: Timestamp) {
        *self.now.lock().unwrap() = to;
        let mut waiting = self.waiting.lock().unwrap();
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= to) {
            // Nobody waits any more where a call was given up.
            first.remove().send(()).unwrap_or_default();
            self.moves.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn moment(&self, time: Duration) -> BoxFuture<'_, ()> {
        let (wake, woken) = oneshot::channel();
        let nth = self.moves.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().unwrap().insert((plus(self.now(), time), nth), wake);
        woken.map(drop).boxed()
    }
}
