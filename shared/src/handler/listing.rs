//! Who is on a CRM's own lists. No CRM tells when somebody joins or leaves one, so each list that is mapped is read once an hour and
//! compared with who was on it.

use super::delta_pull::PAGE_TAKES;
use crate::{
    app::App,
    change::Work,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::RemoteId,
    mapping::Mapping,
    provider::{Fetched, Listed, Session, list},
    record::{Object, Record, Value},
    store::Exception,
    sync::{Look, Pushes, absorb_guarded, linked},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Members of a list that is followed, at most: so many ids fit in one item.
const MOST: usize = 20_000;
const HOUR: i64 = 3600;

/// The lists to read with a pull that is due: with the first one of every hour.
pub(super) fn due(connection: &Connection, cx: &Context) -> Vec<Work> {
    let last = connection.every().map_or(connection.due_at, |every| connection.due_at - every);
    let hour = |at: Timestamp| at.as_second().div_euclid(HOUR);
    if hour(cx.now()) == hour(last) { Vec::new() } else { all(connection) }
}

/// Every list that is read.
pub(super) fn all(connection: &Connection) -> Vec<Work> {
    let of = |(object, mapping): (&Object, &Mapping)| -> Vec<Work> {
        let work = |list: &str| Work::List { object: object.clone(), list: list.to_owned() };
        mapping.lists_read().into_iter().map(work).collect()
    };
    connection.objects_read().flat_map(of).collect()
}

struct Reading<'a> {
    app: &'a App,
    cx: &'a Context,
    connection: &'a Connection,
    object: &'a Object,
    mapping: &'a Mapping,
    list: &'a str,
}

/// Reads a list, and absorbs of whoever joined or left it that they did.
pub(super) async fn read(app: &App, cx: &Context, connection: &Connection, object: &Object, list: &str) -> Result<()> {
    let reads = |mapping: &&Mapping| connection.receives() && mapping.lists_read().contains(&list);
    let Some(mapping) = connection.mappings.get(object).filter(reads) else {
        return Ok(());
    };
    let reading = Reading { app, cx, connection, object, mapping, list };
    match reading.compared().await? {
        Ok(()) => Ok(()),
        Err(reason) => reading.unread(&reason).await,
    }
}

impl Reading<'_> {
    /// Whoever seems to have moved is read as they are in the hub before the list is read once more: what it says then is newer than
    /// that, so our own write of a moment ago is not undone by what the list said before it.
    async fn compared(&self) -> Result<Result<(), String>> {
        let Reading { app, cx, connection, object, .. } = self;
        let since = self.mapping.changed.get(&list::field(self.list)).copied().unwrap_or_default();
        let mut roster = app.store.roster(connection, self.list, since).await?;
        let members = match self.members().await? {
            Ok(members) => members,
            Err(reason) => return Ok(Err(reason)),
        };
        let moved: Vec<RemoteId> = members.symmetric_difference(&roster).cloned().collect();
        if moved.is_empty() {
            return Ok(Ok(()));
        }
        let known = linked(app, connection, object, &moved).await?;
        let rev = |(remote, record): (RemoteId, Record)| Some((remote, record.links.get(&connection.id)?.rev));
        let begun: BTreeMap<RemoteId, u64> = known.into_iter().filter_map(rev).collect();
        let members = match self.members().await? {
            Ok(members) => members,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut pushes = Pushes::default();
        for some in moved.chunks(connection.crm.capabilities().max_read) {
            if cx.left() < PAGE_TAKES {
                break;
            }
            let looks = self.looks(some, &members, &begun).await?;
            let again = absorb_guarded(app, cx, connection, object, looks, &mut pushes).await?;
            let again: BTreeSet<RemoteId> = again.into_iter().collect();
            // Whose record moved meanwhile is told again the next time.
            for remote in some.iter().filter(|remote| !again.contains(*remote)) {
                if members.contains(remote) {
                    roster.insert(remote.clone())
                } else {
                    roster.remove(remote)
                };
            }
        }
        pushes.send(app, cx).await?;
        tracing::info!(connection.id = %connection.id, moved = moved.len(), trace = cx.trace, "read a list");
        app.store.set_roster(connection, self.list, since, &roster).await?;
        Ok(Ok(()))
    }

    /// Everybody on the list; why it cannot be followed where that is so.
    async fn members(&self) -> Result<Result<BTreeSet<RemoteId>, String>> {
        let Reading { app, cx, connection, mapping, list, .. } = self;
        let (mut members, mut after) = (BTreeSet::new(), None::<String>);
        loop {
            if cx.left() < PAGE_TAKES {
                return Err(Error::retryable("no time is left to read a list"));
            }
            let page =
                async |session: &Session| connection.crm.list(session, mapping, Some(list), after.as_deref()).await;
            match app.with_session(connection, cx, page).await? {
                Listed::Refused(reason) => return Ok(Err(reason)),
                Listed::Shown { next, .. } if next.is_some() && next == after => {
                    return Err(Error::bug("a list's pages do not advance"));
                }
                Listed::Shown { records, next } => {
                    members.extend(records.into_iter().map(|(remote, _)| remote));
                    after = next;
                }
            }
            if members.len() > MOST {
                return Ok(Err(format!("more than {MOST} are on it")));
            }
            if after.is_none() {
                return Ok(Ok(members));
            }
        }
    }

    /// These remotes as the CRM shows them, and whether they are on the list. What became of those that it does not show, others tell.
    async fn looks(
        &self,
        remotes: &[RemoteId],
        members: &BTreeSet<RemoteId>,
        begun: &BTreeMap<RemoteId, u64>,
    ) -> Result<Vec<Look>> {
        let Reading { app, cx, connection, mapping, list, .. } = self;
        let fetch = async |session: &Session| connection.crm.fetch(session, mapping, remotes).await;
        let mut fetched = app.with_session(connection, cx, fetch).await?;
        app.inward(cx, connection, mapping, fetched.iter_mut().filter_map(Fetched::seen).collect()).await?;
        let look = |(remote, mut fetched): (&RemoteId, Fetched)| {
            let is_on = Value::Flag(members.contains(remote));
            fetched.seen()?.fields.insert(list::field(list), Some(is_on));
            Some(Look { remote: remote.clone(), fetched, begun: Some(begun.get(remote).copied()) })
        };
        Ok(remotes.iter().zip(fetched).filter_map(look).collect())
    }

    async fn unread(&self, reason: &str) -> Result<()> {
        let Connection { tenant, id, crm, .. } = self.connection;
        let reason = format!("list {} of {} is not followed: {reason}", self.list, crm.title());
        let exception = Exception::new(tenant, "list_unread", &format!("{id}:{}", self.list), reason, self.cx);
        self.app.store.raise(&exception.on(self.connection)).await
    }
}
