//! Campaigns, as lists of people: leads or contacts are members of one (Salesforce docs: Object Reference, CampaignMember).

use super::{
    OURSELVES, Salesforce, VERSION, failure,
    query::{Among, all, first_pages, lists, literal},
    records::{self, is_id, text_at, whole},
};
use crate::{
    error::{Error, Result},
    id::RemoteId,
    mapping::Mapping,
    provider::{
        Fetched, Field, Listed, Outcome, Provider, Session, Write, list,
        session::{Answer, Request},
    },
};
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// How ids of campaigns begin (Salesforce help: standard field record ID prefixes).
const PREFIX: &str = "701";
/// Members on a page.
const LIMIT: usize = 1_000;
/// Rows in one write (Salesforce docs: REST API, sObject Collections).
const ROWS: usize = 200;

/// Whether a list is a campaign.
pub(super) fn is_one(list: &str) -> bool {
    is_id(list) && list.starts_with(PREFIX)
}

/// The mapped lists as fields. Who is on a list view is for Salesforce to say.
pub(super) async fn schema(session: &Session, mapping: &Mapping) -> Result<Vec<Field>> {
    let (campaigns, views): (Vec<&str>, Vec<&str>) = mapping.lists().into_iter().partition(|list| is_one(list));
    let mut fields: Vec<Field> = views.into_iter().map(|view| list::as_field(view, view, false)).collect();
    let known = named(session, &campaigns).await?;
    let writable = records::objects(mapping).len() > 1;
    let field = |campaign: &str| Some(list::as_field(campaign, known.get(&whole(campaign))?, writable));
    fields.extend(campaigns.into_iter().filter_map(field).filter(|field| field.writable));
    Ok(fields)
}

/// The names of those campaigns that there are.
async fn named(session: &Session, campaigns: &[&str]) -> Result<BTreeMap<String, String>> {
    if campaigns.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = |ids: &String| format!("SELECT Id, Name FROM Campaign WHERE Id IN ({ids})");
    let queries: Vec<String> = lists(campaigns.iter().map(|id| whole(id)).collect()).iter().map(query).collect();
    let rows = all(session, Among::Live, &queries).await?;
    let name = |row: &Json| Some((text_at(row, "/Id")?.to_owned(), text_at(row, "/Name")?.to_owned()));
    Ok(rows.iter().flatten().filter_map(name).collect())
}

/// One page of the people in a campaign, in the order in which they came to it.
pub(super) async fn page(session: &Session, mapping: &Mapping, campaign: &str, after: Option<&str>) -> Result<Listed> {
    if records::objects(mapping).len() < 2 {
        return Ok(Listed::none(campaign, &format!("is a campaign, and no {} is in one", mapping.object)));
    }
    let rows = match rows(session, campaign, after).await {
        Ok(Some(rows)) => rows,
        Ok(None) => return Ok(Listed::none(campaign, "is a campaign that there is not")),
        // Without the marketing feature there are no campaigns, and not every user may see them.
        Err(Error::Bug { what, .. } | Error::Config { reason: what }) => return Ok(Listed::Refused(what)),
        Err(error) => return Err(error),
    };
    let ids: Vec<RemoteId> = rows.iter().filter_map(member).map(|(person, _)| person).collect();
    let mut fetched = Salesforce::fetch(session, mapping, &ids).await?;
    let shown = |(id, fetched): (RemoteId, &mut Fetched)| Some((id, fetched.seen()?.clone()));
    let records = ids.into_iter().zip(&mut fetched).filter_map(shown).collect();
    let next = rows.last().and_then(records::id).filter(|_| rows.len() >= LIMIT);
    Ok(Listed::Shown { records, next: next.map(|id| id.to_string()) })
}

/// The rows of a page; `None` where there is no such campaign.
async fn rows(session: &Session, campaign: &str, after: Option<&str>) -> Result<Option<Vec<Json>>> {
    if after.is_none() && named(session, &[campaign]).await?.is_empty() {
        return Ok(None);
    }
    let from = after.map(|after| format!(" AND Id > {}", literal(after))).unwrap_or_default();
    let campaign = literal(&whole(campaign));
    let query = format!(
        "SELECT Id, LeadId, ContactId FROM CampaignMember WHERE CampaignId = {campaign}{from} ORDER BY Id LIMIT {LIMIT}"
    );
    let (pages, _) = first_pages(session, Among::Live, &[query]).await?;
    Ok(Some(pages.into_iter().flat_map(|page| page.rows).collect()))
}

/// Whom a row is about, and its own id.
fn member(row: &Json) -> Option<(RemoteId, String)> {
    let person = text_at(row, "/ContactId").or_else(|| text_at(row, "/LeadId"))?;
    Some((person.parse().ok()?, text_at(row, "/Id")?.to_owned()))
}

/// Puts the people that were written into their campaigns and takes them out, and says so in the outcomes. Who is a member already
/// is asked first, so it can be repeated.
pub(super) async fn write(
    session: &Session,
    mapping: &Mapping,
    writes: &[Write],
    outcomes: &mut [Outcome],
) -> Result<()> {
    for campaign in mapping.lists().into_iter().filter(|list| is_one(list)) {
        let wanted = list::wanted(campaign, writes, outcomes);
        if wanted.is_empty() {
            continue;
        }
        let members = members(session, campaign, wanted.keys()).await?;
        let moves = wanted.iter().filter(|(id, is_on)| members.contains_key(*id) != **is_on);
        let (on, off): (Vec<_>, Vec<_>) = moves.partition(|(_, is_on)| **is_on);
        let ids =
            |some: Vec<(&RemoteId, &bool)>| -> Vec<RemoteId> { some.into_iter().map(|(id, _)| id.clone()).collect() };
        let (on, off, mut failed) = (ids(on), ids(off), BTreeMap::new());
        for some in on.chunks(ROWS) {
            failed.extend(failures(campaign, some, &add(session, campaign, some).await?));
        }
        for some in off.chunks(ROWS) {
            let rows = some.iter().filter_map(|id| members.get(id));
            failed.extend(failures(campaign, some, &remove(session, rows).await?));
        }
        list::note(campaign, writes, outcomes, |id| failed.get(id).cloned());
    }
    Ok(())
}

/// What became of those whom an answer says were not moved. Its rows are in their order.
fn failures(campaign: &str, moved: &[RemoteId], answer: &Answer) -> Vec<(RemoteId, Outcome)> {
    let rows = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
    let fault = |row: &Json| failure::of_member(row, &list::field(campaign));
    moved.iter().zip(rows).filter_map(|(id, row)| Some((id.clone(), fault(row)?))).collect()
}

/// Those of these people who are in the campaign, and their rows there.
async fn members(
    session: &Session,
    campaign: &str,
    people: impl Iterator<Item = &RemoteId>,
) -> Result<BTreeMap<RemoteId, String>> {
    let query = |ids: &String| {
        let campaign = literal(&whole(campaign));
        format!(
            "SELECT Id, LeadId, ContactId FROM CampaignMember WHERE CampaignId = {campaign} AND (LeadId IN ({ids}) OR ContactId IN ({ids}))"
        )
    };
    let queries: Vec<String> = lists(people.map(RemoteId::to_string).collect()).iter().map(query).collect();
    Ok(all(session, Among::Live, &queries).await?.iter().flatten().filter_map(member).collect())
}

async fn add(session: &Session, campaign: &str, people: &[RemoteId]) -> Result<Answer> {
    let row = |id: &RemoteId| {
        let field = if id.as_str().starts_with(records::PEOPLE[0].prefix) { "ContactId" } else { "LeadId" };
        json!({"attributes": {"type": "CampaignMember"}, "CampaignId": whole(campaign), field: id})
    };
    let body = json!({"allOrNone": false, "records": people.iter().map(row).collect::<Vec<_>>()});
    let headers = vec![(OURSELVES.0, OURSELVES.1.to_owned())];
    let request = Request { headers, ..Request::post(format!("/services/data/{VERSION}/composite/sobjects"), body) };
    session.send(&request, failure::of_call).await
}

async fn remove(session: &Session, members: impl Iterator<Item = &String>) -> Result<Answer> {
    let ids: Vec<&str> = members.map(String::as_str).collect();
    let path = format!("/services/data/{VERSION}/composite/sobjects?ids={}&allOrNone=false", ids.join(","));
    let headers = vec![(OURSELVES.0, OURSELVES.1.to_owned())];
    let request = Request { method: Method::DELETE, headers, ..Request::get(path) };
    session.send(&request, failure::of_call).await
}
