#![doc = include_str!("README.md")]

mod auth;
mod check;
mod delta;
mod failure;
mod fields;
mod find;
mod leads;
mod limits;
mod list;
mod records;
mod webhook;
mod write;

use super::{
    AppCredentials, Ask, Authorized, Capabilities, Checked, Code, Creates, Deleted, Delivery, Echo, Fact, Fetched,
    Field, Finds, Forged, Found, Grant, Heard, Hint, Hosts, Listed, Made, Outcome, Page, Provider, Query, Restores,
    Schemes, Secret, Session, Unreadable, Verified, WatchWish, Webhooks, Wish, Write, session::Request,
};
use crate::{
    change::{Cursor, Walk},
    connection::Watch,
    error::Result,
    id::{AccountId, RemoteId},
    mapping::Mapping,
    record::Object,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::Value as Json;
use std::time::Duration;

/// Single reads and searches at the same time.
const AT_ONCE: usize = 4;

pub enum Pipedrive {}

impl Provider for Pipedrive {
    const AUTHORIZATION: &'static str = "Bearer ";

    /// A hundred ids in a read, one person in a write, ten searches in two seconds (Pipedrive docs: API v2, Persons; Rate limiting).
    const CAPABILITIES: Capabilities = Capabilities {
        webhooks: Webhooks::PerConnection { lives: Some(Duration::from_secs(webhook::LIVES.as_secs().unsigned_abs())) },
        max_read: 100,
        max_write: 20,
        max_find: 10,
        finds: Finds::InOneCall,
        creates: Creates::Guarded,
        echo: Echo::Fields,
        deletions: None,
        restores: Restores::Anew,
        counts: false,
        id: "id",
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
        _: Schemes,
        _: Timestamp,
    ) -> Result<Verified<'d>, Forged> {
        webhook::verify(delivery, secrets)
    }

    fn hints(delivery: &Verified<'_>) -> Result<Vec<Hint>, Unreadable> {
        webhook::hints(delivery)
    }

    fn heard(_: &str, _: &Json) -> Option<Heard> {
        None
    }

    fn base(hosts: &Hosts, grant: &Grant) -> Result<String> {
        auth::base(hosts, grant)
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

    /// One for all companies.
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

    fn webhook_clicks(_: &str, _: &Secret) -> Option<String> {
        None
    }

    async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
        fields::schema(session, mapping).await
    }

    async fn make_field(session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
        fields::make(session, mapping, wish).await
    }

    async fn fetch(session: &Session, mapping: &Mapping, ids: &[RemoteId]) -> Result<Vec<Fetched>> {
        let shown = write::shown(session, mapping, ids.iter()).await?;
        let mut asked = Vec::new();
        for id in ids {
            asked.push(fetched(session, mapping, id, shown.get(id)));
        }
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }

    async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
        find::find(session, mapping, queries).await
    }

    async fn create(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        write::create(session, mapping, writes).await
    }

    async fn update(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        write::update(session, mapping, writes).await
    }

    async fn delete(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        write::delete(session, mapping, writes).await
    }

    /// What is deleted can be restored for 30 days, then it is gone (Pipedrive docs: Delete a person).
    async fn erase(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        Self::delete(session, mapping, writes).await
    }

    async fn delta(session: &Session, mapping: &Mapping, cursor: &Cursor, now: Timestamp) -> Result<Page> {
        delta::delta(session, mapping, cursor, now).await
    }

    async fn list(session: &Session, mapping: &Mapping, list: Option<&str>, after: Option<&str>) -> Result<Listed> {
        list::list(session, mapping, list, after).await
    }

    /// Its lists tell no total (Pipedrive docs: API v2, pagination).
    async fn count(_: &Session, _: &Mapping) -> Result<Option<u32>> {
        Ok(None)
    }

    /// Nothing lists what was deleted; deliveries tell of them, and whoever looks at one learns it.
    async fn deleted(_: &Session, _: &Mapping, _: &Walk) -> Result<Deleted> {
        Ok(Deleted::default())
    }

    async fn watch(session: &Session, objects: &[String], wish: &WatchWish) -> Result<Option<Watch>> {
        webhook::watch(session, objects, wish).await.map(Some)
    }

    async fn unwatch(session: &Session, watch: &Watch) -> Result<()> {
        webhook::unwatch(session, watch).await
    }
}

/// What became of a record. One that the list leaves out is asked for alone: deleted, it is still shown for 30 days.
async fn fetched(session: &Session, mapping: &Mapping, id: &RemoteId, listed: Option<&Json>) -> Result<Fetched> {
    if let Some((_, seen)) = listed.and_then(|person| records::read(person, mapping)) {
        return Ok(Fetched::Shown(seen));
    }
    if !records::is_id(id) {
        return Ok(Fetched::NotVisible);
    }
    let answer =
        session.send(&Request::get(format!("{}/{id}", records::kind(mapping)?.path())), failure::of_record).await?;
    let person = answer.body.get("data").unwrap_or(&Json::Null);
    Ok(match records::modified(person) {
        Some(at) if records::is_deleted(person) => Fetched::Deleted { at },
        _ => Fetched::NotVisible,
    })
}
