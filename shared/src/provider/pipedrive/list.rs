//! All records of a kind, and those of one of its filters (Pipedrive docs: API v2, Persons, Organizations, Deals, `filter_id`).

use super::{failure, records};
use crate::{
    error::{Error, Result},
    mapping::Mapping,
    provider::{
        Listed,
        batch::digits,
        session::{Answer, Request, Session},
    },
};

/// Records on a page, at most (Pipedrive docs: pagination).
const PAGE: usize = 500;

pub(super) async fn list(
    session: &Session,
    mapping: &Mapping,
    filter: Option<&str>,
    after: Option<&str>,
) -> Result<Listed> {
    if let Some(filter) = filter.filter(|filter| digits(filter).is_none()) {
        return Ok(Listed::none(filter, "is no id of a filter"));
    }
    let among = filter.map(|filter| format!("&filter_id={filter}")).unwrap_or_default();
    let rest = after.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let name = records::kind(mapping)?.name;
    let path = format!("/api/v2/{name}?sort_by=id&sort_direction=asc&limit={PAGE}{among}{rest}");
    let answer = session.send(&Request::get(path), if filter.is_some() { of_filter } else { failure::of_call }).await?;
    if !answer.status.is_success() {
        return Ok(Listed::Refused(format!("Pipedrive answered {}", answer.status.as_u16())));
    }
    let records = records::rows(&answer.body).iter().filter_map(|row| records::read(row, mapping)).collect();
    Ok(Listed::Shown { records, next: records::next_cursor(&answer.body) })
}

/// A filter that is not there, not of this kind or somebody else's is no fault of the connection's. How it is refused is not documented.
fn of_filter(answer: &Answer) -> Option<Error> {
    let refused = matches!(answer.status.as_u16(), 400 | 403 | 404 | 410) && answer.body.is_object();
    if refused { None } else { failure::of_call(answer) }
}
