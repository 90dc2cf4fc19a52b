//! A sync that a person asks for: nothing waits for its schedule.

use super::Pushes;
use crate::{
    app::App,
    change::{Hinted, Hints, Work},
    connection::Connection,
    context::Context,
    error::Result,
    queue::{Outgoing, group},
    record::Record,
};

impl App {
    /// Everything: what changed in the CRM is read, and what it lacks is written.
    pub async fn sync_all(&self, cx: &Context, connection: &Connection) -> Result<()> {
        self.read(cx, connection).await?;
        self.start(cx, connection, Work::Sweep { shard: 0, after: None }).await
    }

    /// Some records: the CRM is asked for those that are in it, and what it lacks of each is written.
    pub async fn sync_these(
        &self,
        cx: &Context,
        connection: &Connection,
        records: impl Iterator<Item = Record>,
    ) -> Result<()> {
        let (mut pushes, mut remotes) = (Pushes::default(), Vec::new());
        for record in records {
            let remote = record.links.get(&connection.id).and_then(|link| link.remote.clone());
            remotes.extend(remote.map(|remote| Hinted::plain(&record.object, remote)));
            pushes.add(connection, &record.id);
        }
        if !remotes.is_empty() {
            let (tenant, id) = (connection.tenant.clone(), connection.id.clone());
            let hints = Hints { tenant, connection: id, remotes, trace: cx.trace.clone() };
            let message = Outgoing::new(&hints, &group(&connection.tenant, &connection.id))?;
            self.queue.send(&self.settings.changes, &[message]).await?;
        }
        pushes.send(self, cx).await
    }
}
