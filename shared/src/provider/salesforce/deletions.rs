//! What was deleted: also what has left the recycle bin (Salesforce docs: REST API, Get Deleted).

use super::{
    VERSION, failure,
    query::{self, Among, lists},
    records::{self, PEOPLE, text_at},
};
use crate::{
    change::{Removed, Walk},
    error::Result,
    id::RemoteId,
    provider::{
        Deleted,
        session::{Request, Session, encoded},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// How far back Salesforce tells: 30 days, less what the call takes.
const REACH: SignedDuration = SignedDuration::from_hours(30 * 24 - 1);
/// The span asked for must be longer than a minute, and its seconds are ignored.
const SHORTEST: SignedDuration = SignedDuration::from_mins(2);

/// All that was deleted since a time. The losers of merges are among them, and named as such.
pub(super) async fn since(session: &Session, walk: &Walk) -> Result<Deleted> {
    let now = walk.begun;
    let since = walk.since.max(now - REACH).min(now - SHORTEST);
    let mut found: BTreeMap<RemoteId, Timestamp> = BTreeMap::new();
    for object in PEOPLE {
        let span = format!("start={}&end={}", encoded(&query::time(since)), encoded(&query::time(now)));
        let path = format!("/services/data/{VERSION}/sobjects/{}/deleted/?{span}", object.name);
        let answer = session.send(&Request::get(path), failure::of_call).await?;
        let rows = answer.body.get("deletedRecords").and_then(Json::as_array).into_iter().flatten();
        let row = |row: &Json| Some((text_at(row, "/id")?.parse().ok()?, text_at(row, "/deletedDate")?.parse().ok()?));
        found.extend(rows.filter_map(row));
    }
    let mut winners = winners(session, found.keys()).await?;
    let removed = |(remote, at)| Removed { merged_into: winners.remove(&remote), remote, at };
    Ok(Deleted { remotes: found.into_iter().map(removed).collect(), next: None })
}

/// Those of deleted records that lost a merge, and to whom.
async fn winners(session: &Session, deleted: impl Iterator<Item = &RemoteId>) -> Result<BTreeMap<RemoteId, RemoteId>> {
    let mut by_object: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for id in deleted {
        let Some(object) = records::object_of(id.as_str()) else { continue };
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
