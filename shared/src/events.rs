//! EventBridge, as the functions use it: what happened, told to whoever listens.

use crate::{
    app::App,
    error::{Error, Result},
};
use aws_sdk_eventbridge::{error::ProvideErrorMetadata, types::PutEventsRequestEntry};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value as Json;

/// Events in one call.
const MOST: usize = 10;
/// Bytes of one call, all its events together: EventBridge ends at 256 KB (Amazon EventBridge docs: PutEvents event entry size).
const MOST_BYTES: usize = 250 * 1024;
/// Calls at the same time.
const AT_ONCE: usize = 8;
/// Of an event besides what it tells: who tells it.
const SOURCE: &str = "crm-sync";

/// Something that happened. What it tells has an `id`, which is the same however often it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub kind: &'static str,
    detail: String,
}

impl Event {
    pub fn new(kind: &'static str, detail: &Json) -> Event {
        Event { kind, detail: detail.to_string() }
    }

    /// Whether the bus takes it.
    pub fn fits(&self) -> bool {
        self.bytes() <= MOST_BYTES
    }

    fn bytes(&self) -> usize {
        SOURCE.len() + self.kind.len() + self.detail.len()
    }
}

impl App {
    /// Tells events, in no order that means anything. After an error some of them are told, and all of them may be again.
    pub async fn tell(&self, events: &[Event]) -> Result<()> {
        stream::iter(parts(events)).map(Ok).try_for_each_concurrent(AT_ONCE, |part| self.put(part)).await
    }

    async fn put(&self, events: &[Event]) -> Result<()> {
        let entries = events.iter().map(|event| {
            let entry = PutEventsRequestEntry::builder().source(SOURCE).detail_type(event.kind);
            entry.detail(&event.detail).event_bus_name(&self.settings.event_bus).build()
        });
        let sent = self.events().put_events().set_entries(Some(entries.collect())).send().await;
        let sent = sent.map_err(|e| {
            Error::retryable(format!("EventBridge: {}", e.code().unwrap_or("no answer")))
                .because(e.into_service_error())
        })?;
        match sent.failed_entry_count {
            0 => Ok(()),
            _ => Err(Error::retryable("EventBridge took a part of a batch")),
        }
    }
}

/// As many as one call takes, in their order.
fn parts(events: &[Event]) -> Vec<&[Event]> {
    let (mut parts, mut rest) = (Vec::new(), events);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(MOST).take_while(|event| {
            bytes += event.bytes();
            bytes <= MOST_BYTES
        });
        // One that is too large for any call is sent alone, and refused.
        let (part, behind) = rest.split_at(fitting.count().max(1));
        parts.push(part);
        rest = behind;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{Event, MOST, MOST_BYTES, parts};
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #![proptest_config(crate::planner::cases(200))]

        #[test]
        fn events_are_told_in_as_many_calls_as_the_bus_needs(sizes in prop::collection::vec(prop_oneof![3 => 1..500_usize, 1 => 60_000..200_000_usize], 0..40)) {
            let events: Vec<Event> = sizes.iter().map(|size| Event::new("t", &json!("x".repeat(*size)))).collect();
            let parts = parts(&events);
            prop_assert_eq!(&parts.concat(), &events);
            for part in parts {
                let bytes: usize = part.iter().map(Event::bytes).sum();
                prop_assert!((1..=MOST).contains(&part.len()) && bytes <= MOST_BYTES, "{} of {} bytes", part.len(), bytes);
            }
        }
    }
}
