//! Records of a CRM on request: read a page at a time, and as the hub knows them then.

use crate::{
    app::App,
    change::{Fetching, Pull, Tally, Work},
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::RemoteId,
    provider::{Fetched, Listed},
    queue::Outgoing,
    record::Record,
    request::Fetch,
    sync::{Look, absorb_listed, linked},
};

/// A page of what was asked for.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// In the CRM's order.
    pub records: Vec<(RemoteId, Record)>,
    pub tally: Tally,
    /// Where to go on; `None` after the last page.
    pub next: Option<String>,
}

/// Why a fetch cannot be done. Nothing else stops for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unserved {
    /// A stable code.
    pub code: &'static str,
    pub reason: String,
}

impl Unserved {
    pub(crate) fn new(code: &'static str, reason: impl Into<String>) -> Unserved {
        Unserved { code, reason: reason.into() }
    }
}

impl Fetching {
    pub fn of(fetch: Fetch) -> Fetching {
        Fetching { fetch, after: None, so_far: Tally::default() }
    }
}

impl App {
    /// Enqueues a fetch, or its next page. It waits behind no pull, and no pull behind it. Asked for twice within five minutes, it is done once.
    pub async fn start_fetch(&self, cx: &Context, fetching: Fetching) -> Result<()> {
        let Fetch { tenant_id: tenant, connection_id: connection, id, .. } = fetching.fetch.clone();
        let once = format!("{tenant}.fetch.{id}.{}", fetching.so_far.pages);
        let pull =
            Pull { tenant, connection, work: Work::Fetch(Box::new(fetching)), trace: cx.trace.clone(), actor: None };
        let message = Outgoing::of_pull(&pull)?.deduplicated(&once);
        self.queue.send(&self.settings.pulls, &[message]).await
    }

    /// Reads one page of a fetch. What it shows enters the hub as a pull's page does; then the filter is asked.
    pub async fn fetch_page(
        &self,
        cx: &Context,
        connection: &Connection,
        fetch: &Fetch,
        after: Option<&str>,
    ) -> Result<Result<Sheet, Unserved>> {
        let mapping = connection.mappings.get(&fetch.object).filter(|mapping| mapping.has_room());
        let Some(mapping) = mapping.filter(|_| connection.direction.receives()) else {
            let reason = format!("{} is not read from {}", fetch.object.as_str(), connection.id);
            return Ok(Err(Unserved::new("not_read", reason)));
        };
        if !connection.receives() {
            return Ok(Err(Unserved::new("not_working", format!("{} does not work now", connection.id))));
        }
        let list = fetch.list.as_deref();
        let listed = self
            .with_session(connection, cx, async |session| connection.crm.list(session, mapping, list, after).await)
            .await;
        let (mut shown, next) = match listed {
            Ok(Listed::Shown { records, next }) => (records, next),
            Ok(Listed::Refused(reason)) => return Ok(Err(Unserved::new("no_such_list", reason))),
            // What stops the connection ends the fetch: nobody asks for its next page once a person has acted.
            Err(Error::AuthExpired { reason } | Error::Config { reason }) => {
                return Ok(Err(Unserved::new("not_working", reason)));
            }
            Err(error) => return Err(error),
        };
        if next.is_some() && next.as_deref() == after {
            return Err(Error::bug("a list's pages do not advance"));
        }
        self.inward(cx, connection, mapping, shown.iter_mut().map(|(_, seen)| seen).collect()).await?;
        let remotes: Vec<RemoteId> = shown.iter().map(|(remote, _)| remote.clone()).collect();
        let looks = shown.into_iter().map(|(remote, seen)| Look { remote, fetched: Fetched::Shown(seen), begun: None });
        absorb_listed(self, cx, connection, &fetch.object, looks.collect()).await?;
        let mut known = linked(self, connection, &fetch.object, &remotes).await?;
        let read = remotes.len();
        let records = remotes.into_iter().filter_map(|remote| known.remove(&remote).map(|record| (remote, record)));
        let records: Vec<(RemoteId, Record)> = records.filter(|(_, record)| record.deleted.is_none()).collect();
        Ok(Ok(picked(fetch, records, read, next)))
    }
}

/// What the filter holds for.
fn picked(fetch: &Fetch, records: Vec<(RemoteId, Record)>, read: usize, next: Option<String>) -> Sheet {
    let count = |records: usize| u32::try_from(records).unwrap_or(u32::MAX);
    let kept = records.len();
    let holds =
        |(_, record): &(RemoteId, Record)| fetch.filter.as_ref().is_none_or(|filter| filter.holds(&record.fields));
    let records: Vec<(RemoteId, Record)> = records.into_iter().filter(holds).collect();
    let tally = Tally {
        pages: 1,
        read: count(read),
        fetched: count(records.len()),
        filtered: count(kept - records.len()),
        left_out: count(read - kept),
    };
    Sheet { records, tally, next }
}
