//! Why a field says what it says.

use super::{
    desk::Desk,
    words::{Tone, ago, by, pill, value},
};
use crate::{cause::By, mapping::Rule, record::Value};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

/// As the control API explains it.
#[derive(Debug, Deserialize)]
pub struct Explanation {
    field: String,
    owners: Option<Vec<String>>,
    said: Vec<Said>,
    crms: Vec<InCrm>,
}

#[derive(Debug, Deserialize)]
struct Said {
    at: Timestamp,
    by: By,
    what: String,
    before: Option<Value>,
    after: Option<Value>,
    /// What did not prevail.
    value: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct InCrm {
    connection: String,
    rule: Rule,
    shows: Option<Value>,
    stands: String,
}

/// Said at once; the whole of it is in the history below.
const AT_ONCE: usize = 8;

pub fn explained(desk: &Desk<'_>, explanation: &Explanation, name: &dyn Fn(&str) -> String) -> Markup {
    let now = desk.cx.now();
    html! {
        section.card aria-labelledby="why" {
            h2 id="why" { "Why " code { (explanation.field) } " says that" }
            p.small {
                @match &explanation.owners {
                    None => "Anybody may write it.",
                    Some(owners) => { "It is written by " (owners.join(", ")) " alone." }
                }
            }
            ol.changes {
                @for said in explanation.said.iter().take(AT_ONCE) {
                    li {
                        @match said.what.as_str() {
                            "changed" => { del { (value(said.before.as_ref())) } " " ins { (value(said.after.as_ref())) } },
                            "denied" => { del { (value(said.value.as_ref())) } " was not theirs to write" },
                            _ => { del { (value(said.value.as_ref())) } " lost a conflict" },
                        }
                        span.small { " " (by(&said.by, name)) ", " (ago(now, said.at)) }
                    }
                }
                @if explanation.said.is_empty() { li.blank { "Nobody has said anything of it yet." } }
            }
            @if !explanation.crms.is_empty() {
                ul.changes {
                    @for one in &explanation.crms {
                        @let (tone, word) = stands(&one.stands);
                        li {
                            strong { (name(&one.connection)) } " " code { (one.rule.remote) } ": " (value(one.shows.as_ref())) " " (pill(tone, word))
                        }
                    }
                }
            }
        }
    }
}

fn stands(how: &str) -> (Tone, &'static str) {
    match how {
        "agreed" => (Tone::Good, "agreed"),
        "pending" => (Tone::Busy, "will be written"),
        "parked" => (Tone::Warn, "to be decided"),
        "refused" => (Tone::Bad, "refused"),
        "set_aside" => (Tone::Warn, "no such field"),
        "excluded" => (Tone::Idle, "not its business"),
        _ => (Tone::Idle, "not there"),
    }
}
