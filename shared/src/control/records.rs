//! Records: listed, found by any identity, explained.

use super::{
    call::{Call, Told},
    page::{Limit, Page, cursor},
    problem::Problem,
    route::Nothing,
};
use crate::{
    engagement::Counted,
    explain::{Explanation, Telling, explain, telling},
    id::{ConnectionId, RecordId, RemoteId, Source, TenantId},
    profile::{Known, Profile},
    record::{
        Deletion, Email, Erasure, FieldName, Gone, Key, Link, Object, Phone, Record, Refusal, Region, RemoteField,
        Value, Written,
    },
    sync::Tenant,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// A record of the hub.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Record")]
pub struct Shown {
    id: RecordId,
    object: Object,
    /// Counts its changes.
    version: u64,
    fields: BTreeMap<FieldName, Said>,
    /// By connection, how it stands there.
    links: BTreeMap<ConnectionId, InCrm>,
    score: i64,
    merged_into: Option<RecordId>,
    deleted: Option<Deletion>,
    erased: Option<Erasure>,
}

/// What a field says, and since when on whose word.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FieldValue")]
pub struct Said {
    value: Option<Value>,
    at: Timestamp,
    source: Source,
}

/// A record in one CRM.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecordInCrm")]
pub struct InCrm {
    /// Its id there; null until it was found or made.
    remote: Option<RemoteId>,
    /// When it last changed there, as far as we know.
    modified: Option<Timestamp>,
    /// Fields that wait for a person's decision.
    parked: BTreeSet<RemoteField>,
    /// What the CRM would not take.
    refused: Option<Refusal>,
    gone: Option<Gone>,
}

impl From<Record> for Shown {
    fn from(record: Record) -> Shown {
        let said = |(field, written): (&FieldName, &Written)| {
            let Written { value, at, source, .. } = written.clone();
            (field.clone(), Said { value, at, source })
        };
        let in_crm = |(id, link): (ConnectionId, Link)| {
            let Link { remote, modified, parked, refused, gone, .. } = link;
            (id, InCrm { remote, modified, parked, refused, gone })
        };
        let fields = record.fields.iter().map(said).collect();
        let Record { id, object, version, links, engagement, merged_into, deleted, erased, .. } = record;
        let links = links.into_iter().map(in_crm).collect();
        Shown { id, object, version, fields, links, score: engagement.score, merged_into, deleted, erased }
    }
}

/// Which records are asked for: all, those of an object, or whoever has an identity.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Listed {
    /// `next` of the page before.
    cursor: Option<String>,
    limit: Limit,
    /// `person`, `company`, `deal`, …; with an identity and without this, people.
    object: Option<Object>,
    /// The product's own id.
    #[schemars(length(max = 512))]
    id: Option<String>,
    email: Option<String>,
    /// As E.164 spells it, or in the tenant's country.
    phone: Option<String>,
    /// A CRM's own id, of the connection that is named beside it.
    remote: Option<RemoteId>,
    connection: Option<ConnectionId>,
}

pub async fn list(call: &Call<'_>, asked: Listed) -> Told<Page<Shown>> {
    let tenant = call.tenant()?;
    if let Some(key) = identity(call, &tenant, &asked).await? {
        let object = asked.object.unwrap_or_default();
        let holders = call.app.store.holders(&tenant, &object, std::slice::from_ref(&key)).await?;
        let found = call.app.store.records(&tenant, holders.get(&key).map(Vec::as_slice).unwrap_or_default()).await?;
        return Ok(Page { items: found.into_values().map(Shown::from).collect(), next: None }.into());
    }
    let (mut place, mut items) = (Some(call.walks_from(asked.cursor.as_deref())?), Vec::new());
    while let Some(at) = place.take_if(|_| items.len() < asked.limit.get() && call.has_time()) {
        let room = i32::try_from(asked.limit.get() - items.len()).unwrap_or(1);
        let (records, next) = call.app.store.walk(&tenant, &at, room).await?;
        let wanted =
            records.into_iter().filter(|record| asked.object.as_ref().is_none_or(|object| record.object == *object));
        items.extend(wanted.map(Shown::from));
        place = next;
    }
    Ok(Page { items, next: place.as_ref().map(cursor) }.into())
}

/// By what one record is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProfileOf")]
pub struct Of {
    /// Left out, a person.
    #[serde(default)]
    object: Object,
    /// `email`, `phone` (as E.164 spells it), `id` (the product's own), `record` (ours), or a connection's name with `_id`, such as `hubspot_id`.
    by: String,
    #[schemars(length(max = 512))]
    value: String,
}

pub async fn profile(call: &Call<'_>, Of { object, by, value }: Of) -> Told<Profile> {
    let wrong = || Problem::faults(vec!["value: nobody can be known by this".to_owned()]);
    let known = Known::read(&object, &by, &value, &Region::default()).ok_or_else(wrong)?;
    let found = call.app.profile(&call.tenant()?, &object, &known).await?;
    Ok(found.ok_or_else(|| Problem::not_found("record"))?.into())
}

/// The one identity that is asked for; `None` where none is.
async fn identity(call: &Call<'_>, tenant: &TenantId, asked: &Listed) -> Result<Option<Key>, Problem> {
    let wrong = |what: &str| Problem::faults(vec![what.to_owned()]);
    let mut keys = Vec::new();
    if asked.id.as_ref().is_some_and(|id| id.chars().count() > 512) {
        return Err(wrong("id: it has at most 512 characters"));
    }
    keys.extend(asked.id.clone().map(Key::Own));
    if let Some(email) = &asked.email {
        keys.push(Key::Email(Email::parse(email).ok_or_else(|| wrong("email: that is no e-mail address"))?));
    }
    if let Some(phone) = &asked.phone {
        let region = Tenant::load(call.app, tenant).await?.region;
        keys.push(Key::Phone(Phone::parse(phone, &region).ok_or_else(|| wrong("phone: that is no telephone number"))?));
    }
    match (&asked.connection, &asked.remote) {
        (Some(connection), Some(remote)) => keys.push(Key::Remote(connection.clone(), remote.clone())),
        (None, None) => {}
        _ => return Err(wrong("remote: name it and its connection")),
    }
    match keys.len() {
        0 | 1 => Ok(keys.pop()),
        _ => Err(wrong("name one identity: id, email, phone or remote")),
    }
}

pub async fn show(call: &Call<'_>, _: Nothing) -> Told<Shown> {
    Ok(Shown::from(call.record().await?).into())
}

/// What is to be explained.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The hub's name for it, such as `phone`.
    field: String,
}

pub async fn explained(call: &Call<'_>, Field { field }: Field) -> Told<Explanation> {
    let record = call.record().await?;
    let history = call.app.history.of(&record.tenant, &record.id).await?;
    let (settings, connections) = call.app.store.tenant(&record.tenant).await?;
    let field = crate::record::canonical(&record.object, &field);
    Ok(explain(&record, field, &history, &settings, &connections).into())
}

/// By connection, what would be written there now.
pub async fn previewed(call: &Call<'_>, _: Nothing) -> Told<BTreeMap<ConnectionId, Telling>> {
    let record = call.record().await?;
    let connections = call.app.store.connections(&record.tenant).await?;
    let told = connections.iter().filter_map(|one| Some((one.id.clone(), telling(&record, one)?)));
    Ok(told.collect::<BTreeMap<_, _>>().into())
}

/// A score, and what it is made of.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Score")]
pub struct Scored {
    score: i64,
    /// By the hub's field: how many, or how many seconds.
    totals: BTreeMap<String, i64>,
    /// Every event, the latest first, with what it added by which rule.
    events: Vec<Counted>,
}

pub async fn scored(call: &Call<'_>, _: Nothing) -> Told<Scored> {
    let record = call.record().await?;
    let mut events: Vec<Counted> = call.app.did(&record).await?.into_iter().map(|(_, counted)| counted).collect();
    events.sort_by_key(|counted| Reverse(counted.event.at));
    Ok(Scored { score: record.engagement.score, totals: record.engagement.totals, events }.into())
}
