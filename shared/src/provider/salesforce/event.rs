//! Change events, as Event Relay puts them on an event bus (Salesforce docs: Change Data Capture; Event Relay).
//!
//! They are not signed either. What proves one is where it lies: on a partner's bus nobody but the partner puts events (Amazon EventBridge docs:
//! PutPartnerEvents), and its source names the org, which is the one that an admin there accepted our AWS account for.

use super::{
    OURSELVES,
    records::{is_id, whole},
};
use crate::{
    change::{Hinted, Tells},
    id::{AccountId, RemoteId},
    provider::{Heard, Hint, Says, Unreadable},
    record::Value,
};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// What stands before the org and its relay in the name of a source.
const SOURCE: &str = "aws.partner/salesforce.com/";
/// Where an event says what it is about.
const HEADER: &str = "ChangeEventHeader";

pub(super) fn heard(source: &str, detail: &Json) -> Option<Heard> {
    let org = source.strip_prefix(SOURCE)?.split('/').next().filter(|org| is_id(org) && org.starts_with("00D"))?;
    let account: AccountId = whole(org).parse().ok()?;
    let says = says(&account, detail).unwrap_or_else(Says::Unreadable);
    Some(Heard { account, says })
}

fn says(account: &AccountId, detail: &Json) -> Result<Says, Unreadable> {
    let payload = detail.get("payload").and_then(Json::as_object).ok_or(Unreadable("an event without a payload"))?;
    let header = payload.get(HEADER).and_then(Json::as_object).ok_or(Unreadable("an event of no change"))?;
    let text = |name: &str| header.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    let filed = text("entityName").ok_or(Unreadable("a change of no object"))?.to_owned();
    let ids = header.get("recordIds").and_then(Json::as_array).filter(|ids| !ids.is_empty());
    let ids = ids.ok_or(Unreadable("a change of no records"))?;
    // Where one transaction changed more than is told apart, there is but the beginning of their ids and a star
    // (Salesforce docs: Change Data Capture, Overflow Events).
    let remotes = ids.iter().map(remote).collect::<Option<Vec<RemoteId>>>();
    let Some(remotes) = remotes.filter(|_| text("changeType") != Some("GAP_OVERFLOW")) else {
        return Ok(Says::More(filed));
    };
    let ours = text("changeOrigin").is_some_and(is_ours) && matches!(text("changeType"), Some("CREATE" | "UPDATE"));
    let tells = if ours { tells(header, payload) } else { None };
    let by = text("commitUser").filter(|_| tells.is_some()).map(whole);
    let hint = |remote: RemoteId| Hint {
        account: Some(account.clone()),
        by: by.clone(),
        filed: filed.clone(),
        of: Hinted::telling(remote, tells.clone().filter(|_| by.is_some())),
    };
    Ok(Says::Changed(remotes.into_iter().map(hint).collect()))
}

fn remote(id: &Json) -> Option<RemoteId> {
    whole(id.as_str().filter(|id| is_id(id))?).parse().ok()
}

/// `com/salesforce/api/rest/66.0;client=crm-sync`: the client names itself (Salesforce docs: Change Data Capture, Change Event Header Fields).
fn is_ours(origin: &str) -> bool {
    origin.split(';').any(|part| part.trim().trim_end_matches('/') == OURSELVES.1)
}

/// What a change shows of the fields that it touched, those that a flow of the org's own changed along with ours among them; `None` unless it
/// shows all of them. New records show what is not blank, and name no field as changed.
fn tells(header: &Map<String, Json>, payload: &Map<String, Json>) -> Option<Tells> {
    let mut told = BTreeMap::new();
    for (field, shown) in payload.iter().filter(|(field, _)| *field != HEADER) {
        match shown {
            Json::Object(parts) => {
                for (part, shown) in parts {
                    told.insert(part_of(field, part)?, shown);
                }
            }
            _ => drop(told.insert(field.clone(), shown)),
        }
    }
    for field in named(header, "nulledFields")? {
        told.insert(field, &Json::Null);
    }
    let all = named(header, "changedFields")?.iter().all(|field| told.contains_key(field));
    let digests = told.iter().map(|(field, shown)| Some(Tells::field(field, Value::from_json(shown).ok()?.as_ref()).0));
    let digests: Vec<_> = digests.collect::<Option<_>>()?;
    (all && !digests.is_empty()).then(|| Tells(digests.into_iter().flatten().collect()))
}

/// The fields of one of the header's lists; a part of a compound field is called `MailingAddress.City`.
fn named(header: &Map<String, Json>, list: &str) -> Option<Vec<String>> {
    let name = |field: &Json| match field.as_str()?.split_once('.') {
        Some((compound, part)) => part_of(compound, part),
        None => field.as_str().map(str::to_owned),
    };
    header.get(list).and_then(Json::as_array).into_iter().flatten().map(name).collect()
}

/// A part of a compound field as records call it: `MailingCity`, `FirstName` (Salesforce docs: Change Data Capture, Compound Fields;
/// Object Reference, Compound Fields). Of other compounds it is not known.
fn part_of(compound: &str, part: &str) -> Option<String> {
    match compound {
        "Name" => Some(part.to_owned()),
        _ => Some(format!("{}{part}", compound.strip_suffix("Address")?)),
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
