//! The stream of the state table: every change leaves an entry, and the world hears of it.

use crate::{
    app::App,
    cause::{Status, Step},
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    history::{Entry, FieldChange, SentChange},
    record::{Agreed, Record},
    store::{Exception, Open},
    telemetry::{chain, count},
};
use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_sdk_eventbridge::{error::ProvideErrorMetadata, types::PutEventsRequestEntry};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use std::collections::BTreeSet;

/// Events in one call to EventBridge.
const MOST_EVENTS: usize = 10;

/// One batch of the stream: entries first, then the events about them.
///
/// Entries have the change's own key, so a batch that comes twice changes nothing; its events carry ids that stay the same.
pub async fn journal(app: &App, cx: &Context, event: Event) -> Result<serde_json::Value> {
    let mut told = Told::default();
    for record in &event.records {
        told.change(record)?;
    }
    app.history.append(&told.entries).await?;
    send(app, &told.events).await?;
    if !told.entries.is_empty() {
        count("Changes", None, told.entries.len(), cx.now());
    }
    tracing::info!(entries = told.entries.len(), events = told.events.len(), trace = cx.trace, "journalled");
    Ok(json!({"batchItemFailures": []}))
}

/// What a batch of the stream comes to.
#[derive(Default)]
struct Told {
    entries: Vec<Entry>,
    events: Vec<Outgoing>,
}

struct Outgoing {
    kind: String,
    detail: serde_json::Value,
}

impl Told {
    fn change(&mut self, record: &EventRecord) -> Result<()> {
        let Some(kind) = kind_of(record) else { return Ok(()) };
        match kind.as_str() {
            "record" => {
                if let Some(after) = image::<Record>(&record.change.new_image)? {
                    self.record(image::<Record>(&record.change.old_image)?.as_ref(), after);
                }
            }
            "exception" => {
                let before = image::<Exception>(&record.change.old_image)?;
                let raised = before.is_none_or(|before| before.state == Open::Resolved);
                if let Some(exception) =
                    image::<Exception>(&record.change.new_image)?.filter(|one| raised && one.state == Open::Open)
                {
                    self.exception(&exception);
                }
            }
            "connection" => {
                let states =
                    (image::<Connection>(&record.change.old_image)?, image::<Connection>(&record.change.new_image)?);
                if let (Some(before), Some(after)) = states {
                    self.connection(&before, &after);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn record(&mut self, before: Option<&Record>, after: Record) {
        let fields = fields_changed(before, &after);
        let sent = sent_changed(before, &after);
        for step in &after.cause.steps {
            let (tenant, record, at, trace) =
                (after.tenant.clone(), after.id.clone(), after.cause.at, after.cause.trace.clone());
            self.step(&after.tenant, Some(after.id.as_str()), step, &after.cause.trace);
            self.entries.push(Entry::Timeline { tenant, record, at, trace, step: step.clone() });
        }
        if !fields.is_empty() {
            let names: Vec<&str> = fields.iter().map(|change| change.field.as_str()).collect();
            let detail = json!({
                "id": format!("{}.{}", after.id, after.version), "tenant_id": after.tenant, "record_id": after.id,
                "version": after.version, "fields": names, "by": after.cause.by, "trace": after.cause.trace,
            });
            self.events.push(Outgoing { kind: "record.changed".to_owned(), detail });
        }
        if !after.cause.denied.is_empty() {
            let names: BTreeSet<&str> = after.cause.denied.iter().map(|denied| denied.field.as_str()).collect();
            let detail = json!({
                "id": format!("{}.{}.denied", after.id, after.version), "tenant_id": after.tenant, "record_id": after.id,
                "fields": names, "by": after.cause.by, "trace": after.cause.trace,
            });
            self.events.push(Outgoing { kind: "write.denied".to_owned(), detail });
        }
        let (tenant, record, version, cause) = (after.tenant, after.id, after.version, after.cause);
        self.entries.push(Entry::Change { tenant, record, version, cause, fields, sent });
    }

    fn step(&mut self, tenant: &crate::id::TenantId, record: Option<&str>, step: &Step, trace: &str) {
        let kind = match step.status {
            Status::Pending => return,
            Status::Waiting => "sync.waiting",
            Status::Succeeded => "sync.succeeded",
            Status::Skipped => "sync.skipped",
            Status::Failed => "sync.failed",
        };
        let connection = step.connection.as_ref().map_or("", |c| c.as_str());
        let detail = json!({
            "id": format!("{}.{connection}.{kind}", step.request), "tenant_id": tenant, "record_id": record,
            "request_id": step.request, "connection_id": step.connection, "code": step.code, "remote_id": step.remote,
            "fields": step.fields, "workflow": step.workflow, "trace": trace,
        });
        self.events.push(Outgoing { kind: kind.to_owned(), detail });
    }

    fn exception(&mut self, exception: &Exception) {
        for step in &exception.steps {
            self.step(&exception.tenant, exception.record.as_ref().map(|r| r.as_str()), step, &exception.trace);
            if let Some(record) = &exception.record {
                let (tenant, record, at) = (exception.tenant.clone(), record.clone(), exception.at);
                self.entries.push(Entry::Timeline {
                    tenant,
                    record,
                    at,
                    trace: exception.trace.clone(),
                    step: step.clone(),
                });
            }
        }
        let kind = if exception.code == "conflict" { "conflict.raised" } else { "exception.raised" };
        let detail = json!({
            "id": exception.id, "tenant_id": exception.tenant, "code": exception.code, "remedy": exception.remedy,
            "connection_id": exception.connection, "record_id": exception.record, "field": exception.field, "trace": exception.trace,
        });
        self.events.push(Outgoing { kind: kind.to_owned(), detail });
    }

    fn connection(&mut self, before: &Connection, after: &Connection) {
        if before.state == after.state {
            return;
        }
        let kind = match after.state {
            State::NeedsReauth { .. } => "connection.needs_reauth",
            State::Active => "connection.active",
            State::Paused { .. } => "connection.paused",
            State::Joining | State::Closed => return,
        };
        let detail = json!({
            "id": format!("{}.{}", after.id, after.version), "tenant_id": after.tenant, "connection_id": after.id, "crm": after.crm,
        });
        self.events.push(Outgoing { kind: kind.to_owned(), detail });
    }
}

fn kind_of(record: &EventRecord) -> Option<String> {
    let image = if record.change.new_image.is_empty() { &record.change.old_image } else { &record.change.new_image };
    #[derive(serde::Deserialize)]
    struct Kind {
        kind: String,
    }
    serde_dynamo::from_item::<_, Kind>(image.clone()).ok().map(|k| k.kind)
}

fn image<T: DeserializeOwned>(item: &serde_dynamo::Item) -> Result<Option<T>> {
    if item.is_empty() {
        return Ok(None);
    }
    let read = serde_dynamo::from_item(item.clone());
    read.map(Some).map_err(|e| Error::bug("an item of the stream is not what its kind says").because(e))
}

fn fields_changed(before: Option<&Record>, after: &Record) -> Vec<FieldChange> {
    let names: BTreeSet<&String> =
        before.iter().flat_map(|b| b.fields.iter()).chain(after.fields.iter()).map(|(name, _)| name).collect();
    let change = |name: &String| {
        let (before, after) = (before.and_then(|b| b.fields.get(name)).cloned(), after.fields.get(name).cloned());
        (before != after).then(|| FieldChange { field: name.clone(), before, after })
    };
    names.into_iter().filter_map(change).collect()
}

fn sent_changed(before: Option<&Record>, after: &Record) -> Vec<SentChange> {
    let mut changes = Vec::new();
    for (connection, link) in &after.links {
        let was = before.and_then(|b| b.links.get(connection));
        for (field, agreed) in &link.agreed {
            let was = was.and_then(|link| link.agreed.get(field)).cloned().unwrap_or_else(Agreed::default);
            if was.ours != agreed.ours {
                let (before, after) = (was.ours, agreed.ours.clone());
                changes.push(SentChange { connection: connection.clone(), field: field.clone(), before, after });
            }
        }
    }
    changes
}

async fn send(app: &App, events: &[Outgoing]) -> Result<()> {
    for chunk in events.chunks(MOST_EVENTS) {
        let entries = chunk.iter().map(|event| {
            let entry = PutEventsRequestEntry::builder().source("crm-sync").detail_type(&event.kind);
            entry.detail(to_json(&event.detail)).event_bus_name(&app.settings.event_bus).build()
        });
        let sent = app.events.put_events().set_entries(Some(entries.collect())).send().await;
        let sent = sent.map_err(|e| {
            Error::retryable(format!("EventBridge: {}", e.code().unwrap_or("no answer")))
                .because(e.into_service_error())
        })?;
        if sent.failed_entry_count > 0 {
            return Err(Error::retryable("EventBridge took a part of a batch"));
        }
    }
    Ok(())
}

fn to_json(detail: &impl Serialize) -> String {
    serde_json::to_string(detail)
        .inspect_err(|error| tracing::error!(error = chain(error), "an event that is no JSON"))
        .unwrap_or_default()
}
