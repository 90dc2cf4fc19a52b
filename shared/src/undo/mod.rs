//! What changes made of records is taken back: each field gets the value it had before, unless somebody has written it since. That is
//! an ordinary write of the hub's, which every CRM is told, and can itself be undone.

mod back;

pub use crate::scope::{Scope, undo as source};
pub use back::{Left, Undone};

use crate::{
    app::App,
    cause::By,
    change::{Hinted, Work},
    connection::Connection,
    context::Context,
    error::{Error, Result},
    history::{Entry, FieldChange, Part},
    id::TenantId,
    record::{Record, Region},
    store::{Commit, Lost, Place},
    sync::{Pushes, Tenant, look_again},
};
use back::{Changed, undone, without};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;

/// Records of one read.
const PAGE: i32 = 200;
/// Records that are shown of one stretch, at most.
pub const SHOWN: usize = 500;
/// Changes of one read of a history.
const CHANGES: i32 = 50;
/// Histories that are read, and records that are written, at the same time.
const AT_ONCE: usize = 16;
/// How often a record that moves meanwhile is undone once more.
const ROUNDS: usize = 5;

impl App {
    /// Undoes what is in the scope, or tells what that would come to where it is not `meant`, from some place on and for as long as there
    /// is time; where to go on, where that is not the end.
    pub async fn undo_from(
        &self,
        cx: &Context,
        tenant: &TenantId,
        scope: &Scope,
        meant: bool,
        from: Place,
        has_time: impl Fn() -> bool,
    ) -> Result<(Vec<Undone>, Option<Place>)> {
        let (mut all, mut place) = (Vec::new(), Some(from));
        while let Some(at) = place.take_if(|_| all.len() < SHOWN && has_time()) {
            let (mut records, next) = self.store.walk(tenant, &at, PAGE).await?;
            records.retain(|record| record.cause.at >= scope.since);
            all.extend(self.undo_these(cx, tenant, scope, meant, records).await?);
            place = next;
        }
        Ok((all, place))
    }

    /// Leaves it to the schedule's function: everything in the scope, from some place on. Any connection's turn will do.
    pub async fn undo_later(
        &self,
        cx: &Context,
        connection: &Connection,
        scope: &Scope,
        (shard, after): Place,
    ) -> Result<()> {
        self.start(cx, connection, Work::Undo { scope: Box::new(scope.clone()), shard, after }).await
    }

    /// The same, of these records. Those of which nothing is in the scope are left out.
    pub async fn undo_these(
        &self,
        cx: &Context,
        tenant: &TenantId,
        scope: &Scope,
        meant: bool,
        records: Vec<Record>,
    ) -> Result<Vec<Undone>> {
        let changed = |record: Record| async move {
            let changes = self.changes_in(&record, scope).await?;
            Ok::<_, Error>((record, changes))
        };
        let known = stream::iter(records).map(changed).buffered(AT_ONCE);
        let known: Vec<(Record, Vec<Changed>)> = known.try_collect().await?;
        let undoable = |(record, changes): &(Record, Vec<Changed>)| record.erased.is_none() && !changes.is_empty();
        let known: Vec<_> = known.into_iter().filter(undoable).collect();
        if !meant || known.is_empty() {
            return Ok(known.iter().map(|(record, changes)| undone(record, changes, cx.now()).1).collect());
        }
        let Tenant { connections, region, .. } = Tenant::load(self, tenant).await?;
        self.look_at(cx, connections.values(), known.iter().map(|(record, _)| record)).await?;
        let one = |(record, changes)| self.undo_one(cx, record, changes, &region);
        let done: Vec<(Record, Undone)> = stream::iter(known).map(one).buffered(AT_ONCE).try_collect().await?;
        let (mut all, mut pushes) = (Vec::new(), Pushes::default());
        for (record, undone) in done {
            pushes.note(record);
            all.push(undone);
        }
        pushes.send(self, cx).await?;
        Ok(all)
    }

    /// The changes of a record that are in the scope, the latest first.
    async fn changes_in(&self, record: &Record, scope: &Scope) -> Result<Vec<Changed>> {
        let (mut all, mut before) = (Vec::new(), None::<String>);
        loop {
            let of = self.history.page(&record.tenant, &record.id, Part::Changes, before.as_deref(), CHANGES);
            let (entries, next) = of.await?;
            for entry in entries {
                let Entry::Change { version, cause, fields, sent, .. } = entry else { continue };
                if cause.at < scope.since {
                    return Ok(all);
                }
                if scope.holds(&cause) && !(fields.is_empty() && sent.is_empty()) {
                    all.push(Changed { version, fields, sent });
                }
            }
            match next {
                Some(next) => before = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// What users of the CRMs have edited and nobody has told yet is heard first, so that it counts as edited since.
    async fn look_at<'a>(
        &self,
        cx: &Context,
        connections: impl Iterator<Item = &'a Connection>,
        records: impl Iterator<Item = &'a Record> + Clone,
    ) -> Result<()> {
        for connection in connections.filter(|connection| connection.receives()) {
            let hint = |record: &Record| {
                let link = record.links.get(&connection.id).filter(|link| link.gone.is_none())?;
                connection.mappings.get(&record.object)?;
                Some(Hinted::plain(&record.object, link.remote.clone()?))
            };
            let mut pushes = Pushes::default();
            let looked =
                look_again(self, cx, connection, records.clone().filter_map(hint).collect(), &mut pushes).await;
            pushes.send(self, cx).await?;
            looked.map_err(|left| left.why)?;
        }
        Ok(())
    }

    /// The record as it is then. One that moves meanwhile is read again.
    async fn undo_one(
        &self,
        cx: &Context,
        record: Record,
        changes: Vec<Changed>,
        region: &Region,
    ) -> Result<(Record, Undone)> {
        let mut lost = BTreeMap::new();
        for _ in 0..ROUNDS {
            let Some(record) = self.store.record(&record.tenant, &record.id).await? else {
                return Err(Error::retryable("a record went while it was undone"));
            };
            // Of whom was forgotten meanwhile nothing goes back.
            let changes = changes.iter().filter(|_| record.erased.is_none());
            let changes = changes.map(|changed| without(changed, &lost)).collect::<Vec<_>>();
            let (mut after, mut undone) = undone(&record, &changes, cx.now());
            undone.left.extend(lost.clone());
            if undone.fields.is_empty() && undone.sent.is_empty() && !undone.archived {
                return Ok((record, undone));
            }
            after.cause = cx.cause(By::Undo);
            after.version += 1;
            match self.store.commit(&Commit::of(Some(&record), &after), region, cx.now()).await {
                Ok(()) => return Ok((after, undone)),
                Err(Lost::Failed(error)) => return Err(error),
                Err(Lost::Taken(key)) => {
                    let (had, mut has) = (record.fields.clone(), after.fields.clone());
                    has.yield_key(&key, Some(&had));
                    let is_its = |change: &&FieldChange| has.get(&change.field) != after.fields.get(&change.field);
                    lost.extend(undone.fields.iter().filter(is_its).map(|change| (change.field.clone(), Left::Taken)));
                }
                Err(_) => {}
            }
        }
        Err(Error::retryable("a record keeps moving while it is undone"))
    }
}
