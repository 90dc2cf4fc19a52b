//! The queue `alerts`: exceptions that were opened or ended, as the event bus tells of them; people are told.

use super::messages::{Batch, Message};
use crate::{
    alert::Heard,
    alerting::About,
    app::App,
    context::Context,
    error::Result,
    id::{ConnectionId, TenantId},
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// An event as the rule hands it on (Amazon EventBridge docs: events, structure).
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "detail-type")]
    kind: String,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    id: String,
    tenant_id: TenantId,
    code: String,
    connection_id: Option<ConnectionId>,
    at: Timestamp,
    trace: String,
}

/// No case is begun with less than this left: a channel is waited for ten seconds.
const CASE_TAKES: Duration = Duration::from_secs(25);
/// When a case that there was no time for comes back.
const SOON: Duration = Duration::from_secs(5);

/// One batch. A storm of one code on one connection is heard of together, and told as one.
pub async fn alert(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let batch = Batch::new(app, &app.settings.alerts);
    let mut by_case: BTreeMap<About, Vec<Message<Event>>> = BTreeMap::new();
    for message in batch.read::<Event>(event) {
        let Detail { tenant_id, code, connection_id, .. } = &message.job.detail;
        let about = About { tenant: tenant_id.clone(), code: code.clone(), connection: connection_id.clone() };
        by_case.entry(about).or_default().push(message);
    }
    for (about, messages) in by_case {
        // One channel that hangs keeps nobody else's word for longer than this.
        if cx.left() < CASE_TAKES {
            for message in &messages {
                batch.keep(message, SOON).await;
            }
            continue;
        }
        let heard: Vec<Heard> = messages.iter().map(|message| heard(&message.job)).collect();
        let trace = messages.first().map_or("", |message| message.job.detail.trace.as_str());
        if let Err(error) = app.alert(&cx.traced(trace), &about, &heard).await {
            for message in &messages {
                batch.settle(message, &error, trace).await;
            }
        }
    }
    Ok(batch.response())
}

fn heard(Event { kind, detail }: &Event) -> Heard {
    Heard { exception: detail.id.clone(), at: detail.at, ended: kind == "exception.ended" }
}
