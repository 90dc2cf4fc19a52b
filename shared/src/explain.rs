//! Why a field says what it says, and what a CRM would be told of a record. Nothing is called and nothing is written.

use crate::{
    cause::{By, Denied, Overruled},
    connection::Connection,
    history::Entry,
    id::{ConnectionId, Source},
    mapping::{Mapping, Rule},
    planner::{Route, due, refused, route, wanted},
    provider::{Echo, Finds},
    record::{FieldName, Key, Link, Record, RemoteField, Value, Written, parts_of},
    settings::Settings,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// Why a field of the hub is as it is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Explanation {
    pub field: FieldName,
    /// Its value, who wrote it, when and by which request; when others last did.
    pub written: Option<Written>,
    /// The sources that may write it; `None` where anybody may.
    pub owners: Option<BTreeSet<Source>>,
    /// What was said of it before, and what did not prevail, the latest first.
    pub said: Vec<Said>,
    pub crms: Vec<InCrm>,
}

/// One change of the field, or one that was not made.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "FieldSaid")]
pub struct Said {
    pub at: Timestamp,
    pub by: By,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    Changed { before: Option<Value>, after: Option<Value> },
    Overruled(Overruled),
    Denied(Denied),
}

/// The field in one CRM.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "FieldInCrm")]
pub struct InCrm {
    pub connection: ConnectionId,
    pub rule: Rule,
    /// What the CRM showed when we last looked; a long text as its digest.
    pub shows: Option<Value>,
    pub stands: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    Agreed,
    /// It will be written.
    Pending,
    /// It waits for a person's decision.
    Parked,
    /// The CRM took it for invalid.
    Refused,
    /// The account no longer has it.
    SetAside,
    /// The record is not in this CRM, or is no more.
    Absent,
    /// The record is not this CRM's business.
    Excluded,
}

/// What a CRM would be told of one record.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Telling {
    /// `create`, `update` or `nothing`.
    pub would: &'static str,
    pub changes: Vec<Told>,
    /// API calls that it would take by itself; records that are pushed together share them. One more where the CRM has lists that are
    /// written whole, such as Pipedrive's phones.
    pub calls: u32,
}

/// One field that would be written.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "FieldToWrite")]
pub struct Told {
    pub field: RemoteField,
    /// What the CRM showed when we last looked; a long text as its digest.
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// The rule that says so; nothing where a sync request set it in this CRM alone.
    pub rule: Option<Rule>,
}

/// Explains one field by the record, its history, and the rules of now.
pub fn explain(
    record: &Record,
    field: &str,
    history: &[Entry],
    settings: &Settings,
    connections: &[Connection],
) -> Explanation {
    let mapped = |overruled: &Overruled| {
        let connection = connections.iter().find(|connection| connection.id == overruled.connection);
        let mapping = connection.and_then(|connection| connection.mapping(&record.object).ok());
        mapping.and_then(|mapping| mapping.hub_of(&overruled.field)).is_some_and(|hub| is_about(hub, field))
    };
    let mut said = Vec::new();
    for entry in history.iter().rev() {
        let Entry::Change { cause, fields, .. } = entry else { continue };
        let changed = fields.iter().filter(|change| is_about(&change.field, field));
        let changed = changed.map(|c| What::Changed { before: c.before.clone(), after: c.after.clone() });
        let overruled = cause.overruled.iter().filter(|one| mapped(one)).cloned().map(What::Overruled);
        let denied = cause.denied.iter().filter(|one| is_about(&one.field, field)).cloned().map(What::Denied);
        let whats = changed.chain(overruled).chain(denied);
        said.extend(whats.map(|what| Said { at: cause.at, by: cause.by.clone(), what }));
    }
    let crms = connections.iter().flat_map(|connection| in_crm(record, field, connection)).collect();
    let owners = settings.ownership.owners(field).cloned();
    Explanation { field: field.to_owned(), written: record.fields.said(field), owners, said, crms }
}

/// Whether a field is the other one, a part of it, or made of it.
fn is_about(one: &str, other: &str) -> bool {
    one == other || parts_of(one).contains(&other) || parts_of(other).contains(&one)
}

fn in_crm(record: &Record, field: &str, connection: &Connection) -> Vec<InCrm> {
    let Ok(mapping) = connection.mapping(&record.object) else { return Vec::new() };
    let link = record.links.get(&connection.id).cloned().unwrap_or_default();
    let rules = mapping.rules.iter().filter(|rule| is_about(&rule.hub, field));
    rules.map(|rule| by_this_rule(record, &link, rule, mapping, connection)).collect()
}

fn by_this_rule(record: &Record, link: &Link, rule: &Rule, mapping: &Mapping, connection: &Connection) -> InCrm {
    let remote = &rule.remote;
    let pending = || due(&record.fields, link, mapping).iter().any(|change| change.field == *remote);
    let stands = match route(link) {
        _ if !mapping.includes(&record.fields) => Stands::Excluded,
        _ if mapping.set_aside.contains(remote) => Stands::SetAside,
        _ if link.parked.contains(remote) => Stands::Parked,
        _ if refused(&record.fields, link, mapping).is_some() => Stands::Refused,
        Route::Nowhere => Stands::Absent,
        _ if pending() => Stands::Pending,
        Route::Create | Route::Find => Stands::Absent,
        Route::Update(_) => Stands::Agreed,
    };
    let shows = shown(link, remote);
    InCrm { connection: connection.id.clone(), rule: rule.clone(), shows, stands }
}

fn shown(link: &Link, field: &str) -> Option<Value> {
    link.agreed.get(field).and_then(|agreed| agreed.theirs.clone())
}

/// What would be written to a connection's CRM if it were active, by what it showed when we last looked. `None` where it has nothing
/// to do with such records.
pub fn telling(record: &Record, connection: &Connection) -> Option<Telling> {
    let mapping = connection.mapping(&record.object).ok().filter(|_| connection.direction.sends())?;
    let link = record.links.get(&connection.id).cloned().unwrap_or_default();
    let due = due(&record.fields, &link, mapping);
    let stays = record.merged_into.is_some() || record.deleted.is_some();
    let would = match route(&link) {
        _ if stays || due.is_empty() => "nothing",
        Route::Nowhere => "nothing",
        Route::Update(_) => "update",
        Route::Create | Route::Find => "create",
    };
    if would == "nothing" {
        return Some(Telling { would, changes: Vec::new(), calls: 0 });
    }
    let told = |change: crate::planner::Change| Told {
        before: shown(&link, &change.field),
        rule: by_rule(record, &link, mapping, &change.field),
        field: change.field,
        after: change.value,
    };
    let changes = due.into_iter().map(told).collect();
    Some(Telling { would, changes, calls: calls(record, connection, &link) })
}

/// The rule behind a field that is wanted, unless the link has a value of its own there.
fn by_rule(record: &Record, link: &Link, mapping: &Mapping, field: &str) -> Option<Rule> {
    let alone = Link { overrides: Default::default(), ..link.clone() };
    let both = |link: &Link| wanted(&record.fields, link, mapping).get(field).cloned();
    let rule = mapping.rules.iter().find(|rule| rule.remote == field && rule.direction.sends());
    rule.filter(|_| both(link) == both(&alone)).cloned()
}

/// One to read or as many as there are kinds of keys to find it by, one to write, and one to read back what the answer does not show.
fn calls(record: &Record, connection: &Connection, link: &Link) -> u32 {
    let capabilities = connection.crm.capabilities();
    let reads = match link.remote {
        Some(_) => 1,
        None if capabilities.finds == Finds::InOneCall => 1,
        None => Key::of(&record.object, &record.fields, &connection.region).iter().filter(|k| finds(k)).count().max(1),
    };
    let read_back = usize::from(capabilities.echo == Echo::IdOnly);
    u32::try_from(reads + 1 + read_back).unwrap_or(u32::MAX)
}

/// Whether a CRM is asked for such a key.
fn finds(key: &Key) -> bool {
    !matches!(key, Key::Own(_) | Key::Remote(..))
}
