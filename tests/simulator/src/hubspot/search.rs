//! `POST …/search` (HubSpot docs: CRM search): an index that lags, never archived records, 200 a page,
//! 10,000 results at most, bodies of 3,000 characters at most.

use super::Desk;
use super::errors::Refusal;
use super::properties::modified_name;
use super::show::{Selection, value_of};
use crate::clock::parse_time;
use crate::records::View;
use crate::wire::{Call, Reply};
use serde_json::{Value, json};

const BODY: usize = 3_000;
const RESULTS: usize = 10_000;

pub fn search(desk: &mut Desk<'_>, object: &str, call: &Call) -> Result<Reply, Refusal> {
    if call.body.len() > BODY && String::from_utf8_lossy(&call.body).chars().count() > BODY {
        return Err(Refusal::validation("The request body is too long: at most 3000 characters"));
    }
    let body = call.json().ok_or_else(Refusal::unreadable)?;
    let number = |v: &Value| {
        v.as_u64().or_else(|| v.as_str().and_then(|s| s.parse().ok())).and_then(|n| usize::try_from(n).ok())
    };
    let limit = number(&body["limit"]).unwrap_or(10);
    let after = number(&body["after"]).unwrap_or(0);
    if limit > 200 {
        return Err(Refusal::validation("limit must be at most 200"));
    }
    if after + limit > RESULTS {
        return Err(Refusal::validation("after plus limit must not be more than 10000"));
    }
    let groups = filters(desk, object, body)?;
    let horizon = desk.now - desk.faults.search_lag_ms;
    let Some(table) = desk.portal.tables.get(object) else { return Err(Refusal::not_found()) };
    let views = table.records.values().filter(|r| r.archived.is_none()).filter_map(|r| r.view_at(horizon));
    let text = body["query"].as_str().unwrap_or_default().to_lowercase();
    let mut hits: Vec<View<'_>> = views
        .filter(|v| {
            text.is_empty() || v.fields.values().any(|f| f.as_str().is_some_and(|s| s.to_lowercase().contains(&text)))
        })
        .filter(|v| groups.is_empty() || groups.iter().any(|g| g.iter().all(|f| f.passes(object, *v))))
        .collect();
    let (by, descending) = sort(body)?;
    hits.sort_by_cached_key(|v| (key_of(object, *v, &by), v.id));
    if descending {
        hits.reverse();
    }
    let total = hits.len();
    let selection = Selection::of(body);
    let results: Vec<Value> =
        hits.into_iter().skip(after).take(limit).map(|v| desk.show_view(object, v, &selection)).collect();
    let next = after + results.len();
    let mut answer = json!({"total": total, "results": results});
    if next < total {
        answer["paging"] = json!({"next": {"after": next.to_string(), "link": ""}});
    }
    Ok(Reply::json(200, answer))
}

#[derive(Debug)]
struct Filter {
    property: String,
    operator: String,
    values: Vec<Key>,
}

/// A value in the order of its type: dates and numbers by size, text by its lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    None,
    Number(i64),
    Text(String),
}

fn filters(desk: &Desk<'_>, object: &str, body: &Value) -> Result<Vec<Vec<Filter>>, Refusal> {
    // Filters without a group are one group: nobody says so, but Airbyte's connector asks in this way and gets its answer.
    let groups = body["filterGroups"].as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
    let groups: Vec<&Vec<Value>> = groups.iter().filter_map(|g| g["filters"].as_array()).collect();
    let all: usize = groups.iter().map(|g| g.len()).sum();
    if groups.len() > 5 || groups.iter().any(|g| g.len() > 6) || all > 18 {
        return Err(Refusal::validation("At most 5 filterGroups of 6 filters, 18 in all"));
    }
    groups.into_iter().map(|g| g.iter().map(|f| filter(desk, object, f)).collect()).collect()
}

fn filter(desk: &Desk<'_>, object: &str, f: &Value) -> Result<Filter, Refusal> {
    let property = f["propertyName"].as_str().unwrap_or_default().to_owned();
    let operator = f["operator"].as_str().unwrap_or_default().to_owned();
    if desk.portal.property(object, &property).is_none() {
        return Err(Refusal::validation(&format!(
            "There was a problem with the request: property {property} does not exist"
        )));
    }
    let text = |v: &Value| v.as_str().map(str::to_owned).or_else(|| v.as_i64().map(|n| n.to_string()));
    let sent: Vec<String> = match operator.as_str() {
        "IN" | "NOT_IN" => f["values"].as_array().into_iter().flatten().filter_map(text).collect(),
        "BETWEEN" => [&f["value"], &f["highValue"]].into_iter().filter_map(text).collect(),
        "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => Vec::new(),
        "EQ" | "NEQ" | "LT" | "LTE" | "GT" | "GTE" | "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN" => {
            text(&f["value"]).into_iter().collect()
        }
        _ => return Err(Refusal::validation(&format!("Invalid operator {operator}"))),
    };
    let needed = match operator.as_str() {
        "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => 0,
        "BETWEEN" => 2,
        _ => 1,
    };
    if sent.len() < needed {
        return Err(Refusal::validation(&format!("operator {operator} requires values")));
    }
    // IN and NOT_IN want their texts in lower case; the other operators do not care.
    let exact = operator.ends_with("IN");
    let values =
        sent.iter().map(|v| if exact { key_exact(object, &property, v) } else { key(object, &property, v) }).collect();
    Ok(Filter { property, operator, values })
}

impl Filter {
    fn passes(&self, object: &str, view: View<'_>) -> bool {
        let own = key_of(object, view, &self.property);
        let first = self.values.first().unwrap_or(&Key::None);
        let some = own != Key::None;
        match self.operator.as_str() {
            "EQ" => own == *first,
            "NEQ" => own != *first,
            "LT" => some && own < *first,
            "LTE" => some && own <= *first,
            "GT" => some && own > *first,
            "GTE" => some && own >= *first,
            "BETWEEN" => some && own >= *first && self.values.get(1).is_some_and(|high| own <= *high),
            "IN" => some && self.values.contains(&own),
            "NOT_IN" => some && !self.values.contains(&own),
            "HAS_PROPERTY" => some,
            "NOT_HAS_PROPERTY" => !some,
            "CONTAINS_TOKEN" => contains(&own, first),
            _ => some && !contains(&own, first),
        }
    }
}

fn contains(own: &Key, token: &Key) -> bool {
    match (own, token) {
        (Key::Text(own), Key::Text(token)) => own.contains(token.trim_matches('*')),
        (own, token) => own == token,
    }
}

fn key_of(object: &str, view: View<'_>, name: &str) -> Key {
    match name {
        "hs_object_id" => Key::Number(view.id.cast_signed()),
        "createdate" => Key::Number(view.created),
        _ if name == modified_name(object) => Key::Number(view.modified),
        _ => value_of(object, view, name).map_or(Key::None, |v| key(object, name, &v)),
    }
}

fn key(object: &str, name: &str, text: &str) -> Key {
    key_exact(object, name, &text.to_lowercase())
}

fn key_exact(object: &str, name: &str, text: &str) -> Key {
    let number = name == "hs_object_id" || name == "createdate" || name == modified_name(object);
    match parse_time(&text.to_uppercase()).filter(|_| number) {
        Some(n) => Key::Number(n),
        None => Key::Text(text.to_owned()),
    }
}

fn sort(body: &Value) -> Result<(String, bool), Refusal> {
    let sorts = body["sorts"].as_array().map(Vec::as_slice).unwrap_or_default();
    match sorts {
        [] => Ok(("createdate".to_owned(), false)),
        [Value::String(name)] => Ok((name.trim_start_matches('-').to_owned(), name.starts_with('-'))),
        [one] => {
            Ok((one["propertyName"].as_str().unwrap_or("createdate").to_owned(), one["direction"] == "DESCENDING"))
        }
        _ => Err(Refusal::validation("Only one sort is allowed")),
    }
}
