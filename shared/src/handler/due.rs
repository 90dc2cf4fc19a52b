//! The schedule's tick: whose pull is due is told to the queue.

use super::{delta_pull::pull_message, listing};
use crate::{
    app::App,
    change::Work,
    compare,
    connection::Connection,
    context::Context,
    error::Result,
    id::{ConnectionId, TenantId},
    quiet::EVERY,
    record::Object,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Connections at a time: with their tenants' settings one batched read has room for so many.
const FEW: usize = 48;
/// No few are begun with less than this left.
const FEW_TAKE: Duration = Duration::from_secs(10);
/// Connections that are noted as told at the same time.
const AT_ONCE: usize = 16;

/// A few due connections after the other; those that cannot be told of do not keep the others. Who is left when time is short
/// stays due, and the next tick goes on with them.
pub(super) async fn enqueue(app: &App, cx: &Context) -> Result<()> {
    let due = app.store.due_pulls(cx.now()).await?;
    let (mut looked, mut done) = (BTreeSet::new(), Ok(()));
    for (place, few) in due.chunks(FEW).enumerate() {
        if cx.left() < FEW_TAKE {
            let left = due.len() - place * FEW;
            tracing::warn!(left, trace = cx.trace, "no time is left; the next tick goes on");
            break;
        }
        done = done.and(enqueue_few(app, cx, few, &mut looked).await);
    }
    done
}

/// One message per object of each connection, what others refer to first. When it was due is the deduplication id: two
/// ticks that find it so are one pull. `looked`: the tenants whose records are looked through.
async fn enqueue_few(
    app: &App,
    cx: &Context,
    few: &[(TenantId, ConnectionId)],
    looked: &mut BTreeSet<TenantId>,
) -> Result<()> {
    let (mut messages, mut enqueued, mut looking) = (Vec::new(), Vec::new(), BTreeMap::new());
    let connections = app.store.connections_at(few).await?.into_iter();
    // Another tick may have told of some meanwhile.
    for connection in connections.filter(|connection| connection.works() && connection.due_at <= cx.now()) {
        let (tenant, id) = (&connection.tenant, &connection.id);
        let due = connection.due_at.as_second();
        for (object, _) in connection.objects_read() {
            let pull = pull_message(&connection, Work::Delta { object: object.clone() }, cx)?;
            messages.push(pull.deduplicated(&format!("{tenant}.{id}.{object}.{due}")));
        }
        for work in listing::due(&connection, cx) {
            messages.push(pull_message(&connection, work, cx)?.deduplicated(&ulid::Ulid::new().to_string()));
        }
        let (compares, compared) = to_compare(&connection, cx);
        for object in compares {
            let once = format!("{tenant}.{id}.{object}.compare.{:?}", connection.compared.get(&object));
            messages.push(pull_message(&connection, compare::begun(cx, &object, false), cx)?.deduplicated(&once));
        }
        if let Some(then) = look_through(&connection, cx)
            && looked.insert(tenant.clone())
        {
            let quiet = pull_message(&connection, Work::Quiet { then, shard: 0, after: None }, cx)?;
            messages.push(quiet.deduplicated(&format!("{tenant}.quiet.{then}")));
            looking.insert(tenant.clone(), connection.settings.looked_through);
        }
        if connection.owes_sweep || connection.mode.gathers() {
            let sweep = Work::Sweep { shard: 0, after: None };
            messages.push(
                pull_message(&connection, sweep, cx)?.deduplicated(&format!("{tenant}.{id}.{}", connection.version)),
            );
        }
        let next = connection.every().map_or(connection.due_at, |every| cx.now() + every);
        enqueued.push((connection, next, compared));
    }
    app.queue.send(&app.settings.pulls, &messages).await?;
    let noted = enqueued.into_iter().map(|(connection, due_at, compared)| async move {
        let next = Connection { due_at, owes_sweep: false, compared, ..connection.clone() };
        app.store.update_connection(&connection, &next).await.map(drop)
    });
    stream::iter(noted).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    for (tenant, before) in looking {
        app.store.set_looked_through(&tenant, before, cx.now()).await?;
    }
    Ok(())
}

/// The objects to compare in full, and when each was: what was read for the first time not long ago needs none yet.
fn to_compare(connection: &Connection, cx: &Context) -> (Vec<Object>, BTreeMap<Object, Timestamp>) {
    let mut compared = connection.compared.clone();
    let mut due = Vec::new();
    for (object, _) in connection.objects_read() {
        let last = compared.entry(object.clone()).or_insert(cx.now());
        if *last + compare::EVERY <= cx.now() {
            *last = cx.now();
            due.push(object.clone());
        }
    }
    (due, compared)
}

/// Since when a tenant's records are to be looked through for what time alone begins: once a day.
fn look_through(connection: &Connection, cx: &Context) -> Option<Timestamp> {
    let then = connection.settings.looked_through.unwrap_or(cx.now() - EVERY);
    (connection.settings.triggers.wait() && then + EVERY <= cx.now()).then_some(then)
}
