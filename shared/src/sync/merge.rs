//! Two remotes were merged in a CRM: their hub records follow.

use crate::{
    app::App,
    cause::{By, Cause},
    connection::Connection,
    context::Context,
    error::Result,
    id::RemoteId,
    record::{Gone, Key, Link, Record},
    store::{Commit, Exception, Lost, Merge},
};

/// The remote of `loser` was merged into `winner`. Whether it must be looked at again.
///
/// Where the winner is nobody's, the link moves to it. Where it is another record's, that record survives: it fills its blanks
/// from the other, takes over its other links, and the other one stays as a tombstone.
pub(super) async fn merged(
    app: &App,
    cx: &Context,
    connection: &Connection,
    loser: &Record,
    winner: &RemoteId,
) -> Result<bool> {
    let key = Key::Remote(connection.id.clone(), winner.clone());
    let holder = app
        .store
        .holders(&loser.tenant, &loser.object, std::slice::from_ref(&key))
        .await?
        .remove(&key)
        .and_then(|ids| ids.into_iter().next());
    let survivor = match holder.filter(|id| *id != loser.id) {
        Some(id) => app.store.record(&loser.tenant, &id).await?,
        None => None,
    };
    let by = By::Remote { connection: connection.id.clone(), what: "merged".to_owned() };
    let cause = cx.cause(by);
    if loser.erased.is_some() {
        return of_erased(app, cx, connection, loser, winner, survivor.is_some(), cause).await;
    }
    if survivor.as_ref().is_some_and(|survivor| survivor.erased.is_some()) {
        // Whoever is merged into somebody who was erased stays as they are; in this CRM they are no more.
        let Some(link) = loser.links.get(&connection.id) else { return Ok(false) };
        let ended = Link { gone: Some(Gone::Deleted { at: cx.now() }), rev: link.rev + 1, ..link.clone() };
        return lost(app.store.settle(loser, &connection.id, &ended, &cause).await);
    }
    let Some(survivor) = survivor else {
        let Some(link) = loser.links.get(&connection.id) else { return Ok(false) };
        let moved = Link { remote: Some(winner.clone()), modified: None, rev: link.rev + 1, ..link.clone() };
        if loser.deleted.is_none() {
            return lost(app.store.settle(loser, &connection.id, &moved, &cause).await);
        }
        // Whoever merges a person that was deleted elsewhere wants them.
        let mut after = Record { deleted: None, version: loser.version + 1, cause, ..loser.clone() };
        after.links.insert(connection.id.clone(), moved);
        let commit = Commit::of(Some(loser), &after);
        return lost(app.store.commit(&commit, &connection.region, cx.now()).await);
    };
    let (survivor_after, tombstone, doubled) = join(&survivor, loser, connection, cause);
    for other in doubled {
        let reason = format!("the records of one person were merged in {}, but {other} still has two", connection.crm);
        let about = format!("{other}:{}", loser.id);
        app.store
            .raise(&Exception::new(&loser.tenant, "duplicate_in_crm", &about, reason, cx).of(&survivor.id))
            .await?;
    }
    let merge = Merge { survivor: (&survivor, &survivor_after), loser: (loser, &tombstone) };
    lost(app.store.merge(&merge, &connection.region).await)
}

/// Where the winner is nobody's, it is now the one that is to be erased; where it is somebody's, what it shows of them is a person's to see to.
async fn of_erased(
    app: &App,
    cx: &Context,
    connection: &Connection,
    loser: &Record,
    winner: &RemoteId,
    is_somebodys: bool,
    cause: Cause,
) -> Result<bool> {
    let Some(link) = loser.links.get(&connection.id) else { return Ok(false) };
    let gone = is_somebodys.then(|| Gone::Deleted { at: cx.now() });
    if is_somebodys {
        let about = format!("{}:{}:{winner}", loser.id, connection.id);
        let reason = format!("{} has merged somebody who was erased into its record {winner}", connection.crm);
        let exception = Exception::new(&loser.tenant, "erased_person", &about, reason, cx);
        app.store.raise(&exception.on(connection).of(&loser.id)).await?;
    }
    let remote = if is_somebodys { link.remote.clone() } else { Some(winner.clone()) };
    let mut after = Record { version: loser.version + 1, cause, ..loser.clone() };
    after.links.insert(connection.id.clone(), Link { gone, ..link.erased(remote) });
    lost(app.store.commit(&Commit::of(Some(loser), &after), &connection.region, cx.now()).await)
}

fn lost(done: Result<(), Lost>) -> Result<bool> {
    match done {
        Ok(()) => Ok(false),
        Err(Lost::Failed(error)) => Err(error),
        Err(_) => Ok(true),
    }
}

/// The survivor, the tombstone, and the connections where both had a remote of their own.
fn join(
    survivor: &Record,
    loser: &Record,
    connection: &Connection,
    cause: Cause,
) -> (Record, Record, Vec<crate::id::ConnectionId>) {
    let mut joined = survivor.clone();
    joined.fields.fill_blanks(&loser.fields);
    joined.engagement.join(&loser.id, &loser.engagement);
    // A total that does not fit its field was told of when it was counted.
    let _ = joined.engagement.tell(&survivor.engagement, &mut joined.fields, &connection.settings.ownership, cause.at);
    for (name, standing) in &loser.standing {
        let kept = joined.standing.entry(name.clone()).or_default();
        (kept.holds, kept.times) = (kept.holds || standing.holds, kept.times.max(standing.times));
    }
    joined.deleted = joined.deleted.filter(|_| loser.deleted.is_some());
    let mut doubled = Vec::new();
    for (id, link) in loser.links.iter().filter(|(id, _)| **id != connection.id) {
        match joined.links.get_mut(id) {
            None => drop(joined.links.insert(id.clone(), Link { rev: link.rev + 1, ..link.clone() })),
            Some(kept) => {
                kept.awaiting.extend(link.awaiting.iter().cloned());
                kept.rev += 1;
                doubled.push(id.clone());
            }
        }
    }
    let waiting = loser.links.get(&connection.id).map(|link| link.awaiting.clone()).unwrap_or_default();
    if let Some(link) = joined.links.get_mut(&connection.id) {
        link.awaiting.extend(waiting);
        link.rev += 1;
    }
    joined.version += 1;
    joined.cause = cause.clone();
    connection.settings.fire(Some(survivor), &mut joined, cause.at);
    let mut tombstone = loser.clone();
    tombstone.links.clear();
    tombstone.merged_into = Some(survivor.id.clone());
    tombstone.version += 1;
    tombstone.cause = cause;
    (joined, tombstone, doubled)
}
