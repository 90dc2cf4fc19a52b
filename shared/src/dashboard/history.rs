//! All that happened to a record, the latest first: its changes, and the ways of its sync requests.

use super::{
    desk::{Desk, Listed},
    words::{Tone, ago, by, pill, value},
};
use crate::{
    cause::{Cause, Status, Step},
    history::{FieldChange, SentChange},
};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use std::cmp::Reverse;

#[derive(Debug, Deserialize)]
pub struct Change {
    version: u64,
    cause: Cause,
    fields: Vec<FieldChange>,
    sent: Vec<SentChange>,
    erased: bool,
}

#[derive(Debug, Deserialize)]
pub struct Happened {
    at: Timestamp,
    #[serde(flatten)]
    step: Step,
}

enum Entry {
    Change(Change),
    Step(Happened),
}

/// Steps older than the changes that are shown belong to the next page.
pub fn history(
    desk: &Desk<'_>,
    id: &str,
    changes: Listed<Change>,
    timeline: Listed<Happened>,
    name: &dyn Fn(&str) -> String,
) -> Markup {
    let begins = changes.items.last().map(|change| change.cause.at).filter(|_| changes.next.is_some());
    let steps = timeline.items.into_iter().filter(|one| begins.is_none_or(|begins| one.at >= begins));
    let mut all: Vec<(Timestamp, u64, Entry)> = steps.map(|one| (one.at, 0, Entry::Step(one))).collect();
    all.extend(changes.items.into_iter().map(|one| (one.cause.at, one.version, Entry::Change(one))));
    all.sort_by_key(|(at, version, _)| Reverse((*at, *version)));
    html! {
        @if all.is_empty() { p.blank { "Nothing yet. What happens shows up here within seconds." } }
        ol.timeline {
            @for (_, _, entry) in &all {
                li { @match entry { Entry::Change(one) => (change(desk, id, one, name)), Entry::Step(one) => (step(desk, one, name)) } }
            }
        }
        @if let Some(next) = &changes.next {
            @let path = desk.path.split('?').next().unwrap_or_default();
            p { a.action href={ (desk.base) (path) "?history=" (next) "#happened" } { "Earlier" } }
        }
    }
}

fn change(desk: &Desk<'_>, id: &str, change: &Change, name: &dyn Fn(&str) -> String) -> Markup {
    html! {
        p { strong { (by(&change.cause.by, name)) } " " span.small { (ago(desk.cx.now(), change.cause.at)) " · change " (change.version) @if let Some(actor) = &change.cause.actor { " · asked for by " (actor) } @if change.erased { " · its values were erased" } @else if desk.may("undo") { " · " a href=(undo(desk, id, &change.cause)) { "undo" } } } }
        @if !change.fields.is_empty() {
            ul.changes {
                @for one in &change.fields {
                    li { code { (one.field) } " " @if one.before.is_some() { del { (value(one.before.as_ref())) } " " } ins { (value(one.after.as_ref())) } }
                }
            }
        }
        @if !change.sent.is_empty() {
            details {
                summary { "Agreed with CRMs: " (change.sent.len()) }
                ul.changes {
                    @for one in &change.sent {
                        li { (name(one.connection.as_str())) " " code { (one.field) } " " @if one.before.is_some() { del { (value(one.before.as_ref())) } " " } ins { (value(one.after.as_ref())) } }
                    }
                }
            }
        }
        @for lost in &change.cause.overruled { p.small { "Overruled in " (name(lost.connection.as_str())) ": " code { (lost.field) } " " del { (value(lost.value.as_ref())) } } }
        @for denied in &change.cause.denied { p.small { "Not theirs to write: " (denied.source) ", " code { (denied.field) } " " del { (value(denied.value.as_ref())) } } }
    }
}

/// The page that shows what to undo this change, and whatever else of its run made of this record, comes to.
fn undo(desk: &Desk<'_>, id: &str, cause: &Cause) -> String {
    let since = cause.at.to_string();
    let query = serde_urlencoded::to_string([("since", since.as_str()), ("run", cause.trace.as_str()), ("record", id)]);
    format!("{}?{}", desk.at("/undo"), query.unwrap_or_default())
}

fn step(desk: &Desk<'_>, happened: &Happened, name: &dyn Fn(&str) -> String) -> Markup {
    let Happened { at, step } = happened;
    let (tone, word) = match step.status {
        Status::Pending => (Tone::Busy, "pending"),
        Status::Waiting => (Tone::Warn, "waiting"),
        Status::Succeeded => (Tone::Good, "succeeded"),
        Status::Skipped => (Tone::Idle, "skipped"),
        Status::Failed => (Tone::Bad, "failed"),
    };
    html! {
        p {
            "Sync request " code { (step.request) }
            @if let Some(connection) = &step.connection { " in " (name(connection.as_str())) }
            " " (pill(tone, word))
            @if let Some(code) = &step.code { " " code { (code) } }
            " " span.small { (ago(desk.cx.now(), *at)) }
        }
    }
}
