//! How things are said to people: times, values, states, what was done.

use crate::{
    cause::By,
    connection::{Mode, State},
    provider::Secret,
    record::Value,
    store::tickets::digest,
};
use jiff::Timestamp;
use maud::{Markup, html};

/// How grave something is; shown by colour, and always by a word too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Idle,
    Busy,
    Warn,
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Idle => "idle",
            Tone::Busy => "busy",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }
}

pub fn pill(tone: Tone, word: &str) -> Markup {
    html! { span.pill.(tone.class()) { (word) } }
}

/// How long something is, such as `3 min`.
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        0..60 => format!("{} s", seconds.max(0)),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// When something was, as people say it, and exactly where they point.
pub fn ago(now: Timestamp, at: Timestamp) -> Markup {
    let seconds = now.duration_since(at).as_secs();
    let said = if (-5..5).contains(&seconds) { "just now".to_owned() } else { format!("{} ago", span(seconds)) };
    let exact = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! { time datetime=(at) title=(exact) { (said) } }
}

/// `duplicate_in_crm` as people read it.
pub fn title(code: &str) -> String {
    let words = code.split('_').map(|word| match word {
        "crm" => "CRM",
        "json" => "JSON",
        "id" => "ID",
        word => word,
    });
    let text = words.collect::<Vec<_>>().join(" ");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A text of ours, in which what is typed stands between backticks.
pub fn told(text: &str) -> Markup {
    html! { @for (at, part) in text.split('`').enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// A value; what there is none of is said too.
pub fn value(value: Option<&Value>) -> Markup {
    match value {
        None => html! { span.blank { "blank" } },
        Some(value) => html! { (value) },
    }
}

pub fn state(state: &State) -> (Tone, &'static str) {
    match state {
        State::Joining => (Tone::Busy, "joining"),
        State::Active => (Tone::Good, "active"),
        State::Paused { .. } => (Tone::Idle, "paused"),
        State::NeedsReauth { .. } => (Tone::Bad, "let us in again"),
        State::Closed => (Tone::Idle, "disconnected"),
    }
}

pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::RealTime => "in real time",
        Mode::Hourly => "every hour",
        Mode::Daily => "every day",
        Mode::Manual => "when somebody asks",
    }
}

/// Who or what made a change.
pub fn by(by: &By, name: &dyn Fn(&str) -> String) -> String {
    match by {
        By::Request { source, .. } => format!("{source}, by a sync request"),
        By::Look { connection } => format!("{} showed it", name(connection.as_str())),
        By::Push { connection } => format!("Written to {}", name(connection.as_str())),
        By::Remote { connection, what } => format!("{}: {what}", name(connection.as_str())),
        By::Rules { what } => format!("Other rules: {what}"),
        By::Undo => "Undone".to_owned(),
        By::Erasure => "Erased".to_owned(),
        By::Person { connection } => format!("A person, about {}", name(connection.as_str())),
    }
}

/// What was done by a form, as the page after it says. It travels in that page's address, so it holds numbers and one of our names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub did: String,
    pub done: u64,
    pub left: u64,
    /// Time ran out before all of it was done.
    pub more: bool,
}

impl Notice {
    /// By what a session knows that it was told this: nobody else's link can say that something was done.
    pub fn mark(&self, form_token: &str) -> String {
        let Notice { did, done, left, more } = self;
        let mut mark = digest(&Secret::new(format!("{form_token} told {did} {done} {left} {more}")));
        mark.truncate(16);
        mark
    }

    /// What is said, and whether all of it went well.
    pub fn said(&self) -> Option<(bool, String)> {
        let Notice { did, done, left, more } = self;
        let text = match did.as_str() {
            "sync" => "It is read and written now; what changed shows up here in a moment.".to_owned(),
            "pause" => "It is paused. Nothing is lost: what happens meanwhile waits.".to_owned(),
            "resume" => "It goes on: what changed is read, and what waited is written.".to_owned(),
            "stop" => "Everything is stopped: nothing is read from a CRM or written to one.".to_owned(),
            "go" if *done == 0 => "Nothing goes on yet: no connection is active, or everything of all tenants is stopped by those who run the stack.".to_owned(),
            "go" => format!("It goes on with {}, within a minute.", many(*done, "connection")),
            "release" => "What it held back is written. For a day it is not asked about again.".to_owned(),
            "retry" => "It is tried once more. What fails again comes back here.".to_owned(),
            "retryAll" if *left > 0 => {
                format!("{done} are tried once more. {left} cannot be: their remedy says what to do.")
            }
            "retryAll" => format!("{} tried once more. What fails again comes back here.", are(*done)),
            "dismiss" => "It is noted that somebody has seen to it.".to_owned(),
            "takeBack" => "The other side was taken after all.".to_owned(),
            "decide" if *left > 0 => {
                format!("{} ended. {left} could not be: the CRM does not show that record now.", are(*done))
            }
            "decide" if *done == 0 => "That conflict was ended already.".to_owned(),
            "decide" => "It is decided, and is being written to wherever it differs.".to_owned(),
            "decideDeletions" if *done == 0 => "No deletions wait there any more.".to_owned(),
            "decideDeletions" => "It is decided, and the deletions are seen to.".to_owned(),
            "giveMapping" => "It has these rules now and reads everything by them. It writes nothing before that is approved on the overview.".to_owned(),
            "compare" => "It is compared now, everybody whom it shows. What differs comes up among the exceptions.".to_owned(),
            "startImport" => "It is being written; what becomes of each row is counted below.".to_owned(),
            "cancelImport" => "It ends where it stands: rows that were written stay written.".to_owned(),
            "createExport" => "It is being written. It can be saved here in a moment.".to_owned(),
            "erase" => "They are forgotten here. What is left of them anywhere is read back below.".to_owned(),
            "undo" if *done == 0 => "It is being taken back, record by record; what is left of it is shown below, and grows less.".to_owned(),
            "undo" if *more => format!("{} so far, and more are left: undo that again.", undone(*done)),
            "undo" if *left > 0 => {
                format!("{}. {} as they are, because somebody has written them since.", undone(*done), stay(*left))
            }
            "undo" => format!("{}. That is written to the CRMs now.", undone(*done)),
            _ => return None,
        };
        let well = !more && *left == 0 && (*done > 0 || !["retryAll", "decide"].contains(&did.as_str()));
        Some((well, text))
    }
}

fn undone(records: u64) -> String {
    format!("{} went back to what was before", many(records, "record"))
}

fn stay(values: u64) -> String {
    if values == 1 { "1 value stays".to_owned() } else { format!("{values} values stay") }
}

fn are(number: u64) -> String {
    if number == 1 { "1 is".to_owned() } else { format!("{number} are") }
}

/// `1 connection`, `2 connections`.
pub fn many(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        for (seconds, said) in [(7, "7 s"), (60, "1 min"), (3_700, "1 h"), (86_400, "24 h"), (200_000, "2 days")] {
            assert_eq!(span(seconds), said);
        }
        assert_eq!(title("duplicate_in_crm"), "Duplicate in CRM");
    }

    #[test]
    fn what_is_said_holds_nothing_that_an_address_says() {
        let notice = |did: &str| Notice { did: did.to_owned(), done: 1, left: 0, more: false }.said();
        assert_eq!(notice("<b>Your account is locked</b>"), None);
        assert_eq!(
            notice("retryAll").unwrap(),
            (true, "1 is tried once more. What fails again comes back here.".to_owned())
        );
    }
}
