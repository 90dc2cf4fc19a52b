//! What was deleted: also what has left the recycle bin (Salesforce docs: REST API, Get Deleted).

use super::{
    VERSION, failure,
    query::{self, Among, lists},
    records::{self, Object, PEOPLE, objects, text_at},
};
use crate::{
    change::{Removed, Walk},
    error::{Error, Result},
    id::RemoteId,
    mapping::Mapping,
    provider::{
        Deleted,
        session::{Answer, Request, Session, encoded},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// How far back Salesforce tells: 15 days, less what the call takes.
const REACH: SignedDuration = SignedDuration::from_hours(15 * 24 - 1);
/// The span asked for must be longer than a minute, and its seconds are ignored.
const SHORTEST: SignedDuration = SignedDuration::from_mins(2);
/// More than so many are a person's decision, whoever won their merges.
const MANY: usize = 1_000;

/// All that was deleted since a time. The losers of merges are among them, and named as such; so are leads that are contacts by now.
pub(super) async fn since(session: &Session, mapping: &Mapping, walk: &Walk) -> Result<Deleted> {
    let objects = objects(mapping);
    let now = walk.begun;
    let since = walk.since.max(now - REACH).min(now - SHORTEST);
    let (mut found, mut covered) = (BTreeMap::new(), None);
    for object in &objects {
        let span = format!("start={}&end={}", encoded(&query::time(since)), encoded(&query::time(now)));
        let path = format!("/services/data/{VERSION}/sobjects/{}/deleted/?{span}", object.name);
        let answer = session.send(&Request::get(path), of_span).await?;
        let rows = answer.body.get("deletedRecords").and_then(Json::as_array).into_iter().flatten();
        let row = |row: &Json| Some((text_at(row, "/id")?.parse().ok()?, text_at(row, "/deletedDate")?.parse().ok()?));
        found.extend(rows.filter_map(row));
        let until: Option<Timestamp> = text_at(&answer.body, "/latestDateCovered").and_then(|at| at.parse().ok());
        covered = [covered, until].into_iter().flatten().min();
    }
    let mut winners =
        if found.len() <= MANY { winners(session, &objects, found.keys()).await? } else { BTreeMap::new() };
    let removed = |(remote, at)| Removed { merged_into: winners.remove(&remote), remote, at };
    let converted = if objects == PEOPLE { converted(session, since).await? } else { Vec::new() };
    let remotes = found.into_iter().map(removed).chain(converted).collect();
    Ok(Deleted { remotes, next: None, covered })
}

/// What it does not tell any more, or is too much to tell, does not stop the connection: whoever looks at one of these learns it.
fn of_span(answer: &Answer) -> Option<Error> {
    let code = text_at(&answer.body, "/0/errorCode");
    match code {
        Some("INVALID_REPLICATION_DATE" | "EXCEEDED_ID_LIMIT") => {
            tracing::warn!(code, "Salesforce does not tell what was deleted");
            None
        }
        _ => failure::of_call(answer),
    }
}

/// Leads that became contacts: a pull leaves them out.
async fn converted(session: &Session, since: Timestamp) -> Result<Vec<Removed>> {
    let question = format!(
        "SELECT Id, ConvertedContactId, SystemModstamp FROM Lead WHERE IsConverted = true AND SystemModstamp >= {}",
        query::time(since)
    );
    let rows = query::all(session, Among::Live, &[question]).await?;
    let removed = |row: &Json| {
        let merged_into = Some(text_at(row, "/ConvertedContactId")?.parse().ok()?);
        Some(Removed { remote: records::id(row)?, at: records::modified(row)?, merged_into })
    };
    Ok(rows.iter().flatten().filter_map(removed).collect())
}

/// Those of deleted records that lost a merge, and to whom.
async fn winners(
    session: &Session,
    objects: &[Object<'_>],
    deleted: impl Iterator<Item = &RemoteId>,
) -> Result<BTreeMap<RemoteId, RemoteId>> {
    let mut by_object: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for id in deleted {
        let Some(object) = records::object_of(id.as_str(), objects).filter(|object| object.merges()) else { continue };
        by_object.entry(object.name).or_default().push(id.to_string());
    }
    let question = |object: &str, list| {
        format!("SELECT Id, MasterRecordId FROM {object} WHERE Id IN ({list}) AND MasterRecordId != null")
    };
    let queries: Vec<String> = by_object
        .into_iter()
        .flat_map(|(object, ids)| lists(ids).into_iter().map(move |list| question(object, list)))
        .collect();
    let rows = query::all(session, Among::All, &queries).await?;
    let pair = |row: &Json| Some((records::id(row)?, text_at(row, "/MasterRecordId")?.parse().ok()?));
    Ok(rows.iter().flatten().filter_map(pair).collect())
}
