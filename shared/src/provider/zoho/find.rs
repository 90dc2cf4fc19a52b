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
        session::{Request, Session},
    },
    record::{Email, Phone},
};
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

/// Matches by our id and by e-mail first, then by phone for whom that found nobody.
pub(super) async fn find(session: &Session, mapping: &Mapping, queries: &[Query]) -> Result<Vec<Vec<Found>>> {
    let fields = Keyed { id: &mapping.id_field, email: mapping.remote_of("email"), phones: phone_fields(mapping) };
    let besides: Vec<&str> = fields.email.into_iter().chain(fields.phones.iter().copied()).collect();
    let asked = asked(mapping, &besides)?;

    let ids = queries.iter().filter_map(|q| q.record.as_ref()).map(|record| record.as_str().to_owned()).collect();
    let emails = queries.iter().filter_map(|q| q.email.as_ref()).map(|email| email.as_str().to_owned()).collect();
    let mut criteria = within(fields.id, ids);
    criteria.extend(fields.email.into_iter().flat_map(|field| within(field, Vec::clone(&emails))));
    let rows = select(session, &asked, &criteria).await?;
    let mut found = matches(&rows, queries, mapping, &fields);

    let nobody = |(query, found): &(&Query, &Vec<Found>)| query.phone.is_some() && found.is_empty();
    let unmatched: Vec<&Query> = queries.iter().zip(&found).filter(nobody).map(|(query, _)| query).collect();
    let spellings: Vec<String> = unmatched.iter().filter_map(|q| q.phone.as_ref()).flat_map(Phone::spellings).collect();
    let criteria: Vec<String> = fields.phones.iter().flat_map(|field| within(field, spellings.clone())).collect();
    let rows = select(session, &asked, &criteria).await?;
    for (found, by_phone) in found.iter_mut().zip(matches(&rows, queries, mapping, &fields)) {
        if found.is_empty() {
            *found = by_phone;
        }
    }
    Ok(found)
}

/// The fields that hold what a query asks for.
struct Keyed<'m> {
    id: &'m str,
    email: Option<&'m str>,
    phones: Vec<&'m str>,
}

/// Leads and contacts have a second field for phones (Zoho docs: Insert records, sample attributes).
fn phone_fields(mapping: &Mapping) -> Vec<&str> {
    let mobile = matches!(mapping.object.as_str(), "Leads" | "Contacts").then_some("Mobile");
    let mut fields: Vec<&str> = mapping.remote_of("phone").into_iter().chain(mobile).collect();
    fields.dedup();
    fields
}

/// Zoho compares loosely: whether a row is meant is decided here.
fn matches(rows: &BTreeMap<String, Json>, queries: &[Query], mapping: &Mapping, fields: &Keyed<'_>) -> Vec<Vec<Found>> {
    let mut found: Vec<Vec<Found>> = vec![Vec::new(); queries.len()];
    for row in rows.values() {
        let Some((remote, seen)) = records::read(row, mapping) else { continue };
        let text = |field: &str| row.get(field).and_then(Json::as_str);
        let claimed: Option<RecordId> = records::claimed(row, mapping);
        let email: Option<Email> = fields.email.and_then(text).and_then(Email::parse);
        let phones: Vec<Phone> = fields.phones.iter().filter_map(|f| Phone::parse(text(f)?, &mapping.region)).collect();
        for (query, found) in queries.iter().zip(&mut found) {
            let by = if query.record.is_some() && query.record == claimed {
                By::Record
            } else if query.email.is_some() && query.email == email {
                By::Email
            } else if query.phone.as_ref().is_some_and(|phone| phones.contains(phone)) {
                By::Phone
            } else {
                continue;
            };
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
