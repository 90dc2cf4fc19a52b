//! Requests whose CRM has to be waited for hear so, once.

use crate::{
    app::App,
    cause::{By, Cause, Status},
    connection::Connection,
    context::Context,
    error::Result,
    id::RecordId,
    record::{Awaiting, Link, Record},
    store::Lost,
    sync::steps,
};

/// Tells the requests that await these records' links why they wait.
pub async fn tell_waiting(
    app: &App,
    cx: &Context,
    connection: &Connection,
    ids: &[RecordId],
    code: &str,
) -> Result<()> {
    for record in app.store.records(&connection.tenant, ids).await?.into_values() {
        tell(app, cx, connection, &record, code).await?;
    }
    Ok(())
}

async fn tell(app: &App, cx: &Context, connection: &Connection, record: &Record, code: &str) -> Result<()> {
    let Some(link) = record.links.get(&connection.id) else { return Ok(()) };
    let untold: Vec<Awaiting> = link.awaiting.iter().filter(|awaiting| !awaiting.told).cloned().collect();
    if untold.is_empty() {
        return Ok(());
    }
    let mut cause = Cause::new(By::Push { connection: connection.id.clone() }, &cx.trace, cx.now());
    cause.steps = steps(&Link { awaiting: untold, ..link.clone() }, connection, Status::Waiting, code);
    let awaiting = link.awaiting.iter().map(|awaiting| Awaiting { told: true, ..awaiting.clone() }).collect();
    let told = Link { awaiting, rev: link.rev + 1, ..link.clone() };
    match app.store.settle(record, &connection.id, &told, &cause).await {
        Err(Lost::Failed(error)) => Err(error),
        // Whoever was quicker has news of its own.
        Ok(()) | Err(_) => Ok(()),
    }
}
