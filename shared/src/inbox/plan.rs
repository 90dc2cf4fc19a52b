//! What a request means for the record it is about. Pure.

use super::{
    named::{Another, link, named, plain},
    refusal::{failed, step},
};
use crate::{
    cause::{By, Cause, Denied, Status, Step},
    connection::{Connection, State},
    context::Context,
    engagement::{self, Counted, Counting, Noted},
    id::RecordId,
    mapping::Mapping,
    planner::refused,
    record::{Awaiting, Key, Object, Record, RemoteField, Value, Written, agreed},
    request::{BadValue, SyncRequest, apply},
    store::{Exception, Once},
    sync::{Tenant, Who, lacks, stopped},
};
use std::collections::{BTreeMap, BTreeSet};

/// The events and scores that are known already, by record.
pub(super) type Engaged = BTreeMap<RecordId, BTreeSet<Noted>>;

pub(super) enum Plan {
    Change {
        before: Option<Box<Record>>,
        after: Box<Record>,
        unclaimed: Vec<Key>,
        /// What of the request could not be used.
        odd: Vec<Exception>,
        exceptions: Vec<Exception>,
        /// Where the request tells events.
        counting: Option<Box<Counting>>,
    },
    /// Done before: only what is still pending is handed on, in case its maker did not live to.
    Repeat { record: Option<Box<Record>>, done: Once },
    /// A person must act; nothing is changed.
    Refuse(Box<Exception>),
}

impl Plan {
    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Plan::Change { after, .. } => Some(after),
            Plan::Repeat { record, .. } => record.as_deref(),
            Plan::Refuse(_) => None,
        }
    }

    /// All that a person must know of it.
    pub(super) fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        self.odd().iter().chain(self.of_record())
    }

    /// What is odd about the request itself.
    pub(super) fn odd(&self) -> &[Exception] {
        match self {
            Plan::Change { odd, .. } => odd,
            Plan::Repeat { .. } => &[],
            Plan::Refuse(exception) => std::slice::from_ref(exception),
        }
    }

    /// What is odd about the record that it is about.
    pub(super) fn of_record(&self) -> &[Exception] {
        match self {
            Plan::Change { exceptions, .. } => exceptions,
            Plan::Repeat { .. } | Plan::Refuse(_) => &[],
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "all that a request's meaning depends on, and nothing else")]
pub(super) fn plan(
    request: &SyncRequest,
    digest: &str,
    keys: &[Key],
    who: Who,
    done: Option<&Once>,
    tenant: &Tenant,
    engaged: &Engaged,
    of_erased: bool,
    cx: &Context,
) -> Plan {
    let refuse = |code: &str, reason: &str| {
        Plan::Refuse(Box::new(failed(request, code, reason, request.connection_id.as_ref(), cx)))
    };
    if let Some(done) = done {
        if done.digest != digest {
            let mut exception = failed(request, "id_reused", "this id was done before, with another body", None, cx);
            exception.id = format!("id_reused:{}:{}", request.id, &digest[..16]);
            // The first request of this id has told its own end.
            exception.steps.clear();
            return Plan::Refuse(Box::new(exception));
        }
        let record = match who {
            Who::Known(record) => Some(record),
            Who::New { .. } | Who::Several(_) => None,
        };
        return Plan::Repeat { record, done: done.clone() };
    }
    if tenant.connections.is_empty() {
        return refuse("unknown_tenant", "this tenant has no connection");
    }
    let targets = match targets(request, tenant) {
        Ok(targets) => targets,
        Err(code) => return refuse(code, "no connection of this tenant has that id and this object, or it is closed"),
    };
    if keys.is_empty() && !of_erased {
        return refuse("no_identity", "neither an id nor anything else that tells who or what it is about");
    }
    match who {
        Who::Several(records) => {
            let names: Vec<&str> = records.iter().map(RecordId::as_str).collect();
            refuse("same_identity", &format!("its keys point to the records {}", names.join(" and ")))
        }
        Who::Known(record) if of_erased => forgotten(request, Some(record), &caused(request, cx), &targets),
        Who::New { .. } if of_erased => forgotten(request, None, &caused(request, cx), &targets),
        Who::Known(record) => change(request, Some(record), Vec::new(), &targets, tenant, engaged, cx),
        Who::New { unclaimed } => change(request, None, unclaimed, &targets, tenant, engaged, cx),
    }
}

fn caused(request: &SyncRequest, cx: &Context) -> Cause {
    let by = By::Request { id: request.id.clone(), source: request.source.clone() };
    Cause::new(by, request.id.as_str(), cx.now())
}

/// A request about somebody who was erased, or something about them: it is told so, and nothing that it says is kept.
fn forgotten(request: &SyncRequest, before: Option<Box<Record>>, cause: &Cause, targets: &[&Connection]) -> Plan {
    let mut cause = cause.clone();
    let ends = targets.iter().map(|connection| step(request, Some(&connection.id), Status::Skipped, "erased"));
    cause.steps = ends.collect();
    if targets.is_empty() {
        cause.steps.push(step(request, None, Status::Skipped, "erased"));
    }
    let after = match before.as_deref() {
        Some(record) if record.erased.is_some() => Record { version: record.version + 1, cause, ..record.clone() },
        Some(record) => record.erased(false, BTreeSet::new(), cause),
        None => {
            let (tenant, object) = (request.tenant_id.clone(), request.object.clone());
            Record::empty(tenant, object, RecordId::fresh(), cause.clone()).erased(false, BTreeSet::new(), cause)
        }
    };
    let (unclaimed, exceptions, odd) = Default::default();
    Plan::Change { before, after: Box::new(after), unclaimed, exceptions, odd, counting: None }
}

/// The connections a request is for.
fn targets<'a>(request: &SyncRequest, tenant: &'a Tenant) -> Result<Vec<&'a Connection>, &'static str> {
    match &request.connection_id {
        None => Ok(tenant
            .connections
            .values()
            .filter(|c| c.direction.sends() && c.state != State::Closed && c.state != State::Joining)
            .filter(|c| c.mappings.contains_key(&request.object))
            .collect()),
        Some(id) => match tenant.connections.get(id) {
            Some(c) if c.state != State::Closed && c.mappings.contains_key(&request.object) => Ok(vec![c]),
            Some(_) | None => Err("unknown_connection"),
        },
    }
}

fn change(
    request: &SyncRequest,
    before: Option<Box<Record>>,
    unclaimed: Vec<Key>,
    targets: &[&Connection],
    tenant: &Tenant,
    engaged: &Engaged,
    cx: &Context,
) -> Plan {
    let cause = caused(request, cx);
    let mut after = match &before {
        Some(record) => Record { cause, ..(**record).clone() },
        None => Record::empty(request.tenant_id.clone(), request.object.clone(), RecordId::fresh(), cause),
    };
    after.known_again(agreed(&request.lead));
    if after.erased.is_some() {
        return forgotten(request, before, &after.cause, targets);
    }
    after.revive();
    let named = named(request, tenant);
    let odd = match link(&mut after, &named) {
        Ok(odd) => odd,
        Err(Another(reason)) => {
            let exception = failed(request, "same_identity", &reason, request.connection_id.as_ref(), cx);
            return Plan::Refuse(Box::new(exception.of(&after.id)));
        }
    };
    let request = &plain(request, &named);
    let applied = apply(request, &after.fields, &tenant.region, &tenant.settings.ownership, cx.now());
    after.fields = applied.fields;
    after.version += 1;
    let mut odd: Vec<Exception> =
        odd.iter().chain(&applied.bad).map(|bad| bad_value(request, bad, cx).of(&after.id)).collect();
    odd.extend(
        nobodys_fields(request, &applied.overrides, targets)
            .into_iter()
            .map(|bad| bad_value(request, &bad, cx).of(&after.id)),
    );
    if before.is_none() && after.keys(&tenant.region).is_empty() {
        let reason = "what tells who it is about is not this source's to write: name somebody who is known";
        return Plan::Refuse(Box::new(failed(request, "no_identity", reason, request.connection_id.as_ref(), cx)));
    }
    let (counting, of_events) = counted(request, &mut after, tenant, engaged, cx);
    odd.extend(of_events);
    tenant.settings.fire(before.as_deref(), &mut after, cx.now());
    let spoils = !odd.is_empty();
    let exceptions = stopped(&after, cx);
    let (mut steps, mut alone) = (Vec::new(), Vec::<Denied>::new());
    for connection in targets {
        let (own, denied) = owned(request, connection, &after.object, &applied.overrides);
        let spoilt = match (!spoils, applied.denied.is_empty() && denied.is_empty()) {
            (false, _) => Some("bad_value"),
            (true, false) => Some("not_owner"),
            (true, true) => None,
        };
        steps.extend(ask(request, &mut after, connection, &own, spoilt));
        for one in denied {
            if !alone.contains(&one) {
                alone.push(one);
            }
        }
    }
    after.cause.denied.extend(applied.denied.into_iter().chain(alone));
    if targets.is_empty() {
        steps.push(step(request, None, Status::Skipped, "no_connection_sends"));
    }
    after.cause.steps = steps;
    Plan::Change { before, after: Box::new(after), unclaimed, odd, exceptions, counting }
}

/// Counts the request's events into the record; what is odd about some of them is kept as exceptions.
fn counted(
    request: &SyncRequest,
    after: &mut Record,
    tenant: &Tenant,
    engaged: &Engaged,
    cx: &Context,
) -> (Option<Box<Counting>>, Vec<Exception>) {
    if request.events.is_empty() {
        return (None, Vec::new());
    }
    let (events, bad) = engagement::read(&request.events);
    let (known, before) = (engaged.get(&after.id).cloned().unwrap_or_default(), after.engagement.clone());
    let mut counting = engagement::count(after, before, &events, known, &tenant.settings, &request.source, cx.now());
    let odd =
        |code, field: String, reason: String| bad_value(request, &BadValue { field, code, reason }, cx).of(&after.id);
    let bad = bad.into_iter().map(|bad| odd("bad_event", format!("events[{}]", bad.place), bad.reason));
    let unknown = counting.unknown.iter().map(|event| {
        let reason = "neither a type that is known nor one that a rule names".to_owned();
        odd("unknown_event", event.kind.as_str().to_owned(), reason)
    });
    let misfits = counting.misfits.iter().map(|wrong| odd("wrong_kind", wrong.field.clone(), wrong.to_string()));
    let exceptions = bad.chain(unknown).chain(misfits).collect();
    (after.fields, after.engagement) = (counting.fields.clone(), counting.engagement.clone());
    after.cause.counted = counting.counted.iter().map(Counted::told).collect();
    for counted in &mut counting.counted {
        let rules = tenant.settings.effects.on(&counted.event.kind).filter(|rule| is_anywhere(&rule.make, tenant));
        counted.made = rules.filter_map(|rule| rule.request(&counted.event, after)).collect();
    }
    ((!counting.counted.is_empty()).then(|| Box::new(counting)), exceptions)
}

/// Whether some CRM has such an object: what nobody shows is not made.
fn is_anywhere(object: &Object, tenant: &Tenant) -> bool {
    let mut connections = tenant.connections.values().filter(|connection| connection.state != State::Closed);
    connections.any(|connection| connection.direction.sends() && connection.mappings.contains_key(object))
}

/// The request's own values that this connection's CRM may have, and those that are another source's to write: they are mapped
/// to fields of the hub.
fn owned(
    request: &SyncRequest,
    connection: &Connection,
    object: &Object,
    overrides: &BTreeMap<RemoteField, Value>,
) -> (BTreeMap<RemoteField, Value>, Vec<Denied>) {
    let (mut own, mut denied) = (BTreeMap::new(), Vec::new());
    for (remote, value) in overrides {
        let hub = connection.mapping(object).ok().and_then(|mapping| mapping.hub_of(remote));
        match hub.filter(|field| !connection.settings.ownership.allows(field, &request.source)) {
            None => drop(own.insert(remote.clone(), value.clone())),
            Some(field) => {
                let (field, source, value) = (field.to_owned(), request.source.clone(), Some(value.clone()));
                denied.push(Denied { field, source, value });
            }
        }
    }
    (own, denied)
}

/// Lays the request's own values over one link, and says what the request can expect of that connection. `spoilt`: why some of
/// its values were not used.
fn ask(
    request: &SyncRequest,
    record: &mut Record,
    connection: &Connection,
    overrides: &BTreeMap<RemoteField, Value>,
    spoilt: Option<&str>,
) -> Vec<Step> {
    let mut link = record.links.get(&connection.id).cloned().unwrap_or_default();
    let named = request.connection_id.is_some();
    let at = request.occurred_at.min(record.cause.at);
    for (field, value) in overrides.iter().filter(|(field, _)| takes(connection, &record.object.clone(), field, named))
    {
        link.set_override(field, Written::new(Some(value.clone()), at, &request.source).by(&request.id));
    }
    let said = |status, code: &str| {
        vec![Step { remote: link.remote.clone(), ..step(request, Some(&connection.id), status, code) }]
    };
    let gone = link.gone.is_some() || record.deleted.is_some();
    let mapping = connection.mapping(&request.object).ok();
    let refused = mapping.and_then(|mapping| refused(&record.fields, &link, mapping)).map(str::to_owned);
    let parked = !link.parked.is_empty();
    let excluded = mapping.is_some_and(|mapping| !mapping.includes(&record.fields));
    let awaiting = Awaiting { request: request.id.clone(), told: false, workflow: request.workflow.clone() };
    let mut next = link.clone();
    next.rev += 1;
    record.links.insert(connection.id.clone(), next);
    if !connection.direction.sends() {
        record.links.insert(connection.id.clone(), link.clone());
        return said(Status::Skipped, "connection_does_not_send");
    }
    if gone {
        return said(Status::Skipped, "deleted_in_crm");
    }
    if !lacks(connection, record) {
        return match refused {
            Some(code) => said(Status::Failed, &code),
            None if excluded => said(Status::Skipped, "not_included"),
            None if parked => said(Status::Skipped, "waits_for_decision"),
            None => said(Status::Skipped, spoilt.unwrap_or("already_there")),
        };
    }
    if let Some(link) = record.links.get_mut(&connection.id) {
        link.awaiting.push(awaiting);
    }
    match &connection.state {
        State::Active if !connection.works() => said(Status::Waiting, "stopped"),
        State::Active if connection.mode.gathers() => said(Status::Waiting, "scheduled"),
        State::Active => said(Status::Pending, "queued"),
        State::NeedsReauth { .. } => said(Status::Waiting, "needs_reauth"),
        State::Paused { .. } => said(Status::Waiting, "paused"),
        State::Joining | State::Closed => said(Status::Waiting, "not_approved"),
    }
}

/// Sync fields that no CRM of this request can have.
fn nobodys_fields(
    request: &SyncRequest,
    overrides: &BTreeMap<RemoteField, Value>,
    targets: &[&Connection],
) -> Vec<BadValue> {
    if targets.is_empty() {
        return Vec::new();
    }
    let named = request.connection_id.is_some();
    let nobodys = overrides.keys().filter(|field| !targets.iter().any(|c| takes(c, &request.object, field, named)));
    let reason = || "no CRM that this request is for lets this field be set".to_owned();
    nobodys.map(|field| BadValue { field: field.clone(), code: "unknown_field", reason: reason() }).collect()
}

/// Whether a connection's CRM may have such a field. The fields by which remotes are known are nobody's to set, those that
/// lead to others are set by the hub's own names for them, and what is computed says what it is computed of.
fn takes(connection: &Connection, object: &Object, field: &str, named: bool) -> bool {
    let computed = |mapping: &Mapping| mapping.rules.iter().any(|rule| rule.remote == field && rule.formula.is_some());
    let ours = connection
        .mapping(object)
        .is_ok_and(|mapping| mapping.id_field == field || mapping.refers(field) || computed(mapping));
    !ours && field != connection.crm.capabilities().id && (named || connection.crm.could_name(field))
}

fn bad_value(request: &SyncRequest, bad: &BadValue, cx: &Context) -> Exception {
    let about = format!("{}:{}", request.id, bad.field);
    Exception::new(&request.tenant_id, bad.code, &about, format!("{}: {}", bad.field, bad.reason), cx).field(&bad.field)
}
