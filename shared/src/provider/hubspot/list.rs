//! All records of an object, and those of one of HubSpot's lists, which it calls segments by now.

use super::{VERSION, call, failure, records, webhook};
use crate::{
    error::Result,
    id::RemoteId,
    mapping::Mapping,
    provider::{
        Listed, Session,
        session::{Answer, Request},
    },
};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// In the order of their ids, and read in one batch (HubSpot docs: lists API, memberships). That is also the default; the most is written nowhere.
const MEMBERS: usize = call::BATCH;

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
        let answer = session.send(&Request::get(format!("/crm/lists/{VERSION}/{list}")), of_list).await?;
        match answer.body.pointer("/list/objectTypeId").and_then(Json::as_str) {
            _ if !answer.status.is_success() => return Ok(Listed::Refused(failure::told(&answer))),
            Some(kind) if webhook::is_type(kind, &mapping.object) => {}
            _ => return Ok(Listed::none(list, &format!("is no list of {}", mapping.object))),
        }
    }
    let from = after.map(|after| format!("&after={}", crate::provider::session::encoded(after))).unwrap_or_default();
    let path = format!("/crm/lists/{VERSION}/{list}/memberships?limit={MEMBERS}{from}");
    let answer = session.send(&Request::get(path), of_list).await?;
    if !answer.status.is_success() {
        return Ok(Listed::Refused(failure::told(&answer)));
    }
    let ids: Vec<&str> = records::rows(&answer.body).iter().filter_map(|row| row.get("recordId")?.as_str()).collect();
    let rows = call::batch(session, mapping, None, false, &ids, &[]).await?;
    Ok(shown(&rows, mapping, call::next(&answer.body).filter(|next| after != Some(next))))
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
