//! The door's keeper: no call passes that the limits have no room for.

use super::{Answered, Ask, Book, Told, Weight, book::Next};
use crate::{
    context::{Clock, plus, until},
    error::{Error, Result},
};
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Asks the ledger that all instances share.
pub type Keeper = Arc<dyn Fn(Ask, Timestamp) -> BoxFuture<'static, Result<Answered>> + Send + Sync>;

/// One session's part of a connection's limits.
#[derive(Clone)]
pub struct Budget {
    pub book: Arc<Mutex<Book>>,
    pub keeper: Keeper,
    pub clock: Arc<dyn Clock>,
    /// A window had no room left, which is no reason to stop anyone else.
    pub full: Arc<AtomicBool>,
    /// Calls that were let through.
    pub calls: Arc<AtomicUsize>,
    /// One at a time asks the ledger.
    pub asking: Arc<tokio::sync::Mutex<()>>,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("book", &self.book).finish_non_exhaustive()
    }
}

/// A place in a window is waited for no longer, however often it is gone again: for more, a message is hidden. So long ten calls
/// wait for HubSpot's searches where two instances share them.
const PATIENCE: Duration = Duration::from_secs(6);

/// A call under way; it ends with this.
#[must_use]
pub struct Admitted<'a> {
    budget: &'a Budget,
    weight: Weight,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.budget.on_book(|book, now| book.ended(self.weight, now));
    }
}

impl Budget {
    /// Counts a call in until it has ended, or refuses it before it is made. Nothing is waited for beyond the deadline.
    pub async fn admit(&self, weight: Weight, deadline: Timestamp) -> Result<Admitted<'_>> {
        let latest = plus(self.clock.now(), PATIENCE).min(deadline);
        loop {
            match self.on_book(|book, now| book.next(weight, now)) {
                Next::Go => {
                    self.calls.fetch_add(1, Ordering::Relaxed);
                    return Ok(Admitted { budget: self, weight });
                }
                Next::Ask => self.ask(weight).await?,
                Next::Spent { wait } => return Err(Error::RateLimited { after: wait }),
                Next::Full { until: free, rest } => {
                    let wait = until(self.clock.now(), free);
                    if free > latest {
                        self.full.store(true, Ordering::Relaxed);
                        return Err(Error::RateLimited { after: wait.max(rest) });
                    }
                    self.clock.moment(wait).await;
                }
            }
        }
    }

    /// Percent of the account's calls for the day that are used, as far as anybody told.
    pub fn used(&self) -> Option<u8> {
        self.on_book(|book, now| book.used(now))
    }

    /// Takes note of what an answer told.
    pub fn told(&self, told: Told) {
        self.on_book(|book, now| book.told(told, now));
    }

    async fn ask(&self, weight: Weight) -> Result<()> {
        let _alone = self.asking.lock().await;
        let Some(ask) = self.on_book(|book, now| book.ask(weight, now)) else { return Ok(()) };
        let now = self.clock.now();
        let answered = (self.keeper)(ask.clone(), now).await?;
        self.on_book(|book, _| book.answered(&ask, &answered, now));
        Ok(())
    }

    fn on_book<T>(&self, work: impl FnOnce(&mut Book, Timestamp) -> T) -> T {
        work(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner), self.clock.now())
    }
}
