//! The schedule says which connections are due; their messages pull what changed, or sweep what is pending.

use super::messages::{Batch, Message};
use crate::{
    app::App,
    change::{Cursor, Hinted, Pull, Work},
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, RecordId, RemoteId, TenantId},
    provider::{Fetched, Page},
    queue::Outgoing,
    record::Object,
    store::{Ready, keys::RECORD_SHARDS},
    sync::{Look, Pushes, Tenant, absorb_looks, look_again},
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::time::Duration;

/// What wakes this function.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum PullEvent {
    Messages(SqsEvent),
    /// The schedule.
    Tick {
        tick: String,
    },
}

/// No page is begun with less than this left.
const PAGE_TAKES: Duration = Duration::from_secs(20);
/// Records of a sweep's page.
const SWEPT: i32 = 500;

pub async fn delta_pull(app: &App, cx: &Context, event: PullEvent) -> Result<SqsBatchResponse> {
    match event {
        PullEvent::Tick { tick } => {
            tracing::info!(tick, trace = cx.trace, "asking which connections are due");
            enqueue_due(app, cx).await?;
            Ok(SqsBatchResponse::default())
        }
        PullEvent::Messages(event) => pulls(app, cx, event).await,
    }
}

/// One message per due connection. The slot is the deduplication id: two ticks in one slot are one pull.
async fn enqueue_due(app: &App, cx: &Context) -> Result<()> {
    let mut messages = Vec::new();
    for (tenant, id) in app.store.due_pulls(cx.now()).await? {
        let Some(connection) = app.store.connection(&tenant, &id).await? else { continue };
        let every = SignedDuration::from_secs(i64::from(connection.pull_every.max(60)));
        let slot = cx.now().as_second() / every.as_secs();
        messages.push(pull_message(&connection, Work::Delta, cx)?.deduplicated(format!("{tenant}.{id}.{slot}")));
        let next = Connection { due_at: cx.now() + every, ..connection.clone() };
        app.store.update_connection(&connection, &next).await?;
    }
    app.queue.send(&app.settings.pulls, &messages).await
}

fn pull_message(connection: &Connection, work: Work, cx: &Context) -> Result<Outgoing> {
    let (tenant, id) = (connection.tenant.clone(), connection.id.clone());
    Outgoing::new(&Pull { tenant, connection: id, work, trace: cx.trace.clone() }, &connection.id)
}

async fn pulls(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let mut batch = Batch::new(app, &app.settings.pulls);
    for message in batch.read::<Pull>(event) {
        let cx = cx.traced(&message.job.trace);
        if let Err(error) = work(app, &cx, &message, &mut batch).await {
            batch.settle(&message, &error, &cx.trace).await;
        }
    }
    Ok(batch.response())
}

async fn work(app: &App, cx: &Context, message: &Message<Pull>, batch: &mut Batch<'_>) -> Result<()> {
    let Pull { tenant, connection, work, .. } = &message.job;
    let Some(Ready { connection, paused_until }) = app.store.ready(tenant, connection, cx.now()).await? else {
        return Ok(());
    };
    if let Some(until) = paused_until {
        batch.keep(message, Duration::try_from(until.duration_since(cx.now())).unwrap_or_default()).await;
        return Ok(());
    }
    match work {
        Work::Delta => delta(app, cx, connection).await,
        Work::Sweep { shard, after } => sweep(app, cx, &connection, *shard, after.clone()).await,
    }
}

/// Page by page: absorb, hand on, save the cursor. What time does not allow goes on in a new message.
async fn delta(app: &App, cx: &Context, connection: Connection) -> Result<()> {
    if !connection.receives() {
        return Ok(());
    }
    let tenant = Tenant::load(app, &connection.tenant).await?;
    let mapping =
        connection.mapping(Object::Person).ok_or_else(|| Error::bug("a connection without a mapping"))?.clone();
    let mut connection = connection;
    loop {
        let cursor = connection.cursor.clone().unwrap_or_default();
        let crm = connection.crm;
        let page = app
            .with_session(&connection, cx, async |session| crm.delta(session, &mapping, &cursor, cx.now()).await)
            .await?;
        let (more, next) = (page.more, page.next.clone());
        absorb_page(app, cx, &tenant, &connection, page).await?;
        if !more {
            deletions(app, cx, &tenant, &mut connection).await?;
        }
        connection = advance(app, cx, connection, next, more).await?;
        if !more {
            tracing::info!(connection.id = %connection.id, crm = %crm, trace = cx.trace, "pulled");
            return Ok(());
        }
        if cx.left() < PAGE_TAKES {
            let again = pull_message(&connection, Work::Delta, cx)?.deduplicated(ulid::Ulid::new().to_string());
            return app.queue.send(&app.settings.pulls, &[again]).await;
        }
    }
}

async fn absorb_page(app: &App, cx: &Context, tenant: &Tenant, connection: &Connection, page: Page) -> Result<()> {
    let mut pushes = Pushes::default();
    let looks =
        page.shown.into_iter().map(|(remote, seen)| Look { remote, fetched: Fetched::Shown(seen), begun: None });
    let again = absorb_looks(app, cx, tenant, connection, looks.collect(), &mut pushes).await?;
    let again = again.into_iter().map(Hinted::plain).collect();
    let done = look_again(app, cx, tenant, connection, again, &mut pushes).await;
    pushes.send(app, cx).await?;
    done
}

/// Saves the cursor, on top of whatever else changed in the connection meanwhile. One that does not advance is a bug.
async fn advance(app: &App, cx: &Context, connection: Connection, next: Cursor, more: bool) -> Result<Connection> {
    if more && connection.cursor.as_ref() == Some(&next) {
        return Err(Error::bug("a pull's cursor does not advance"));
    }
    for _ in 0..5 {
        let Some(stored) = app.store.connection(&connection.tenant, &connection.id).await? else { break };
        if stored.cursor != connection.cursor {
            return Err(Error::retryable("someone else pulls this connection"));
        }
        let (last_success, deletions_read) =
            (if more { stored.last_success } else { Some(cx.now()) }, connection.deletions_read);
        let after = Connection { cursor: Some(next.clone()), last_success, deletions_read, ..stored.clone() };
        if app.store.update_connection(&stored, &after).await? {
            return Ok(Connection { version: stored.version + 1, ..after });
        }
    }
    Err(Error::retryable("the connection keeps changing"))
}

/// Asks for deletions where that is due; most are known from webhooks long before.
async fn deletions(app: &App, cx: &Context, tenant: &Tenant, connection: &mut Connection) -> Result<()> {
    let crm = connection.crm;
    let every = SignedDuration::try_from(crm.capabilities().deletions.every).unwrap_or(SignedDuration::from_hours(24));
    let since = connection.deletions_read.unwrap_or(cx.now());
    let due = connection.deletions_read.is_none_or(|at| at + every <= cx.now());
    if !due {
        return Ok(());
    }
    if connection.deletions_read.is_some() && connection.state == State::Active {
        let mapping = connection.mapping(Object::Person).ok_or_else(|| Error::bug("a connection without a mapping"))?;
        let since = since - SignedDuration::from_mins(5);
        let deleted =
            app.with_session(connection, cx, async |session| crm.deleted(session, mapping, since).await).await?;
        guarded(app, cx, tenant, connection, deleted).await?;
    }
    connection.deletions_read = Some(cx.now());
    Ok(())
}

/// More deletions than this at once are a mistake until a person says otherwise.
const MASS: usize = 500;

async fn guarded(
    app: &App,
    cx: &Context,
    tenant: &Tenant,
    connection: &Connection,
    deleted: Vec<(RemoteId, Timestamp)>,
) -> Result<()> {
    if deleted.len() > MASS {
        let reason = format!(
            "{} deleted {} records at once; none of it is followed until a person confirms",
            connection.crm,
            deleted.len()
        );
        let about = format!("{}:{}", connection.id, cx.now().as_second() / 86_400);
        let exception = crate::store::Exception::new(&connection.tenant, "mass_delete", &about, reason, cx);
        return app.store.raise(&exception.on(connection)).await;
    }
    let mut pushes = Pushes::default();
    let looks = deleted.into_iter().map(|(remote, at)| Look { remote, fetched: Fetched::Deleted { at }, begun: None });
    absorb_looks(app, cx, tenant, connection, looks.collect(), &mut pushes).await?;
    pushes.send(app, cx).await
}

/// Walks a tenant's records and pushes whatever this connection lacks.
async fn sweep(app: &App, cx: &Context, connection: &Connection, shard: u8, after: Option<RecordId>) -> Result<()> {
    if !connection.sends() {
        return Ok(());
    }
    let (mut shard, mut after) = (shard, after);
    while shard < RECORD_SHARDS {
        if cx.left() < PAGE_TAKES {
            let work = Work::Sweep { shard, after };
            let again = pull_message(connection, work, cx)?.deduplicated(ulid::Ulid::new().to_string());
            return app.queue.send(&app.settings.pulls, &[again]).await;
        }
        let (records, next) = app.store.record_page(&connection.tenant, shard, after.as_ref(), SWEPT).await?;
        let mut pushes = Pushes::default();
        for record in records.iter().filter(|record| crate::sync::lacks(connection, record)) {
            pushes.add(connection, &record.id);
        }
        pushes.send(app, cx).await?;
        shard += u8::from(next.is_none());
        after = next;
    }
    tracing::info!(connection.id = %connection.id, trace = cx.trace, "swept");
    Ok(())
}

impl App {
    /// Turns a connection active, from `Joining`, a pause or a reconnect: it is pulled and swept at once.
    pub async fn activate(&self, cx: &Context, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
        let connection = self
            .store
            .connection(tenant, id)
            .await?
            .ok_or_else(|| Error::Config { reason: format!("no connection {id}") })?;
        self.store.set_state(&connection, &State::Active).await?;
        self.start(cx, &connection, Work::Delta).await?;
        self.start(cx, &connection, Work::Sweep { shard: 0, after: None }).await
    }

    /// Enqueues work on a connection.
    pub async fn start(&self, cx: &Context, connection: &Connection, work: Work) -> Result<()> {
        let message = pull_message(connection, work, cx)?.deduplicated(ulid::Ulid::new().to_string());
        self.queue.send(&self.settings.pulls, &[message]).await
    }
}
