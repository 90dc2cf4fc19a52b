//! Conflicts: what both sides had agreed on, what the hub says and what the CRM shows, side by side, for a person to choose.

use super::{
    desk::{Desk, Listed},
    exceptions::{Exception, Sides, waiting},
    frame::{Page, Shown},
    overview::Connection,
    words::{ago, title, value},
};
use crate::control::problem::Problem;
use futures::future::join_all;
use maud::{Markup, html};

/// Shown at once: both sides of each are looked up.
const AT_ONCE: usize = 25;

pub async fn conflicts(desk: &Desk<'_>) -> Shown {
    let (waiting, connections) = futures::try_join!(
        waiting(desk, &[("code", "conflict")], None),
        desk.ask::<Listed<Connection>>("connections", &[], &()),
    )?;
    let shown = waiting.items.iter().take(AT_ONCE);
    let shown = shown.map(async |one| desk.ask::<Exception>("exception", &[("exception", &one.id)], &()).await);
    let shown: Vec<Exception> = join_all(shown).await.into_iter().collect::<Result<_, Problem>>()?;
    let name = |id: &str| {
        let of = connections.items.iter().find(|connection| connection.id == id);
        of.map_or_else(|| id.to_owned(), |connection| connection.display_name.clone())
    };
    let body = html! {
        @if shown.is_empty() {
            div.empty {
                p { strong { "Nobody disagrees." } }
                p { "Where the hub and a CRM have both changed a field, and no rule says who is right, both values are shown here side by side." }
            }
        } @else {
            p.lead { "Hub and CRM have both changed these fields. Until one side is chosen, neither changes the other; the rest of each record goes on." }
            @for one in &shown { (conflict(desk, one, &name(one.connection.as_deref().unwrap_or_default()))) }
            @if waiting.items.len() > shown.len() || waiting.more {
                p.small { "More of them come up as these are decided." }
            }
        }
    };
    Ok(Page::new("Conflicts", body).live())
}

fn conflict(desk: &Desk<'_>, one: &Exception, crm: &str) -> Markup {
    let field = title(one.field.as_deref().unwrap_or("a field"));
    let decide = |label: &str, take: &str, class: &str| {
        let at = format!("/connections/{}/conflicts", one.connection.as_deref().unwrap_or_default());
        desk.button(label, &at, &[("take", take), ("exceptions", &one.id)], class)
    };
    html! {
        section.card.conflict aria-labelledby={ "c-" (one.id) } {
            div.head {
                h2 id={ "c-" (one.id) } { code { (one.field.as_deref().unwrap_or(&field)) } " " span.small { "in " (crm) } }
                span.small {
                    (ago(desk.cx.now(), one.at))
                    @if let Some(record) = &one.record { " · " a href=(desk.at(&format!("/records/{record}"))) { "its record" } }
                }
            }
            @match &one.sides {
                Some(Sides { agreed, ours, theirs }) => {
                    div.sides {
                        div.side { h3 { "Agreed before" } p.said { @if agreed.is_none() { span.blank { "nothing" } } @else { (value(agreed.as_ref())) } } }
                        div.side.ours { h3 { "Ours, in the hub" } p.said { (value(ours.as_ref())) } @if desk.may("decide") { (decide("Keep ours", "ours", "")) } }
                        div.side.theirs { h3 { "Theirs, in " (crm) } p.said { (value(theirs.as_ref())) } @if desk.may("decide") { (decide(&format!("Take {crm}’s"), "theirs", "")) } }
                    }
                }
                None => {
                    p { (one.reason) }
                    p.small { "Both sides cannot be shown: its record or its connection is no more." }
                }
            }
            @if !desk.may("decide") { p.small { "To choose takes the role operator." } }
        }
    }
}
