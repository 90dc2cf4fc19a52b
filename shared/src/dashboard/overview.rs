//! A tenant at a glance: each connection, how it stands, and what waits for a person.

use super::{
    connecting::{again, offers},
    desk::{Desk, Listed},
    exceptions::{Waiting, waiting},
    frame::{Page, Shown},
    pulse::{Pulse, percent, pulses},
    words::{Tone, ago, many, mode, pill, span, state, title},
};
use crate::{
    connection::{Hold, Mode, State},
    settings::Stop,
};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A connection, as the control API shows it.
#[derive(Debug, Deserialize)]
pub struct Connection {
    pub id: String,
    pub display_name: String,
    pub crm: String,
    account: String,
    pub state: State,
    mode: Mode,
    pull_every: u32,
    pub objects: Vec<String>,
    held: Option<Hold>,
    stopped: Option<Stop>,
    last_success: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
struct Tenant {
    name: Option<String>,
    left: Option<Timestamp>,
}

pub async fn overview(desk: &Desk<'_>) -> Shown {
    let (tenant, connections, waiting) = futures::try_join!(
        desk.ask::<Tenant>("tenant", &[], &()),
        desk.ask::<Listed<Connection>>("connections", &[], &()),
        waiting(desk, &[], None),
    )?;
    let (connections, now) = (connections.items, desk.cx.now());
    let pulses = pulses(desk, &connections).await?;
    let body = html! {
        @if let Some(left) = tenant.left { p.notice.warn { "This tenant left " (ago(now, left)) ": nothing can be connected until they are taken on again." } }
        (summary(desk, &connections, &pulses, &waiting))
        @if connections.is_empty() {
            div.empty {
                p { strong { "No CRM is connected yet." } }
                @if !desk.may("link") { p { "An admin connects one." } }
            }
        } @else {
            ul.cards {
                @for connection in &connections { li.card { (card(desk, connection, pulses.get(&connection.id), &waiting)) } }
            }
        }
        (offers(desk, &connections))
        (emergency(desk, &connections))
    };
    Ok(Page::new(tenant.name.unwrap_or_else(|| "Overview".to_owned()), body).live())
}

fn summary(desk: &Desk<'_>, connections: &[Connection], pulses: &BTreeMap<String, Pulse>, waiting: &Waiting) -> Markup {
    let now = desk.cx.now();
    let stop = connections.iter().find_map(|connection| connection.stopped.as_ref());
    let open: Vec<&Connection> = connections.iter().filter(|one| one.state != State::Closed).collect();
    let well = open.iter().filter(|one| matches!(one.stands(now), (Tone::Good, _))).count();
    let oldest = waiting.items.iter().map(|one| one.at).min();
    html! {
        div.summary {
            @if let Some(stop) = stop {
                div.figure.bad {
                    (pill(Tone::Bad, "stopped"))
                    p { "Nothing is read or written, since " (ago(now, stop.since)) ": " (stop.reason) }
                    @if desk.may("go") { (desk.button("Let it go on", "/go", &[], "main")) }
                }
            } @else if !connections.is_empty() {
                div.figure.(if well == open.len() { "good" } else { "warn" }) {
                    strong.number { (well) span { " of " (open.len()) } }
                    p { "connections in good order" }
                }
            }
            @if !connections.is_empty() { (volume(pulses)) }
            div.figure.(if waiting.items.is_empty() { "good" } else { "warn" }) {
                strong.number { (waiting.items.len()) @if waiting.more { "+" } }
                p {
                    @if waiting.items.is_empty() { "Nothing waits for a person." }
                    @else { a href=(desk.at("/exceptions")) { "waiting for a person" } }
                    @if let Some(oldest) = oldest { ", the oldest from " (ago(now, oldest)) }
                }
            }
            @let conflicts = waiting.of("conflict").count();
            div.figure.(if conflicts == 0 { "good" } else { "warn" }) {
                strong.number { (conflicts) }
                p {
                    @if conflicts == 0 { "Nobody disagrees." }
                    @else { a href=(desk.at("/conflicts")) { (if conflicts == 1 { "conflict" } else { "conflicts" }) " to decide" } }
                }
            }
        }
    }
}

/// What moved in all of them together.
fn volume(pulses: &BTreeMap<String, Pulse>) -> Markup {
    let days = pulses.values().map(Pulse::day);
    let (moved, refused) = days.fold((0, 0), |(moved, refused), day| (moved + day.0, refused + day.1));
    html! {
        div.figure.(if refused == 0 { "good" } else { "warn" }) {
            strong.number { (moved) }
            p {
                (if moved == 1 { "record" } else { "records" }) " moved in 24 h"
                @if let Some(well) = percent(moved, refused) { ", " (well) " % without a refusal" }
            }
        }
    }
}

/// At the foot of the page: it is found, and not pressed by mistake.
fn emergency(desk: &Desk<'_>, connections: &[Connection]) -> Markup {
    let stopped = connections.iter().any(|connection| connection.stopped.is_some());
    html! {
        @if !stopped && !connections.is_empty() && desk.may("stop") {
            details.emergency {
                summary { "Stop everything…" }
                (desk.form("/stop", &[], &html! {
                    p { "Nothing is read from a CRM or written to one until an admin lets it go on. Nothing is lost." }
                    label { "Why" input name="reason" maxlength="200" placeholder="an audit" autocomplete="off"; }
                    button.danger type="submit" { "Stop everything" }
                }))
            }
        }
    }
}

fn card(desk: &Desk<'_>, connection: &Connection, pulse: Option<&Pulse>, waiting: &Waiting) -> Markup {
    let now = desk.cx.now();
    let (tone, word) = connection.stands(now);
    let here: Vec<_> = waiting.items.iter().filter(|one| one.connection.as_ref() == Some(&connection.id)).collect();
    let at = |what: &str| format!("/connections/{}/{what}", connection.id);
    html! {
        div.head {
            h2 { (connection.display_name) @if connection.id != connection.crm { " " span.small { (connection.id) } } }
            (pill(tone, word))
        }
        @if let Some(why) = connection.why(now) { p.why { (why) } }
        dl {
            dt { "Last success" } dd { @match connection.last_success { Some(at) => (ago(now, at)), None => span.blank { "never" } } }
            dt { "Lag" } dd { (connection.lag(now)) }
            @if let Some(pulse) = pulse { (pulse.figures(now)) }
            dt { "Exchanges" } dd { (mode(connection.mode)) }
            dt { "Waiting" } dd {
                @if here.is_empty() { "nothing" }
                @else {
                    a href={ (desk.at("/exceptions")) "?connection=" (connection.id) } { (many(here.len() as u64, "exception")) }
                    @if let Some(oldest) = here.iter().map(|one| one.at).min() { ", oldest " (ago(now, oldest)) }
                }
            }
            dt { "Keeps in step" } dd {
                @for (place, object) in connection.objects.iter().enumerate() {
                    @if place > 0 { ", " }
                    a href=(desk.at(&at(&format!("mappings/{object}")))) title="See and change its rules" { (object) }
                }
            }
            dt { "Account" } dd.ids { (connection.account) }
        }
        @if let Some(pulse) = pulse { (pulse.charts()) }
        div.actions {
            @if connection.works() && desk.may("sync") { (desk.button("Sync now", &at("sync"), &[], "")) }
            @if connection.works() && here.iter().any(|one| one.code == "out_of_step") && desk.may("compare") {
                (desk.button("Mend what differs", &at("compare"), &[("mend", "true")], "main"))
            } @else if connection.works() && desk.may("compare") {
                (desk.button("Compare in full", &at("compare"), &[], "quiet"))
            }
            @if matches!(connection.state, State::NeedsReauth { .. }) { (again(desk, connection)) }
            @if connection.held.is_some() && desk.may("release") { (desk.button("Let it be written", &at("release"), &[], "main")) }
            @if matches!(connection.state, State::Paused { .. } | State::Joining) && desk.may("resume") {
                (desk.button(if connection.state == State::Joining { "Approve and begin" } else { "Go on" }, &at("resume"), &[], "main"))
            }
            @if matches!(connection.state, State::Active | State::Joining) && desk.may("pause") {
                details {
                    summary { "Pause…" }
                    (desk.form(&at("pause"), &[], &html! {
                        label { "Why" input name="reason" maxlength="200" placeholder="an audit" autocomplete="off"; }
                        button type="submit" { "Pause " (connection.display_name) }
                    }))
                }
            }
        }
    }
}

impl Connection {
    /// Whether something may be synced with it now.
    pub fn works(&self) -> bool {
        self.state == State::Active && self.stopped.is_none()
    }

    /// Seconds between two exchanges, where they are on time.
    fn every(&self) -> Option<i64> {
        match self.mode {
            Mode::RealTime => Some(i64::from(self.pull_every.max(60))),
            Mode::Hourly => Some(3_600),
            Mode::Daily => Some(86_400),
            Mode::Manual => None,
        }
    }

    /// Seconds since it was last read without fault, beyond what its mode has.
    fn late(&self, now: Timestamp) -> Option<i64> {
        let since = now.duration_since(self.last_success?).as_secs();
        // A tick of the schedule, and what a pull takes.
        self.every().map(|every| since - every - 120).filter(|late| self.works() && *late > 0)
    }

    fn lag(&self, now: Timestamp) -> Markup {
        match (self.late(now), self.every()) {
            _ if !self.works() => html! { span.blank { "it rests" } },
            (Some(late), _) => html! { strong.warn { (span(late)) " late" } },
            (None, Some(every)) => html! { "on time, every " (span(every)) },
            (None, None) => html! { span.blank { "none is due" } },
        }
    }

    fn stands(&self, now: Timestamp) -> (Tone, &'static str) {
        match &self.state {
            State::Active | State::Joining if self.stopped.is_some() => (Tone::Bad, "stopped"),
            State::Active if self.held.is_some() => (Tone::Warn, "holds back"),
            State::Active if self.late(now).is_some() => (Tone::Warn, "late"),
            other => state(other),
        }
    }

    /// What to know of that state, and do about it.
    fn why(&self, now: Timestamp) -> Option<Markup> {
        match &self.state {
            State::Paused { reason } => Some(html! { "Paused: " (reason) "." }),
            State::NeedsReauth { since } => Some(html! {
                "The CRM refuses our credentials since " (ago(now, *since)) ". Whoever may log in there connects the account again, by a link that an admin makes; nothing is lost meanwhile."
            }),
            State::Joining => {
                Some(html! { "Its records are read and matched; nothing is written before an admin approves it." })
            }
            State::Closed => Some(html! { "It was disconnected. What the hub knows stays." }),
            State::Active => {
                let held = self.held.as_ref()?;
                Some(
                    html! { (title(held.mass.code())) " since " (ago(now, held.since)) ": it may be a mistake. See what waits, then let it be written." },
                )
            }
        }
    }
}
