//! Lookups by COQL (Zoho docs: COQL, <https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html>).

use super::{
    failure,
    records::{self, Asked, asked},
};
use crate::{
    error::Result,
    id::RecordId,
    mapping::Mapping,
    provider::{
        batch::{By, Found, Query},
        session::{Request, Session, encoded},
    },
    record::Key,
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Values in one list.
const MOST_VALUES: usize = 50;
/// Criteria in one query.
const MOST_CRITERIA: usize = 25;
/// Rows in one answer; more cost more credits.
const ROWS: usize = 200;
/// Rows that a query reaches at all.
const REACH: usize = 100_000;

/// Matches by our id and by e-mail, then by phone, domain or name for whom that found nobody. All are asked for in one query: a
/// phone that is asked for in vain costs less than a call for it alone.
pub(super) async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let keyed: Vec<(By, Vec<&str>)> = By::KEYS.map(|by| (by, fields_of(by, mapping))).into();
    let besides: Vec<&str> = keyed.iter().flat_map(|(_, fields)| fields.iter().copied()).collect();
    let asked = asked(mapping, &besides)?;
    let ids = queries.iter().filter_map(|query| query.record.as_ref()).map(RecordId::to_string);
    let ids = if mapping.has_room() { ids.collect() } else { Vec::new() };
    let mut criteria = within(&mapping.id_field, ids);
    for (by, fields) in &keyed {
        let values = queries.iter().filter_map(|query| query.key(*by)).flat_map(|key| key.spellings());
        let values: Vec<String> = values.collect();
        criteria.extend(fields.iter().flat_map(|field| within(field, values.clone())));
    }
    let rows = select(session, &asked, &criteria).await?;
    let mut found: Vec<Vec<Found>> = matches(&rows, queries, mapping, &keyed).into_iter().map(strongest).collect();
    made(session, &asked, mapping, queries, &mut found).await?;
    Ok(found)
}

/// How far our clock may be ahead of Zoho's.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What says the same as creates that may have happened, among what was made or changed since.
async fn made(
    session: &Session,
    asked: &Asked<'_>,
    mapping: &Mapping,
    queries: &[Query],
    found: &mut [Vec<Found>],
) -> Result<()> {
    let Some(begun) = queries.iter().filter(|query| query.made.is_some()).filter_map(|query| query.begun).min() else {
        return Ok(());
    };
    let since = records::time(begun.checked_sub(SKEW).unwrap_or(begun));
    let mut rest = String::new();
    loop {
        let path = format!("/crm/v8/{}?fields={}&per_page={ROWS}{rest}", asked.module, asked.fields.join(","));
        let request = Request { headers: vec![("if-modified-since", since.clone())], ..Request::get(path) };
        let body = session.send(&request, failure::of_call).await?.body;
        for (remote, seen) in records::rows(&body).iter().filter_map(|row| records::read(row, mapping)) {
            for (query, found) in queries.iter().zip(found.iter_mut()) {
                if query.made.as_ref().is_some_and(|made| made.is_shown(&seen.fields)) {
                    found.push(Found { remote: remote.clone(), by: By::Made, seen: seen.clone(), claimed: None });
                }
            }
        }
        match body.pointer("/info/next_page_token").and_then(Json::as_str) {
            Some(token) if records::more(&body) == Some(true) => rest = format!("&page_token={}", encoded(token)),
            _ => return Ok(()),
        }
    }
}

/// By our id and by e-mail the same records may be meant; any other key counts only where those before it match nothing.
fn strongest(mut found: Vec<Found>) -> Vec<Found> {
    let by = found.iter().map(|found| found.by).min();
    found.retain(|found| found.by.is_unique() || Some(found.by) == by);
    found
}

/// The fields that hold such a key. Leads and contacts have a second one for phones (Zoho docs: Insert records, sample attributes).
fn fields_of(by: By, mapping: &Mapping) -> Vec<&str> {
    let people = matches!(mapping.object.as_str(), "Leads" | "Contacts");
    let mobile = (by == By::Phone && people).then_some("Mobile");
    let mut fields: Vec<&str> = mapping.remote_of(by.field()).into_iter().chain(mobile).collect();
    fields.dedup();
    fields
}

/// Zoho compares loosely: whether a row is meant is decided here.
fn matches(
    rows: &BTreeMap<String, Json>,
    queries: &[Query],
    mapping: &Mapping,
    keyed: &[(By, Vec<&str>)],
) -> Vec<Vec<Found>> {
    let mut found: Vec<Vec<Found>> = vec![Vec::new(); queries.len()];
    for row in rows.values() {
        let Some((remote, seen)) = records::read(row, mapping) else { continue };
        let claimed: Option<RecordId> = records::claimed(row, mapping);
        let key = |by: By, field: &str| by.read(row.get(field)?.as_str()?, &mapping.region);
        let shown: Vec<(By, Key)> = keyed
            .iter()
            .flat_map(|(by, fields)| fields.iter().filter_map(|field| Some((*by, key(*by, field)?))))
            .collect();
        for (query, found) in queries.iter().zip(&mut found) {
            let is_ours = query.record.is_some() && query.record == claimed;
            let by_key = shown.iter().find(|(by, key)| query.key(*by).as_ref() == Some(key)).map(|(by, _)| *by);
            let Some(by) = is_ours.then_some(By::Record).or(by_key) else { continue };
            found.push(Found { remote: remote.clone(), by, seen: seen.clone(), claimed: claimed.clone() });
        }
    }
    found
}

/// Criteria that a field is one of the values.
fn within(field: &str, mut values: Vec<String>) -> Vec<String> {
    // What a backslash means in a query is not written anywhere; no address or number has one.
    values.retain(|value| !value.contains(['\\', '\0']));
    values.sort_unstable();
    values.dedup();
    let list = |some: &[String]| some.iter().map(|v| literal(v)).collect::<Vec<_>>().join(", ");
    values.chunks(MOST_VALUES).map(|some| format!("{field} in ({})", list(some))).collect()
}

/// A quote is doubled (Kaizen #171, <https://help.zoho.com/portal/en/community/topic/kaizen-171-faqs-on-coql-api>).
pub(super) fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// The rows, by id, that meet any of the criteria. No call for none.
async fn select(session: &Session, asked: &Asked<'_>, criteria: &[String]) -> Result<BTreeMap<String, Json>> {
    let mut found = BTreeMap::new();
    for some in criteria.chunks(MOST_CRITERIA) {
        let mut offset = 0;
        while offset + ROWS <= REACH {
            let body = query(session, asked, &either(some), offset, ROWS).await?;
            let rows = records::rows(&body);
            found.extend(rows.iter().filter_map(|row| Some((row.get("id")?.as_str()?.to_owned(), row.clone()))));
            offset += rows.len();
            if rows.is_empty() || records::more(&body) != Some(true) {
                break;
            }
        }
    }
    Ok(found)
}

/// One query, in the order of ids.
pub(super) async fn query(
    session: &Session,
    asked: &Asked<'_>,
    condition: &str,
    offset: usize,
    rows: usize,
) -> Result<Json> {
    let Asked { module, fields } = asked;
    // What is no field of the module's, such as `$se_module`, is none of a query's.
    let fields: Vec<&str> = fields.iter().copied().filter(|field| !field.starts_with('$')).collect();
    let text = format!(
        "select id, {} from {module} where {condition} order by id asc limit {offset}, {rows}",
        fields.join(", ")
    );
    let answer = session.send(&Request::post("/crm/v8/coql", json!({"select_query": text})), failure::of_call).await?;
    Ok(answer.body)
}

/// Any of the criteria, bracketed in pairs as COQL wants it.
fn either(criteria: &[String]) -> String {
    match criteria {
        [one] => format!("({one})"),
        several => {
            let (left, right) = several.split_at(several.len() / 2);
            format!("({} or {})", either(left), either(right))
        }
    }
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
