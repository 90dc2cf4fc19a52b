//! One import: what would become of its rows, how far it is, what became of them.

use super::{
    desk::Desk,
    frame::{Page, Shown},
    words::{Tone, ago, many, pill, title},
};
use crate::{
    import::{Counts, State},
    rows::Column,
};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

/// An import, as the control API shows it.
#[derive(Debug, Deserialize)]
pub struct Import {
    pub id: String,
    name: Option<String>,
    pub object: String,
    source: String,
    pub at: Timestamp,
    bytes: u64,
    read: u64,
    pub state: State,
    reason: Option<String>,
    file_columns: Vec<Column>,
    counted: Option<Counts>,
    done: Option<Counts>,
    begun: Option<Timestamp>,
}

/// Seconds after which a page of work under way is read again.
const SOON: u16 = 3;

impl Import {
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("Import {}", self.id))
    }

    /// What is known of its rows by now.
    pub fn latest(&self) -> Option<&Counts> {
        self.done.as_ref().or(self.counted.as_ref())
    }
}

pub fn stands(state: State) -> (Tone, &'static str) {
    match state {
        State::Waiting => (Tone::Idle, "waits for its file"),
        State::Counting => (Tone::Busy, "being counted"),
        State::Counted => (Tone::Warn, "waits to be started"),
        State::Running => (Tone::Busy, "being written"),
        State::Done => (Tone::Good, "done"),
        State::Cancelled => (Tone::Idle, "cancelled"),
        State::Failed => (Tone::Bad, "failed"),
    }
}

pub async fn import(desk: &Desk<'_>, id: &str) -> Shown {
    let import: Import = desk.ask("import", &[("import", id)], &()).await?;
    let (tone, word) = stands(import.state);
    let under_way = matches!(import.state, State::Waiting | State::Counting | State::Running);
    let body = html! {
        p.lead { (pill(tone, word)) " " (title(&import.object)) " in the name of " (import.source) ", " (ago(desk.cx.now(), import.at)) }
        @if let Some(reason) = &import.reason { p.notice.bad { (reason) } }
        @if under_way && import.state != State::Waiting {
            progress value=(import.read) max=(import.bytes.max(1)) aria-label="Of the file" {}
            p.small { (mega(import.read)) " of " (mega(import.bytes)) " read" }
        }
        @match (&import.done, &import.counted) {
            (Some(done), _) => (counts("What became of its rows", done)),
            (None, Some(counted)) => (counts("What would become of its rows", counted)),
            (None, None) => {},
        }
        (actions(desk, &import))
        (columns(&import.file_columns))
        p.next { a href=(desk.at("/files")) { "To all files" } }
    };
    let page = Page::new(import.title(), body);
    Ok(if under_way { page.live_every(SOON) } else { page })
}

/// In the unit that files of rows are spoken of.
fn mega(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        more => format!("{}.{} MB", more / 1_000_000, more / 100_000 % 10),
    }
}

fn counts(what: &str, of: &Counts) -> Markup {
    let figures = [(of.created, "new"), (of.updated, "changed"), (of.unchanged, "the same"), (of.refused, "refused")];
    html! {
        section aria-labelledby="rows" {
            h2 id="rows" { (what) }
            div.summary {
                div.figure { strong.number { (of.rows) } p { (if of.rows == 1 { "row" } else { "rows" }) } }
                @for (number, word) in figures {
                    div.figure.(if word == "refused" && number > 0 { "warn" } else { "good" }) { strong.number { (number) } p { (word) } }
                }
            }
            @if of.odd > 0 { p { (many(of.odd, "row")) " with a value that could not be used; their other values are taken." } }
            @if !of.reasons.is_empty() {
                ul.rows { @for (code, reason) in &of.reasons { li.row { div { p.reason { (title(code)) } p.small { (many(reason.rows, "row")) ", the first is row " (reason.first) } } } } }
            }
        }
    }
}

fn actions(desk: &Desk<'_>, import: &Import) -> Markup {
    let at = |what: &str| format!("/imports/{}/{what}", import.id);
    let is_open = !matches!(import.state, State::Done | State::Cancelled | State::Failed);
    let goes_on = import.state == State::Failed && import.begun.is_some();
    html! {
        div.actions.next {
            @if import.state == State::Counted && desk.may("startImport") { (desk.button("Write it", &at("start"), &[], "main")) }
            @if goes_on && desk.may("startImport") { (desk.button("Go on with it", &at("start"), &[], "main")) }
            @if matches!(import.state, State::Counted | State::Done) { a.action href=(desk.at(&at("result"))) { "Save what " (if import.state == State::Done { "became" } else { "would become" }) " of each row" } }
            @if is_open && desk.may("cancelImport") { (desk.button("Cancel it", &at("cancel"), &[], "quiet")) }
        }
    }
}

fn columns(columns: &[Column]) -> Markup {
    let left: Vec<&Column> = columns.iter().filter(|column| column.field.is_none()).collect();
    html! {
        @if !columns.is_empty() {
            section aria-labelledby="columns" {
                h2 id="columns" { "How its columns are read" }
                @if !left.is_empty() { p.why { (many(left.len() as u64, "column")) " left out. To take them, import the file again and give them fields, or keep all." } }
                ul.changes { @for column in columns { li { code { (column.header) } " → " @match &column.field { Some(field) => code { (field) }, None => span.blank { "left out" } } } } }
            }
        }
    }
}
