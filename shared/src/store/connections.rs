//! Connections, and how they are found.

use super::{Item, Store, attribute, item, keys, keys::Pk, number, read, text, trouble, unbuilt, where_it_held};
use crate::{
    connection::{Connection, Mode, State},
    error::{Error, Result},
    id::{AccountId, ConnectionId, TenantId},
    provider::Crm,
    settings::{Settings, Stop},
};
use aws_sdk_dynamodb::{
    error::SdkError,
    types::{Put, TransactWriteItem},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// How often a connection that others change meanwhile is read again.
const ROUNDS: usize = 5;

/// A connection, and whether its CRM may be called now.
#[derive(Clone, Debug)]
pub struct Ready {
    pub connection: Connection,
    pub paused_until: Option<Timestamp>,
}

impl Ready {
    /// How long nobody may call its CRM; `None` where anybody may.
    pub fn pause(&self, now: Timestamp) -> Option<Duration> {
        self.paused_until.map(|until| Duration::try_from(until.duration_since(now)).unwrap_or_default())
    }
}

/// A token or a subscription that runs out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Renewal {
    pub tenant: TenantId,
    pub connection: ConnectionId,
}

#[derive(Serialize, Deserialize)]
struct Pointer {
    tenant: TenantId,
    connection: ConnectionId,
}

impl Store {
    pub async fn connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Connection>> {
        let items = self.get_all(&[keys::connection(tenant, id), keys::settings(tenant), keys::stop()]).await?;
        Ok(governed(items)?.into_iter().next())
    }

    /// Those of these connections that there are, in one read for fifty.
    pub async fn connections_at(&self, of: &[(TenantId, ConnectionId)]) -> Result<Vec<Connection>> {
        let at = of.iter().flat_map(|(tenant, id)| [keys::connection(tenant, id), keys::settings(tenant)]);
        governed(self.get_all(&at.chain([keys::stop()]).collect::<Vec<_>>()).await?)
    }

    /// A connection with its quota, in one read.
    pub async fn ready(&self, tenant: &TenantId, id: &ConnectionId, now: Timestamp) -> Result<Option<Ready>> {
        let at = [keys::connection(tenant, id), keys::settings(tenant), keys::stop(), keys::quota(tenant, id)];
        let items = self.get_all(&at).await?;
        let paused_until = items.iter().find_map(paused).filter(|until| *until > now);
        Ok(governed(items)?.into_iter().next().map(|connection| Ready { connection, paused_until }))
    }

    pub async fn connections(&self, tenant: &TenantId) -> Result<Vec<Connection>> {
        Ok(self.tenant(tenant).await?.1)
    }

    /// Stores a new connection, and the ways by which webhooks find it. Its id is part of its webhooks' URL, so no other
    /// connection of any tenant may have it.
    pub async fn put_connection(&self, connection: &Connection) -> Result<()> {
        let Connection { tenant, id, crm, account, .. } = connection;
        let pointer = Pointer { tenant: tenant.clone(), connection: id.clone() };
        let by_account = Pk { pk: keys::account(*crm, account), sk: format!("T#{tenant}#C#{id}") };
        let items = [
            connection_item(connection)?,
            item(&keys::door(id), "door", &pointer)?,
            item(&by_account, "door", &pointer)?,
        ];
        let mut steps = Vec::new();
        for item in items {
            let put = Put::builder().table_name(&self.table).set_item(Some(item));
            let put = put.condition_expression("attribute_not_exists(pk)").build().map_err(unbuilt)?;
            steps.push(TransactWriteItem::builder().put(put).build());
        }
        match self.client.transact_write_items().set_transact_items(Some(steps)).send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(e)) if e.err().is_transaction_canceled_exception() => {
                Err(Error::Config { reason: format!("a connection {id} exists already: choose another id") })
            }
            Err(error) => Err(trouble(error)),
        }
    }

    /// The connection behind a webhook's path.
    pub async fn connection_by_door(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        let Some(Pointer { tenant, connection }) = self.get(&keys::door(id)).await? else { return Ok(None) };
        self.connection(&tenant, &connection).await
    }

    /// The connections to one CRM account.
    pub async fn connections_by_account(&self, crm: Crm, account: &AccountId) -> Result<Vec<Connection>> {
        let page = self.page(&keys::account(crm, account), "", None, 100).await?;
        let pointers = page.items.unwrap_or_default().into_iter().map(read::<Pointer>).collect::<Result<Vec<_>>>()?;
        let of = |p: &Pointer| [keys::connection(&p.tenant, &p.connection), keys::settings(&p.tenant)];
        let at: Vec<Pk> = pointers.iter().flat_map(of).collect();
        governed(self.get_all(&at).await?)
    }

    /// A tenant's connections with what holds for all of them, in one read.
    pub async fn tenant(&self, tenant: &TenantId) -> Result<(Settings, Vec<Connection>)> {
        let items = self.all(&keys::connections(tenant), "").await?;
        let settings = items.iter().find(|item| is(item, "settings")).cloned().map(read::<Settings>).transpose()?;
        Ok((settings.unwrap_or_default(), governed(items)?))
    }

    /// Changes a connection, unless someone else did since it was read. Whether it was changed.
    pub async fn update_connection(&self, before: &Connection, after: &Connection) -> Result<bool> {
        let after = Connection { version: before.version + 1, ..after.clone() };
        let call = self.client.put_item().table_name(&self.table).set_item(Some(connection_item(&after)?));
        let call = call.condition_expression("version = :v").expression_attribute_values(":v", number(before.version));
        Ok(where_it_held(call.send().await)?.is_some())
    }

    /// Changes a connection as it stands, once more where somebody else changed it meanwhile; what it is then. `None` where there is no
    /// such connection, or nothing to change.
    pub async fn revise(
        &self,
        tenant: &TenantId,
        id: &ConnectionId,
        change: impl Fn(&Connection) -> Result<Option<Connection>>,
    ) -> Result<Option<Connection>> {
        for _ in 0..ROUNDS {
            let Some(stored) = self.connection(tenant, id).await? else { return Ok(None) };
            let Some(next) = change(&stored)? else { return Ok(None) };
            if self.update_connection(&stored, &next).await? {
                return Ok(Some(Connection { version: stored.version + 1, ..next }));
            }
        }
        Err(Error::retryable("the connection keeps changing"))
    }

    /// Changes a connection's state from what it was when it was read; a newer state stays.
    pub async fn set_state(&self, connection: &Connection, state: &State) -> Result<bool> {
        let call = self.client.update_item().table_name(&self.table);
        let call = match is_due(state, connection.mode) {
            true => call
                .update_expression("SET #state = :state, due_pk = :due ADD version :one")
                .expression_attribute_values(":due", text(keys::due_pull(&connection.id))),
            false => call.update_expression("SET #state = :state REMOVE due_pk ADD version :one"),
        };
        let call = call
            .set_key(Some(keys::connection(&connection.tenant, &connection.id).attributes()))
            .condition_expression("#state = :before")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", attribute(state)?)
            .expression_attribute_values(":before", attribute(&connection.state)?)
            .expression_attribute_values(":one", number(1));
        Ok(where_it_held(call.send().await)?.is_some())
    }

    /// The keys of the connections whose pull is due, each minute in another order.
    pub async fn due_pulls(&self, now: Timestamp) -> Result<Vec<(TenantId, ConnectionId)>> {
        let minute = now.as_second() / 60;
        let mut due = Vec::new();
        for place in 0..keys::DUE_SHARDS {
            let shard = (minute + i64::from(place)).rem_euclid(i64::from(keys::DUE_SHARDS));
            due.extend(self.due(&keys::due_pulls(u8::try_from(shard).unwrap_or(place)), now).await?);
        }
        Ok(due)
    }

    /// The connections whose token or subscription runs out before `until`.
    pub async fn due_renewals(&self, until: Timestamp) -> Result<Vec<(TenantId, ConnectionId)>> {
        let mut due = Vec::new();
        for shard in 0..keys::DUE_SHARDS {
            due.extend(self.due(&keys::due_renewals(shard), until).await?);
        }
        Ok(due)
    }

    /// Notes when a connection's token or subscription must be renewed.
    pub async fn set_renewal(&self, tenant: &TenantId, connection: &ConnectionId, due_at: Timestamp) -> Result<()> {
        let at = keys::renewal(tenant, connection);
        let mut stored = item(&at, "renewal", &Renewal { tenant: tenant.clone(), connection: connection.clone() })?;
        stored.insert("due_pk".to_owned(), text(keys::due_renewal(connection)));
        stored.insert("due_at".to_owned(), text(sortable(due_at)));
        self.client.put_item().table_name(&self.table).set_item(Some(stored)).send().await.map_err(trouble)?;
        Ok(())
    }

    async fn due(&self, partition: &str, until: Timestamp) -> Result<Vec<(TenantId, ConnectionId)>> {
        let call = self.client.query().table_name(&self.table).index_name("due");
        let call = call
            .key_condition_expression("due_pk = :pk AND due_at <= :at")
            .expression_attribute_values(":pk", text(partition));
        let mut pages = call.expression_attribute_values(":at", text(sortable(until))).into_paginator().items().send();
        let mut due = Vec::new();
        while let Some(found) = pages.next().await {
            let found = found.map_err(trouble)?;
            let id = |name: &str| found.get(name).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
            let connection = if found.contains_key("connection") { id("connection") } else { id("id") };
            let bad = |_| Error::bug("a due item without its connection");
            due.push((id("tenant").try_into().map_err(bad)?, connection.try_into().map_err(bad)?));
        }
        Ok(due)
    }
}

/// Whether a connection in this state and mode is pulled by the schedule.
fn is_due(state: &State, mode: Mode) -> bool {
    matches!(state, State::Active | State::Joining) && mode != Mode::Manual
}

/// The connections among these items, each with what its tenant has said for all of them.
fn governed(items: Vec<Item>) -> Result<Vec<Connection>> {
    let partition = |item: &Item| Pk::of(item).map(|at| at.pk);
    let mut settings: BTreeMap<Option<String>, Settings> = BTreeMap::new();
    for item in items.iter().filter(|item| is(item, "settings")) {
        settings.insert(partition(item), read(item.clone())?);
    }
    let stop = items.iter().find(|item| is(item, "stop")).cloned().map(read::<Stop>).transpose()?;
    let connections = items.into_iter().filter(|item| is(item, "connection"));
    let governed = connections.map(|item| {
        let mut settings = settings.get(&partition(&item)).cloned().unwrap_or_default();
        settings.stopped = stop.clone().or(settings.stopped);
        Ok(Connection { settings, ..read(item)? })
    });
    governed.collect()
}

fn is(item: &Item, kind: &str) -> bool {
    item.get("kind").and_then(|k| k.as_s().ok()).is_some_and(|k| k == kind)
}

fn paused(quota: &Item) -> Option<Timestamp> {
    quota.get("paused_until")?.as_s().ok()?.parse().ok()
}

fn connection_item(connection: &Connection) -> Result<Item> {
    let mut stored = item(&keys::connection(&connection.tenant, &connection.id), "connection", connection)?;
    stored.insert("due_at".to_owned(), text(sortable(connection.due_at)));
    if is_due(&connection.state, connection.mode) {
        stored.insert("due_pk".to_owned(), text(keys::due_pull(&connection.id)));
    }
    Ok(stored)
}

/// A time whose text sorts as it does: always in whole seconds of UTC.
fn sortable(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
