//! The stream of the state table: every change leaves an entry, and the world hears of it.

use crate::{
    app::App,
    cause::{Status, Step},
    connection::{Connection, State},
    context::Context,
    engagement::Counted,
    error::{Error, Result},
    events::Event,
    history::{Entry, FieldChange, SentChange},
    id::{ConnectionId, RecordId, TenantId},
    queue,
    record::{Object, Record, RemoteField},
    request::Asker,
    store::{Exception, Open},
    telemetry::Metric,
};
use aws_lambda_events::dynamodb::{Event as Streamed, EventRecord};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// One batch of the stream: entries first, then the events about them.
///
/// Entries have the change's own key, so a batch that comes twice changes nothing; its events carry ids that stay the same.
pub async fn journal(app: &App, cx: &Context, event: Streamed) -> Result<serde_json::Value> {
    Told::of(&event)?.keep(app, cx).await?;
    Ok(json!({"batchItemFailures": []}))
}

/// What a batch of the stream comes to.
#[derive(Default)]
pub(super) struct Told {
    pub(super) entries: Vec<Entry>,
    events: Vec<Event>,
    /// What events and triggers make: each is done once, however often the batch comes.
    requests: Vec<queue::Outgoing>,
    /// Whose values are taken out of the history: all their changes before it are told by now, because the stream keeps a record's order.
    erased: Vec<(TenantId, RecordId)>,
    /// Exceptions that were opened.
    pub(super) raised: Vec<Exception>,
}

impl Told {
    pub(super) fn of(event: &Streamed) -> Result<Told> {
        let mut told = Told::default();
        for record in &event.records {
            told.change(record)?;
        }
        Ok(told)
    }

    pub(super) async fn keep(&self, app: &App, cx: &Context) -> Result<()> {
        let mut kept = BTreeMap::new();
        for tenant in self.entries.iter().map(Entry::tenant).collect::<BTreeSet<_>>() {
            kept.insert(tenant.clone(), app.store.settings(tenant).await?.retention);
        }
        app.history.append(&self.entries, &kept).await?;
        for (tenant, record) in &self.erased {
            app.history.erase(tenant, record, kept.get(tenant).copied().unwrap_or_default()).await?;
        }
        app.tell(&self.events).await?;
        app.tell(&self.raised.iter().map(raised).collect::<Vec<_>>()).await?;
        app.queue.send(&app.settings.sync_requests, &self.requests).await?;
        cx.metrics.count(Metric::Changes, None, self.entries.len());
        cx.metrics.count(Metric::Exceptions, None, self.raised.len());
        tracing::info!(entries = self.entries.len(), events = self.events.len(), trace = cx.trace, "journalled");
        Ok(())
    }

    fn change(&mut self, record: &EventRecord) -> Result<()> {
        let Some(kind) = kind_of(record) else { return Ok(()) };
        match kind.as_str() {
            "record" => {
                if let Some(after) = image::<Record>(&record.change.new_image)? {
                    self.record(image::<Record>(&record.change.old_image)?.as_ref(), after)?;
                }
            }
            // Once: scored anew it is another's business.
            "event" if record.change.old_image.is_empty() => {
                for request in image::<Counted>(&record.change.new_image)?.iter().flat_map(|counted| &counted.made) {
                    self.requests.push(queue::Outgoing::new(request, &request.tenant_id)?);
                }
            }
            "exception" => {
                let before = image::<Exception>(&record.change.old_image)?;
                let was_open = before.as_ref().is_some_and(|before| before.state == Open::Open);
                // One that was forgotten with its person has ended as any other.
                match image::<Exception>(&record.change.new_image)?
                    .or(before.map(|before| Exception { state: Open::Resolved, ..before }))
                {
                    Some(exception) if exception.state == Open::Open && !was_open => self.exception(exception),
                    Some(exception) if exception.state == Open::Resolved && was_open => self.ended(&exception),
                    _ => {}
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

    fn record(&mut self, before: Option<&Record>, after: Record) -> Result<()> {
        let fields = fields_changed(before, &after);
        let sent = sent_changed(before, &after);
        for step in &after.cause.steps {
            let (tenant, record, at, trace) =
                (after.tenant.clone(), after.id.clone(), after.cause.at, after.cause.trace.clone());
            self.step(&after.tenant, Some(after.id.as_str()), step, &after.cause.trace);
            self.entries.push(Entry::Timeline { tenant, record, at, trace, step: step.clone() });
        }
        if let Some(change) = change(before, &after, &fields) {
            let names: Vec<&str> = fields.iter().map(|change| change.field.as_str()).collect();
            // The product is told of whom it was, so that it can forget them too.
            let product = after.fields.get("id").or_else(|| before.filter(|_| change == "erased")?.fields.get("id"));
            let detail = json!({
                "id": format!("{}.{}", after.id, after.version), "tenant_id": after.tenant, "record_id": after.id,
                "object": after.object, "product_id": product, "change": change,
                "merged_into": after.merged_into, "version": after.version, "fields": names, "by": after.cause.by,
                "trace": after.cause.trace,
            });
            self.events.push(Event::new("record.changed", &detail));
        }
        let is_deal = after.object == Object::Deal && after.erased.is_none();
        let stage = fields.iter().find(|change| change.field == "stage" && is_deal);
        if let Some(FieldChange { before: was, after: is, .. }) = stage {
            let detail = json!({
                "id": format!("{}.{}.stage", after.id, after.version), "tenant_id": after.tenant, "record_id": after.id,
                "product_id": after.fields.get("id"), "before": was, "after": is, "by": after.cause.by,
                "trace": after.cause.trace,
            });
            self.events.push(Event::new("deal.stage_changed", &detail));
        }
        if !after.cause.denied.is_empty() {
            let names: BTreeSet<&str> = after.cause.denied.iter().map(|denied| denied.field.as_str()).collect();
            let detail = json!({
                "id": format!("{}.{}.denied", after.id, after.version), "tenant_id": after.tenant, "record_id": after.id,
                "fields": names, "by": after.cause.by, "trace": after.cause.trace,
            });
            self.events.push(Event::new("write.denied", &detail));
        }
        for fired in &after.cause.fired {
            let detail = json!({
                "id": format!("{}.{}.{}", after.id, after.version, fired.trigger), "tenant_id": after.tenant,
                "record_id": after.id, "trigger": fired.trigger, "times": fired.times, "stopped": fired.stopped,
                "trace": after.cause.trace,
            });
            self.events.push(Event::new("trigger.fired", &detail));
            if let Some(request) = &fired.made {
                self.requests.push(queue::Outgoing::new(request, &after.tenant)?);
            }
        }
        let erased = after.erased.is_some();
        if erased && before.is_none_or(|before| before.erased.is_none()) {
            self.erased.push((after.tenant.clone(), after.id.clone()));
        }
        let (tenant, record, version, mut cause) = (after.tenant, after.id, after.version, after.cause);
        // What was made tells its own history.
        cause.fired.iter_mut().for_each(|fired| fired.made = None);
        let change = Entry::Change { tenant, record, version, cause, fields, sent, erased: false };
        self.entries.push(if erased { change.erased() } else { change });
        Ok(())
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
        self.events.push(Event::new(kind, &detail));
    }

    fn exception(&mut self, exception: Exception) {
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
        if let Some(Asker { fetch, workflow }) = &exception.fetch {
            let detail = json!({
                "id": format!("{fetch}.failed"), "tenant_id": exception.tenant, "fetch_id": fetch,
                "connection_id": exception.connection, "code": exception.code, "remedy": exception.remedy,
                "workflow": workflow, "trace": exception.trace,
            });
            self.events.push(Event::new("fetch.failed", &detail));
        }
        self.raised.push(exception);
    }

    fn ended(&mut self, exception: &Exception) {
        let detail = json!({
            "id": exception.id, "tenant_id": exception.tenant, "code": exception.code, "at": exception.at,
            "connection_id": exception.connection, "record_id": exception.record, "field": exception.field, "trace": exception.trace,
        });
        self.events.push(Event::new("exception.ended", &detail));
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
        self.events.push(Event::new(kind, &detail));
    }
}

fn raised(exception: &Exception) -> Event {
    let kind = if exception.code == "conflict" { "conflict.raised" } else { "exception.raised" };
    let detail = json!({
        "id": exception.id, "tenant_id": exception.tenant, "code": exception.code, "remedy": exception.remedy, "at": exception.at,
        "connection_id": exception.connection, "record_id": exception.record, "field": exception.field, "trace": exception.trace,
    });
    Event::new(kind, &detail)
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

/// What became of a record, for whom its product is told of it; `None` where only what is known of the CRMs is another.
fn change(before: Option<&Record>, after: &Record, fields: &[FieldChange]) -> Option<&'static str> {
    let Some(before) = before else { return Some("created") };
    match (before.deleted.is_some(), after.deleted.is_some()) {
        _ if before.merged_into.is_none() && after.merged_into.is_some() => Some("merged"),
        _ if before.erased.is_none() && after.erased.is_some() => Some("erased"),
        (false, true) => Some("deleted"),
        (true, false) => Some("restored"),
        _ => (!fields.is_empty()).then_some("updated"),
    }
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
    let said = |record: &Record, connection: &ConnectionId, field: &RemoteField| {
        record.links.get(connection)?.agreed.get(field)?.ours.clone()
    };
    let agreed = before.into_iter().chain([after]).flat_map(|record| {
        record.links.iter().flat_map(|(connection, link)| link.agreed.keys().map(move |field| (connection, field)))
    });
    let change = |(connection, field): (&ConnectionId, &RemoteField)| {
        let (was, is) = (before.and_then(|record| said(record, connection, field)), said(after, connection, field));
        let change = || SentChange {
            connection: connection.clone(),
            field: field.clone(),
            before: was.clone(),
            after: is.clone(),
        };
        (was != is).then(change)
    };
    agreed.collect::<BTreeSet<_>>().into_iter().filter_map(change).collect()
}
