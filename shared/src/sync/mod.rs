//! The flows that several functions share: looking at a CRM, finding the record, and handing on what is pending.

mod deleted;
mod finding;
mod guard;
mod look;
mod looker;
mod merge;
mod moved;
mod now;
mod pushes;
mod references;
pub mod remedy;

pub use finding::{Who, keys_shown, who};
pub use guard::confirmed;
pub(crate) use guard::count;
pub use look::{
    Left, Look, absorb_guarded, absorb_listed, absorb_looks, linked, look_again, note, raise_conflicts, steps,
};
pub use looker::changes_nothing;
pub use pushes::{Pushes, lacks, needs};
pub use references::Leads;
pub use remedy::stopped;

use crate::{
    app::App,
    connection::{Connection, State},
    error::Result,
    id::{ConnectionId, TenantId},
    record::{Object, Region},
    settings::Settings,
};
use std::collections::BTreeMap;

/// A tenant's connections, read once per invocation.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    pub connections: BTreeMap<ConnectionId, Connection>,
    pub settings: Settings,
    /// Where its telephone numbers are from, unless they say so.
    pub region: Region,
}

impl Tenant {
    pub async fn load(app: &App, tenant: &TenantId) -> Result<Tenant> {
        let (settings, connections) = app.store.tenant(tenant).await?;
        let region = connections.first().map(|c| c.region.clone()).unwrap_or_default();
        let connections = connections.into_iter().map(|c| (c.id.clone(), c)).collect();
        Ok(Tenant { connections, settings, region })
    }

    /// The connection to the CRM whose own id a field of a request holds: `<connection>_id`, or where the tenant has one connection to
    /// that CRM, `<crm>_id` and `<crm>_<object>_id`, such as `hubspot_contact_id`.
    pub fn named_by(&self, field: &str, object: &Object) -> Option<&Connection> {
        let name = field.strip_suffix("_id")?;
        let all = self.connections.values();
        let working = all.filter(|c| c.state != State::Closed && c.mappings.contains_key(object));
        let (by_id, others): (Vec<&Connection>, Vec<&Connection>) = working.partition(|c| c.id.as_str() == name);
        let is_of = |connection: &&Connection| {
            let of = name.strip_prefix(connection.crm.name());
            let word = of.and_then(|of| of.strip_prefix('_'));
            of == Some("") || word.is_some_and(|word| object.names().contains(&word))
        };
        let by_crm: Vec<&Connection> = others.into_iter().filter(is_of).collect();
        match (by_id.as_slice(), by_crm.as_slice()) {
            ([one], _) | ([], [one]) => Some(one),
            _ => None,
        }
    }
}
