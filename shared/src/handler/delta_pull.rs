//! The schedule says which connections are due; their messages pull what changed, or sweep what is pending.

use super::{
    deletions,
    messages::{Batch, Message},
};
use crate::{
    app::App,
    change::{Cursor, Hinted, Pull, Work},
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, RecordId, TenantId},
    provider::{Fetched, Page},
    queue::{Outgoing, group},
    record::Object,
    store::keys::RECORD_SHARDS,
    sync::{Look, Pushes, absorb_guarded, look_again, needs},
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use jiff::SignedDuration;
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
pub(super) const PAGE_TAKES: Duration = Duration::from_secs(20);
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

/// One message per object of each due connection, what others refer to first. When it was due is the deduplication id: two
/// ticks that find it so are one pull.
async fn enqueue_due(app: &App, cx: &Context) -> Result<()> {
    let (mut messages, mut enqueued) = (Vec::new(), Vec::new());
    for (tenant, id) in app.store.due_pulls(cx.now()).await? {
        let Some(connection) = app.store.connection(&tenant, &id).await? else { continue };
        let every = SignedDuration::from_secs(i64::from(connection.pull_every.max(60)));
        let due = connection.due_at.as_second();
        for object in connection.mappings.keys() {
            let pull = pull_message(&connection, Work::Delta { object: object.clone() }, cx)?;
            messages.push(pull.deduplicated(&format!("{tenant}.{id}.{object}.{due}")));
        }
        if connection.owes_sweep {
            let sweep = Work::Sweep { shard: 0, after: None };
            messages.push(
                pull_message(&connection, sweep, cx)?.deduplicated(&format!("{tenant}.{id}.{}", connection.version)),
            );
        }
        enqueued.push((connection, cx.now() + every));
    }
    app.queue.send(&app.settings.pulls, &messages).await?;
    for (connection, due_at) in enqueued {
        let next = Connection { due_at, owes_sweep: false, ..connection.clone() };
        app.store.update_connection(&connection, &next).await?;
    }
    Ok(())
}

fn pull_message(connection: &Connection, work: Work, cx: &Context) -> Result<Outgoing> {
    let (tenant, id) = (connection.tenant.clone(), connection.id.clone());
    // What a person decided may have to wait, and keeps nothing else from going on.
    let group = match work {
        Work::Rested(_) => format!("{}.decided", group(&tenant, &id)),
        _ => group(&tenant, &id),
    };
    Outgoing::new(&Pull { tenant, connection: id, work, trace: cx.trace.clone() }, &group)
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
    let Some(ready) = app.store.ready(tenant, connection, cx.now()).await? else { return Ok(()) };
    if let Some(after) = ready.pause(cx.now()) {
        batch.keep(message, after).await;
        return Ok(());
    }
    let connection = ready.connection;
    match work {
        Work::Delta { object } => delta(app, cx, connection, object).await,
        Work::Deletions(walk) => deletions::walk(app, cx, &connection, walk.clone()).await,
        Work::Rested(rested) => deletions::rested(app, cx, &connection, rested).await,
        Work::Sweep { shard, after } => sweep(app, cx, &connection, *shard, after.clone()).await,
    }
}

/// Page by page: absorb, hand on, save the cursor. What time does not allow goes on in a new message.
async fn delta(app: &App, cx: &Context, connection: Connection, object: &Object) -> Result<()> {
    let Some(mapping) = connection.mappings.get(object).filter(|_| connection.receives()).cloned() else {
        return Ok(());
    };
    let mut connection = connection;
    loop {
        let cursor = connection.cursors.get(object).cloned().unwrap_or_default();
        let crm = connection.crm;
        let mut page = app
            .with_session(&connection, cx, async |session| crm.delta(session, &mapping, &cursor, cx.now()).await)
            .await?;
        app.inward(cx, &connection, &mapping, page.shown.iter_mut().map(|(_, seen)| seen).collect()).await?;
        let (more, next) = (page.more, page.next.clone());
        absorb_page(app, cx, &connection, object, page).await?;
        connection = advance(app, cx, connection, object, next, more).await?;
        if !more {
            tracing::info!(connection.id = %connection.id, crm = %crm, trace = cx.trace, "pulled");
            return match deletions::due(&connection, object, cx) {
                Some(walk) => app.start(cx, &connection, Work::Deletions(walk)).await,
                None => Ok(()),
            };
        }
        if cx.left() < PAGE_TAKES {
            return app.start(cx, &connection, Work::Delta { object: object.clone() }).await;
        }
    }
}

async fn absorb_page(app: &App, cx: &Context, connection: &Connection, object: &Object, page: Page) -> Result<()> {
    let looks =
        page.shown.into_iter().map(|(remote, seen)| Look { remote, fetched: Fetched::Shown(seen), begun: None });
    absorb_listed(app, cx, connection, object, looks.collect()).await
}

/// Absorbs what a list told; what cannot be told from something older is fetched at once.
pub(super) async fn absorb_listed(
    app: &App,
    cx: &Context,
    connection: &Connection,
    object: &Object,
    looks: Vec<Look>,
) -> Result<()> {
    let mut pushes = Pushes::default();
    let again = absorb_guarded(app, cx, connection, object, looks, &mut pushes).await?;
    let again = again.into_iter().map(|remote| Hinted::plain(object, remote)).collect();
    let done = look_again(app, cx, connection, again, &mut pushes).await;
    pushes.send(app, cx).await?;
    done.map_err(|left| left.why)
}

/// Saves the cursor, on top of whatever else changed in the connection meanwhile. One that does not advance is a bug.
async fn advance(
    app: &App,
    cx: &Context,
    connection: Connection,
    object: &Object,
    next: Cursor,
    more: bool,
) -> Result<Connection> {
    if more && connection.cursors.get(object) == Some(&next) {
        return Err(Error::bug("a pull's cursor does not advance"));
    }
    let advanced = |stored: &Connection| {
        let version = |of: &Connection| of.mappings.get(object).map(|mapping| mapping.version);
        if stored.cursors.get(object) != connection.cursors.get(object) || version(stored) != version(&connection) {
            return Err(Error::retryable("someone else pulls this connection"));
        }
        let last_success = if more { stored.last_success } else { Some(cx.now()) };
        // Before there was a connection nobody's deletion mattered.
        let mut after = Connection { last_success, ..stored.clone() };
        after.deletions_read.entry(object.clone()).or_insert(cx.now());
        after.cursors.insert(object.clone(), next.clone());
        Ok(Some(after))
    };
    let advanced = app.store.revise(&connection.tenant, &connection.id, advanced).await?;
    advanced.ok_or_else(|| Error::retryable("the connection is no more"))
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
            return app.start(cx, connection, work).await;
        }
        let (records, next) = app.store.record_page(&connection.tenant, shard, after.as_ref(), SWEPT).await?;
        let mut pushes = Pushes::default();
        let waits = |record: &crate::record::Record| {
            record.links.get(&connection.id).is_some_and(|link| !link.waits.is_empty())
        };
        for record in records.iter().filter(|record| needs(connection, record) || waits(record)) {
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
        let connection = self.approve(tenant, id).await?;
        // What stopped it may have been a field that is no more, or one that is back.
        if let Err(error) = self.inspect(cx, &connection).await {
            tracing::info!(connection.id = %id, error = crate::telemetry::chain(&error), trace = cx.trace, "its fields cannot be asked for");
        }
        self.raise_trouble(cx, &connection).await?;
        self.read(cx, &connection).await?;
        self.start(cx, &connection, Work::Sweep { shard: 0, after: None }).await
    }

    async fn approve(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Connection> {
        let active =
            |stored: &Connection| Ok(Some(Connection { state: State::Active, approved: true, ..stored.clone() }));
        let approved = self.store.revise(tenant, id, active).await?;
        approved.ok_or_else(|| Error::Config { reason: format!("no connection {id}") })
    }

    /// Enqueues the reading of all that changed in a connection's CRM.
    pub async fn read(&self, cx: &Context, connection: &Connection) -> Result<()> {
        for object in connection.mappings.keys() {
            self.start(cx, connection, Work::Delta { object: object.clone() }).await?;
        }
        Ok(())
    }

    /// Enqueues work on a connection.
    pub async fn start(&self, cx: &Context, connection: &Connection, work: Work) -> Result<()> {
        let message = pull_message(connection, work, cx)?.deduplicated(&ulid::Ulid::new().to_string());
        self.queue.send(&self.settings.pulls, &[message]).await
    }
}
