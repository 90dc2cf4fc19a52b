//! All records of a module, and those of one of its custom views.
//!
//! All of them are asked for by id, 2,000 in a query (Zoho docs: COQL). What a query cannot show, and a view, is listed, 200 in a call
//! (Zoho docs: Get records, `cvid`, <https://www.zoho.com/crm/developer/docs/api/v8/get-records.html>): a page token ends after a day or 100,000 records.

use super::{
    delta::converted,
    failure,
    find::{literal, query},
    records::{self, Asked, asked},
};
use crate::{
    error::{Error, Result},
    mapping::Mapping,
    provider::{
        Listed,
        batch::digits,
        session::{Answer, Request, Session, encoded},
    },
};
use serde_json::{Value as Json, json};

/// Rows of one query, at most.
const ROWS: usize = 2_000;
/// Records on a page, at most.
const PAGE: usize = 200;

/// By the same query as the list, so that both mean the same records (Zoho docs: COQL, aggregate functions). A module's own count would cost fifty
/// credits and a scope more, and be up to ten minutes old (Zoho docs: Get record count).
pub(super) async fn count(session: &Session, mapping: &Mapping) -> Result<Option<u32>> {
    let text = format!("select COUNT(id) from {} where (id > '0')", mapping.object);
    let request = Request::post("/crm/v8/coql", json!({"select_query": text}));
    let answer = session.send(&request, of_count).await?;
    // Under which name the number stands is documented nowhere; it stands alone.
    let row = records::rows(&answer.body).first().and_then(Json::as_object);
    let number = row.and_then(|row| row.values().next()).and_then(|one| match one {
        Json::String(text) => text.parse().ok(),
        number => number.as_u64(),
    });
    let none = (answer.status.as_u16() == 204).then_some(0);
    Ok(number.or(none).and_then(|number| u32::try_from(number).ok()))
}

/// What a module's queries cannot do is no fault of the connection's.
fn of_count(answer: &Answer) -> Option<Error> {
    if answer.status.as_u16() == 400 { None } else { failure::of_call(answer) }
}

pub(super) async fn list(
    session: &Session,
    mapping: &Mapping,
    view: Option<&str>,
    after: Option<&str>,
) -> Result<Listed> {
    let asked = asked(mapping, &[])?;
    // What is no field of the module's own is no query's either.
    if view.is_none() && !asked.fields.iter().any(|field| field.starts_with('$')) {
        let condition = format!("(id > {})", literal(after.unwrap_or("0")));
        let body = query(session, &asked, &condition, 0, ROWS).await?;
        let last = records::rows(&body).last().and_then(|row| row.get("id")?.as_str());
        let next = last.filter(|_| records::more(&body) == Some(true)).map(str::to_owned);
        return Ok(shown(&body, mapping, next));
    }
    if let Some(view) = view.filter(|view| digits(view).is_none()) {
        return Ok(Listed::none(view, "is no id of a custom view"));
    }
    let answer = session.send(&Request::get(path(&asked, view, after)), judge(view)).await?;
    if !answer.status.is_success() && answer.status.as_u16() != 304 {
        let code = failure::text_at(&answer.body, "/code").unwrap_or("no code");
        return Ok(Listed::Refused(format!("Zoho answered {} {code}", answer.status.as_u16())));
    }
    let next = failure::text_at(&answer.body, "/info/next_page_token").map(str::to_owned);
    let more = records::more(&answer.body) == Some(true);
    Ok(shown(&answer.body, mapping, next.filter(|_| more)))
}

fn path(asked: &Asked<'_>, view: Option<&str>, after: Option<&str>) -> String {
    let Asked { module, fields } = asked;
    let among = view.map_or_else(|| converted(module).to_owned(), |view| format!("&cvid={view}"));
    let rest = after.map(|token| format!("&page_token={}", encoded(token))).unwrap_or_default();
    let fields = fields.join(",");
    format!("/crm/v8/{module}?fields={fields}&sort_by=id&sort_order=asc&per_page={PAGE}{among}{rest}")
}

fn shown(body: &Json, mapping: &Mapping, next: Option<String>) -> Listed {
    let records = records::rows(body).iter().filter_map(|row| records::read(row, mapping)).collect();
    Listed::Shown { records, next }
}

/// A view that is not there, or not for us, is no fault of the connection's; nor is a place that Zoho no longer knows.
fn judge(view: Option<&str>) -> fn(&Answer) -> Option<Error> {
    fn of_view(answer: &Answer) -> Option<Error> {
        let refused = matches!(answer.status.as_u16(), 400 | 403 | 404) && answer.body.is_object();
        let passes = matches!(failure::of_call(answer), Some(Error::AuthExpired { .. } | Error::RateLimited { .. }));
        if refused && !passes { None } else { failure::of_call(answer) }
    }
    if view.is_some() { of_view } else { failure::of_page }
}
