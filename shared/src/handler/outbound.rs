//! Pushes: read what the CRMs show, write what they lack, remember what was agreed.

use super::messages::{Batch, Message};
use crate::{
    app::App,
    change::Push,
    connection::Connection,
    context::{Context, until},
    error::{Error, Result},
    id::{ConnectionId, RecordId, TenantId},
    provider::Creates,
    push::{give_up, push, tell_waiting, worth_pushing},
    queue::group,
    record::Record,
    store::{Exception, KILLS, MOST_KILLS, Ready},
    sync::Pushes,
    telemetry::Metric,
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures::future::join_all;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// No turn is begun with less than this left: a read and a write, each as long as it may be, and what was done noted.
const TURN_TAKES: Duration = Duration::from_secs(32);

/// One batch of push messages. Messages of one connection are handled together, so that the CRM gets full batches. A tenant's connections
/// take turns, because they settle the same records; tenants do not wait for each other.
pub async fn outbound(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let batch = Batch::new(app, &app.settings.pushes);
    let mut by_tenant: BTreeMap<TenantId, BTreeMap<ConnectionId, Vec<Message<Push>>>> = BTreeMap::new();
    for message in batch.read::<Push>(event) {
        let of_tenant = by_tenant.entry(message.job.tenant.clone()).or_default();
        of_tenant.entry(message.job.connection.clone()).or_default().push(message);
    }
    let tenants = by_tenant.into_iter().map(async |(tenant, by_connection)| {
        for (connection, messages) in by_connection {
            of_connection(app, cx, &tenant, &connection, messages, &batch).await?;
        }
        Ok(())
    });
    join_all(tenants).await.into_iter().collect::<Result<()>>()?;
    Ok(batch.response())
}

async fn of_connection(
    app: &App,
    cx: &Context,
    tenant: &TenantId,
    connection: &ConnectionId,
    messages: Vec<Message<Push>>,
    batch: &Batch<'_>,
) -> Result<()> {
    let cx = cx.traced(messages.first().map(|message| message.job.trace.as_str()).unwrap_or_default());
    let Some(ready) = app.store.ready(tenant, connection, cx.now()).await? else { return Ok(()) };
    let sent: Vec<Sent> = messages.iter().map(|message| (message.id.clone(), message.sent)).collect();
    let again = messages.iter().any(|message| message.receives > 1);
    let done = worked_on(app, &cx, &ready, messages, batch).await;
    measure(&cx, &ready.connection, &sent, again, batch);
    done
}

/// When a message was sent.
type Sent = (String, Option<Timestamp>);

/// How long pushes took, and since when those wait that are handed back.
fn measure(cx: &Context, connection: &Connection, sent: &[Sent], again: bool, batch: &Batch<'_>) {
    let (kept, done): (Vec<&Sent>, Vec<&Sent>) = sent.iter().partition(|(id, _)| batch.is_kept(id));
    for at in done.into_iter().filter_map(|(_, at)| *at) {
        let took = until(at, cx.now()).as_secs_f64() * 1e3;
        cx.metrics.value(Metric::SyncLag, Some(connection.crm), took);
    }
    let oldest = kept.into_iter().filter_map(|(_, at)| *at).min();
    cx.metrics.on(&connection.tenant, &connection.id, |counts| {
        (counts.waits, counts.retried) = (Some(oldest), again || oldest.is_some());
    });
}

async fn worked_on(
    app: &App,
    cx: &Context,
    ready: &Ready,
    messages: Vec<Message<Push>>,
    batch: &Batch<'_>,
) -> Result<()> {
    if ready.connection.settings.stopped.is_some() {
        let records: Vec<RecordId> = messages.iter().flat_map(|message| message.job.records.clone()).collect();
        return tell_waiting(app, cx, &ready.connection, &records, "stopped").await;
    }
    if let Some(after) = ready.pause(cx.now()) {
        let new = messages.iter().filter(|message| message.receives == 1);
        let records: Vec<RecordId> = new.flat_map(|message| message.job.records.iter().cloned()).collect();
        tell_waiting(app, cx, &ready.connection, &records, "rate_limited").await?;
        for message in &messages {
            batch.keep(message, after).await;
        }
        return Ok(());
    }
    let (killers, plain) = batch.killers(messages, cx.now()).await?;
    together(app, cx, ready, &plain, batch).await;
    for message in &killers {
        one_by_one(app, cx, ready, message, batch).await;
    }
    batch.survived(plain.iter().chain(&killers)).await
}

async fn together(app: &App, cx: &Context, ready: &Ready, messages: &[Message<Push>], batch: &Batch<'_>) {
    let records: BTreeSet<RecordId> = messages.iter().flat_map(|message| message.job.records.iter().cloned()).collect();
    if records.is_empty() {
        return;
    }
    if let Err(error) = push_all(app, cx, ready, records).await {
        for message in messages {
            batch.settle(message, &error, &cx.trace).await;
        }
    }
}

/// A message that ended its function before, record by record. One that ended it twice becomes an exception.
async fn one_by_one(app: &App, cx: &Context, ready: &Ready, message: &Message<Push>, batch: &Batch<'_>) {
    let scope = group(&ready.connection.tenant, &ready.connection.id);
    let attempt = async || -> Result<()> {
        for record in &message.job.records {
            let killed = app.store.begin_suspect(&scope, record.as_str(), cx.now()).await?;
            if killed >= MOST_KILLS {
                set_aside(app, cx, &ready.connection, record, killed).await?;
                continue;
            }
            let done = push_all(app, cx, ready, BTreeSet::from([record.clone()])).await;
            app.store.clear_suspect(&scope, record.as_str()).await?;
            done?;
        }
        Ok(())
    };
    if let Err(error) = attempt().await {
        batch.settle(message, &error, &cx.trace).await;
    }
}

async fn set_aside(app: &App, cx: &Context, connection: &Connection, record: &RecordId, killed: u32) -> Result<()> {
    let about = format!("{}:{record}", connection.id);
    let reason = format!("pushing this record ended the function {killed} times");
    let exception = Exception::new(&connection.tenant, KILLS, &about, reason, cx);
    app.store.raise(&exception.on(connection).of(record)).await?;
    give_up(app, cx, connection, record, KILLS, true).await
}

/// Where a CRM makes records one by one, full batches are of no use: a few are found and written, then the next few, so that
/// the limit of the one recovers during the other. What time does not suffice for is handed on, because some was done.
async fn in_turns(
    app: &App,
    cx: &Context,
    connection: &Connection,
    mut records: Vec<Record>,
    pushes: &mut Pushes,
) -> Result<()> {
    let capabilities = connection.crm.capabilities();
    let turn = match capabilities.creates {
        Creates::Guarded => capabilities.max_write,
        Creates::Once => usize::MAX,
    };
    // What others refer to comes in an earlier turn.
    records.sort_by(|one, other| one.object.cmp(&other.object));
    let (mut records, mut begun) = (records.into_iter().peekable(), false);
    while records.peek().is_some() {
        if begun && cx.left() < TURN_TAKES {
            records.by_ref().for_each(|record| pushes.add(connection, &record.id));
            break;
        }
        push(app, cx, connection, records.by_ref().take(turn).collect(), pushes).await?;
        begun = true;
    }
    Ok(())
}

async fn push_all(app: &App, cx: &Context, ready: &Ready, records: BTreeSet<RecordId>) -> Result<()> {
    let connection = &ready.connection;
    let ids: Vec<RecordId> = records.into_iter().collect();
    let mut pushes = Pushes::default();
    let worth = worth_pushing(app, connection, &ids, &mut pushes).await?;
    let done = in_turns(app, cx, connection, worth, &mut pushes).await;
    pushes.send(app, cx).await?;
    let why = match &done {
        Err(Error::RateLimited { .. }) => "rate_limited",
        Err(Error::AuthExpired { .. }) => "needs_reauth",
        Err(Error::Config { .. }) => "paused",
        _ => return done,
    };
    tell_waiting(app, cx, connection, &ids, why).await?;
    done
}
