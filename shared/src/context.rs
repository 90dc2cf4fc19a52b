//! What one invocation knows: its time, its deadline, and the id that runs through its logs.

use crate::{
    cause::{By, Cause},
    telemetry::Metrics,
};
use futures::future::{BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// The time that work goes by.
pub trait Clock: fmt::Debug + Send + Sync {
    fn now(&self) -> Timestamp;
    /// Lets a moment pass: less than a queue can count.
    fn moment(&self, time: Duration) -> BoxFuture<'_, ()>;
}

/// Real time, counted from when the invocation began.
#[derive(Debug)]
struct Began(Instant, Timestamp);

impl Clock for Began {
    fn now(&self) -> Timestamp {
        plus(self.1, self.0.elapsed())
    }
    fn moment(&self, time: Duration) -> BoxFuture<'_, ()> {
        tokio::time::sleep(time).boxed()
    }
}

#[derive(Clone, Debug)]
pub struct Context {
    pub clock: Arc<dyn Clock>,
    /// No work is begun beyond this.
    pub deadline: Timestamp,
    /// Runs through message, record, push, CRM call and log.
    pub trace: String,
    /// The person who asked for it, by their issuer's name for them; nobody where it happens by itself.
    pub actor: Option<String>,
    /// What it measures, on behalf of whomever.
    pub metrics: Arc<Metrics>,
}

/// What handing back unfinished work takes.
const RESERVE: Duration = Duration::from_secs(3);

impl Context {
    /// `now` is the time that the work goes by; it passes as real time does.
    pub fn new(now: Timestamp, left: Duration, trace: impl Into<String>) -> Context {
        Context::by(Arc::new(Began(Instant::now(), now)), left, trace)
    }

    /// An invocation that goes by another clock than the real one.
    pub fn by(clock: Arc<dyn Clock>, left: Duration, trace: impl Into<String>) -> Context {
        let now = clock.now();
        let deadline = plus(now, left.saturating_sub(RESERVE));
        Context { clock, deadline, trace: trace.into(), actor: None, metrics: Arc::new(Metrics::since(now)) }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn left(&self) -> Duration {
        until(self.now(), self.deadline)
    }

    /// The same invocation, on behalf of another message.
    pub fn traced(&self, trace: &str) -> Context {
        Context { trace: trace.to_owned(), ..self.clone() }
    }
}

impl Context {
    /// The same invocation, on behalf of a person.
    pub fn of(&self, actor: Option<String>) -> Context {
        Context { actor, ..self.clone() }
    }

    /// The same invocation, less the time of what comes after.
    pub fn before(&self, after: Duration) -> Context {
        let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
        let deadline = self.deadline.saturating_sub(after).unwrap_or(self.deadline);
        Context { deadline, ..self.clone() }
    }

    /// Why a record changes now.
    pub fn cause(&self, by: By) -> Cause {
        Cause { actor: self.actor.clone(), ..Cause::new(by, &self.trace, self.now()) }
    }
}

/// A time later than another one.
pub fn plus(at: Timestamp, time: Duration) -> Timestamp {
    at.saturating_add(SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)).unwrap_or(at)
}

/// How long it is from one time to another; nothing where that has passed.
pub fn until(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
