//! What waits for a person, kind by kind: what it means, what to do, since when, about whom.

use super::{
    desk::{Desk, Listed},
    frame::{Page, Shown},
    words::{Tone, ago, many, pill, title, told},
};
use crate::{control::problem::Problem, record::Value, store::Open};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One exception, as the control API shows it.
#[derive(Debug, Deserialize)]
pub struct Exception {
    pub id: String,
    pub code: String,
    pub reason: String,
    pub remedy: String,
    pub at: Timestamp,
    pub state: Open,
    pub connection: Option<String>,
    pub record: Option<String>,
    pub field: Option<String>,
    trace: String,
    pub sides: Option<Sides>,
}

#[derive(Debug, Deserialize)]
pub struct Sides {
    pub agreed: Option<Value>,
    pub ours: Option<Value>,
    pub theirs: Option<Value>,
}

/// What waits, as far as was read.
#[derive(Debug, Default)]
pub struct Waiting {
    pub items: Vec<Exception>,
    /// Where the rest begins.
    pub next: Option<String>,
    pub more: bool,
}

impl Waiting {
    pub fn of<'w>(&'w self, code: &'w str) -> impl Iterator<Item = &'w Exception> {
        self.items.iter().filter(move |one| one.code == code)
    }
}

/// Pages of the list that one page of ours reads at most; those that were seen to are among them.
const PAGES: usize = 5;

/// What waits, of some kind and connection or of all.
pub async fn waiting(desk: &Desk<'_>, asked: &[(&str, &str)], from: Option<&str>) -> Result<Waiting, Problem> {
    let (mut items, mut next) = (Vec::new(), from.map(str::to_owned));
    for _ in 0..PAGES {
        let mut query: Vec<(&str, &str)> = vec![("limit", "200")];
        query.extend(asked.iter().filter(|(_, value)| !value.is_empty()));
        query.extend(next.as_deref().map(|next| ("cursor", next)));
        let page: Listed<Exception> = desk.ask("exceptions", &[], &query).await?;
        items.extend(page.items);
        next = page.next;
        if next.is_none() || items.len() >= 200 {
            break;
        }
    }
    items.sort_by_key(|one| one.at);
    Ok(Waiting { more: next.is_some(), items, next })
}

/// What of them is asked for, as the page's address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub code: String,
    pub connection: String,
    pub state: Open,
    pub cursor: Option<String>,
}

pub async fn exceptions(desk: &Desk<'_>, asked: Asked) -> Shown {
    let state = if asked.state == Open::Open { "open" } else { "resolved" };
    let query = [("code", asked.code.as_str()), ("connection", asked.connection.as_str()), ("state", state)];
    let waiting = waiting(desk, &query, asked.cursor.as_deref()).await?;
    let mut kinds: BTreeMap<&str, Vec<&Exception>> = BTreeMap::new();
    for one in &waiting.items {
        kinds.entry(&one.code).or_default().push(one);
    }
    // What waits longest comes first.
    let mut kinds: Vec<(&str, Vec<&Exception>)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, of)| of.iter().map(|one| one.at).min());
    let body = html! {
        (filters(desk, &asked, &kinds))
        @if kinds.is_empty() { (empty(desk, &asked)) }
        @for (code, of) in &kinds { (kind(desk, code, of, &asked)) }
        @if let Some(next) = &waiting.next {
            p { a.action href={ (address(desk, &asked.code, &asked.connection, state)) "&cursor=" (next) } { "More" } }
        }
    };
    Ok(Page::new(if asked.state == Open::Open { "Waiting for a person" } else { "Seen to" }, body).live())
}

fn address(desk: &Desk<'_>, code: &str, connection: &str, state: &str) -> String {
    let query = [("code", code), ("connection", connection), ("state", state)];
    let said: Vec<_> = query.iter().filter(|(_, value)| !value.is_empty()).collect();
    format!("{}?{}", desk.at("/exceptions"), serde_urlencoded::to_string(said).unwrap_or_default())
}

fn filters(desk: &Desk<'_>, asked: &Asked, kinds: &[(&str, Vec<&Exception>)]) -> Markup {
    let open = asked.state == Open::Open;
    let all = asked.code.is_empty() && asked.connection.is_empty();
    html! {
        ul.filters aria-label="Which" {
            li { a href=(address(desk, "", "", "open")) aria-current=[(open && all).then_some("true")] { "Open" } }
            li { a href=(address(desk, "", "", "resolved")) aria-current=[(!open && all).then_some("true")] { "Seen to" } }
            @if !asked.connection.is_empty() { li { a aria-current="true" href=(address(desk, "", &asked.connection, "open")) { "On " (asked.connection) } } }
            @if !asked.code.is_empty() { li { a aria-current="true" href=(address(desk, &asked.code, "", "open")) { (title(&asked.code)) } } }
            @else if kinds.len() > 1 {
                @for (code, of) in kinds {
                    li { a href=(address(desk, code, &asked.connection, if open { "open" } else { "resolved" })) { (title(code)) " " span.count { (of.len()) } } }
                }
            }
        }
    }
}

fn empty(desk: &Desk<'_>, asked: &Asked) -> Markup {
    html! {
        div.empty {
            @if asked.state == Open::Resolved { p { strong { "Nothing was seen to yet." } } p { "What is tried again, dismissed or decided is listed here." } }
            @else if asked.code.is_empty() && asked.connection.is_empty() {
                p { strong { "Nothing waits for a person." } }
                p { "What cannot be done without one shows up here, with what it means and what to do." }
            } @else {
                p { strong { "Nothing of that waits." } }
                p { a href=(desk.at("/exceptions")) { "See all that does" } }
            }
        }
    }
}

/// Codes that are decisions, not failures: to try again is no answer to them.
const DECIDED: [&str; 5] = ["conflict", "mass_blank", "mass_delete", "mass_write", "needs_reauth"];

fn kind(desk: &Desk<'_>, code: &str, of: &[&Exception], asked: &Asked) -> Markup {
    let open = asked.state == Open::Open;
    let mut fields = vec![("code", code)];
    if !asked.connection.is_empty() {
        fields.push(("connection", &asked.connection));
    }
    html! {
        section.kind aria-labelledby={ "kind-" (code) } {
            div.head {
                h2 id={ "kind-" (code) } { (title(code)) " " span.count { (of.len()) } }
                @if open && of.len() > 1 && !DECIDED.contains(&code) && desk.may("retryAll") {
                    (desk.button(&format!("Try all {} again", of.len()), "/exceptions/retry", &fields, ""))
                }
                @if open && code == "conflict" { a.action href=(desk.at("/conflicts")) { "Compare and choose" } }
            }
            @if let Some(one) = of.first() { p.remedy { (told(&one.remedy)) } }
            ul.rows { @for one in of { li.row { (row(desk, one)) } } }
        }
    }
}

fn row(desk: &Desk<'_>, one: &Exception) -> Markup {
    html! {
        div {
            p.reason { (one.reason) }
            p.small {
                (ago(desk.cx.now(), one.at))
                @if let Some(connection) = &one.connection { " · on " (connection) }
                @if let Some(field) = &one.field { " · field " code { (field) } }
                @if let Some(record) = &one.record { " · " a href=(desk.at(&format!("/records/{record}"))) { "its record" } }
                " · " code { (one.trace) }
            }
        }
        div.actions { (actions(desk, one)) }
    }
}

fn actions(desk: &Desk<'_>, one: &Exception) -> Markup {
    let at = |what: &str| format!("/exceptions/{}/{what}", one.id);
    let on = |what: &str| one.connection.as_ref().map(|connection| format!("/connections/{connection}/{what}"));
    html! {
        @if one.state == Open::Resolved {
            (pill(Tone::Good, "seen to"))
            @if one.code == "conflict" && desk.may("takeBack") { (desk.button("Take the other side", &at("take-back"), &[], "quiet")) }
        } @else {
            @match (one.code.as_str(), on("release"), on("deletions")) {
                ("mass_write" | "mass_blank", Some(release), _) if desk.may("release") => (desk.button("Let it be written", &release, &[], "main")),
                ("mass_delete", _, Some(deletions)) if desk.may("decideDeletions") => {
                    (desk.button("They were meant", &deletions, &[("meant", "true")], ""))
                    (desk.button("They were not", &deletions, &[("meant", "false")], ""))
                }
                (code, _, _) if !DECIDED.contains(&code) && desk.may("retry") => (desk.button("Try again", &at("retry"), &[], "")),
                _ => {}
            }
            @if one.code != "conflict" && desk.may("dismiss") { (desk.button("Dismiss", &at("dismiss"), &[], "quiet")) }
        }
    }
}

/// What waits about one record.
pub fn about(desk: &Desk<'_>, waiting: &Waiting, record: &str) -> Markup {
    let of: Vec<&Exception> = waiting.items.iter().filter(|one| one.record.as_deref() == Some(record)).collect();
    html! {
        @if !of.is_empty() {
            section.kind aria-labelledby="waits" {
                h2 id="waits" { (many(of.len() as u64, "thing")) " waiting for a person" }
                ul.rows {
                    @for one in of { li.row { div { p.reason { strong { (title(&one.code)) } ": " (one.reason) } p.remedy { (told(&one.remedy)) } } div.actions { (actions(desk, one)) } } }
                }
            }
        }
    }
}
