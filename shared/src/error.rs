//! Why something failed, named by what the caller must do next.

use std::time::Duration;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What lies beneath an error; printed once, with the whole chain, where the message is handled.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a call failed. A record that a CRM refuses is not an error but an outcome.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The quota is gone: this whole connection waits.
    #[error("rate limited, free again in {after:?}")]
    RateLimited { after: Duration },
    /// The network, a 5xx, contention: the same call may go through later.
    #[error("temporary failure: {what}")]
    Retryable { what: String, after: Option<Duration>, source: Option<Source> },
    /// The credentials are not accepted; where they can be refreshed, that was tried.
    #[error("credentials are not accepted: {reason}")]
    AuthExpired { reason: String },
    /// Something a person must change: a permission, a setting, a mapping.
    #[error("needs a person: {reason}")]
    Config { reason: String },
    /// A broken assumption of ours.
    #[error("broken assumption: {what}")]
    Bug { what: String, source: Option<Source> },
}

impl Error {
    pub fn retryable(what: impl Into<String>) -> Error {
        Error::Retryable { what: what.into(), after: None, source: None }
    }
    pub fn bug(what: impl Into<String>) -> Error {
        Error::Bug { what: what.into(), source: None }
    }
    pub fn because(self, cause: impl Into<Source>) -> Error {
        match self {
            Error::Retryable { what, after, .. } => Error::Retryable { what, after, source: Some(cause.into()) },
            Error::Bug { what, .. } => Error::Bug { what, source: Some(cause.into()) },
            other @ (Error::RateLimited { .. } | Error::AuthExpired { .. } | Error::Config { .. }) => other,
        }
    }
}

/// What becomes of a queue message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Deleted: done, or kept where a person will see it.
    Done,
    /// Handed back, hidden for a while.
    Again { after: Duration },
    /// Moved to the dead-letter queue.
    Dead,
}

impl Error {
    /// The only bridge from errors to SQS. `receives` counts how often the message was received.
    pub fn fate(&self, receives: u32) -> Fate {
        match self {
            Error::RateLimited { after } => Fate::Again { after: *after },
            Error::Retryable { after, .. } => Fate::Again { after: after.unwrap_or_default().max(backoff(receives)) },
            Error::AuthExpired { .. } | Error::Config { .. } => Fate::Done,
            Error::Bug { .. } => Fate::Dead,
        }
    }
}

/// 1 s, 2 s, 4 s … 256 s.
fn backoff(receives: u32) -> Duration {
    Duration::from_secs(1 << receives.saturating_sub(1).min(8))
}
