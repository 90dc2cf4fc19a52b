//! Pushes: read what the CRMs show, write what they lack, remember what was agreed.

use super::messages::{Batch, Message};
use crate::{
    app::App,
    change::Push,
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, RecordId, TenantId},
    push::{push, tell_waiting, worth_pushing},
    store::{Exception, Ready},
    sync::{Pushes, Tenant},
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// From this receive on, without a pause between, a message's records are taken one by one: one of them may be the killer.
const SUSPICIOUS: u32 = 4;

/// One batch of push messages. Messages of one connection are handled together, so that the CRM gets full batches.
pub async fn outbound(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let mut batch = Batch::new(app, &app.settings.pushes);
    let mut by_connection: BTreeMap<(TenantId, ConnectionId), Vec<Message<Push>>> = BTreeMap::new();
    for message in batch.read::<Push>(event) {
        by_connection.entry((message.job.tenant.clone(), message.job.connection.clone())).or_default().push(message);
    }
    for ((tenant, connection), messages) in by_connection {
        let cx = cx.traced(&messages[0].job.trace);
        let Some(ready) = app.store.ready(&tenant, &connection, cx.now()).await? else { continue };
        let wait =
            ready.paused_until.map(|until| Duration::try_from(until.duration_since(cx.now())).unwrap_or_default());
        if let Some(after) = wait {
            let new = messages.iter().filter(|message| message.receives == 1);
            let records: Vec<RecordId> = new.flat_map(|message| message.job.records.iter().cloned()).collect();
            tell_waiting(app, &cx, &ready.connection, &records, "rate_limited").await?;
            for message in &messages {
                batch.keep(message, after).await;
            }
            continue;
        }
        let (suspicious, plain): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|message| message.receives >= SUSPICIOUS);
        together(app, &cx, &ready, &plain, &mut batch).await;
        for message in &suspicious {
            one_by_one(app, &cx, &ready, message, &mut batch).await;
        }
    }
    Ok(batch.response())
}

async fn together(app: &App, cx: &Context, ready: &Ready, messages: &[Message<Push>], batch: &mut Batch<'_>) {
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

/// Records that may kill the function, each on its own. One that killed it twice before becomes an exception.
async fn one_by_one(app: &App, cx: &Context, ready: &Ready, message: &Message<Push>, batch: &mut Batch<'_>) {
    let connection = &ready.connection;
    let attempt = async || -> Result<()> {
        for record in &message.job.records {
            let killed = app.store.begin_suspect(&connection.id, record, cx.now()).await?;
            if killed >= 2 {
                let about = format!("{}:{record}", connection.id);
                let reason = format!("pushing this record ended the function {killed} times");
                app.store
                    .raise(
                        &Exception::new(&connection.tenant, "kills_its_function", &about, reason, cx)
                            .on(connection)
                            .of(record),
                    )
                    .await?;
                continue;
            }
            push_all(app, cx, ready, BTreeSet::from([record.clone()])).await?;
            app.store.clear_suspect(&connection.id, record).await?;
        }
        Ok(())
    };
    if let Err(error) = attempt().await {
        batch.settle(message, &error, &cx.trace).await;
    }
}

async fn push_all(app: &App, cx: &Context, ready: &Ready, records: BTreeSet<RecordId>) -> Result<()> {
    let connection = &ready.connection;
    let tenant = Tenant::load(app, &connection.tenant).await?;
    let ids: Vec<RecordId> = records.into_iter().collect();
    let worth = worth_pushing(app, connection, &ids).await?;
    let mut pushes = Pushes::default();
    let done = push(app, cx, &tenant, connection, worth, &mut pushes).await;
    pushes.send(app, cx).await?;
    if let Err(Error::RateLimited { .. }) = done {
        tell_waiting(app, cx, connection, &ids, "rate_limited").await?;
    }
    done
}
