#![doc = include_str!("README.md")]

mod archive;
mod associations;
mod auth;
mod call;
mod check;
mod delta;
mod failure;
mod fields;
mod find;
mod limits;
mod list;
mod records;
mod schema;
mod webhook;
mod write;

use super::{
    AppCredentials, Ask, Authorized, Capabilities, Checked, Code, Creates, Deleted, Deletions, Delivery, Echo, Fact,
    Fetched, Field, Finds, Forged, Found, Grant, Heard, Hint, Hosts, Listed, Made, Outcome, Page, Provider, Query,
    Restores, Schemes, Secret, Session, Unreadable, Verified, WatchWish, Webhooks, Wish, Write,
};
use crate::{
    change::{Cursor, Walk},
    connection::Watch,
    error::Result,
    id::{AccountId, RemoteId},
    mapping::Mapping,
    record::Object,
};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Releases come each March and September and live for 18 months (HubSpot docs: API versioning).
const VERSION: &str = "2026-09";
/// Single reads at the same time.
const AT_ONCE: usize = 4;

pub enum HubSpot {}

impl Provider for HubSpot {
    const AUTHORIZATION: &'static str = "Bearer ";

    /// At most 100 inputs in a batch, times in milliseconds, the written properties in the answer (HubSpot docs: CRM objects).
    const CAPABILITIES: Capabilities = Capabilities {
        webhooks: Webhooks::PerApp,
        max_read: call::BATCH,
        max_write: call::BATCH,
        max_find: call::BATCH,
        finds: Finds::ByKind,
        creates: Creates::Once,
        echo: Echo::Fields,
        deletions: Some(Deletions { every: Duration::from_secs(3600) }),
        restores: Restores::Anew,
        counts: true,
        id: "hs_object_id",
        people: &[],
        ways: auth::WAYS,
        ack: None,
        limits: limits::LIMITS,
    };

    fn default_mapping(object: &Object) -> Option<Mapping> {
        fields::default_mapping(object)
    }

    fn could_name(field: &str) -> bool {
        fields::could_name(field)
    }

    fn remote_id(raw: &str) -> Option<RemoteId> {
        super::batch::digits(raw)
    }

    fn verify<'d>(
        delivery: &'d Delivery,
        secrets: &[Secret],
        schemes: Schemes,
        now: Timestamp,
    ) -> Result<Verified<'d>, Forged> {
        webhook::verify(delivery, secrets, schemes, now)
    }

    fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
        webhook::hints(delivery)
    }

    fn heard(_: &str, _: &Json) -> Option<Heard> {
        None
    }

    fn base(hosts: &Hosts, _: &Grant) -> Result<String> {
        Ok(auth::base(hosts))
    }

    async fn refresh(
        http: &reqwest::Client,
        hosts: &Hosts,
        app: &AppCredentials,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<Grant> {
        auth::refresh(http, hosts, app, grant, now).await
    }

    /// One for all accounts.
    fn login_host(_: &str) -> Option<String> {
        None
    }

    fn scopes(objects: &[Object]) -> Vec<String> {
        auth::scopes(objects)
    }

    fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> Result<String> {
        Ok(auth::consent_page(hosts, ask))
    }

    async fn exchange(
        http: &reqwest::Client,
        hosts: &Hosts,
        app: &AppCredentials,
        code: &Code,
        now: Timestamp,
    ) -> Result<Authorized> {
        auth::exchange(http, hosts, app, code, now).await
    }

    async fn revoke(http: &reqwest::Client, hosts: &Hosts, app: &AppCredentials, grant: &Grant) -> Result<()> {
        auth::revoke(http, hosts, app, grant).await
    }

    async fn account(session: &Session, _: &Grant) -> Result<AccountId> {
        auth::account(session).await
    }

    async fn check(session: &Session, checked: &Checked<'_>) -> Result<Vec<Fact>> {
        check::check(session, checked).await
    }

    fn webhook_clicks(url: &str, _: &Secret) -> Option<String> {
        Some(webhook::clicks(url))
    }

    async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
        schema::schema(session, mapping).await
    }

    async fn make_field(session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
        schema::make(session, mapping, wish).await
    }

    /// Live ones in one batch, archived ones in another; what is in neither was merged, erased, or is not for us.
    async fn fetch(session: &Session, mapping: &Mapping, ids: &[RemoteId]) -> Result<Vec<Fetched>> {
        let mut known: BTreeMap<RemoteId, Fetched> = BTreeMap::new();
        for archived in [false, true] {
            let missing = missing(ids, &known);
            let texts: Vec<&str> = missing.iter().map(|remote| remote.as_str()).collect();
            let rows = call::batch(session, mapping, None, archived, &texts, &[]).await?;
            known.extend(rows.iter().filter_map(|row| Some((records::id(row)?, fetched(row, mapping)))));
        }
        // Batches do not take ids that were merged away, a single read leads to the survivor (HubSpot docs: merge records).
        let merged: Vec<RemoteId> = missing(ids, &known).into_iter().cloned().collect();
        for some in merged.chunks(AT_ONCE) {
            let fetched = try_join_all(some.iter().map(|remote| single(session, mapping, remote))).await?;
            known.extend(some.iter().cloned().zip(fetched));
        }
        Ok(ids.iter().map(|remote| known.get(remote).cloned().unwrap_or(Fetched::NotVisible)).collect())
    }

    async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
        find::find(session, mapping, queries).await
    }

    /// An upsert by our own unique property: there is no other way to repeat a create without harm.
    async fn create(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        write(session, mapping, write::Kind::Create, writes).await
    }

    async fn update(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        write(session, mapping, write::Kind::Update, writes).await
    }

    async fn delete(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        archive::archive(session, mapping, writes).await
    }

    async fn erase(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        match mapping.object.as_str() {
            "contacts" => archive::forget(session, mapping, writes).await,
            _ => archive::archive(session, mapping, writes).await,
        }
    }

    async fn delta(session: &Session, mapping: &Mapping, cursor: &Cursor, now: Timestamp) -> Result<Page> {
        delta::delta(session, mapping, cursor, now).await
    }

    async fn list(session: &Session, mapping: &Mapping, list: Option<&str>, after: Option<&str>) -> Result<Listed> {
        list::list(session, mapping, list, after).await
    }

    async fn count(session: &Session, mapping: &Mapping) -> Result<Option<u32>> {
        list::count(session, mapping).await
    }

    async fn deleted(session: &Session, mapping: &Mapping, walk: &Walk) -> Result<Deleted> {
        delta::deleted(session, mapping, walk).await
    }

    /// Subscriptions are the app's, and do not expire (HubSpot docs: webhooks).
    async fn watch(_: &Session, _: &[String], _: &WatchWish) -> Result<Option<Watch>> {
        Ok(None)
    }

    /// Its subscriptions are the app's.
    async fn unwatch(_: &Session, _: &Watch) -> Result<()> {
        Ok(())
    }
}

/// Properties first, then what the records are associated with, then the lists that they are on.
async fn write(session: &Session, mapping: &Mapping, kind: write::Kind, writes: &[Write]) -> Result<Vec<Outcome>> {
    let mut outcomes = write::write(session, mapping, kind, &associations::without(mapping, writes)).await?;
    associations::write(session, mapping, writes, &mut outcomes).await?;
    list::write(session, mapping, writes, &mut outcomes).await?;
    Ok(outcomes)
}

/// The ids nothing is known of yet. What is no number names nothing in HubSpot.
fn missing<'a>(ids: &'a [RemoteId], known: &BTreeMap<RemoteId, Fetched>) -> BTreeSet<&'a RemoteId> {
    ids.iter().filter(|remote| records::is_id(remote.as_str()) && !known.contains_key(*remote)).collect()
}

fn fetched(row: &Json, mapping: &Mapping) -> Fetched {
    match records::archived(row) {
        Some(at) => Fetched::Deleted { at },
        None => Fetched::Shown(records::read(row, mapping.remote_fields())),
    }
}

/// A 404 is no evidence of a deletion.
async fn single(session: &Session, mapping: &Mapping, remote: &RemoteId) -> Result<Fetched> {
    let Some(row) = call::one(session, mapping, remote).await? else { return Ok(Fetched::NotVisible) };
    Ok(match records::id(&row) {
        Some(id) if id == *remote => fetched(&row, mapping),
        Some(survivor) => Fetched::MergedInto(survivor),
        None => Fetched::NotVisible,
    })
}
