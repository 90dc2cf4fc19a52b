//! Requests whose CRM has to be waited for hear so, once; those that a person must see to hear that.

use crate::{
    app::App,
    cause::{By, Status},
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::RecordId,
    planner::{fingerprint, wanted},
    record::{Awaiting, Link, Record, Refusal},
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
    let mut cause = cx.cause(By::Push { connection: connection.id.clone() });
    cause.steps = steps(&Link { awaiting: untold, ..link.clone() }, connection, Status::Waiting, code);
    let awaiting = link.awaiting.iter().map(|awaiting| Awaiting { told: true, ..awaiting.clone() }).collect();
    let told = Link { awaiting, rev: link.rev + 1, ..link.clone() };
    match app.store.settle(record, &connection.id, &told, &cause).await {
        Err(Lost::Failed(error)) => Err(error),
        // Whoever was quicker has news of its own.
        Ok(()) | Err(_) => Ok(()),
    }
}

/// How often a record that moves meanwhile is read again.
const ROUNDS: usize = 6;

/// Ends the requests that await a record's link: a person must act first, and was asked to. `rests`: nothing is sent of it
/// until something else is wanted.
pub async fn give_up(
    app: &App,
    cx: &Context,
    connection: &Connection,
    record: &RecordId,
    code: &str,
    rests: bool,
) -> Result<()> {
    for _ in 0..ROUNDS {
        let Some(record) = app.store.record(&connection.tenant, record).await? else { return Ok(()) };
        let mapping = connection.mapping(&record.object)?;
        let link = record.links.get(&connection.id).cloned().unwrap_or_default();
        if link.awaiting.is_empty() && !rests {
            return Ok(());
        }
        let mut cause = cx.cause(By::Push { connection: connection.id.clone() });
        cause.steps = steps(&link, connection, Status::Failed, code);
        let fingerprint = fingerprint(&wanted(&record.fields, &link, mapping), mapping);
        let refusal = rests.then(|| Refusal { fingerprint, code: code.to_owned(), field: None });
        let ended = Link { awaiting: Vec::new(), rev: link.rev + 1, refused: refusal.or(link.refused), ..link };
        match app.store.settle(&record, &connection.id, &ended, &cause).await {
            Ok(()) => return Ok(()),
            Err(Lost::Failed(error)) => return Err(error),
            Err(_) => {}
        }
    }
    Err(Error::retryable("a record keeps moving while its requests are told"))
}
