//! The calls that read: batches, search, lists.

use super::{
    VERSION, associations, failure,
    records::{self, id, rows},
};
use crate::{
    error::{Error, Result},
    id::RemoteId,
    mapping::Mapping,
    provider::{
        Session,
        session::{Answer, Request},
    },
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Ids in one batch (HubSpot docs: CRM objects, batch).
pub(super) const BATCH: usize = 100;
/// Records on a page of a list (HubSpot docs: CRM objects, list).
const LIST: usize = 100;
/// Characters in the body of a search are at most 3,000 (HubSpot docs: CRM search, limits).
pub(super) const LONGEST: usize = 2_900;

/// The property that tells when a record changed (HubSpot docs: CRM search).
pub(super) fn modified_property(mapping: &Mapping) -> &'static str {
    if ["contacts", "0-1"].contains(&mapping.object.as_str()) { "lastmodifieddate" } else { "hs_lastmodifieddate" }
}

pub(super) fn objects(mapping: &Mapping) -> String {
    format!("/crm/objects/{VERSION}/{}", mapping.object)
}

/// What is read of each record: the mapped properties, and whatever else the caller compares.
pub(super) fn properties<'a>(mapping: &'a Mapping, more: &[&'a str]) -> Vec<&'a str> {
    let mut names = mapping.remote_fields();
    names.extend(more);
    names.retain(|name| associations::target(name).is_none());
    names.sort_unstable();
    names.dedup();
    names
}

/// Records by their id, or by a unique property of theirs (HubSpot docs: using object APIs, batch read).
///
/// What is not there is left out of a 207's results. Whether one that was merged away makes the whole call fail is not
/// documented, so a refused batch is halved.
pub(super) async fn batch(
    session: &Session,
    mapping: &Mapping,
    by: Option<&str>,
    archived: bool,
    ids: &[&str],
    more: &[&str],
) -> Result<Vec<Json>> {
    let path = format!("{}/batch/read?archived={archived}", objects(mapping));
    let mut found = Vec::new();
    let mut left: Vec<&[&str]> = ids.chunks(BATCH).rev().collect();
    while let Some(part) = left.pop() {
        let inputs: Vec<Json> = part.iter().map(|id| json!({"id": id})).collect();
        let mut body = json!({"properties": properties(mapping, more), "propertiesWithHistory": [], "inputs": inputs});
        if let Some(by) = by {
            body["idProperty"] = json!(by);
        }
        let answer = session.send(&Request::post(path.as_str(), body), failure::of_rows).await?;
        match (answer.status.as_u16(), part.len(), by) {
            (200..=299, ..) => found.extend(rows(&answer.body).iter().cloned()),
            // Without the unique property there is nothing to find by; any other value is only found malformed.
            (400, 1, Some(by)) if by == mapping.id_field => {
                return Err(failure::of_call(&answer).unwrap_or_else(|| Error::bug("a refusal that is none")));
            }
            (_, 0 | 1, _) => {}
            (_, length, _) => {
                let (first, second) = part.split_at(length / 2);
                left.extend([second, first]);
            }
        }
    }
    associations::show(session, mapping, &mut found).await?;
    Ok(found)
}

/// A page of a list: no cap, ordered by id (HubSpot docs: CRM objects, list). Its records, the cursor of the next page, and the answer.
pub(super) async fn list(
    session: &Session,
    mapping: &Mapping,
    archived: bool,
    after: Option<&str>,
) -> Result<(Vec<Json>, Option<String>, Answer)> {
    let (limit, archived) = (LIST.to_string(), archived.to_string());
    let properties = properties(mapping, &[]).join(",");
    let mut query =
        vec![("limit", limit.as_str()), ("archived", archived.as_str()), ("properties", properties.as_str())];
    query.extend(after.map(|after| ("after", after)));
    let answer = session.send(&Request::get(with_query(&objects(mapping), &query)?), failure::of_call).await?;
    let next = next(&answer.body).filter(|next| after != Some(next));
    let mut found = rows(&answer.body).to_vec();
    associations::show(session, mapping, &mut found).await?;
    Ok((found, next, answer))
}

/// One record by its id; a merged id answers with the survivor (HubSpot docs: merge records). `None` where there is none.
pub(super) async fn one(session: &Session, mapping: &Mapping, remote: &RemoteId) -> Result<Option<Json>> {
    let properties = properties(mapping, &[]).join(",");
    let path = with_query(&format!("{}/{remote}", objects(mapping)), &[("properties", properties.as_str())])?;
    let answer = session.send(&Request::get(path), failure::of_record).await?;
    let mut found: Vec<Json> = answer.status.is_success().then_some(answer.body).into_iter().collect();
    associations::show(session, mapping, &mut found).await?;
    Ok(found.pop())
}

/// A search (HubSpot docs: CRM search). Where its body would be too long with all properties, they are read afterwards.
pub(super) async fn search(
    session: &Session,
    mapping: &Mapping,
    mut body: Json,
    more: &[&str],
) -> Result<(Vec<Json>, Option<String>, Answer)> {
    body["properties"] = json!(properties(mapping, more));
    let (apart, modified) = (body.to_string().len() > LONGEST, modified_property(mapping));
    if apart {
        body["properties"] = json!([modified]);
    }
    let request = Request::post(format!("{}/search", objects(mapping)), body);
    let answer = session.send(&request, failure::of_call).await?;
    let mut found = rows(&answer.body).to_vec();
    if apart {
        let ids: Vec<String> = found.iter().filter_map(id).map(String::from).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let read = batch(session, mapping, None, false, &ids, more).await?;
        let mut read: BTreeMap<RemoteId, Json> = read.into_iter().filter_map(|row| Some((id(&row)?, row))).collect();
        // What is shown is the record's, but the place in the search's order is the index's.
        for row in &mut found {
            let place = records::property(row, modified).cloned();
            let Some(mut full) = id(row).and_then(|id| read.remove(&id)) else { continue };
            if let Some(properties) = full.get_mut("properties").and_then(Json::as_object_mut) {
                properties.insert(modified.to_owned(), place.unwrap_or_default());
                *row = full;
            }
        }
    } else {
        associations::show(session, mapping, &mut found).await?;
    }
    let next = next(&answer.body);
    Ok((found, next, answer))
}

pub(super) fn next(body: &Json) -> Option<String> {
    let after = body.pointer("/paging/next/after")?;
    after.as_str().map(str::to_owned).or_else(|| after.as_u64().map(|after| after.to_string()))
}

fn with_query(path: &str, query: &[(&str, &str)]) -> Result<String> {
    let url = reqwest::Url::parse_with_params(&format!("http://crm{path}"), query)
        .map_err(|error| Error::bug("a path that is none").because(error))?;
    Ok(format!("{}?{}", url.path(), url.query().unwrap_or_default()))
}
