//! The queues `changes` and `sync-requests`: what they say enters the hub, and what is pending goes out.

use super::{
    bus::{Accounts, Told},
    messages::{Batch, Message},
};
use crate::{
    app::App,
    change::{Hinted, Hints},
    connection::Connection,
    context::Context,
    error::Result,
    id::{ConnectionId, RemoteId, TenantId},
    inbox,
    record::Object,
    sync::{Left, Pushes, look_again, note},
};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use std::collections::BTreeMap;

/// One batch of one of the two queues.
pub async fn reconcile(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let source = event.records.first().and_then(|message| message.event_source_arn.as_deref()).unwrap_or_default();
    match name(source, ':') == name(&app.settings.sync_requests, '/') {
        true => inbox::requests(app, cx, event).await,
        false => changes(app, cx, event).await,
    }
}

/// A queue's name: the last part of its ARN and of its URL.
fn name(of: &str, separator: char) -> &str {
    of.rsplit(separator).next().unwrap_or_default()
}

/// What a message says to one of the connections that it is for.
type Said<'m> = (&'m Message<Vec<Hints>>, &'m Hints);

/// Hints of one connection are gathered, so that each remote is fetched once, in full batches.
async fn changes(app: &App, cx: &Context, event: SqsEvent) -> Result<SqsBatchResponse> {
    let batch = Batch::new(app, &app.settings.changes);
    let (mut accounts, mut told) = (Accounts::default(), Vec::new());
    for message in batch.read::<Told>(event) {
        match accounts.hints(app, cx, &message.job).await {
            Ok(hints) => told.push(message.with(hints)),
            Err(error) => batch.settle(&message, &error, &cx.trace).await,
        }
    }
    let mut by_connection: BTreeMap<(TenantId, ConnectionId), Vec<Said<'_>>> = BTreeMap::new();
    for (message, hints) in told.iter().flat_map(|message| message.job.iter().map(move |hints| (message, hints))) {
        by_connection.entry((hints.tenant.clone(), hints.connection.clone())).or_default().push((message, hints));
    }
    for ((tenant, connection), said) in by_connection {
        let cx = cx.traced(&said[0].1.trace);
        let Some(ready) = app.store.ready(&tenant, &connection, cx.now()).await? else { continue };
        if let Some(after) = ready.pause(cx.now()) {
            for (message, _) in said {
                batch.keep(message, after).await;
            }
            continue;
        }
        if let Err(left) = look(app, &cx, &ready.connection, &said).await {
            let is_left =
                |hint: &Hinted| left.remotes.iter().any(|one| one.remote == hint.remote && one.object == hint.object);
            for (message, _) in said.iter().filter(|(_, hints)| hints.remotes.iter().any(is_left)) {
                batch.settle(message, &left.why, &cx.trace).await;
            }
        }
    }
    Ok(batch.response())
}

async fn look(app: &App, cx: &Context, connection: &Connection, said: &[Said<'_>]) -> std::result::Result<(), Left> {
    let mut remotes: BTreeMap<(Object, RemoteId), Hinted> = BTreeMap::new();
    for hint in said.iter().flat_map(|(_, hints)| &hints.remotes) {
        let this = (hint.object.clone(), hint.remote.clone());
        remotes.entry(this).and_modify(|known| known.and(hint)).or_insert_with(|| hint.clone());
    }
    let remotes: Vec<Hinted> = remotes.into_values().filter(|hint| is_worth_a_look(connection, hint)).collect();
    let mut pushes = Pushes::default();
    // Whoever had a message before may have absorbed what it tells, and not lived to hand that on.
    for (_, hints) in said.iter().filter(|(message, _)| message.receives > 1) {
        let noted = note(app, connection, &hints.remotes, &mut pushes).await;
        noted.map_err(|why| Left { remotes: remotes.clone(), why })?;
    }
    let done = look_again(app, cx, connection, remotes.clone(), &mut pushes).await;
    pushes.send(app, cx).await.map_err(|why| Left { remotes, why })?;
    done
}

/// That a person was erased is heard only once, so it counts whatever state the connection is in. Where we only send, what
/// matters is whether a remote is still there.
fn is_worth_a_look(connection: &Connection, hint: &Hinted) -> bool {
    let works = connection.works() && !connection.mode.gathers();
    let mapped = connection.mappings.contains_key(&hint.object);
    mapped && (hint.erased || works && (connection.direction.receives() || hint.tells.is_none()))
}
