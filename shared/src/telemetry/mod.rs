//! Logs and metrics. A log line reads alone and carries fields; it never holds a name, an e-mail address, a phone or a secret.

mod metrics;
mod table;

pub use metrics::{DEFAULT_NAMESPACE, Metrics};
pub use table::Metric;

use crate::{
    app::App,
    context::Context,
    id::{ConnectionId, TenantId},
    watch::Counts,
};
use jiff::Timestamp;
use std::error::Error;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// JSON lines on standard output, which Lambda keeps.
#[expect(clippy::disallowed_methods, reason = "what is logged is settled before anything else")]
pub fn init() {
    let named = std::env::var("RUST_LOG").ok().and_then(|named| named.parse().ok());
    let filter = named.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().json();
    let lines = lines.flatten_event(true).with_current_span(false).with_span_list(false);
    if tracing_subscriber::registry().with(lines).with(filter).try_init().is_err() {
        tracing::debug!("logs are set up already");
    }
}

/// An error and everything beneath it, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut beneath = error.source();
    while let Some(cause) = beneath {
        line = format!("{line}: {cause}");
        beneath = cause.source();
    }
    line
}

impl App {
    /// At an invocation's end: stores what was done for each connection, which the watchdog reads, or keeps it in mind for a minute; and
    /// its metrics, as lines of the log.
    pub async fn report(&self, cx: &Context) -> Vec<String> {
        self.keep_counts(self.held.due(cx.metrics.connections(), cx.now())).await;
        cx.metrics.lines(&self.settings.metrics, cx.now())
    }

    /// Stores what is kept in mind, before a process ends by itself.
    pub async fn flush(&self) {
        self.keep_counts(self.held.all()).await;
    }

    async fn keep_counts(&self, due: Vec<((TenantId, ConnectionId), Timestamp, Counts)>) {
        for ((tenant, id), at, counts) in due {
            if let Err(error) = self.store.count(&tenant, &id, &counts, at).await {
                // Work that was done is not done again for the sake of counting it.
                tracing::warn!(connection.id = %id, error = chain(&error), "could not be counted");
            }
        }
    }
}
