//! All records of an object, and those of one of HubSpot's lists, which it calls segments by now; and who is to be on a list.

use super::{VERSION, call, failure, records, webhook};
use crate::{
    error::Result,
    id::RemoteId,
    mapping::Mapping,
    provider::{
        Field, Listed, Outcome, Session, Write,
        list::{as_field, field, note, wanted},
        session::{Answer, Request},
    },
};
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// In the order of their ids, and read in one batch (HubSpot docs: lists API, memberships). That is also the default; the most is written nowhere.
const MEMBERS: usize = call::BATCH;

/// How many a search for everything finds: all of them, however many it would show (HubSpot docs: CRM search, `total`).
pub(super) async fn count(session: &Session, mapping: &Mapping) -> Result<Option<u32>> {
    let everything = json!({"limit": 1, "properties": []});
    let request = Request::post(format!("{}/search", call::objects(mapping)), everything);
    let answer = session.send(&request, failure::of_call).await?;
    Ok(answer.body["total"].as_u64().and_then(|total| u32::try_from(total).ok()))
}

pub(super) async fn list(
    session: &Session,
    mapping: &Mapping,
    list: Option<&str>,
    after: Option<&str>,
) -> Result<Listed> {
    let Some(list) = list else {
        let (rows, next, _) = call::list(session, mapping, false, after).await?;
        return Ok(shown(&rows, mapping, next));
    };
    if !records::is_id(list) {
        return Ok(Listed::none(list, "is no id of a list"));
    }
    // A list of companies has ids too, and some of them may be contacts' as well.
    if after.is_none() {
        let answer = session.send(&Request::get(path(list)), of_list).await?;
        match answer.body.pointer("/list/objectTypeId").and_then(Json::as_str) {
            _ if !answer.status.is_success() => return Ok(Listed::Refused(failure::told(&answer))),
            Some(kind) if webhook::is_type(kind, &mapping.object) => {}
            _ => return Ok(Listed::none(list, &format!("is no list of {}", mapping.object))),
        }
    }
    let from = after.map(|after| format!("&after={}", crate::provider::session::encoded(after))).unwrap_or_default();
    let path = format!("{}/memberships?limit={MEMBERS}{from}", path(list));
    let answer = session.send(&Request::get(path), of_list).await?;
    if !answer.status.is_success() {
        return Ok(Listed::Refused(failure::told(&answer)));
    }
    let ids: Vec<&str> = records::rows(&answer.body).iter().filter_map(|row| row.get("recordId")?.as_str()).collect();
    let rows = call::batch(session, mapping, None, false, &ids, &[]).await?;
    Ok(shown(&rows, mapping, call::next(&answer.body).filter(|next| after != Some(next))))
}

/// The mapped lists of the object, as fields. A list whose members HubSpot finds by itself cannot be written.
pub(super) async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for list in mapping.lists().into_iter().filter(|list| records::is_id(list)) {
        let answer = session.send(&Request::get(path(list)), of_list).await?;
        let text = |at: &str| answer.body.pointer(at).and_then(Json::as_str).unwrap_or_default();
        if answer.status.is_success() && webhook::is_type(text("/list/objectTypeId"), &mapping.object) {
            fields.push(as_field(list, text("/list/name"), text("/list/processingType") != "DYNAMIC"));
        }
    }
    Ok(fields)
}

/// Puts what was written on its lists and takes it off them, one call a list, and says so in the outcomes. Who is on it already, or is not, is
/// passed over, so it can be repeated (HubSpot docs: lists API, update list membership).
pub(super) async fn write(
    session: &Session,
    mapping: &Mapping,
    writes: &[Write],
    outcomes: &mut [Outcome],
) -> Result<()> {
    for list in mapping.lists() {
        let wanted = wanted(list, writes, outcomes);
        if wanted.is_empty() {
            continue;
        }
        let (on, off): (Vec<_>, Vec<_>) = wanted.iter().partition(|(_, is_on)| **is_on);
        let ids = |some: Vec<(&RemoteId, &bool)>| some.into_iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
        let body = json!({"recordIdsToAdd": ids(on), "recordIdsToRemove": ids(off)});
        let path = format!("{}/memberships/add-and-remove", path(list));
        let answer = session.send(&Request { method: Method::PUT, ..Request::post(path, body) }, of_list).await?;
        let refused =
            Outcome::Refused { code: "list".to_owned(), field: Some(field(list)), message: failure::told(&answer) };
        note(list, writes, outcomes, |_| (!answer.status.is_success()).then(|| refused.clone()));
    }
    Ok(())
}

fn path(list: &str) -> String {
    format!("/crm/lists/{VERSION}/{list}")
}

/// In the order of their ids.
fn shown(rows: &[Json], mapping: &Mapping, next: Option<String>) -> Listed {
    let seen = |row| Some((records::id(row)?, records::read(row, mapping.remote_fields())));
    let by_id: BTreeMap<u64, (RemoteId, _)> =
        rows.iter().filter_map(seen).map(|(id, seen)| (id.as_str().parse().unwrap_or_default(), (id, seen))).collect();
    Listed::Shown { records: by_id.into_values().collect(), next }
}

/// A list that is not there, or that our app has no right to read, is no fault of the connection's.
fn of_list(answer: &Answer) -> Option<crate::error::Error> {
    let refused = matches!(answer.status.as_u16(), 400 | 403 | 404) && answer.body.is_object();
    if refused { None } else { failure::of_call(answer) }
}
