//! One call per record: there is no batch, no upsert and no idempotency key.

use super::{failure, leads, records};
use crate::{
    error::{Error, Result},
    id::RemoteId,
    mapping::Mapping,
    provider::{
        batch::{Outcome, Write},
        session::{Request, Session},
    },
};
use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

/// Calls at the same time.
const AT_ONCE: usize = 4;

pub(super) async fn create(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
    let stopped = AtomicBool::new(false);
    let mut calls = Vec::new();
    for write in writes {
        calls.push(unless(&stopped, create_one(session, mapping, write)));
    }
    each(calls).await
}

async fn create_one(session: &Session, mapping: &Mapping, write: &Write) -> Result<Outcome> {
    let (changes, title) = leads::parted(mapping, &write.changes);
    let mut body = records::write(&changes, mapping, &Json::Null);
    let custom = mapping.has_room().then(|| body.entry("custom_fields").or_insert_with(|| json!({})));
    if let Some(custom) = custom.and_then(Json::as_object_mut) {
        custom.insert(mapping.id_field.clone(), json!(write.record));
    }
    // Not to be repeated: after an unknown outcome it is looked for.
    let request = Request::post(records::kind(mapping)?.path(), Json::Object(body));
    let made = written(&session.send_once(&request, failure::of_record).await?, mapping, false);
    let (Some(title), Outcome::Written { remote, .. }) = (title, &made) else { return Ok(made) };
    match leads::hang(session, mapping, remote, &title).await {
        Ok(None) => Ok(made),
        // The person is there. The push that comes again tells what is wrong with its lead.
        Ok(Some(_)) | Err(_) => Ok(Outcome::Exists { remote: remote.clone() }),
    }
}

pub(super) async fn update(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
    let lists = writes.iter().filter(|write| records::needs_lists(&write.changes));
    let before = shown(session, mapping, lists.filter_map(|write| write.remote.as_ref())).await?;
    let stopped = AtomicBool::new(false);
    let mut calls = Vec::new();
    for write in writes {
        let before = write.remote.as_ref().and_then(|remote| before.get(remote)).unwrap_or(&Json::Null);
        calls.push(unless(&stopped, update_one(session, mapping, write, before)));
    }
    each(calls).await
}

async fn update_one(session: &Session, mapping: &Mapping, write: &Write, before: &Json) -> Result<Outcome> {
    let remote = write.remote.as_ref().ok_or_else(|| Error::bug("an update without a remote id"))?;
    let (changes, title) = leads::parted(mapping, &write.changes);
    let done = if changes.is_empty() {
        Outcome::Written { remote: remote.clone(), modified: None, seen: None }
    } else {
        let body = Json::Object(records::write(&changes, mapping, before));
        let kind = records::kind(mapping)?;
        let method = if kind.version == "v1" { Method::PUT } else { Method::PATCH };
        let request = Request { method, ..Request::post(format!("{}/{remote}", kind.path()), body) };
        written(&session.send(&request, failure::of_record).await?, mapping, true)
    };
    let (Some(title), Outcome::Written { .. }) = (title, &done) else { return Ok(done) };
    Ok(leads::hang(session, mapping, remote, &title).await?.unwrap_or(done))
}

/// A deleted person can be had back for 30 days (Pipedrive docs: API v2, Persons, Delete a person).
pub(super) async fn delete(session: &Session, mapping: &Mapping, writes: &[Write]) -> Result<Vec<Outcome>> {
    let (stopped, path) = (AtomicBool::new(false), records::kind(mapping)?.path());
    let mut calls = Vec::new();
    for write in writes {
        calls.push(unless(&stopped, delete_one(session, &path, write)));
    }
    each(calls).await
}

async fn delete_one(session: &Session, path: &str, write: &Write) -> Result<Outcome> {
    let remote = write.remote.clone().ok_or_else(|| Error::bug("a deletion without a remote id"))?;
    let request = Request { method: Method::DELETE, ..Request::get(format!("{path}/{remote}")) };
    let answer = session.send(&request, failure::of_record).await?;
    Ok(match answer.status.is_success() {
        true => Outcome::Written { remote, modified: None, seen: None },
        false => failure::outcome(&answer, true),
    })
}

/// The answer shows the whole person.
fn written(answer: &crate::provider::session::Answer, mapping: &Mapping, updates: bool) -> Outcome {
    if !answer.status.is_success() {
        return failure::outcome(answer, updates);
    }
    match answer.body.get("data").and_then(|data| records::read(data, mapping)) {
        Some((remote, seen)) => Outcome::Written { remote, modified: seen.modified, seen: Some(seen) },
        None => Outcome::Later,
    }
}

/// Records by their ids, in one call for a hundred (Pipedrive docs: API v2, Persons, `ids`); of version 1 one by one.
pub(super) async fn shown(
    session: &Session,
    mapping: &Mapping,
    ids: impl Iterator<Item = &RemoteId>,
) -> Result<BTreeMap<RemoteId, Json>> {
    let (kind, mut found) = (records::kind(mapping)?, BTreeMap::new());
    let path = kind.path();
    let ids: Vec<&str> = ids.filter(|id| records::is_id(id)).map(RemoteId::as_str).collect();
    if kind.version == "v1" {
        for id in ids {
            let answer = session.send(&Request::get(format!("{path}/{id}")), failure::of_record).await?;
            let row = answer.body.get("data").filter(|_| answer.status.is_success());
            found.extend(row.and_then(|row| Some((records::id(row.get("id")?)?, row.clone()))));
        }
        return Ok(found);
    }
    for some in ids.chunks(100) {
        let request = Request::get(format!("{path}?limit=100&ids={}", some.join(",")));
        let body = session.send(&request, failure::of_call).await?.body;
        found.extend(records::rows(&body).iter().filter_map(|row| Some((records::id(row.get("id")?)?, row.clone()))));
    }
    Ok(found)
}

/// A call that is not begun once another has failed for more than its own record.
async fn unless(stopped: &AtomicBool, call: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    if stopped.load(Ordering::Relaxed) {
        return Ok(Outcome::Later);
    }
    let done = call.await;
    let passing = matches!(done, Ok(_) | Err(Error::Retryable { .. }));
    stopped.fetch_or(!passing, Ordering::Relaxed);
    done
}

/// Record by record. What was written stands: an error is the whole call's only where nothing else was done.
async fn each(calls: Vec<impl Future<Output = Result<Outcome>>>) -> Result<Vec<Outcome>> {
    let done: Vec<Result<Outcome>> = stream::iter(calls).buffered(AT_ONCE).collect().await;
    let some_done = done.iter().any(|done| matches!(done, Ok(outcome) if *outcome != Outcome::Later));
    let kept = |done: Result<Outcome>| match done {
        Err(_) if some_done => Ok(Outcome::Later),
        done => done,
    };
    done.into_iter().map(kept).collect()
}
