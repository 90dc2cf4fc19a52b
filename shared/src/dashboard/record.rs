//! One record: what it says and on whose word, where it is, what would be written, what waits, and all that happened.

use super::{
    desk::{Desk, Listed},
    erasure::link,
    exceptions::{about, waiting},
    explained::{Explanation, explained},
    frame::{Page, Shown},
    history::{Change, Happened, history},
    overview::Connection,
    words::{Tone, ago, many, pill, title, value},
};
use crate::record::{Deletion, Erasure, Gone, Refusal, Value};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A record, as the control API shows it.
#[derive(Debug, Deserialize)]
pub struct Record {
    pub id: String,
    object: String,
    version: u64,
    fields: BTreeMap<String, Said>,
    links: BTreeMap<String, InCrm>,
    score: i64,
    merged_into: Option<String>,
    deleted: Option<Deletion>,
    erased: Option<Erasure>,
}

#[derive(Debug, Deserialize)]
struct Said {
    value: Option<Value>,
    at: Timestamp,
    source: String,
}

#[derive(Debug, Deserialize)]
struct InCrm {
    remote: Option<String>,
    modified: Option<Timestamp>,
    parked: BTreeSet<String>,
    refused: Option<Refusal>,
    gone: Option<Gone>,
}

/// What would be written of it to one CRM.
#[derive(Debug, Deserialize)]
struct Telling {
    would: String,
    changes: Vec<Told>,
    calls: u32,
}

#[derive(Debug, Deserialize)]
struct Told {
    field: String,
    before: Option<Value>,
    after: Option<Value>,
}

/// What of it is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// To be explained.
    field: Option<String>,
    /// Where its history goes on.
    history: Option<String>,
}

pub async fn record(desk: &Desk<'_>, id: &str, asked: Asked) -> Shown {
    let at = [("record", id)];
    let page: Vec<(&str, &str)> = asked.history.iter().map(|cursor| ("cursor", cursor.as_str())).collect();
    let explain = async || match &asked.field {
        Some(field) => desk.ask::<Explanation>("explain", &at, &[("field", field)]).await.map(Some),
        None => Ok(None),
    };
    let (record, connections, preview, changes, timeline, waiting, explanation) = futures::try_join!(
        desk.ask::<Record>("record", &at, &()),
        desk.ask::<Listed<Connection>>("connections", &[], &()),
        desk.ask::<BTreeMap<String, Telling>>("previewRecord", &at, &()),
        desk.ask::<Listed<Change>>("history", &at, &page),
        desk.ask::<Listed<Happened>>("timeline", &at, &()),
        waiting(desk, &[], None),
        explain(),
    )?;
    let name = |id: &str| {
        let of = connections.items.iter().find(|connection| connection.id == id);
        of.map_or_else(|| id.to_owned(), |connection| connection.display_name.clone())
    };
    let body = html! {
        (facts(desk, &record))
        (about(desk, &waiting, id))
        div.columns {
            div.fields {
                h2 id="fields" { "What the hub says" }
                (fields(desk, &record, asked.field.as_deref()))
            }
            div.aside {
                @if let Some(explanation) = &explanation { (explained(desk, explanation, &name)) }
                section aria-labelledby="places" {
                    h2 id="places" { "Where it is" }
                    (places(desk, &record, &preview, &connections.items))
                }
            }
            section.past aria-labelledby="happened" {
                h2 id="happened" { "What happened" }
                (history(desk, id, changes, timeline, &name))
            }
        }
        (link(desk, id, record.erased.is_some()))
    };
    Ok(Page::new(record.called(), body).live())
}

impl Record {
    /// What people call it.
    pub fn called(&self) -> String {
        let text = |field: &str| self.fields.get(field)?.value.as_ref().map(ToString::to_string);
        let both = [text("first_name"), text("last_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let known = Some(both).filter(|both| !both.is_empty());
        let known = known.or_else(|| ["full_name", "name", "title", "subject", "email"].into_iter().find_map(text));
        known.unwrap_or_else(|| format!("{} {}", title(&self.object), self.id))
    }

    /// One line of a list.
    pub fn line(&self, desk: &Desk<'_>) -> Markup {
        let text = |field: &str| self.fields.get(field).and_then(|said| said.value.as_ref());
        html! {
            a href=(desk.at(&format!("/records/{}", self.id))) { (self.called()) }
            " " span.small { (self.object) @for field in ["email", "phone", "company"] { @if let Some(value) = text(field) { " · " (value) } } }
        }
    }
}

fn facts(desk: &Desk<'_>, record: &Record) -> Markup {
    let now = desk.cx.now();
    html! {
        p.lead {
            (title(&record.object)) " · " (many(record.version, "change")) " · score " (record.score) " · " code.ids { (record.id) }
        }
        @if let Some(survivor) = &record.merged_into {
            p.notice.warn { "This record and another were one: " a href=(desk.at(&format!("/records/{survivor}"))) { "see the one that stays" } }
        }
        @if let Some(erased) = &record.erased {
            p.notice.warn { "This person was forgotten " (ago(now, erased.at)) ". What is left tells that there was somebody." }
        } @else if let Some(deleted) = &record.deleted {
            p.notice.warn {
                @match &deleted.by {
                    Some(by) => { "Deleted in " (by) " " }
                    None => { "Archived, because what made it was undone, " }
                }
                (ago(now, deleted.at)) "."
            }
        }
    }
}

fn fields(desk: &Desk<'_>, record: &Record, chosen: Option<&str>) -> Markup {
    let now = desk.cx.now();
    html! {
        @if record.fields.is_empty() { p.blank { "Nothing yet." } }
        @else {
            div.wide tabindex="0" role="region" aria-labelledby="fields" {
                table {
                    thead { tr { th scope="col" { "Field" } th scope="col" { "Value" } th scope="col" { "On whose word" } } }
                    tbody {
                        @for (field, said) in &record.fields {
                            tr.chosen[chosen == Some(field)] {
                                th scope="row" { a href={ (desk.at(&format!("/records/{}", record.id))) "?" (query(field)) "#why" } title="Explain this field" { (field) } }
                                td.value { (value(said.value.as_ref())) }
                                td { (said.source) " " span.small { (ago(now, said.at)) } }
                            }
                        }
                    }
                }
            }
            p.small { "Choose a field to see who said what of it, and how it stands in each CRM." }
        }
    }
}

fn query(field: &str) -> String {
    serde_urlencoded::to_string([("field", field)]).unwrap_or_default()
}

fn places(desk: &Desk<'_>, record: &Record, preview: &BTreeMap<String, Telling>, connections: &[Connection]) -> Markup {
    let all: BTreeSet<&String> = record.links.keys().chain(preview.keys()).collect();
    html! {
        @if all.is_empty() { p.blank { "In no CRM." } }
        @for connection in all {
            @let link = record.links.get(connection);
            @let known = connections.iter().find(|one| one.id == *connection);
            @let (tone, word) = link.map_or((Tone::Idle, "not there"), InCrm::stands);
            div.place {
                div.head {
                    h3 { (known.map_or(connection, |one| &one.display_name)) }
                    (pill(tone, word))
                }
                @if let Some(link) = link { (there(desk, link)) }
                @if let Some(telling) = preview.get(connection) { (would(telling)) }
                @if known.is_some_and(Connection::works) && desk.may("sync") {
                    (desk.button("Sync this record now", &format!("/connections/{connection}/sync"), &[("records", &record.id)], "quiet"))
                }
            }
        }
    }
}

fn there(desk: &Desk<'_>, link: &InCrm) -> Markup {
    let now = desk.cx.now();
    html! {
        p.small {
            @if let Some(remote) = &link.remote { "Its id there is " code.ids { (remote) } }
            @if let Some(modified) = link.modified { ", changed " (ago(now, modified)) }
        }
        @if let Some(Refusal { code, field, .. }) = &link.refused {
            p.why { "The CRM would not take it: " code { (code) } @if let Some(field) = field { " about " code { (field) } } "." }
        }
        @if !link.parked.is_empty() {
            p.why { a href=(desk.at("/conflicts")) { "To be decided" } ": " (link.parked.iter().cloned().collect::<Vec<_>>().join(", ")) "." }
        }
        @match &link.gone {
            Some(Gone::Deleted { at }) => p.why { "It was deleted there " (ago(now, *at)) "." },
            Some(Gone::Erased { at }) => p.why { "It was erased there for privacy " (ago(now, *at)) "." },
            None => {}
        }
    }
}

fn would(telling: &Telling) -> Markup {
    let what = match telling.would.as_str() {
        "create" => "It would be made there",
        "update" => "It would be changed there",
        _ => return html! { p.small { "Nothing is to be written." } },
    };
    html! {
        details {
            summary { (what) ": " (many(telling.changes.len() as u64, "field")) ", " (many(u64::from(telling.calls), "call")) }
            ul.changes {
                @for told in &telling.changes {
                    li { code { (told.field) } " " @if told.before.is_some() { del { (value(told.before.as_ref())) } " " } ins { (value(told.after.as_ref())) } }
                }
            }
        }
    }
}

impl InCrm {
    fn stands(&self) -> (Tone, &'static str) {
        match self {
            InCrm { gone: Some(_), .. } => (Tone::Idle, "gone"),
            InCrm { refused: Some(_), .. } => (Tone::Bad, "refused"),
            InCrm { parked, .. } if !parked.is_empty() => (Tone::Warn, "to be decided"),
            InCrm { remote: Some(_), .. } => (Tone::Good, "there"),
            _ => (Tone::Busy, "on its way"),
        }
    }
}
