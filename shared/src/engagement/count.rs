//! Events counted and scored.

use super::{
    Contribution, Engagement, Event, Kind, Noted, Scoring,
    event::{LAST_CAMPAIGN, LAST_OPENED, OPENED, OPTED_OUT, Tells},
};
use crate::{
    id::{EventId, Source},
    record::{Fields, Record, Value, Written, WrongKind},
    request::SyncRequest,
    settings::Settings,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// In whose name scores and totals are written.
pub fn source() -> Source {
    "engagement".parse().unwrap_or_else(|_| unreachable!("`engagement` is a valid source"))
}

/// An event that was counted, with what it added to the score: an item of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    #[serde(flatten)]
    pub event: Event,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributions: Vec<Contribution>,
    /// What it makes by the rules of then: requests of our own, which the stream hands on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<SyncRequest>,
}

/// The same, without what the event says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EventTold")]
pub struct Told {
    pub event: EventId,
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributions: Vec<Contribution>,
}

impl Counted {
    pub fn told(&self) -> Told {
        let Event { id, kind, .. } = &self.event;
        Told { event: id.clone(), kind: kind.clone(), contributions: self.contributions.clone() }
    }
}

/// What some events make of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Counting {
    pub fields: Fields,
    pub engagement: Engagement,
    /// The events that are new …
    pub counted: Vec<Counted>,
    /// … and what else is to be remembered of them.
    pub scored: Vec<Noted>,
    /// Totals whose fields hold something else.
    pub misfits: Vec<WrongKind>,
    /// Events of a name that neither we nor a rule knows.
    pub unknown: Vec<Event>,
}

/// By what it is known whether these events were counted before, and which of the rules have scored.
pub fn noted(events: &[Event], scoring: &Scoring) -> BTreeSet<Noted> {
    let scored = events.iter().flat_map(|event| scoring.on(&event.kind).filter_map(|rule| rule.noted(event)));
    scored.chain(events.iter().map(Event::noted)).collect()
}

/// Counts those of the events that are not `known`, in the order in which they happened, to what there was before.
pub fn count(
    record: &Record,
    before: Engagement,
    events: &[Event],
    mut known: BTreeSet<Noted>,
    settings: &Settings,
    source: &Source,
    now: Timestamp,
) -> Counting {
    let Settings { scoring, ownership, effects, .. } = settings;
    let mut events: Vec<&Event> = events.iter().collect();
    events.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    let (fields, engagement) = (record.fields.clone(), before);
    let (counted, scored, misfits, unknown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut done = Counting { fields, engagement, counted, scored, misfits, unknown };
    let mut told: BTreeMap<&str, Written> = BTreeMap::new();
    for event in events {
        let named = || scoring.on(&event.kind).next().is_some() || effects.on(&event.kind).next().is_some();
        if event.kind.tells().is_none() && !named() {
            done.unknown.push(event.clone());
            continue;
        }
        if !known.insert(event.noted()) {
            continue;
        }
        done.engagement.events += 1;
        done.engagement.last = done.engagement.last.max(Some(event.at.min(now)));
        done.total(event);
        for (field, value) in says(event).filter(|(field, _)| *field == OPTED_OUT || ownership.allows(field, source)) {
            let written = Written::new(Some(value), event.at.min(now), source);
            if record.fields.written(field).is_none_or(|before| before.at < written.at) {
                told.insert(field, written);
            }
        }
        let contributions = done.score(event, &mut known, scoring);
        done.counted.push(Counted { event: event.clone(), contributions, made: Vec::new() });
    }
    let (fields, misfits) = (&mut done.fields, &mut done.misfits);
    misfits.extend(done.engagement.tell(&record.engagement, fields, ownership, now));
    for (field, written) in told {
        misfits.extend(fields.write(field, written).err());
    }
    done
}

impl Counting {
    fn total(&mut self, event: &Event) {
        let (field, more) = match event.kind.tells() {
            Some(Tells::Count(field)) => (field, 1),
            Some(Tells::Sum(field, attribute)) => (field, whole(event, attribute)),
            Some(Tells::Latest(..) | Tells::Flag(_)) | None => return,
        };
        let total = self.engagement.totals.entry(field.to_owned()).or_default();
        *total = total.saturating_add(more);
    }

    fn score(&mut self, event: &Event, known: &mut BTreeSet<Noted>, scoring: &Scoring) -> Vec<Contribution> {
        let mut contributions = Vec::new();
        for rule in scoring.on(&event.kind).filter(|rule| rule.holds(event, &self.engagement.totals)) {
            if let Some(noted) = rule.noted(event) {
                if !known.insert(noted.clone()) {
                    continue;
                }
                self.scored.push(noted);
            }
            self.engagement.score = self.engagement.score.saturating_add(rule.points);
            contributions.push(Contribution { rule: rule.name.clone(), points: rule.points });
        }
        contributions
    }
}

/// What an event says by itself, without being counted.
fn says(event: &Event) -> impl Iterator<Item = (&'static str, Value)> {
    let attribute = |name: &str| event.attributes.get(name).cloned();
    let told = match event.kind.tells() {
        Some(Tells::Latest(field, name)) => attribute(name).map(|value| (field, value)),
        Some(Tells::Flag(field)) => Some((field, Value::Flag(true))),
        Some(Tells::Count(_) | Tells::Sum(..)) | None => None,
    };
    let opened = (event.kind.as_str() == OPENED).then(|| event.at.to_string());
    let campaign = attribute("campaign").map(|campaign| campaign.to_string());
    let texts = [(LAST_OPENED, opened), (LAST_CAMPAIGN, campaign)];
    let texts = texts.into_iter().filter_map(|(field, text)| Some((field, Value::text(&text?)?)));
    told.into_iter().chain(texts)
}

/// A number among the attributes, in whole units; one below zero adds nothing.
fn whole(event: &Event, attribute: &str) -> i64 {
    let number = event.number(attribute).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "it saturates, and whole seconds are meant")]
    let whole = number.round() as i64;
    whole.clamp(0, MOST)
}

/// The most that one event may add: ten years in seconds.
const MOST: i64 = 10 * 366 * 86_400;
