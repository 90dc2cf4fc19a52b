//! Finding a record by whatever somebody has of it. What is looked for travels in the form, never in an address: those are kept.

use super::{
    desk::{Desk, Listed},
    frame::{Page, Shown},
    overview::Connection,
    record::Record,
};
use crate::control::problem::{self, Problem};
use futures::future::join_all;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub q: String,
    pub object: String,
    pub cursor: Option<String>,
}

const OBJECTS: [(&str, &str); 5] =
    [("person", "A person"), ("company", "A company"), ("deal", "A deal"), ("note", "A note"), ("task", "A task")];

pub async fn find(desk: &Desk<'_>, asked: Asked) -> Shown {
    let q = asked.q.trim();
    let (found, next) = match q {
        "" => {
            let mut query = vec![("limit", "25")];
            query.extend(asked.cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let listed: Listed<Record> = desk.ask("records", &[], &query).await?;
            (listed.items, listed.next)
        }
        q => (by_any(desk, q, &asked.object).await?, None),
    };
    if let ([one], false) = (found.as_slice(), q.is_empty()) {
        return Ok(Page { to: Some(desk.at(&format!("/records/{}", one.id))), ..Page::new("Records", html! {}) });
    }
    let body = html! {
        (form(desk, &asked))
        @if found.is_empty() { (nobody(q)) }
        @else {
            @if q.is_empty() { h2 { "All there are" } } @else { h2 { (found.len()) " found" } }
            ul.rows { @for record in &found { li.row { (record.line(desk)) } } }
        }
        @if let Some(next) = &next { p { a.action href={ (desk.at("/records")) "?cursor=" (next) } { "More" } } }
    };
    Ok(Page::new("Records", body))
}

fn form(desk: &Desk<'_>, asked: &Asked) -> Markup {
    html! {
        form.find method="post" action=(desk.at("/records")) role="search" {
            (desk.proof())
            label { "E-mail, phone, our id, or a CRM’s" input name="q" value=(asked.q) autocomplete="off" spellcheck="false" maxlength="512" required; }
            label { "What it is"
                select name="object" { @for (name, said) in OBJECTS { option value=(name) selected[asked.object == name] { (said) } } }
            }
            button.main type="submit" { "Find" }
        }
    }
}

fn nobody(q: &str) -> Markup {
    html! {
        div.empty {
            @if q.is_empty() {
                p { strong { "There is no record yet." } }
                p { "They come from your workflow service, and from the CRMs that are connected." }
            } @else {
                p { strong { "Nobody is known by that." } }
                p { "Write the whole e-mail address or id, and a phone number with its country, such as +1 415 555 0100." }
            }
        }
    }
}

/// Whoever is known by this, under any of the names that it may be; nobody is asked for what it cannot be.
async fn by_any(desk: &Desk<'_>, q: &str, object: &str) -> Result<Vec<Record>, Problem> {
    let connections: Listed<Connection> = desk.ask("connections", &[], &()).await?;
    let mut queries: Vec<Vec<(&str, &str)>> = vec![vec![("id", q)]];
    if q.contains('@') {
        queries.push(vec![("email", q)]);
    }
    if q.chars().filter(char::is_ascii_digit).count() >= 6 && !q.chars().any(char::is_alphabetic) {
        queries.push(vec![("phone", q)]);
    }
    // An id of a CRM's has neither.
    if !q.contains(char::is_whitespace) && !q.contains('@') {
        queries.extend(connections.items.iter().map(|one| vec![("remote", q), ("connection", &one.id)]));
    }
    for query in &mut queries {
        query.extend(Some(("object", object)).filter(|(_, object)| !object.is_empty()));
    }
    let asked = queries.iter().map(async |query| desk.ask::<Listed<Record>>("records", &[], query).await);
    let ours = async { desk.ask::<Record>("record", &[("record", q)], &()).await };
    let (listed, ours) = futures::join!(join_all(asked), ours);
    let mut found = BTreeMap::new();
    for listed in listed {
        match listed {
            Ok(listed) => found.extend(listed.items.into_iter().map(|record| (record.id.clone(), record))),
            Err(problem) if is_no_such(&problem) => {}
            Err(problem) => return Err(problem),
        }
    }
    match ours {
        Ok(record) => drop(found.insert(record.id.clone(), record)),
        Err(problem) if is_no_such(&problem) => {}
        Err(problem) => return Err(problem),
    }
    Ok(found.into_values().collect())
}

/// It is no such identity, or nobody's.
fn is_no_such(problem: &Problem) -> bool {
    [problem::UNFIT, problem::NOT_FOUND, problem::UNREADABLE].contains(&problem.kind)
}
