//! What was deleted in a CRM, walked page by page beside the pull; most deletions are known from webhooks long before.

use super::delta_pull::PAGE_TAKES;
use crate::{
    app::App,
    change::{Hinted, Removed, Rested, Walk, Work},
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    id::RemoteId,
    planner::{Deletes, Mass, Policy},
    provider::{Fetched, Session},
    record::Object,
    store::Exception,
    sync::{Look, Pushes, absorb_listed, absorb_looks, confirmed, look_again},
};
use jiff::SignedDuration;

/// Deletions that are followed at once.
const PART: usize = 1_000;
/// How far a walk reaches back behind the last one.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// The walk to begin now, if one is due.
pub(super) fn due(connection: &Connection, object: &Object, cx: &Context) -> Option<Walk> {
    let every = SignedDuration::try_from(connection.crm.capabilities().deletions?.every).ok()?;
    let read = connection.deletions_read.get(object).filter(|read| **read + every <= cx.now())?;
    let walk = Walk { object: object.clone(), since: *read - OVERLAP, begun: cx.now(), after: None, found: Vec::new() };
    (connection.state == State::Active && connection.receives()).then_some(walk)
}

/// Goes on with a walk. What it finds is followed in large parts: whether it is too much is seen before any of it is done.
pub(super) async fn walk(app: &App, cx: &Context, connection: &Connection, mut walk: Walk) -> Result<()> {
    let Some(mapping) =
        connection.mappings.get(&walk.object).filter(|_| connection.state == State::Active && connection.works())
    else {
        return Ok(());
    };
    let crm = connection.crm;
    loop {
        if cx.left() < PAGE_TAKES {
            return app.start(cx, connection, Work::Deletions(walk)).await;
        }
        let page = app.with_session(connection, cx, async |session| crm.deleted(session, mapping, &walk).await).await?;
        walk.found.extend(page.remotes);
        walk.begun = page.covered.map_or(walk.begun, |covered| covered.min(walk.begun));
        if page.next.is_some() && page.next == walk.after {
            return Err(Error::bug("a walk through deletions does not advance"));
        }
        walk.after = page.next;
        if walk.after.is_none() || walk.found.len() >= PART {
            let looks = walk.found.drain(..).map(look).collect();
            absorb_listed(app, cx, connection, &walk.object, looks).await?;
        }
        if walk.after.is_none() {
            return finish(app, connection, &walk).await;
        }
    }
}

fn look(removed: Removed) -> Look {
    let Removed { remote, at, merged_into } = removed;
    let fetched = merged_into.map_or(Fetched::Deleted { at }, Fetched::MergedInto);
    Look { remote, fetched, begun: None }
}

/// Follows deletions that waited for a person. Each remote is looked at once more: some may have been restored.
pub(super) async fn rested(app: &App, cx: &Context, connection: &Connection, work: &Rested) -> Result<()> {
    if connection.state != State::Active || !connection.works() {
        return Err(Error::retryable("the connection does not work now"));
    }
    let deletes = if work.meant { connection.policy.deletes } else { Deletes::Ignore };
    let decided = Connection { policy: Policy { deletes, ..connection.policy.clone() }, ..connection.clone() };
    let (object, crm) = (&work.object, connection.crm);
    let mapping = connection.mapping(object)?;
    loop {
        if cx.left() < PAGE_TAKES {
            return app.start(cx, connection, Work::Rested(work.clone())).await;
        }
        let most = i32::try_from(crm.capabilities().max_read).unwrap_or(100);
        let rested = app.store.rested(connection, object, &work.rests, most).await?;
        if rested.is_empty() {
            return Ok(());
        }
        let ids: Vec<RemoteId> = rested.iter().map(|removed| removed.remote.clone()).collect();
        let fetch = async |session: &Session| crm.fetch(session, mapping, &ids).await;
        let mut fetched = app.with_session(connection, cx, fetch).await.map_err(waits)?;
        app.inward(cx, connection, mapping, fetched.iter_mut().filter_map(Fetched::seen).collect()).await?;
        let looks = rested.iter().cloned().zip(fetched).map(|(removed, fetched)| match fetched {
            // Those that no read tells of any more are what they were: deleted.
            Fetched::NotVisible => look(removed),
            fetched => Look { remote: removed.remote, fetched, begun: None },
        });
        let mut pushes = Pushes::default();
        let looks = confirmed(app, cx, &decided, object, looks.collect()).await?;
        let again = absorb_looks(app, cx, &decided, object, looks, &mut pushes).await?;
        let again = again.into_iter().map(|remote| Hinted::plain(object, remote)).collect();
        let done = look_again(app, cx, &decided, again, &mut pushes).await;
        pushes.send(app, cx).await?;
        done.map_err(|left| left.why)?;
        app.store.forget_rested(connection, object, &work.rests, &rested).await?;
    }
}

/// What was decided is not forgotten because nobody lets us in now.
fn waits(error: Error) -> Error {
    match error {
        Error::AuthExpired { reason } | Error::Config { reason } => Error::retryable(&reason),
        other => other,
    }
}

impl App {
    /// A person has decided about a connection's deletions that rest: `meant` or not. Whether there were any.
    pub async fn decide_deletions(&self, cx: &Context, connection: &Connection, meant: bool) -> Result<bool> {
        for _ in 0..5 {
            let tally = self.store.tally(connection, Mass::Deletions).await?;
            let Some(rests) = tally.rests.clone() else { return Ok(false) };
            let start = async || -> Result<()> {
                for object in connection.mappings.keys() {
                    let work = Rested { object: object.clone(), rests: rests.clone(), meant };
                    self.start(cx, connection, Work::Rested(work)).await?;
                }
                Ok(())
            };
            start().await?;
            if self.store.set_tally(connection, Mass::Deletions, &tally, &tally.decided()).await? {
                // What came to rest after the first message was done is among the second's.
                start().await?;
                let about = format!("{}:{rests}", connection.id);
                let exception = Exception::new(&connection.tenant, "mass_delete", &about, "", cx);
                self.store.resolve(&connection.tenant, &exception.id, cx.now()).await?;
                return Ok(true);
            }
        }
        Err(Error::retryable("the deletions are being counted"))
    }
}

async fn finish(app: &App, connection: &Connection, walk: &Walk) -> Result<()> {
    let read = |stored: &Connection| {
        let mut after = stored.clone();
        after.deletions_read.insert(walk.object.clone(), walk.begun);
        Ok(Some(after))
    };
    app.store.revise(&connection.tenant, &connection.id, read).await.map(drop)
}
