//! Forgetting a person: what there is of them, what is left afterwards, and everything that is known, for themselves.

use super::{
    desk::{Desk, Listed},
    frame::{Page, Shown},
    overview::Connection,
    words::{Tone, ago, pill},
};
use crate::{
    erasure::{Stands, Traces},
    record::Erasure,
};
use maud::{Markup, html};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Left {
    erased: Option<Erasure>,
    proved: bool,
    left: Traces,
}

pub async fn erasure(desk: &Desk<'_>, id: &str) -> Shown {
    let at = [("record", id)];
    let (Left { erased, proved, left }, connections) = futures::try_join!(
        desk.ask::<Left>("erasure", &at, &()),
        desk.ask::<Listed<Connection>>("connections", &[], &()),
    )?;
    let now = desk.cx.now();
    let body = html! {
        p.lead { a href=(desk.at(&format!("/records/{id}"))) { "Back to the record" } " · " code.ids { (id) } }
        @match (&erased, proved) {
            (Some(erased), true) => p.notice.good role="status" { "Erased " (ago(now, erased.at)) ", and read back: nothing is left" @if erased.in_crms { ", here or in a CRM" } @else { " here. The CRMs keep theirs" } "." },
            (Some(erased), false) => p.notice.warn role="status" { "Erased " (ago(now, erased.at)) ". What is still shown below is being removed; look again in a moment. What stays has its reason among the exceptions." },
            (None, _) => {},
        }
        section aria-labelledby="left" {
            h2 id="left" { @if erased.is_some() { "What is left" } @else { "What there is" } }
            (counted(&left, &connections.items))
        }
        @if desk.may("erase") && !(proved && erased.as_ref().is_some_and(|erased| erased.in_crms)) { (ask(desk, id, erased.as_ref())) }
    };
    // Each look asks the CRMs.
    let page = Page::new("Forget a person", body);
    Ok(if erased.is_some() && !proved { page.live() } else { page })
}

fn counted(left: &Traces, connections: &[Connection]) -> Markup {
    let rows = [
        (
            "Records",
            left.records.len(),
            "the record itself, those that became one with it, notes and tasks about the person",
        ),
        ("Values", left.values, "what those say, and what was agreed with CRMs"),
        ("Events", left.events, "what the person did"),
        ("Changes", left.changes, "entries of the history that still tell values"),
        ("Exceptions", left.exceptions, "what waits or waited for somebody to decide"),
    ];
    html! {
        div.wide tabindex="0" role="region" aria-labelledby="left" {
            table {
                thead { tr { th scope="col" { "Where" } th scope="col" { "How much" } th scope="col" { "What it is" } } }
                tbody {
                    @for (name, number, what) in rows { tr { th scope="row" { (name) } td { (number) } td { (what) } } }
                    @for place in &left.places {
                        @let known = connections.iter().find(|one| one.id == place.connection.as_str());
                        tr {
                            th scope="row" { (known.map_or(place.connection.as_str(), |one| &one.display_name)) " " span.small { (place.connection) } }
                            td { (match place.stands { Stands::There => pill(Tone::Warn, "there"), Stands::Gone => pill(Tone::Good, "gone"), Stands::Unknown => pill(Tone::Idle, "cannot be asked") }) }
                            td { "its record " code.ids { (place.remote) } }
                        }
                    }
                }
            }
        }
    }
}

fn ask(desk: &Desk<'_>, id: &str, erased: Option<&Erasure>) -> Markup {
    let fields = [("meant", "true")];
    desk.form(&format!("/records/{id}/erase"), &fields, &html! {
        @if erased.is_none() {
            p { "What is forgotten cannot be brought back. Nobody who is erased comes back by a CRM or a request, unless a request says by " code { "consent_at" } " that they have agreed since." }
        }
        p { label.check { input type="checkbox" name="in_crms" value="true" checked[erased.is_some()]; " In the CRMs too. Where a CRM has a recycle bin, an admin of it must empty that." } }
        button.danger type="submit" { @if erased.is_some() { "Erase again" } @else { "Forget this person for good" } }
    })
}

/// Where the page is reached from a record.
pub fn link(desk: &Desk<'_>, id: &str, erased: bool) -> Markup {
    html! {
        @if desk.may("erase") || erased {
            p { a href=(desk.at(&format!("/records/{id}/erase"))) { @if erased { "Read back what is left of them" } @else { "Forget this person…" } } }
        }
    }
}
