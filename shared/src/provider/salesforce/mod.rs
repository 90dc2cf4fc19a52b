#![doc = include_str!("README.md")]

mod auth;
mod campaign;
mod check;
mod deletions;
mod delta;
mod event;
mod failure;
mod fields;
mod find;
mod limits;
mod list;
mod query;
mod records;
mod schema;
mod view;
mod webhook;

use super::{
    AppCredentials, Ask, Authorized, Capabilities, Checked, Code, Creates, Deleted, Deletions, Delivery, Echo, Fact,
    Fetched, Field, Finds, Forged, Found, Grant, Heard, Hint, Hosts, Listed, Made, Outcome, Page, Provider, Query,
    Restores, Schemes, Secret, Session, Unreadable, Verified, WatchWish, Webhooks, Wish, Write, session::Request,
};
use crate::{
    change::{Cursor, Walk},
    connection::Watch,
    error::Result,
    id::{AccountId, RemoteId},
    mapping::Mapping,
    record::Object,
};
use jiff::Timestamp;
use query::{Among, lists};
use records::{object_of, objects, text_at};
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, time::Duration};

/// Of the REST API; supported for three years at least (Salesforce docs: API End-of-Life Policy).
const VERSION: &str = "v66.0";

/// By this name our own changes are known in change events (Salesforce docs: REST API, Call Options Header).
const OURSELVES: (&str, &str) = ("sforce-call-options", "client=crm-sync");

pub enum Salesforce {}

impl Provider for Salesforce {
    const AUTHORIZATION: &'static str = "Bearer ";

    /// At most 200 rows in a write, whose answer tells ids alone (Salesforce docs: sObject Collections).
    const CAPABILITIES: Capabilities = Capabilities {
        webhooks: Webhooks::PerConnection { lives: None },
        max_read: 200,
        max_write: 200,
        max_find: 200,
        finds: Finds::InOneCall,
        creates: Creates::Once,
        echo: Echo::IdOnly,
        deletions: Some(Deletions { every: Duration::from_secs(3600) }),
        restores: Restores::Never(
            "Salesforce takes records out of its recycle bin for SOAP and Apex alone; another one beside it would be a duplicate once that is done",
        ),
        counts: true,
        id: "Id",
        people: &["Contact", "Lead"],
        ways: auth::WAYS,
        ack: Some(webhook::ACK),
        limits: limits::LIMITS,
    };

    fn default_mapping(object: &Object) -> Option<Mapping> {
        fields::default_mapping(object)
    }

    fn could_name(field: &str) -> bool {
        fields::could_name(field)
    }

    fn remote_id(raw: &str) -> Option<RemoteId> {
        records::is_id(raw).then(|| records::whole(raw).parse().ok()).flatten()
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

    fn heard(source: &str, detail: &Json) -> Option<Heard> {
        event::heard(source, detail)
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
        _: Timestamp,
    ) -> Result<Authorized> {
        auth::exchange(http, hosts, app, code).await
    }

    async fn revoke(http: &reqwest::Client, hosts: &Hosts, app: &AppCredentials, grant: &Grant) -> Result<()> {
        auth::revoke(http, hosts, app, grant).await
    }

    async fn account(_: &Session, grant: &Grant) -> Result<AccountId> {
        auth::account(grant)
    }

    async fn check(session: &Session, checked: &Checked<'_>) -> Result<Vec<Fact>> {
        check::check(session, checked).await
    }

    fn webhook_clicks(url: &str, token: &Secret) -> Option<String> {
        Some(webhook::clicks(url, token))
    }

    async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
        schema::schema(session, mapping).await
    }

    async fn make_field(_: &Session, mapping: &Mapping, wish: &Wish<'_>) -> Result<Made> {
        Ok(schema::clicks(mapping, wish))
    }

    async fn fetch(session: &Session, mapping: &Mapping, ids: &[RemoteId]) -> Result<Vec<Fetched>> {
        let mut queries = Vec::new();
        let objects = objects(mapping);
        for object in &objects {
            let (name, fields) = (object.name, object.fields_and_fate(mapping)?);
            let of = |id: &&RemoteId| object_of(id.as_str(), &objects) == Some(*object);
            let ids = ids.iter().filter(of).map(RemoteId::to_string);
            queries.extend(
                lists(ids.collect()).iter().map(|ids| format!("SELECT {fields} FROM {name} WHERE Id IN ({ids})")),
            );
        }
        let rows = query::all(session, Among::All, &queries).await?;
        let told = rows.iter().flatten().filter_map(|row| Some((records::id(row)?, fetched(row, mapping)?)));
        let told: BTreeMap<RemoteId, Fetched> = told.collect();
        Ok(ids.iter().map(|id| told.get(id).cloned().unwrap_or(Fetched::NotVisible)).collect())
    }

    async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
        find::find(session, mapping, queries).await
    }

    async fn create(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        let object = records::target(mapping)?;
        let row = |write: &Write| {
            let mut row = records::row(object, &write.changes);
            if mapping.has_room() {
                row.insert(mapping.id_field.clone(), json!(write.record));
            }
            Json::Object(row)
        };
        let rows = writes.iter().map(row).collect();
        let (method, path) = match mapping.has_room() {
            true => (Method::PATCH, format!("{}/{}", object.name, mapping.id_field)),
            false => (Method::POST, String::new()),
        };
        let mut outcomes = send(session, mapping, method, &path, rows, &writes.iter().collect::<Vec<_>>()).await?;
        campaign::write(session, mapping, writes, &mut outcomes).await?;
        Ok(outcomes)
    }

    /// Rows of one object stand together: a collection may change from one to the other ten times at most.
    async fn update(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        let mut outcomes = vec![Outcome::Missing; writes.len()];
        let objects = objects(mapping);
        let of = |write: &Write| write.remote.as_ref().and_then(|remote| object_of(remote.as_str(), &objects));
        let mut known: Vec<(usize, records::Object<'_>)> =
            writes.iter().enumerate().filter_map(|(place, write)| Some((place, of(write)?))).collect();
        known.sort_by_key(|(_, object)| object.prefix);
        // Whose campaigns alone are to change is not touched.
        for (place, _) in known.extract_if(.., |(place, _)| writes.get(*place).is_some_and(super::list::is_all)) {
            let remote = writes.get(place).and_then(|write| write.remote.clone());
            let written = remote.map(|remote| Outcome::Written { remote, modified: None, seen: None });
            outcomes.splice(place..=place, written);
        }
        let (mut rows, mut sent) = (Vec::new(), Vec::new());
        for (write, object) in known.iter().filter_map(|(place, object)| Some((writes.get(*place)?, object))) {
            let mut row = records::row(*object, &write.changes);
            row.insert("id".to_owned(), json!(write.remote));
            rows.push(Json::Object(row));
            sent.push(write);
        }
        let told = send(session, mapping, Method::PATCH, "", rows, &sent).await?;
        for ((place, _), outcome) in known.into_iter().zip(told) {
            outcomes.splice(place..=place, [outcome]);
        }
        campaign::write(session, mapping, writes, &mut outcomes).await?;
        Ok(outcomes)
    }

    /// Into the recycle bin; rows of one object stand together, as in an update.
    async fn delete(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        let mut outcomes = vec![Outcome::Missing; writes.len()];
        let objects = objects(mapping);
        let of = |write: &Write| write.remote.clone().filter(|remote| object_of(remote.as_str(), &objects).is_some());
        let mut known: Vec<(RemoteId, usize)> =
            writes.iter().enumerate().filter_map(|(place, write)| Some((of(write)?, place))).collect();
        known.sort();
        if known.is_empty() {
            return Ok(outcomes);
        }
        let ids: Vec<&str> = known.iter().map(|(id, _)| id.as_str()).collect();
        let path = format!("/services/data/{VERSION}/composite/sobjects?ids={}&allOrNone=false", ids.join(","));
        let headers = vec![(OURSELVES.0, OURSELVES.1.to_owned())];
        let request = Request { method: Method::DELETE, headers, ..Request::get(path) };
        let answer = session.send(&request, failure::of_call).await?;
        let sent: Vec<&Write> = known.iter().filter_map(|(_, place)| writes.get(*place)).collect();
        for ((_, place), outcome) in known.into_iter().zip(failure::outcomes(&answer, mapping, &sent)?) {
            outcomes.splice(place..=place, [outcome]);
        }
        Ok(outcomes)
    }

    /// There is no way by this API but into the recycle bin, which is emptied after 15 days (Salesforce Help: Recycle Bin).
    async fn erase(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
        Self::delete(session, mapping, writes).await
    }

    async fn delta(session: &Session, mapping: &Mapping, cursor: &Cursor, _: Timestamp) -> Result<Page> {
        delta::delta(session, mapping, cursor).await
    }

    async fn list(session: &Session, mapping: &Mapping, list: Option<&str>, after: Option<&str>) -> Result<Listed> {
        list::list(session, mapping, list, after).await
    }

    async fn count(session: &Session, mapping: &Mapping) -> Result<Option<u32>> {
        list::count(session, mapping).await
    }

    async fn deleted(session: &Session, mapping: &Mapping, walk: &Walk) -> Result<Deleted> {
        deletions::since(session, mapping, walk).await
    }

    /// An outbound message has no API of its own: an admin makes it.
    async fn watch(_: &Session, _: &[String], _: &WatchWish) -> Result<Option<Watch>> {
        Ok(None)
    }

    /// Its outbound messages are the admin's.
    async fn unwatch(_: &Session, _: &Watch) -> Result<()> {
        Ok(())
    }
}

/// What became of a record, by its row.
fn fetched(row: &Json, mapping: &Mapping) -> Option<Fetched> {
    let is = |flag: &str| row.get(flag).and_then(Json::as_bool) == Some(true);
    let other = |field: &str| text_at(row, field).and_then(|id| id.parse().ok());
    Some(match (other("/MasterRecordId"), other("/ConvertedContactId")) {
        (Some(winner), _) if is("IsDeleted") => Fetched::MergedInto(winner),
        _ if is("IsDeleted") => Fetched::Deleted { at: records::modified(row)? },
        (_, Some(contact)) if is("IsConverted") => Fetched::MergedInto(contact),
        _ => Fetched::Shown(records::read(row, mapping)?.1),
    })
}

/// Sends the rows of a collection, whose other rows go on where one fails.
async fn send(
    session: &Session,
    mapping: &Mapping,
    method: Method,
    path: &str,
    rows: Vec<Json>,
    writes: &[&Write],
) -> Result<Vec<Outcome>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let path = format!("/services/data/{VERSION}/composite/sobjects/{path}");
    let request = Request {
        method,
        path: path.trim_end_matches('/').to_owned(),
        body: Some(json!({"allOrNone": false, "records": rows})),
        headers: vec![
            (OURSELVES.0, OURSELVES.1.to_owned()),
            // Otherwise assignment rules run, and with them the customer's e-mails to the new owner.
            ("sforce-auto-assign", "FALSE".to_owned()),
        ],
    };
    failure::outcomes(&session.send_write(mapping, &request, failure::of_call).await?, mapping, writes)
}
