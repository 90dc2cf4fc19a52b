//! Fields that stand under others' names, in rules and in records, get the hub's own.

use crate::{
    app::App,
    cause::By,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, TenantId},
    mapping::Mapping,
    record::{Record, Region, canonical},
    store::Lost,
    sync::{Pushes, Tenant},
};
use std::collections::BTreeMap;

/// Records of one read.
const PAGE: i32 = 500;

/// What was under other names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renamed {
    pub connections: Vec<ConnectionId>,
    pub records: usize,
    /// Records where a field would point to somebody else: they stay as they are.
    pub left: usize,
}

impl App {
    /// Renames the fields of a tenant's rules and policies, then those of its records. What was agreed with the CRMs stays agreed, because no value
    /// is another. What is left after an error is done by doing it again.
    pub async fn rename(&self, cx: &Context, tenant: &TenantId) -> Result<Renamed> {
        let mut done = Renamed::default();
        for connection in self.store.connections(tenant).await? {
            let next = by_our_names(&connection);
            if next == connection {
                continue;
            }
            if !self.store.update_connection(&connection, &next).await? {
                return Err(Error::retryable("a connection changed while its rules were renamed"));
            }
            done.connections.push(connection.id);
        }
        let Tenant { region, .. } = Tenant::load(self, tenant).await?;
        let mut place = Some((0, None));
        while let Some(at) = place {
            let (records, next) = self.store.walk(tenant, &at, PAGE).await?;
            let mut pushes = Pushes::default();
            for record in records {
                match self.rename_one(cx, record, &region).await? {
                    One::Same => {}
                    One::Left => done.left += 1,
                    One::Renamed(record) => {
                        done.records += 1;
                        pushes.note(*record);
                    }
                }
            }
            pushes.send(self, cx).await?;
            place = next;
        }
        Ok(done)
    }

    async fn rename_one(&self, cx: &Context, record: Record, region: &Region) -> Result<One> {
        let change = |record: &Record| {
            let cause = cx.cause(By::Rules { what: "fields renamed".to_owned() });
            Some(Record { version: record.version + 1, cause, ..renamed(record)? })
        };
        match self.store.recommit(record, region, cx.now(), change).await {
            Ok((record, true)) => Ok(One::Renamed(Box::new(record))),
            Ok((_, false)) => Ok(One::Same),
            Err(Lost::Taken(_)) => Ok(One::Left),
            Err(lost) => Err(lost.error("a record keeps changing while its fields are renamed")),
        }
    }
}

/// The connection with the hub's own names of its fields, in rules and in policies of one field.
fn by_our_names(connection: &Connection) -> Connection {
    let mut next = connection.clone();
    for (object, mapping) in &mut next.mappings {
        let renamed = mapping.clone().canonical(object);
        let version = mapping.version + u64::from(renamed != *mapping);
        *mapping = Mapping { version, ..renamed };
    }
    for (object, apart) in &mut next.policy.apart {
        // Of two rules for one field the one under the hub's own name holds.
        let (own, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut apart.fields).into_iter().partition(|(name, _)| canonical(object, name) == name);
        apart.fields = others.into_iter().map(|(name, rule)| (canonical(object, &name).to_owned(), rule)).collect();
        apart.fields.extend(own);
    }
    next
}

/// What became of one record.
enum One {
    Same,
    Left,
    Renamed(Box<Record>),
}

/// The record with the hub's own names of its fields; `None` where it has no others.
fn renamed(record: &Record) -> Option<Record> {
    let mut after = record.clone();
    for (name, _) in record.fields.iter().filter(|_| record.merged_into.is_none()) {
        let ours = canonical(&record.object, name);
        if ours != name {
            after.fields.rename(name, ours);
        }
    }
    (after.fields != record.fields).then_some(after)
}
