//! A fetch on its way: page by page, each record an event on the bus, and the end of it another.

use super::delta_pull::PAGE_TAKES;
use crate::{
    app::App,
    change::Fetching,
    connection::Connection,
    context::Context,
    error::Result,
    events::Event,
    fetch::{Sheet, Unserved},
    id::RemoteId,
    profile::Profile,
    record::Record,
    request::Fetch,
    store::Exception,
};
use serde_json::{Value as Json, json};

/// As far as time suffices; the rest goes on in a new message. What is read again is told again, by the same ids.
pub(super) async fn fetching(app: &App, cx: &Context, connection: &Connection, fetching: &Fetching) -> Result<()> {
    let mut fetching = fetching.clone();
    loop {
        let page = app.fetch_page(cx, connection, &fetching.fetch, fetching.after.as_deref()).await?;
        let sheet = match page {
            Ok(sheet) => sheet,
            Err(unserved) => return fail(app, cx, &fetching.fetch, &unserved).await,
        };
        let so_far = fetching.so_far.and(sheet.tally);
        app.tell(&told(cx, &fetching.fetch, so_far.pages, &sheet)).await?;
        fetching = Fetching { after: sheet.next, so_far, ..fetching };
        if fetching.after.is_none() {
            let fetched = so_far.fetched;
            tracing::info!(connection.id = %connection.id, fetch = %fetching.fetch.id, fetched, trace = cx.trace, "fetched");
            return app.tell(&[done(cx, &fetching)]).await;
        }
        if cx.left() < PAGE_TAKES {
            return app.start_fetch(cx, fetching).await;
        }
    }
}

/// A fetch of a connection that there is not.
pub(super) async fn unknown(app: &App, cx: &Context, fetching: &Fetching) -> Result<()> {
    let reason = format!("there is no connection {}", fetching.fetch.connection_id);
    fail(app, cx, &fetching.fetch, &Unserved::new("unknown_connection", reason)).await
}

/// Tells the workflow and a person that a fetch is not done. The stream tells it once, however often this is.
pub(super) async fn fail(app: &App, cx: &Context, fetch: &Fetch, unserved: &Unserved) -> Result<()> {
    let Unserved { code, reason } = unserved;
    let mut exception = Exception::new(&fetch.tenant_id, code, fetch.id.as_str(), reason, cx);
    exception.connection = Some(fetch.connection_id.clone());
    exception.fetch = Some(fetch.asker());
    app.store.raise(&exception).await
}

fn told(cx: &Context, fetch: &Fetch, page: u32, sheet: &Sheet) -> Vec<Event> {
    sheet.records.iter().map(|(remote, record)| one(cx, fetch, page, remote, record)).collect()
}

/// One record. What the bus cannot carry is to be read by its id.
fn one(cx: &Context, fetch: &Fetch, page: u32, remote: &RemoteId, record: &Record) -> Event {
    let event = |profile: Json| {
        let mut detail = about(cx, fetch, record.id.as_str());
        detail["record_id"] = json!(record.id);
        detail["product_id"] = json!(record.fields.get("id"));
        detail["remote_id"] = json!(remote);
        detail["page"] = json!(page);
        detail["profile"] = profile;
        Event::new("record.fetched", &detail)
    };
    Some(event(json!(Profile::of(record)))).filter(Event::fits).unwrap_or_else(|| event(Json::Null))
}

fn done(cx: &Context, fetching: &Fetching) -> Event {
    let mut detail = about(cx, &fetching.fetch, "done");
    let tally = json!(fetching.so_far);
    for (name, number) in tally.as_object().into_iter().flatten() {
        detail[name] = number.clone();
    }
    Event::new("fetch.done", &detail)
}

/// What every event of a fetch says. Its id is made of the fetch's own and of what it is about.
fn about(cx: &Context, fetch: &Fetch, what: &str) -> Json {
    json!({
        "id": format!("{}.{what}", fetch.id), "tenant_id": fetch.tenant_id, "fetch_id": fetch.id,
        "connection_id": fetch.connection_id, "object": fetch.object, "workflow": fetch.workflow, "trace": cx.trace,
    })
}
