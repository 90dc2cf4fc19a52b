//! The queue `changes`: hints of our own, and the events that a CRM put on an event bus, as they came from there.

use super::webhook::concerning;
use crate::{
    app::App,
    change::Hints,
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    id::AccountId,
    provider::{Crm, Heard, Hint, Says, Unreadable},
    store::Exception,
    telemetry::Metric,
};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, btree_map::Entry};

/// A message of the queue.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Told {
    Hints(Hints),
    /// Nobody but our own rules may put events into the queue, and the rules are those of partners' event buses: see the template.
    Event(Event),
}

/// An event as a rule hands it on (Amazon EventBridge docs: events, structure). It shows values, so it has no `Debug`.
#[derive(Deserialize)]
pub(super) struct Event {
    id: String,
    source: String,
    detail: Json,
}

/// A connection, and the CRM's own id of who we are there, where that is known.
type Linked = (Connection, Option<String>);

/// The connections of the accounts that events are of.
#[derive(Default)]
pub(super) struct Accounts(BTreeMap<(Crm, AccountId), Vec<Linked>>);

impl Accounts {
    /// What a message hints at, connection by connection.
    pub(super) async fn hints(&mut self, app: &App, cx: &Context, told: &Told) -> Result<Vec<Hints>> {
        let event = match told {
            Told::Hints(hints) => return Ok(vec![hints.clone()]),
            Told::Event(event) => event,
        };
        let cx = cx.traced(&event.id);
        // It goes the way of every message that nobody can read: to the dead letters, loudly.
        let heard = Crm::hears(&event.source, &event.detail);
        let (crm, Heard { account, says }) = heard.ok_or_else(|| Error::bug("an event that no CRM sent"))?;
        let linked = self.linked(app, crm, &account).await?;
        if linked.is_empty() {
            tracing::warn!(crm = %crm, trace = cx.trace, "a genuine event of an account that no connection has");
            cx.metrics.count(Metric::UnknownAccount, Some(crm), 1);
        }
        match says {
            Says::Changed(hints) => {
                tracing::info!(crm = %crm, hints = hints.len(), trace = cx.trace, "an event is taken");
                Ok(linked.iter().map(|(connection, user)| of(connection, user.as_deref(), &hints, &cx)).collect())
            }
            Says::More(filed) => {
                for (connection, _) in linked.iter().filter(|(connection, _)| connection.filed_under(&filed).is_some())
                {
                    pull_soon(app, &cx, connection).await?;
                }
                Ok(Vec::new())
            }
            Says::Unreadable(unreadable) => {
                cx.metrics.count(Metric::EventUnreadable, Some(crm), 1);
                for (connection, _) in linked {
                    unread(app, &cx, connection, &unreadable).await?;
                }
                Ok(Vec::new())
            }
        }
    }

    async fn linked(&mut self, app: &App, crm: Crm, account: &AccountId) -> Result<&[Linked]> {
        let place = match self.0.entry((crm, account.clone())) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(place) => place,
        };
        let mut linked = Vec::new();
        for connection in app.store.connections_by_account(crm, account).await? {
            if connection.state != State::Closed && connection.account == *account {
                // Where it cannot be known, nothing counts as our own.
                let held = app.secrets.grant(&connection.tenant, &connection.id).await.ok();
                linked.push((connection, held.and_then(|held| held.grant.user.clone())));
            }
        }
        Ok(place.insert(linked))
    }
}

fn of(connection: &Connection, user: Option<&str>, hints: &[Hint], cx: &Context) -> Hints {
    let (tenant, id) = (connection.tenant.clone(), connection.id.clone());
    Hints { tenant, connection: id, remotes: concerning(connection, user, hints), trace: cx.trace.clone() }
}

/// That something changed is known all the same.
async fn unread(app: &App, cx: &Context, connection: &Connection, unreadable: &Unreadable) -> Result<()> {
    let about = format!("{}:{}", connection.id, unreadable.0);
    let exception = Exception::new(&connection.tenant, "unreadable_event", &about, unreadable.to_string(), cx);
    app.store.raise(&exception.on(connection)).await?;
    pull_soon(app, cx, connection).await
}

/// The schedule's next tick pulls the connection, whenever it would have been due.
async fn pull_soon(app: &App, cx: &Context, connection: &Connection) -> Result<()> {
    let due =
        |stored: &Connection| Ok((stored.due_at > cx.now()).then(|| Connection { due_at: cx.now(), ..stored.clone() }));
    app.store.revise(&connection.tenant, &connection.id, due).await?;
    tracing::info!(connection.id = %connection.id, trace = cx.trace, "more changed than an event tells: it is pulled");
    Ok(())
}
