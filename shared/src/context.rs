//! What one invocation knows: its time, its deadline, and the id that runs through its logs.

use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub struct Context {
    started: (Instant, Timestamp),
    /// No work is begun beyond this.
    pub deadline: Instant,
    /// Runs through message, record, push, CRM call and log.
    pub trace: String,
}

/// What handing back unfinished work takes.
const RESERVE: Duration = Duration::from_secs(3);

impl Context {
    /// `now` is the time that the work goes by; it passes as real time does.
    pub fn new(now: Timestamp, left: Duration, trace: impl Into<String>) -> Context {
        let instant = Instant::now();
        Context { started: (instant, now), deadline: instant + left.saturating_sub(RESERVE), trace: trace.into() }
    }

    pub fn now(&self) -> Timestamp {
        let (instant, at) = self.started;
        at.saturating_add(SignedDuration::try_from(instant.elapsed()).unwrap_or_default()).unwrap_or(at)
    }

    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The same invocation, on behalf of another message.
    pub fn traced(&self, trace: &str) -> Context {
        Context { trace: trace.to_owned(), ..self.clone() }
    }
}
