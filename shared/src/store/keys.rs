//! The only file that formats keys of the tables.

use crate::{
    engagement::Noted,
    id::{AccountId, ConnectionId, RecordId, RequestId, TenantId, hex},
    provider::Crm,
    record::{Key, Object},
};
use sha2::{Digest, Sha256};

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pk {
    pub pk: String,
    pub sk: String,
}

/// Partitions that a tenant's records are spread over.
pub const RECORD_SHARDS: u8 = 16;
/// Partitions of each list of due work.
pub const DUE_SHARDS: u8 = 8;

fn key(pk: String, sk: impl Into<String>) -> Pk {
    Pk { pk, sk: sk.into() }
}

fn shard(of: &str, shards: u8) -> u8 {
    Sha256::digest(of)[0] % shards
}

pub fn record(tenant: &TenantId, id: &RecordId) -> Pk {
    key(record_shard(tenant, shard(id.as_str(), RECORD_SHARDS)), id.as_str())
}

/// The partition of some of a tenant's records.
pub fn record_shard(tenant: &TenantId, shard: u8) -> String {
    format!("T#{tenant}#R#{shard}")
}

/// What points to a record: a CRM's id as it is, anything else by its digest, so that it can outlive whom it pointed to. Whoever may read the
/// table and guesses an address can still see whether it was known.
pub fn identity(tenant: &TenantId, object: &Object, of: &Key) -> Pk {
    let (kind, value) = match of {
        Key::Remote(connection, remote) => ("remote", format!("{connection}#{remote}")),
        Key::Own(id) => ("own", id.clone()),
        Key::Email(email) => ("email", email.as_str().to_owned()),
        Key::Phone(phone) => ("phone", phone.as_str().to_owned()),
        Key::Domain(domain) => ("domain", domain.as_str().to_owned()),
        Key::Title(title) => ("name", title.as_str().to_owned()),
    };
    let value = match of {
        Key::Remote(..) => value,
        _ => hex(&Sha256::digest(format!("{tenant}#{object}#{kind}#{value}"))),
    };
    key(format!("T#{tenant}#K#{object}#{kind}#{value}"), "K")
}

/// The partition of what refers to a record under one of its names. The name comes last, as a key's value does.
pub fn edges(tenant: &TenantId, to: &Object, name: &str) -> String {
    format!("T#{tenant}#E#{to}#{name}")
}

/// That a field of one record leads to another.
pub fn edge(tenant: &TenantId, to: &Object, name: &str, field: &str, from: &RecordId) -> Pk {
    key(edges(tenant, to, name), format!("{field}#{from}"))
}

pub fn connection(tenant: &TenantId, id: &ConnectionId) -> Pk {
    key(connections(tenant), format!("C#{id}"))
}

/// What holds for all of a tenant's connections.
/// That everything rests, for all tenants.
pub fn stop() -> Pk {
    key("STOP".to_owned(), "STOP")
}

pub fn settings(tenant: &TenantId) -> Pk {
    key(connections(tenant), "SETTINGS")
}

/// The partition of who our tenants are.
pub const TENANTS: &str = "TENANTS";

/// That there is such a tenant.
pub fn tenancy(tenant: &TenantId) -> Pk {
    key(TENANTS.to_owned(), tenant.as_str())
}

/// The partition of what a person did, and of the rules that have scored.
pub fn engaged(tenant: &TenantId, record: &RecordId) -> String {
    format!("T#{tenant}#A#{record}")
}

/// How the keys of events begin in it, and those of rules that have scored.
pub const EVENT: &str = "E#";
pub const SCORED: &str = "S#";

/// That an event was counted, or that a rule has scored. The visit comes last, so whatever it holds cannot be taken for another part.
pub fn noted(tenant: &TenantId, record: &RecordId, noted: &Noted) -> Pk {
    let sk = match noted {
        Noted::Event(kind, id) => format!("{EVENT}{}#{id}", kind.as_str()),
        Noted::Scored { rule, visit: None } => format!("{SCORED}{rule}"),
        Noted::Scored { rule, visit: Some(visit) } => format!("{SCORED}{rule}#{visit}"),
    };
    key(engaged(tenant, record), sk)
}

/// The partition of a tenant's connections, and of what holds for all of them.
pub fn connections(tenant: &TenantId) -> String {
    format!("T#{tenant}")
}

/// From a webhook's path to the connection.
pub fn door(id: &ConnectionId) -> Pk {
    key(format!("W#{id}"), "W")
}

/// From an account named in a delivery to the connections that link to it.
pub fn account(crm: Crm, account: &AccountId) -> String {
    format!("A#{crm}#{account}")
}

/// The lease on refreshing a connection's token.
pub fn lease(tenant: &TenantId, id: &ConnectionId) -> Pk {
    key(format!("L#{tenant}#{id}"), "refresh")
}

/// What is left of a connection's quota.
pub fn quota(tenant: &TenantId, id: &ConnectionId) -> Pk {
    key(format!("L#{tenant}#{id}"), "quota")
}

/// When a connection's token or subscription must be renewed.
pub fn renewal(tenant: &TenantId, id: &ConnectionId) -> Pk {
    key(format!("L#{tenant}#{id}"), "renewal")
}

/// What there was of a mass, such as `deletions`, within a connection's last hour.
pub fn tally(tenant: &TenantId, id: &ConnectionId, mass: &str) -> Pk {
    key(format!("L#{tenant}#{id}"), mass)
}

/// How the keys of counted hours begin.
pub const HOURS: &str = "hours#";

/// What there was on a connection in some hours: which part of the time since the epoch.
pub fn hours(tenant: &TenantId, id: &ConnectionId, part: i64) -> Pk {
    key(format!("L#{tenant}#{id}"), format!("{HOURS}{part}"))
}

/// What the watchdog has told about a connection.
pub fn watched(tenant: &TenantId, id: &ConnectionId) -> Pk {
    key(format!("L#{tenant}#{id}"), "watched")
}

/// A deletion that waits for a person; without a remote, how the keys of all of an object's begin.
pub fn rested(tenant: &TenantId, id: &ConnectionId, rests: &str, object: &Object, remote: &str) -> Pk {
    key(format!("L#{tenant}#{id}"), format!("rests#{rests}#{object}#{remote}"))
}

/// Who was on a list of the CRM's.
pub fn roster(tenant: &TenantId, id: &ConnectionId, list: &str) -> Pk {
    key(format!("L#{tenant}#{id}"), format!("roster#{list}"))
}

/// What the last comparison of an object came to; of none, how the keys of all begin.
pub fn compared(tenant: &TenantId, id: &ConnectionId, object: &str) -> Pk {
    key(format!("L#{tenant}#{id}"), format!("compared#{object}"))
}

/// How often work on a message or a record has killed its function.
pub fn suspect(scope: &str, what: &str) -> Pk {
    key(format!("L#suspect#{scope}"), what)
}

/// What only its bearer knows, by its digest.
pub fn ticket(digest: &str) -> Pk {
    key(format!("O#ticket#{digest}"), "O")
}

pub fn once(tenant: &TenantId, id: &RequestId) -> Pk {
    key(format!("O#{tenant}#{id}"), "O")
}

/// The partition of what a tenant was told.
fn told(tenant: &TenantId) -> String {
    format!("T#{tenant}#N")
}

/// What was heard of an exception.
pub fn mark(tenant: &TenantId, exception: &str) -> Pk {
    key(told(tenant), format!("X#{exception}"))
}

/// What is told of a code on a connection.
pub fn incident(tenant: &TenantId, code: &str, connection: Option<&ConnectionId>) -> Pk {
    key(told(tenant), format!("I#{code}#{}", connection.map_or("", ConnectionId::as_str)))
}

pub fn exception(tenant: &TenantId, id: &str) -> Pk {
    key(exceptions(tenant), id)
}

pub fn exceptions(tenant: &TenantId) -> String {
    format!("T#{tenant}#X")
}

/// An import, or an export.
pub fn import(tenant: &TenantId, id: &str) -> Pk {
    key(imports(tenant), id)
}
pub fn export(tenant: &TenantId, id: &str) -> Pk {
    key(exports(tenant), id)
}

/// The partitions of a tenant's imports and exports.
pub fn imports(tenant: &TenantId) -> String {
    format!("T#{tenant}#I")
}
pub fn exports(tenant: &TenantId) -> String {
    format!("T#{tenant}#O")
}

/// The `due` index: connections to pull.
pub fn due_pull(id: &ConnectionId) -> String {
    due_pulls(shard(id.as_str(), DUE_SHARDS))
}
pub fn due_pulls(shard: u8) -> String {
    format!("DUE#pull#{shard}")
}

/// The `due` index: tokens and subscriptions to renew.
pub fn due_renewal(id: &ConnectionId) -> String {
    due_renewals(shard(id.as_str(), DUE_SHARDS))
}
pub fn due_renewals(shard: u8) -> String {
    format!("DUE#renewal#{shard}")
}

/// A record's page in the history table.
pub fn history(tenant: &TenantId, record: &RecordId) -> String {
    format!("T#{tenant}#H#{record}")
}
