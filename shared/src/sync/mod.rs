//! The flows that several functions share: looking at a CRM, finding the record, and handing on what is pending.

mod deleted;
mod finding;
mod guard;
mod look;
mod looker;
mod merge;
mod moved;
mod pushes;
mod references;
pub mod remedy;

pub use finding::{Who, keys_shown, who};
pub use guard::confirmed;
pub use look::{Left, Look, absorb_guarded, absorb_looks, look_again, raise_conflicts, steps};
pub use pushes::{Pushes, lacks, needs};
pub use references::Leads;

use crate::{
    app::App,
    connection::Connection,
    error::Result,
    id::{ConnectionId, TenantId},
    record::Region,
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
}
