//! What was deleted (Zoho docs: Get deleted records, <https://www.zoho.com/crm/developer/docs/api/v8/get-deleted-records.html>).

use super::{
    delta::OVERLAP,
    failure::{self, text_at},
    records::{self, time},
};
use crate::{
    change::{Removed, Walk},
    error::Result,
    id::RemoteId,
    provider::{
        Deleted,
        session::{Request, Session},
    },
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Pages that are looked through for single records; each costs two credits.
const LOOK: usize = 2;

/// What was deleted since a time, and a little before it: a page, whose successor is named by its number.
pub(super) async fn since(session: &Session, module: &str, walk: &Walk) -> Result<Deleted> {
    let since = walk.since.checked_sub(OVERLAP).unwrap_or(walk.since);
    let number = walk.after.as_ref().and_then(|number| number.parse().ok()).unwrap_or(1);
    let page = page(session, module, number, Some(since)).await?;
    // Without a time of its own it is at least not older than what was asked for.
    let removed = |(remote, at): (_, Option<_>)| Removed { remote, at: at.unwrap_or(since), merged_into: None };
    let remotes = page.rows.into_iter().map(removed).collect();
    Ok(Deleted { remotes, next: page.more.then(|| (number + 1).to_string()), covered: None })
}

/// When some of these were deleted, for those that are among the latest deletions.
pub(super) async fn times(
    session: &Session,
    module: &str,
    wanted: &BTreeSet<&RemoteId>,
) -> Result<BTreeMap<RemoteId, Timestamp>> {
    let mut found = BTreeMap::new();
    for number in 1..=LOOK {
        let page = page(session, module, number, None).await?;
        let rows = page.rows.into_iter().filter(|(remote, _)| wanted.contains(remote));
        found.extend(rows.filter_map(|(remote, at)| Some((remote, at?))));
        if !page.more || found.len() == wanted.len() {
            break;
        }
    }
    Ok(found)
}

struct Rows {
    rows: Vec<(RemoteId, Option<Timestamp>)>,
    more: bool,
}

async fn page(session: &Session, module: &str, number: usize, since: Option<Timestamp>) -> Result<Rows> {
    let mut request = Request::get(format!("/crm/v8/{module}/deleted?type=all&page={number}&per_page=200"));
    request.headers.extend(since.map(|since| ("if-modified-since", time(since))));
    let body = session.send(&request, failure::of_call).await?.body;
    let row =
        |row| Some((text_at(row, "/id")?.parse().ok()?, text_at(row, "/deleted_time").and_then(|at| at.parse().ok())));
    let rows: Vec<_> = records::rows(&body).iter().filter_map(row).collect();
    let more = records::more(&body) == Some(true) && !rows.is_empty();
    Ok(Rows { rows, more })
}
