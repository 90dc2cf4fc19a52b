#![doc = include_str!("README.md")]

mod auth;
mod check;
mod deletions;
mod delta;
mod failure;
mod fields;
mod find;
mod limits;
mod list;
mod records;
mod schema;
mod webhook;

use super::{
    AppCredentials, Ask, Authorized, Capabilities, Checked, Code, Creates, Deleted, Deletions, Delivery, Echo, Fact,
    Fetched, Field, Finds, Forged, Found, Grant, Heard, Hint, Hosts, Listed, Made, Outcome, Page, Provider, Query,
    Restores, Schemes, Secret, Session, Unreadable, Verified, WatchWish, Webhooks, Wish, Write, session::Request,
};
use crate::{
    change::{Cursor, Walk},
    connection::Watch,
    error::{Error, Result},
    id::{AccountId, RemoteId},
    mapping::Mapping,
    record::Object,
};
use jiff::Timestamp;
use records::asked;
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub enum Zoho {}

impl Provider for Zoho {
    /// The scheme is not the `Bearer` of the token answer (Zoho docs: Get records).
    const AUTHORIZATION: &'static str = "Zoho-oauthtoken ";

    /// At most 100 rows in a write and ids in a read, times in whole seconds, nothing but ids in the answer to a write
    /// (Zoho docs: Upsert records, Get records).
    const CAPABILITIES: Capabilities = Capabilities {
        webhooks: Webhooks::PerConnection { lives: Some(Duration::from_secs(webhook::LIVES.as_secs().unsigned_abs())) },
        max_read: 100,
        max_write: 100,
        max_find: 100,
        finds: Finds::InOneCall,
        creates: Creates::Once,
        echo: Echo::IdOnly,
        deletions: Some(Deletions { every: Duration::from_secs(3600) }),
        restores: Restores::Anew,
        counts: true,
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

    /// Files that it exports may have `zcrm_` before an id; its API has not. Unconfirmed: no document of the vendor says either.
    fn remote_id(raw: &str) -> Option<RemoteId> {
        super::batch::digits(raw.strip_prefix("zcrm_").unwrap_or(raw))
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

    fn login_host(named: &str) -> Option<String> {
        auth::login_host(named)
    }

    fn scopes(objects: &[Object]) -> Vec<String> {
        auth::scopes(objects)
    }

    fn consent_page(hosts: &Hosts, ask: &Ask<'_>) -> Result<String> {
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

    async fn revoke(http: &reqwest::Client, hosts: &Hosts, _: &AppCredentials, grant: &Grant) -> Result<()> {
        auth::revoke(http, hosts, grant).await
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
        schema::schema(session, mapping).await
    }

    async fn make_field(session: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
        schema::make(session, mapping, wish).await
    }

    async fn fetch(session: &Session, mapping: &Mapping, ids: &[RemoteId]) -> Result<Vec<Fetched>> {
        let asked = asked(mapping, &[])?;
        let real: Vec<&str> = ids.iter().filter(|id| records::is_id(id)).map(RemoteId::as_str).collect();
        if real.is_empty() {
            return Ok(vec![Fetched::NotVisible; ids.len()]);
        }
        let (module, fields, real) = (asked.module, asked.fields.join(","), real.join(","));
        let request = Request::get(format!("/crm/v8/{module}?ids={real}&fields={fields}{}", delta::converted(module)));
        let answer = session.send(&request, failure::of_call).await?;
        let shown: BTreeMap<RemoteId, _> =
            records::rows(&answer.body).iter().filter_map(|row| records::read(row, mapping)).collect();

        let missing: BTreeSet<&RemoteId> =
            ids.iter().filter(|id| records::is_id(id) && !shown.contains_key(id)).collect();
        let deleted =
            if missing.is_empty() { BTreeMap::new() } else { deletions::times(session, module, &missing).await? };
        let fetched = |id: &RemoteId| match (shown.get(id), deleted.get(id)) {
            (Some(seen), _) => Fetched::Shown(seen.clone()),
            (None, Some(at)) => Fetched::Deleted { at: *at },
            (None, None) => Fetched::NotVisible,
        };
        Ok(ids.iter().map(fetched).collect())
    }

    async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
        find::find(session, mapping, queries).await
    }

    async fn create(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        let module = asked(mapping, &[])?.module;
        let rows: Vec<_> = writes.iter().map(|write| records::create(write, mapping)).collect();
        let request = match mapping.has_room() {
            true => {
                let body = json!({"data": rows, "duplicate_check_fields": [mapping.id_field], "trigger": []});
                Request::post(format!("/crm/v8/{module}/upsert"), body)
            }
            false => Request::post(format!("/crm/v8/{module}"), json!({"data": rows, "trigger": []})),
        };
        send(session, mapping, request, writes).await
    }

    async fn update(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        let module = asked(mapping, &[])?.module;
        let row = |write: &Write| write.remote.as_ref().map(|remote| records::update(write, remote, mapping));
        let rows: Option<Vec<_>> = writes.iter().map(row).collect();
        let rows = rows.ok_or_else(|| Error::bug("an update without a remote id"))?;
        let body = json!({"data": rows, "trigger": []});
        let request = Request { method: Method::PUT, ..Request::post(format!("/crm/v8/{module}"), body) };
        send(session, mapping, request, writes).await
    }

    /// Into the recycle bin (Zoho docs: Delete records, <https://www.zoho.com/crm/developer/docs/api/v8/delete-records.html>).
    async fn delete(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        let module = asked(mapping, &[])?.module;
        let ids: Vec<&str> = writes.iter().filter_map(|write| Some(write.remote.as_ref()?.as_str())).collect();
        let path = format!("/crm/v8/{module}?ids={}&wf_trigger=false", ids.join(","));
        send(session, mapping, Request { method: Method::DELETE, ..Request::get(path) }, writes).await
    }

    /// There is no way but into the recycle bin, which an admin can empty (Zoho docs: Delete records).
    async fn erase(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        Self::delete(session, mapping, writes).await
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
        deletions::since(session, asked(mapping, &[])?.module, walk).await
    }

    async fn watch(session: &Session, objects: &[String], wish: &WatchWish) -> Result<Option<Watch>> {
        webhook::watch(session, objects, wish).await.map(Some)
    }

    async fn unwatch(session: &Session, watch: &Watch) -> Result<()> {
        webhook::unwatch(session, watch).await
    }
}

/// Sends rows; an answer has one for each.
async fn send(session: &Session, mapping: &Mapping, request: Request, writes: &[Write]) -> Result<Vec<Outcome>> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    let answer = session.send_write(mapping, &request, failure::of_rows).await?;
    failure::outcomes(&answer, mapping, writes)
}
