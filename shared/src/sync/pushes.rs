//! What is pending, handed to `outbound`.

use super::Tenant;
use crate::{
    app::App,
    change::Push,
    connection::Connection,
    context::Context,
    error::Result,
    id::{ConnectionId, RecordId, TenantId},
    planner::pending,
    queue::Outgoing,
    record::{Link, Record},
};
use std::collections::{BTreeMap, BTreeSet};

/// Records in one push message: the largest batch that a CRM takes.
const MOST: usize = 100;

/// The push messages of one invocation, gathered so that each names as many records as it may.
#[derive(Debug, Default)]
pub struct Pushes(BTreeMap<(TenantId, ConnectionId), BTreeSet<RecordId>>);

impl Pushes {
    /// Notes every active connection that lacks something of this record, whether it knows the record yet or not.
    pub fn note(&mut self, tenant: &Tenant, record: &Record) {
        let lacking = tenant.connections.values().filter(|c| c.sends() && lacks(c, record));
        for connection in lacking {
            self.0.entry((record.tenant.clone(), connection.id.clone())).or_default().insert(record.id.clone());
        }
    }

    pub fn add(&mut self, connection: &Connection, record: &RecordId) {
        self.0.entry((connection.tenant.clone(), connection.id.clone())).or_default().insert(record.clone());
    }

    /// Sends them. A fresh deduplication id each: what is needed twice must not be swallowed.
    pub async fn send(self, app: &App, cx: &Context) -> Result<()> {
        let mut messages = Vec::new();
        for ((tenant, connection), records) in self.0 {
            let records: Vec<RecordId> = records.into_iter().collect();
            for records in records.chunks(MOST) {
                let push = Push {
                    tenant: tenant.clone(),
                    connection: connection.clone(),
                    records: records.to_vec(),
                    trace: cx.trace.clone(),
                };
                messages.push(Outgoing::new(&push, &connection)?.deduplicated(ulid::Ulid::new().to_string()));
            }
        }
        app.queue.send(&app.settings.pushes, &messages).await
    }
}

/// Whether a connection's CRM lacks something of a record.
pub fn lacks(connection: &Connection, record: &Record) -> bool {
    let nothing = Link::default();
    let link = record.links.get(&connection.id).unwrap_or(&nothing);
    let mapping = connection.mapping(record.object);
    record.merged_into.is_none() && mapping.is_some_and(|mapping| !pending(&record.fields, link, mapping).is_empty())
}
