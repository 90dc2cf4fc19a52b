//! What is pending, handed to `outbound`.

use crate::{
    app::App,
    change::Push,
    connection::Connection,
    context::Context,
    error::Result,
    id::{ConnectionId, RecordId, TenantId},
    planner::{Errand, due, errand},
    queue::{Outgoing, group},
    record::{Link, Record},
};
use std::collections::{BTreeMap, BTreeSet};

/// Records in one push message. A function is given ten of them: as many as it pushes in its time.
const MOST: usize = 200;

/// The push messages of one invocation, gathered so that each names as many records as it may.
#[derive(Debug, Default)]
pub struct Pushes {
    changed: BTreeMap<(TenantId, RecordId), Record>,
    named: BTreeMap<(TenantId, ConnectionId), BTreeSet<RecordId>>,
}

impl Pushes {
    /// Notes a record as it stands now: it is pushed to every active connection that lacks something of it, whether that
    /// knows the record yet or not. One that gathers sweeps when its time has come.
    pub fn note(&mut self, record: Record) {
        self.changed.insert((record.tenant.clone(), record.id.clone()), record);
    }

    /// Notes a record for one connection.
    pub fn add(&mut self, connection: &Connection, record: &RecordId) {
        self.named.entry((connection.tenant.clone(), connection.id.clone())).or_default().insert(record.clone());
    }

    /// Sends them. A fresh deduplication id each: what is needed twice must not be swallowed.
    ///
    /// The connections are read now, after the last commit: one that becomes active later sweeps what was committed before.
    pub async fn send(self, app: &App, cx: &Context) -> Result<()> {
        let Pushes { changed, mut named } = self;
        let tenants: BTreeSet<TenantId> = changed.keys().map(|(tenant, _)| tenant.clone()).collect();
        for tenant in tenants {
            let connections = app.store.connections(&tenant).await?;
            for connection in connections.iter().filter(|c| c.sends() && !c.mode.gathers()) {
                let of_tenant = changed.iter().filter(|((of, _), _)| *of == tenant);
                let needed = of_tenant.filter(|(_, record)| needs(connection, record)).map(|((_, id), _)| id.clone());
                named.entry((tenant.clone(), connection.id.clone())).or_default().extend(needed);
            }
        }
        let mut messages = Vec::new();
        for ((tenant, connection), records) in named {
            let records: Vec<RecordId> = records.into_iter().collect();
            for records in records.chunks(MOST) {
                let push = Push {
                    tenant: tenant.clone(),
                    connection: connection.clone(),
                    records: records.to_vec(),
                    trace: cx.trace.clone(),
                };
                let group = group(&tenant, &connection);
                messages.push(Outgoing::new(&push, &group)?.deduplicated(&ulid::Ulid::new().to_string()));
            }
        }
        app.queue.send(&app.settings.pushes, &messages).await
    }
}

/// Whether a connection's CRM lacks something of a record, or requests wait for a word about it.
pub fn needs(connection: &Connection, record: &Record) -> bool {
    let awaited = record.links.get(&connection.id).is_some_and(|link| !link.awaiting.is_empty());
    let deletes = errand(record, &connection.id) == Errand::Delete;
    lacks(connection, record) || deletes || (awaited && record.merged_into.is_none())
}

/// Whether a connection's CRM lacks something of a record that can be written now.
pub fn lacks(connection: &Connection, record: &Record) -> bool {
    let nothing = Link::default();
    let link = record.links.get(&connection.id).unwrap_or(&nothing);
    let mapping = connection.mapping(&record.object);
    errand(record, &connection.id) == Errand::Push
        && mapping.is_ok_and(|mapping| !due(&record.fields, link, mapping).is_empty())
}
