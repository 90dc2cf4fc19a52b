//! Taking changes back: which, what that comes to, and then the button.

use super::{
    desk::Desk,
    frame::{Page, Shown},
    words::{many, value},
};
use crate::undo::Undone;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

/// Which changes are meant: everything that is not blank holds.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Asked {
    since: String,
    until: String,
    run: String,
    source: String,
    record: String,
}

#[derive(Debug, Deserialize)]
struct Stretch {
    records: Vec<Undone>,
    next: Option<String>,
}

/// Records of which it is shown what would become of each field.
const SHOWN: usize = 50;

pub async fn undo(desk: &Desk<'_>, asked: Asked) -> Shown {
    let preview = match asked.since.is_empty() {
        true => None,
        false => Some(desk.call_of::<Stretch>("undo", &asked.body()).await?),
    };
    let body = html! {
        p.lead { "Fields get the values from before, unless somebody has written them since; whoever came to be by these changes is archived. It goes the usual ways into the CRMs, and can itself be undone." }
        (form(desk, &asked))
        @if let Some(preview) = &preview { (would(desk, &asked, preview)) }
    };
    // Each look walks through everybody, so it is only looked on at what was begun.
    let page = Page::new("Undo", body);
    Ok(if desk.notice.is_some() { page.live() } else { page })
}

impl Asked {
    fn fields(&self) -> [(&'static str, &str); 5] {
        let Asked { since, until, run, source, record } = self;
        [("since", since), ("until", until), ("run", run), ("source", source), ("record", record)]
    }

    fn body(&self) -> Json {
        let mut scope: Map<String, Json> = Map::new();
        let said = self.fields().into_iter().filter(|(_, text)| !text.trim().is_empty());
        scope.extend(said.map(|(name, text)| (name.to_owned(), json!(text.trim()))));
        let record = scope.remove("record");
        json!({"scope": scope, "record": record})
    }
}

fn form(desk: &Desk<'_>, asked: &Asked) -> Markup {
    let told = [
        ("since", "Changes since", "2026-11-21T09:00:00Z"),
        ("until", "and before; blank: until now", ""),
        ("run", "of one run: a request’s id, a workflow’s run, a trace", ""),
        ("source", "by one source: billing, a connection, undo", ""),
        ("record", "of one record alone: our id", ""),
    ];
    html! {
        form.find.several method="get" action=(desk.at("/undo")) {
            @for ((name, label, example), (_, said)) in told.into_iter().zip(asked.fields()) {
                label { (label) input name=(name) value=(said) placeholder=(example) autocomplete="off" spellcheck="false" required[name == "since"]; }
            }
            button type="submit" { "See what it comes to" }
        }
    }
}

fn would(desk: &Desk<'_>, asked: &Asked, Stretch { records, next }: &Stretch) -> Markup {
    let back: usize = records.iter().map(|one| one.fields.len() + one.sent.len()).sum();
    let left: usize = records.iter().map(|one| one.left.len()).sum();
    let archived = records.iter().filter(|one| one.archived).count();
    let more = if next.is_some() { " at least" } else { "" };
    let count = |number: usize, what: &str| many(u64::try_from(number).unwrap_or(u64::MAX), what);
    html! {
        section aria-labelledby="would" {
            h2 id="would" { "What it comes to" }
            @if back == 0 && archived == 0 && next.is_none() { p.blank { "There is nothing to take back." } }
            @else {
                p { (count(back, "value")) " of " (count(records.len(), "record")) (more) " would go back, " (count(archived, "record")) " would be archived, " (count(left, "value")) " would stay." }
                @if desk.may("undo") {
                    @let fields: Vec<(&str, &str)> = asked.fields().into_iter().chain([("meant", "true"), ("in_background", "true")]).collect();
                    p.next { (desk.button("Undo that", "/undo", &fields, "danger")) }
                }
                ul.rows { @for one in records.iter().take(SHOWN) { li.row { (row(desk, one)) } } }
                @if records.len() > SHOWN { p.small { "… and " (records.len() - SHOWN) " more." } }
            }
        }
    }
}

fn row(desk: &Desk<'_>, one: &Undone) -> Markup {
    html! {
        div {
            a href=(desk.at(&format!("/records/{}", one.record))) { code.ids { (one.record) } }
            @if one.archived { " came to be by this: it is archived, here and where we made it" }
            ul.changes {
                @for change in &one.fields { li { code { (change.field) } " " del { (value(change.before.as_ref())) } " " ins { (value(change.after.as_ref())) } } }
                @for change in &one.sent { li { (change.connection) " " code { (change.field) } " " del { (value(change.before.as_ref())) } " " ins { (value(change.after.as_ref())) } } }
                @for (field, why) in &one.left { li { code { (field) } " stays: " (why.title()) } }
            }
        }
    }
}
