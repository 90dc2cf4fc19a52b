//! The lead that hangs on a person in the Leads Inbox, as a field of that person (Pipedrive docs: API v1, Leads).
//!
//! Its title only goes out: no read asks for it, and no person shows it. People close leads, by archiving or converting them; a
//! title that is told after that makes another.

use super::{failure, records};
use crate::{
    error::{Error, Result},
    id::RemoteId,
    mapping::Mapping,
    planner::Change,
    provider::{
        batch::Outcome,
        schema::Field,
        session::{Answer, Request, Session, encoded},
    },
    record::{Sort, Value},
};
use reqwest::Method;
use serde_json::{Value as Json, json};

/// The title of a person's open lead. It is in no mapping that a connection starts with: looking for a lead costs 20 tokens,
/// writing it 10.
pub(super) const TITLE: &str = "lead.title";
/// The object whose field it is.
const OBJECT: &str = "persons";
const LEADS: &str = "/api/v1/leads";

/// What an object's schema has besides its own fields.
pub(super) fn fields(object: &str) -> Option<Field> {
    let (name, label) = (TITLE.to_owned(), "Lead inbox: title".to_owned());
    (object == OBJECT).then_some(Field { name, label, writable: true, takes: &[Sort::Text], ..Field::default() })
}

/// The changes of the record itself, and the title that its lead is to have. A blank one is none: people close leads.
pub(super) fn parted(mapping: &Mapping, changes: &[Change]) -> (Vec<Change>, Option<Value>) {
    let is_title = |change: &Change| mapping.object == OBJECT && change.field == TITLE;
    let (titles, own): (Vec<Change>, Vec<Change>) = changes.iter().cloned().partition(is_title);
    (own, titles.into_iter().find_map(|change| change.value))
}

/// Sees to it that a person has an open lead with this title. Nothing keeps a repeated POST from making another, so it is
/// looked for first. `None` where all is well, else why not.
pub(super) async fn hang(
    session: &Session,
    mapping: &Mapping,
    person: &RemoteId,
    title: &Value,
) -> Result<Option<Outcome>> {
    let look = Request::get(format!("{LEADS}?person_id={person}&limit=500"));
    let found = session.send(&look, of_lead).await?;
    if !found.status.is_success() {
        return Ok(Some(of_title(failure::outcome(&found, false))));
    }
    let (answer, renames) = match step(records::rows(&found.body), person, title, is_filler(mapping, title)) {
        Step::Nothing => return Ok(None),
        Step::Rename(lead) => {
            let path = format!("{LEADS}/{}", encoded(&lead));
            let request = Request { method: Method::PATCH, ..Request::post(path, json!({"title": title.to_string()})) };
            (session.send(&request, of_lead).await?, true)
        }
        Step::Make => {
            let person = person.as_str().parse::<u64>().ok();
            let request = Request::post(LEADS, json!({"title": title.to_string(), "person_id": person}));
            (session.send_once(&request, of_lead).await?, false)
        }
    };
    Ok((!answer.status.is_success()).then(|| of_title(failure::outcome(&answer, renames))))
}

/// As of a record. An app without the scope for leads may not write them, and may go on with the rest.
fn of_lead(answer: &Answer) -> Option<Error> {
    if answer.status.as_u16() == 403 && answer.body.is_object() { None } else { failure::of_record(answer) }
}

/// What is to be done about a lead.
#[derive(Debug, PartialEq)]
enum Step {
    Nothing,
    /// By its id.
    Rename(String),
    Make,
}

/// Of several open leads the oldest is renamed, unless any has the title already. Our filler renames nobody's.
fn step(leads: &[Json], person: &RemoteId, title: &Value, filler: bool) -> Step {
    let text = |lead: &Json, name: &str| lead.get(name).and_then(Json::as_str).map(str::to_owned);
    let theirs = |lead: &&Json| lead.get("person_id").and_then(records::id).as_ref() == Some(person);
    let is_open = |lead: &&Json| lead.get("is_archived").and_then(Json::as_bool) != Some(true);
    let mut open = leads.iter().filter(theirs).filter(is_open).peekable();
    let oldest = open.peek().and_then(|lead| text(lead, "id"));
    match oldest {
        None => Step::Make,
        Some(_) if filler || open.any(|lead| text(lead, "title") == Some(title.to_string())) => Step::Nothing,
        Some(lead) => Step::Rename(lead),
    }
}

fn is_filler(mapping: &Mapping, title: &Value) -> bool {
    mapping.rules.iter().any(|rule| rule.remote == TITLE && rule.default.as_ref() == Some(title))
}

fn of_title(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Refused { code, message, .. } => Outcome::Refused { code, field: Some(TITLE.to_owned()), message },
        other => other,
    }
}

#[cfg(test)]
#[path = "leads_tests.rs"]
mod tests;
