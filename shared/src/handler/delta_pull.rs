//! The schedule says which connections are due; their messages pull what changed, or sweep what is pending.

use super::{
    deletions, due, fetching, listing,
    messages::{Batch, Message},
};
use crate::{
    app::App,
    change::{Cursor, Pull, Work},
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::RecordId,
    mapping::Mapping,
    provider::{Fetched, Page},
    queue::Outgoing,
    record::Object,
    store::Place,
    sync::{Look, Pushes, absorb_listed, needs},
    undo::Scope,
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
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
            due::enqueue(app, cx).await?;
            Ok(SqsBatchResponse::default())
        }
        PullEvent::Messages(event) => pulls(app, cx, event).await,
    }
}

pub(super) fn pull_message(connection: &Connection, work: Work, cx: &Context) -> Result<Outgoing> {
    let (tenant, id) = (connection.tenant.clone(), connection.id.clone());
    let (trace, actor) = (cx.trace.clone(), cx.actor.clone());
    Outgoing::of_pull(&Pull { tenant, connection: id, work, trace, actor })
}

async fn pulls(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let batch = Batch::new(app, &app.settings.pulls);
    for message in batch.read::<Pull>(event) {
        let cx = cx.traced(&message.job.trace).of(message.job.actor.clone());
        if let Err(error) = work(app, &cx, &message, &batch).await {
            batch.settle(&message, &error, &cx.trace).await;
        }
    }
    Ok(batch.response())
}

async fn work(app: &App, cx: &Context, message: &Message<Pull>, batch: &Batch<'_>) -> Result<()> {
    let Pull { tenant, connection, work, .. } = &message.job;
    let Some(ready) = app.store.ready(tenant, connection, cx.now()).await? else {
        return match work {
            Work::Fetch(unknown) => fetching::unknown(app, cx, unknown).await,
            _ => Ok(()),
        };
    };
    if let Some(after) = ready.pause(cx.now()) {
        batch.keep(message, after).await;
        return Ok(());
    }
    let connection = ready.connection;
    // On the heap, each by itself: together they would fill the stack of a worker.
    let done: LocalBoxFuture<'_, Result<()>> = match work {
        Work::Delta { object } => Box::pin(delta(app, cx, connection.clone(), object)),
        Work::Deletions(walk) => Box::pin(deletions::walk(app, cx, &connection, walk.clone())),
        Work::Rested(rested) => Box::pin(deletions::rested(app, cx, &connection, rested)),
        Work::Quiet { then, shard, after } => Box::pin(quiet(app, cx, &connection, *then, *shard, after.clone())),
        Work::List { object, list } => Box::pin(listing::read(app, cx, &connection, object, list)),
        Work::Compare(comparison) => Box::pin(app.compare_on(cx, &connection, (**comparison).clone())),
        Work::Fetch(fetch) => Box::pin(fetching::fetching(app, cx, &connection, fetch)),
        Work::Undo { scope, shard, after } => Box::pin(undo(app, cx, &connection, scope, (*shard, after.clone()))),
        Work::Sweep { shard, after } => Box::pin(sweep(app, cx, &connection, *shard, after.clone())),
    };
    done.await
}

/// Page by page: absorb, hand on, save the cursor. What time does not allow goes on in a new message.
async fn delta(app: &App, cx: &Context, connection: Connection, object: &Object) -> Result<()> {
    let is_read = |mapping: &&Mapping| connection.receives() && mapping.has_room();
    let Some(mapping) = connection.mappings.get(object).filter(is_read).cloned() else {
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

/// Walks a tenant's records and lets begin what time alone begins.
async fn quiet(
    app: &App,
    cx: &Context,
    connection: &Connection,
    then: Timestamp,
    shard: u8,
    after: Option<RecordId>,
) -> Result<()> {
    let mut place = Some((shard, after));
    while let Some(at) = place {
        if cx.left() < PAGE_TAKES {
            let (shard, after) = at;
            return app.start(cx, connection, Work::Quiet { then, shard, after }).await;
        }
        let (records, next) = app.store.walk(&connection.tenant, &at, SWEPT).await?;
        let mut pushes = Pushes::default();
        let done = app.begin_in_quiet(cx, connection, records, then, &mut pushes).await;
        pushes.send(app, cx).await?;
        done?;
        place = next;
    }
    tracing::info!(connection.id = %connection.id, trace = cx.trace, "looked through");
    Ok(())
}

/// Takes back what is in the scope, whoever it is about.
async fn undo(app: &App, cx: &Context, connection: &Connection, scope: &Scope, place: Place) -> Result<()> {
    let has_time = || cx.left() > PAGE_TAKES;
    let mut place = Some(place);
    while let Some(at) = place {
        if !has_time() {
            return app.undo_later(cx, connection, scope, at).await;
        }
        let (done, next) = app.undo_from(cx, &connection.tenant, scope, true, at, has_time).await?;
        tracing::info!(records = done.len(), trace = cx.trace, "took back a stretch");
        place = next;
    }
    Ok(())
}

/// Walks a tenant's records and pushes whatever this connection lacks.
async fn sweep(app: &App, cx: &Context, connection: &Connection, shard: u8, after: Option<RecordId>) -> Result<()> {
    if !connection.sends() {
        return Ok(());
    }
    let mut place = Some((shard, after));
    while let Some(at) = place {
        if cx.left() < PAGE_TAKES {
            let (shard, after) = at;
            return app.start(cx, connection, Work::Sweep { shard, after }).await;
        }
        let (records, next) = app.store.walk(&connection.tenant, &at, SWEPT).await?;
        let mut pushes = Pushes::default();
        let waits = |record: &crate::record::Record| {
            record.links.get(&connection.id).is_some_and(|link| !link.waits.is_empty())
        };
        for record in records.iter().filter(|record| needs(connection, record) || waits(record)) {
            pushes.add(connection, &record.id);
        }
        pushes.send(app, cx).await?;
        place = next;
    }
    tracing::info!(connection.id = %connection.id, trace = cx.trace, "swept");
    Ok(())
}

impl App {
    /// Enqueues the reading of all that changed in a connection's CRM, and of its lists.
    pub async fn read(&self, cx: &Context, connection: &Connection) -> Result<()> {
        for (object, _) in connection.objects_read() {
            self.start(cx, connection, Work::Delta { object: object.clone() }).await?;
        }
        for work in listing::all(connection) {
            self.start(cx, connection, work).await?;
        }
        Ok(())
    }

    /// Enqueues work on a connection.
    pub async fn start(&self, cx: &Context, connection: &Connection, work: Work) -> Result<()> {
        let message = pull_message(connection, work, cx)?.deduplicated(&ulid::Ulid::new().to_string());
        self.queue.send(&self.settings.pulls, &[message]).await
    }
}
