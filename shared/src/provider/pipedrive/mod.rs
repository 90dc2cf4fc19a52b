#![doc = include_str!("README.md")]

mod auth;
mod delta;
mod failure;
mod fields;
mod find;
mod limits;
mod person;
mod webhook;
mod write;

use super::{
    AppCredentials, Ask, Authorized, Capabilities, Code, Creates, Deleted, Delivery, Echo, Fetched, Field, Forged,
    Found, Grant, Hint, Hosts, Made, Outcome, Page, Provider, Query, Schemes, Secret, Session, Unreadable, Verified,
    WatchWish, Webhooks, Wish, Write, session::Request,
};
use crate::{
    change::{Cursor, Walk},
    connection::Watch,
    error::Result,
    id::RemoteId,
    mapping::Mapping,
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
        creates: Creates::Guarded,
        echo: Echo::Fields,
        deletions: None,
        id: "id",
        ack: None,
        limits: limits::LIMITS,
    };

    fn default_mapping() -> Mapping {
        fields::default_mapping()
    }

    fn could_name(field: &str) -> bool {
        fields::could_name(field)
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

    fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> String {
        auth::consent_page(hosts, ask)
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

    async fn schema(session: &Session, _: &Mapping) -> Result<Vec<Field>> {
        fields::schema(session).await
    }

    async fn make_field(session: &Session, _: &Mapping, wish: &Wish<'_>) -> Result<Made> {
        fields::make(session, wish).await
    }

    async fn fetch(session: &Session, mapping: &Mapping, ids: &[RemoteId]) -> Result<Vec<Fetched>> {
        let shown = write::shown(session, ids.iter()).await?;
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

    async fn delta(session: &Session, mapping: &Mapping, cursor: &Cursor, now: Timestamp) -> Result<Page> {
        delta::delta(session, mapping, cursor, now).await
    }

    /// Nothing lists deleted persons; deliveries tell of them, and whoever looks at one learns it.
    async fn deleted(_: &Session, _: &Mapping, _: &Walk) -> Result<Deleted> {
        Ok(Deleted::default())
    }

    async fn watch(session: &Session, _: &Mapping, wish: &WatchWish) -> Result<Option<Watch>> {
        webhook::watch(session, wish).await.map(Some)
    }

    async fn unwatch(session: &Session, watch: &Watch) -> Result<()> {
        webhook::unwatch(session, watch).await
    }
}

/// What became of a person. One that the list leaves out is asked for alone: deleted, it is still shown for 30 days.
async fn fetched(session: &Session, mapping: &Mapping, id: &RemoteId, listed: Option<&Json>) -> Result<Fetched> {
    if let Some((_, seen)) = listed.and_then(|person| person::read(person, mapping)) {
        return Ok(Fetched::Shown(seen));
    }
    if !person::is_id(id) {
        return Ok(Fetched::NotVisible);
    }
    let answer = session.send(&Request::get(format!("/api/v2/persons/{id}")), failure::of_record).await?;
    let person = answer.body.get("data").unwrap_or(&Json::Null);
    Ok(match person::modified(person) {
        Some(at) if person::is_deleted(person) => Fetched::Deleted { at },
        _ => Fetched::NotVisible,
    })
}
