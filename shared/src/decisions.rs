//! What a person decides: a connection's policy, and which side of a conflict is right.

use crate::{
    app::App,
    cause::By,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, RecordId, RemoteId, TenantId},
    planner::{Decided, Deletes, Policy, Seen, Take, resolve},
    provider::{Crm, Fetched, Restores, Session},
    record::{Object, Record},
    store::{Commit, Exception, Lost, Open},
    sync::Pushes,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

impl Policy {
    /// New rules for conflicts about fields that do not come from this connection's CRM.
    fn idle(&self, connection: &Connection) -> Vec<String> {
        let heard = |object: &Object, field: &str| {
            let rules = connection.mappings.get(object).map(|mapping| mapping.rules.as_slice()).unwrap_or_default();
            rules.iter().any(|rule| rule.hub == field && rule.direction.receives())
        };
        let fields =
            self.apart.iter().flat_map(|(object, apart)| apart.fields.keys().map(move |field| (object, field)));
        let stood = |object: &Object, field: &str| {
            connection.policy.apart.get(object).is_some_and(|apart| apart.fields.contains_key(field))
        };
        let idle = fields.filter(|(object, field)| !heard(object, field) && !stood(object, field));
        idle.map(|(object, field)| format!("{object}.{field}")).collect()
    }

    /// The connection under this policy, or why it cannot be had. What is pending by it is looked through again.
    pub fn govern(&self, stored: &Connection) -> Result<Connection> {
        match (self.refused_by(stored.crm), self.idle(stored).as_slice()) {
            (Some(why), _) => Err(Error::Config { reason: why.to_owned() }),
            (None, []) => Ok(Connection { policy: self.clone(), owes_sweep: true, ..stored.clone() }),
            (None, idle) => {
                let crm = stored.crm.title();
                Err(Error::Config { reason: format!("nothing is read from {crm} into {}", idle.join(", ")) })
            }
        }
    }

    /// Why this policy cannot be had with a CRM.
    pub fn refused_by(&self, crm: Crm) -> Option<&'static str> {
        match (self.deletes, crm.capabilities().restores) {
            (Deletes::Restore, Restores::Never(why)) => Some(why),
            (Deletes::Restore, Restores::Anew) | (Deletes::Ignore | Deletes::SoftDelete | Deletes::Propagate, _) => {
                None
            }
        }
    }
}

/// Conflicts that a person has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resolved {
    pub ended: usize,
    /// Their remotes are not shown to us now.
    pub unseen: usize,
}

/// Whether what is shown now tells what to take: a field that is hidden, or a value that the rule has no word for, does not.
fn tells(connection: &Connection, record: &Record, seen: &Seen, conflict: &Exception, take: Take) -> bool {
    let Some(field) = &conflict.field else { return true };
    let Ok(mapping) = connection.mapping(&record.object) else { return false };
    match (take, seen.fields.get(field)) {
        (_, None) => false,
        (Take::Theirs, Some(Some(value))) => {
            let rule = mapping.inbound(field).filter(|rule| !rule.values.is_empty());
            rule.is_none_or(|rule| rule.invert(value, &mapping.region).is_some())
        }
        _ => true,
    }
}

impl App {
    /// Stores a connection's policy, unless its CRM makes it impossible. What is pending by it is looked through again.
    pub async fn set_policy(&self, tenant: &TenantId, id: &ConnectionId, policy: Policy) -> Result<()> {
        let governed = self.store.revise(tenant, id, |stored| policy.govern(stored).map(Some)).await?;
        governed.map(drop).ok_or_else(|| Error::Config { reason: format!("no connection {id}") })
    }

    /// Ends these conflicts of a connection. What the hub says is pushed where it is right, and to the others where it is not.
    pub async fn resolve(
        &self,
        cx: &Context,
        connection: &Connection,
        conflicts: &[Exception],
        take: Take,
    ) -> Result<Resolved> {
        let (mut resolved, mut pushes) = (Resolved::default(), Pushes::default());
        let mut by_record: BTreeMap<_, Vec<&Exception>> = BTreeMap::new();
        let open = |one: &&Exception| one.code == "conflict" && one.state == Open::Open;
        let ours = |one: &&Exception| one.connection.as_ref() == Some(&connection.id);
        for conflict in conflicts.iter().filter(open).filter(ours) {
            if let Some(record) = &conflict.record {
                by_record.entry(record.clone()).or_default().push(conflict);
            }
        }
        let all: Vec<_> = by_record.keys().cloned().collect();
        for some in all.chunks(connection.crm.capabilities().max_read) {
            let records: Vec<Record> = self.store.records(&connection.tenant, some).await?.into_values().collect();
            let shown = self.shown(cx, connection, &records).await?;
            for record in records {
                let conflicts = by_record.get(&record.id).map(Vec::as_slice).unwrap_or_default();
                match shown.get(&record.id) {
                    Some(seen) => {
                        let tells = |one: &&&Exception| tells(connection, &record, seen, one, take);
                        let told: Vec<&Exception> = conflicts.iter().filter(tells).copied().collect();
                        resolved.unseen += conflicts.len() - told.len();
                        resolved.ended += told.len();
                        pushes.note(self.decide(cx, connection, record, seen, &told, take).await?);
                    }
                    None => resolved.unseen += conflicts.len(),
                }
            }
        }
        pushes.send(self, cx).await?;
        Ok(resolved)
    }

    /// What the remotes of these records show now.
    async fn shown(
        &self,
        cx: &Context,
        connection: &Connection,
        records: &[Record],
    ) -> Result<BTreeMap<RecordId, Seen>> {
        let mut linked: BTreeMap<&Object, Vec<(RecordId, RemoteId)>> = BTreeMap::new();
        for record in records {
            let remote = record.links.get(&connection.id).and_then(|link| link.remote.clone());
            linked.entry(&record.object).or_default().extend(remote.map(|remote| (record.id.clone(), remote)));
        }
        let mut shown = BTreeMap::new();
        for (object, linked) in linked.into_iter().filter(|(_, linked)| !linked.is_empty()) {
            let (mapping, crm) = (connection.mapping(object)?, connection.crm);
            let ids: Vec<RemoteId> = linked.iter().map(|(_, remote)| remote.clone()).collect();
            let fetch = async |session: &Session| crm.fetch(session, mapping, &ids).await;
            let mut fetched = self.with_session(connection, cx, fetch).await?;
            self.inward(cx, connection, mapping, fetched.iter_mut().filter_map(Fetched::seen).collect()).await?;
            let seen = |((id, _), fetched)| if let Fetched::Shown(seen) = fetched { Some((id, seen)) } else { None };
            shown.extend(linked.into_iter().zip(fetched).filter_map(seen));
        }
        Ok(shown)
    }

    async fn decide(
        &self,
        cx: &Context,
        connection: &Connection,
        record: Record,
        seen: &Seen,
        conflicts: &[&Exception],
        take: Take,
    ) -> Result<Record> {
        let mapping = connection.mapping(&record.object)?;
        let (mut after, mut decided) = (record.clone(), BTreeMap::new());
        for field in conflicts.iter().filter_map(|conflict| conflict.field.as_ref()) {
            let Some(link) = after.links.get(&connection.id).filter(|link| link.parked.contains(field)) else {
                continue;
            };
            let shown = seen.fields.get(field).and_then(Option::as_ref);
            let done = resolve(&after.fields, link, field, shown, take, &connection.id, mapping, cx.now());
            let (fields, link) = done.map_err(|misfit| Error::Config { reason: misfit.to_string() })?;
            decided.extend(Decided::of(&after.fields, field, shown, take, mapping).map(|done| (field.clone(), done)));
            after.fields = fields;
            after.links.insert(connection.id.clone(), link);
        }
        if after == record {
            return self.told(cx, conflicts, &decided, record).await;
        }
        let after = self.by_a_person(cx, connection, &record, after).await?;
        self.told(cx, conflicts, &decided, after).await
    }

    /// Stores what a person decided about a record.
    async fn by_a_person(
        &self,
        cx: &Context,
        connection: &Connection,
        before: &Record,
        mut after: Record,
    ) -> Result<Record> {
        after.cause = cx.cause(By::Person { connection: connection.id.clone() });
        after.version += 1;
        connection.settings.fire(Some(before), &mut after, cx.now());
        match self.store.commit(&Commit::of(Some(before), &after), &connection.region, cx.now()).await {
            Ok(()) => Ok(after),
            Err(Lost::Failed(error)) => Err(error),
            Err(Lost::Taken(key)) => Err(Error::Config { reason: format!("another record has this {key}") }),
            // What was seen belongs to the record as it was.
            Err(_) => Err(Error::retryable("the record changed while it was decided about: try again")),
        }
    }

    async fn told(
        &self,
        cx: &Context,
        conflicts: &[&Exception],
        decided: &BTreeMap<String, Decided>,
        record: Record,
    ) -> Result<Record> {
        for conflict in conflicts {
            match conflict.field.as_ref().and_then(|field| decided.get(field)) {
                Some(decided) => self.store.decided(&conflict.tenant, &conflict.id, decided, cx.now()).await?,
                None => self.store.resolve(&conflict.tenant, &conflict.id, cx.now()).await?,
            }
        }
        Ok(record)
    }

    /// Takes the other side of a conflict after all, as that was when it was decided; done twice, nothing was. It is written wherever
    /// the first decision was.
    pub async fn take_back(&self, cx: &Context, connection: &Connection, conflict: &Exception) -> Result<()> {
        let cannot = |why: &str| Error::Config { reason: why.to_owned() };
        let decided = conflict.decided.as_ref().filter(|_| conflict.state == Open::Resolved);
        let decided = decided.ok_or_else(|| cannot("this is no conflict that a person has ended in the hub"))?;
        let id = conflict.record.as_ref().ok_or_else(|| Error::bug("a conflict without its record"))?;
        let record = self.store.record(&connection.tenant, id).await?.ok_or_else(|| cannot("the record is no more"))?;
        let back = decided.taken_back(&record.fields, &connection.id, cx.now());
        let back = back.ok_or_else(|| cannot("somebody has written this field since: that stands"))?;
        let (fields, decided) = back.map_err(|misfit| Error::Config { reason: misfit.to_string() })?;
        let after = self.by_a_person(cx, connection, &record, Record { fields, ..record.clone() }).await?;
        self.store.decided(&conflict.tenant, &conflict.id, &decided, cx.now()).await?;
        let mut pushes = Pushes::default();
        pushes.note(after);
        pushes.send(self, cx).await
    }
}
