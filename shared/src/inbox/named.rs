//! CRMs' own ids among a request's values: they name somebody, and are no values of the record's.

use crate::{
    connection::Connection,
    id::RemoteId,
    record::{Link, Record, Value},
    request::{BadValue, SyncRequest},
    sync::Tenant,
};
use std::borrow::Cow;

/// One of them.
pub(super) struct Named<'a> {
    field: String,
    pub(super) connection: &'a Connection,
    /// `None` where it is no id of that CRM's.
    pub(super) remote: Option<RemoteId>,
}

/// It names another record of the CRM than the one that this is linked to.
pub(super) struct Another(pub(super) String);

pub(super) fn named<'a>(request: &SyncRequest, tenant: &'a Tenant) -> Vec<Named<'a>> {
    let named = request.lead.iter().filter_map(|(field, json)| {
        let connection = tenant.named_by(field, &request.object)?;
        let value = Value::from_json(json).ok().flatten()?;
        Some(Named { field: field.clone(), connection, remote: connection.crm.remote_id(&value.to_string()) })
    });
    named.collect()
}

/// The request without them.
pub(super) fn plain<'r>(request: &'r SyncRequest, named: &[Named<'_>]) -> Cow<'r, SyncRequest> {
    if named.is_empty() {
        return Cow::Borrowed(request);
    }
    let mut plain = request.clone();
    plain.lead.retain(|field, _| named.iter().all(|one| one.field != *field));
    Cow::Owned(plain)
}

/// Links the record to what they name: nothing was agreed with it yet. Returns those that are no ids.
pub(super) fn link(record: &mut Record, named: &[Named<'_>]) -> Result<Vec<BadValue>, Another> {
    let mut bad = Vec::new();
    for Named { field, connection, remote } in named {
        let crm = connection.crm.title();
        let Some(remote) = remote else {
            let reason = format!("{crm} has no such ids");
            bad.push(BadValue { field: field.clone(), code: "bad_value", reason });
            continue;
        };
        let link = record.links.get(&connection.id).cloned().unwrap_or_default();
        match &link.remote {
            Some(known) if known == remote => {}
            None if link.gone.is_none() => {
                let link = Link { remote: Some(remote.clone()), intent: None, rev: link.rev + 1, ..link };
                record.links.insert(connection.id.clone(), link);
            }
            _ => return Err(Another(format!("{field} names another record of {crm} than this one is linked to"))),
        }
    }
    Ok(bad)
}
