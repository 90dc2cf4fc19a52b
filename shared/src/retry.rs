//! What failed is done once more, by its normal way.

use crate::{
    app::App,
    cause::By,
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    queue::Outgoing,
    record::{Link, Record},
    store::{Exception, Lost, Open},
};
use serde_json::Value as Json;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// It is on its way. The exception is closed; what fails again is raised again.
    Again,
    /// There is nothing to do once more.
    Nothing,
}

impl App {
    /// A message is sent once more, as it came; a record is looked at and pushed once more, even where the CRM has refused just that;
    /// a connection that was stopped goes on.
    pub async fn retry(&self, cx: &Context, exception: &Exception) -> Result<Retried> {
        if exception.state == Open::Resolved {
            return Ok(Retried::Nothing);
        }
        // These are decisions, not failures.
        let decided =
            ["conflict", "mass_blank", "mass_delete", "mass_write", "needs_reauth"].contains(&exception.code.as_str());
        if decided || !self.again(cx, exception).await? {
            return Ok(Retried::Nothing);
        }
        self.store.resolve(&exception.tenant, &exception.id, cx.now()).await?;
        Ok(Retried::Again)
    }

    async fn again(&self, cx: &Context, exception: &Exception) -> Result<bool> {
        let Exception { tenant, connection, record, payload, .. } = exception;
        if let Some(message) = payload.as_ref().and_then(|payload| serde_json::from_str::<Json>(payload).ok()) {
            let message = Outgoing::new(&message, tenant)?;
            self.queue.send(&self.settings.sync_requests, &[message]).await?;
            return Ok(true);
        }
        let Some(id) = connection else { return Ok(false) };
        let Some(connection) = self.store.connection(tenant, id).await? else { return Ok(false) };
        match (record, &connection.state) {
            (Some(record), State::Active) => {
                let Some(record) = self.store.record(tenant, record).await? else { return Ok(false) };
                self.forgive(cx, &connection, &record).await?;
                self.sync_these(cx, &connection, [record].into_iter()).await?;
                Ok(true)
            }
            // To approve a connection is another decision than to try once more.
            (None, State::Paused { .. } | State::Active) if connection.approved => {
                self.activate(cx, tenant, id).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Forgets that the CRM has refused what is wanted, so that it is sent once more.
    async fn forgive(&self, cx: &Context, connection: &Connection, record: &Record) -> Result<()> {
        let Some(link) = record.links.get(&connection.id).filter(|link| link.refused.is_some()) else { return Ok(()) };
        let forgiven = Link { refused: None, rev: link.rev + 1, ..link.clone() };
        let cause = cx.cause(By::Person { connection: connection.id.clone() });
        match self.store.settle(record, &connection.id, &forgiven, &cause).await {
            Ok(()) => Ok(()),
            Err(Lost::Failed(error)) => Err(error),
            Err(_) => Err(Error::retryable("the record changed meanwhile")),
        }
    }
}
