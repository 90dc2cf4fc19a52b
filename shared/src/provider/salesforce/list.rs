//! All records of an object, leads and contacts together, and those of one of its list views or campaigns.
//!
//! A view is asked once for its query (Salesforce docs: REST API, List View Describe); its scope and its condition are then ours. What they pick is
//! read by id, so that nothing depends on an offset.

use super::{
    VERSION, campaign, failure,
    query::{Among, first_pages, literal},
    records::{self, Object, objects, text_at},
    view::{View, view_of},
};
use crate::{
    error::{Error, Result},
    id::RemoteId,
    mapping::Mapping,
    provider::{
        Listed,
        session::{Answer, Request, Session},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// As many as one answer holds (Salesforce docs: REST API, Query, batch size), and one more, so that it says whether there is more.
const LIMIT: usize = 2_001;

/// Where to go on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    view: Option<View>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<RemoteId>,
}

/// Of all the mapping's objects, in one call (Salesforce docs: SOQL and SOSL Reference, `COUNT()`: the answer's size, and no rows).
pub(super) async fn count(session: &Session, mapping: &Mapping) -> Result<Option<u32>> {
    let question = |Object { name, only, .. }: Object<'_>| {
        let picked = only.strip_prefix(" AND ").map(|only| format!(" WHERE {only}")).unwrap_or_default();
        format!("SELECT COUNT() FROM {name}{picked}")
    };
    let queries: Vec<String> = objects(mapping).into_iter().map(question).collect();
    let (pages, _) = first_pages(session, Among::Live, &queries).await?;
    Ok(pages.iter().map(|page| page.total).sum())
}

pub(super) async fn list(
    session: &Session,
    mapping: &Mapping,
    list: Option<&str>,
    after: Option<&str>,
) -> Result<Listed> {
    if let Some(campaign) = list.filter(|list| campaign::is_one(list)) {
        return campaign::page(session, mapping, campaign, after).await;
    }
    let place = match (after, list) {
        (Some(after), _) => {
            serde_json::from_str(after).map_err(|error| Error::bug("no place of ours in a list").because(error))?
        }
        (None, None) => Place::default(),
        (None, Some(list)) => match described(session, mapping, list).await? {
            Ok(view) => Place { view: Some(view), after: None },
            Err(refused) => return Ok(refused),
        },
    };
    page(session, mapping, place).await
}

/// The view of this id, of whichever of the mapping's objects it is.
async fn described(session: &Session, mapping: &Mapping, list: &str) -> Result<Result<View, Listed>> {
    if !records::is_id(list) {
        return Ok(Err(Listed::none(list, "is no id of a list view")));
    }
    let (mut objects, mut said) = (objects(mapping), String::new());
    objects.sort_by_key(|object| object.name != mapping.object);
    for object in objects {
        let path = format!("/services/data/{VERSION}/sobjects/{}/listviews/{list}/describe", object.name);
        let answer = session.send(&Request::get(path), of_view).await?;
        if !answer.status.is_success() {
            let code = text_at(&answer.body, "/0/errorCode").unwrap_or("no code");
            said = format!("Salesforce answered {} {code}", answer.status.as_u16());
            continue;
        }
        let of_it = text_at(&answer.body, "/sobjectType").is_none_or(|name| name.eq_ignore_ascii_case(object.name));
        return Ok(match text_at(&answer.body, "/query").and_then(|query| view_of(object.name, query)) {
            Some(view) if of_it => Ok(view),
            _ => Err(Listed::none(list, "is a list view whose query cannot be used")),
        });
    }
    Ok(Err(Listed::Refused(said)))
}

/// Records of one object stand together, and objects in the order of their ids; what lies behind a full page is left for the next one.
async fn page(session: &Session, mapping: &Mapping, place: Place) -> Result<Listed> {
    let objects = objects(mapping);
    let viewed = |object: &Object<'_>| place.view.as_ref().is_none_or(|view| view.object == object.name);
    let ahead =
        |object: &Object<'_>| place.after.as_ref().is_none_or(|id| id.as_str() <= object.prefix || of(id, *object));
    let asked: Vec<Object<'_>> = objects.into_iter().filter(|object| viewed(object) && ahead(object)).collect();
    let queries = asked.iter().map(|object| question(&place, *object, mapping)).collect::<Result<Vec<_>>>()?;
    let pages = match first_pages(session, Among::Live, &queries).await {
        Ok((pages, _)) => pages,
        // What is wrong with a view's own condition is nobody else's fault.
        Err(Error::Bug { what, .. } | Error::Config { reason: what }) if place.view.is_some() => {
            return Ok(Listed::Refused(what));
        }
        Err(error) => return Err(error),
    };
    let (mut rows, mut more): (Vec<Json>, bool) = (Vec::new(), false);
    for page in pages {
        more = !page.done() || page.rows.len() >= LIMIT;
        rows.extend(page.rows);
        if more {
            break;
        }
    }
    let last = rows.last().and_then(records::id).filter(|_| more);
    let next = last.map(|last| Place { after: Some(last), ..place });
    let next = next.map(|place| serde_json::to_string(&place)).transpose();
    let next = next.map_err(|error| Error::bug("a place in a list that is no JSON").because(error))?;
    Ok(Listed::Shown { records: rows.iter().filter_map(|row| records::read(row, mapping)).collect(), next })
}

fn question(place: &Place, object: Object<'_>, mapping: &Mapping) -> Result<String> {
    let Object { name, only, .. } = object;
    let (scope, condition) =
        place.view.as_ref().map_or(("", ""), |view| (view.scope.as_str(), view.condition.as_str()));
    let mut conditions = Vec::new();
    conditions.extend((!condition.is_empty()).then(|| format!("({condition})")));
    // Ids are compared by Salesforce, and within one object only.
    let after = place.after.as_ref().filter(|id| of(id, object));
    conditions.extend(after.map(|id| format!("Id > {}", literal(id.as_str()))));
    conditions.extend(only.strip_prefix(" AND ").map(str::to_owned));
    let scope = if scope.is_empty() { String::new() } else { format!(" USING SCOPE {scope}") };
    let picked = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    Ok(format!("SELECT {} FROM {name}{scope}{picked} ORDER BY Id LIMIT {LIMIT}", object.fields(mapping)?))
}

/// Whether an id is one of this object's.
fn of(id: &RemoteId, object: Object<'_>) -> bool {
    id.as_str().starts_with(object.prefix)
}

/// A view that is not there, or not for us, is no fault of the connection's.
fn of_view(answer: &Answer) -> Option<Error> {
    let judged = failure::of_call(answer);
    let passes = matches!(judged, Some(Error::AuthExpired { .. } | Error::RateLimited { .. }));
    let refused = matches!(answer.status.as_u16(), 400 | 403 | 404) && answer.body.is_array();
    if refused && !passes { None } else { judged }
}
