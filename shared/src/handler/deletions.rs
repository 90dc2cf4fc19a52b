//! What was deleted in a CRM, walked page by page beside the pull; most deletions are known from webhooks long before.

use super::delta_pull::{PAGE_TAKES, absorb_listed};
use crate::{
    app::App,
    change::{Removed, Walk, Work},
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    provider::Fetched,
    record::Object,
    store::Exception,
    sync::Look,
};
use jiff::SignedDuration;

/// More deletions than this at once are a mistake until a person says otherwise.
const MASS: usize = 500;
/// How far a walk reaches back behind the last one.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// The walk to begin now, if one is due.
pub(super) fn due(connection: &Connection, object: &Object, cx: &Context) -> Option<Walk> {
    let every = SignedDuration::try_from(connection.crm.capabilities().deletions?.every).ok()?;
    let read = connection.deletions_read.get(object).filter(|read| **read + every <= cx.now())?;
    let walk = Walk { object: object.clone(), since: *read - OVERLAP, begun: cx.now(), after: None, found: Vec::new() };
    (connection.state == State::Active && connection.direction.receives()).then_some(walk)
}

/// Goes on with a walk. Nothing is followed before all of it is known: a mass deletion is a person's decision.
pub(super) async fn walk(app: &App, cx: &Context, connection: &Connection, mut walk: Walk) -> Result<()> {
    let Some(mapping) = connection.mappings.get(&walk.object).filter(|_| connection.state == State::Active) else {
        return Ok(());
    };
    let crm = connection.crm;
    while walk.found.len() <= MASS {
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
        if walk.after.is_none() {
            break;
        }
    }
    match walk.found.len() > MASS {
        true => raise_mass(app, cx, connection).await?,
        false => {
            let look = |removed: Removed| {
                let Removed { remote, at, merged_into } = removed;
                let fetched = merged_into.map_or(Fetched::Deleted { at }, Fetched::MergedInto);
                Look { remote, fetched, begun: None }
            };
            absorb_listed(app, cx, connection, &walk.object.clone(), walk.found.drain(..).map(look).collect()).await?;
        }
    }
    finish(app, connection, &walk).await
}

async fn raise_mass(app: &App, cx: &Context, connection: &Connection) -> Result<()> {
    let reason = format!(
        "{} deleted more than {MASS} records at once; none of it is followed until a person confirms",
        connection.crm
    );
    let about = format!("{}:{}", connection.id, cx.now().as_second() / 86_400);
    let exception = Exception::new(&connection.tenant, "mass_delete", &about, reason, cx);
    app.store.raise(&exception.on(connection)).await
}

async fn finish(app: &App, connection: &Connection, walk: &Walk) -> Result<()> {
    for _ in 0..5 {
        let Some(stored) = app.store.connection(&connection.tenant, &connection.id).await? else { return Ok(()) };
        let mut after = stored.clone();
        after.deletions_read.insert(walk.object.clone(), walk.begun);
        if app.store.update_connection(&stored, &after).await? {
            return Ok(());
        }
    }
    Err(Error::retryable("the connection keeps changing"))
}
