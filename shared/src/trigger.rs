//! What begins when a condition comes to hold for a record: fields that CRMs' own automation waits for, a note, a task, an event on the
//! bus. A tenant's rules. Pure.

use crate::{
    cause::Denied,
    engagement::is_name,
    id::{RequestId, Source, hex},
    mapping::Formula,
    planner::Ownership,
    record::{FieldName, Fields, Object, Record, Value, Written, canonical},
    request::{Direction, SyncRequest},
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A tenant's rules, each with a name of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Trigger>", into = "Vec<Trigger>")]
#[schemars(with = "Vec<Trigger>")]
pub struct Triggers(Vec<Trigger>);

/// What begins when a condition comes to hold: once, and once more when it holds again after it did not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    pub name: String,
    /// What it is about: people, unless it says otherwise.
    #[serde(default)]
    pub object: Object,
    /// An expression of the record's fields, such as `lead_score >= 75`, and of `quiet_days`: for how long the person has done nothing.
    pub when: Formula,
    /// Fields that are written, in the name of `trigger`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<FieldName, Formula>,
    /// A record that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<Make>,
}

/// A record of its own, with the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Make {
    /// `note`, `task`, `deal`, or an object of the tenant's own.
    pub object: Object,
    pub fields: BTreeMap<FieldName, Formula>,
}

/// How a condition stands with a record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub holds: bool,
    /// How often it came to hold.
    #[serde(default)]
    pub times: u32,
    /// When, within the last hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lately: Vec<Timestamp>,
}

/// That a condition came to hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fired {
    pub trigger: String,
    /// For the how-manieth time.
    pub times: u32,
    /// It did so too often within an hour: nothing begins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// What is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<SyncRequest>,
}

/// Rules that cannot be had, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("trigger {0:?}: {1}")]
pub struct BadTrigger(String, &'static str);

/// What a condition calls the days in which nothing happened.
const QUIET: &str = "quiet_days";
const MOST: usize = 50;
const MOST_FIELDS: usize = 20;
/// How often one begins for a record within an hour: whoever goes on answers itself, perhaps by way of a CRM's automation.
const MOST_AN_HOUR: usize = 4;
/// Conditions that hold only because of what others have written, one after the other.
const DEEPEST: usize = 3;

impl TryFrom<Vec<Trigger>> for Triggers {
    type Error = BadTrigger;
    fn try_from(rules: Vec<Trigger>) -> Result<Triggers, BadTrigger> {
        let rules: Vec<Trigger> = rules.into_iter().map(Trigger::canonical).collect();
        let mut names = BTreeSet::new();
        for (place, rule) in rules.iter().enumerate() {
            let bad = |why| Err(BadTrigger(rule.name.clone(), why));
            let made = rule.make.as_ref();
            match () {
                () if !is_name(&rule.name) => {
                    return bad("its name has 1 to 40 letters, digits, underscores and hyphens");
                }
                () if !names.insert(&rule.name) => return bad("another trigger has this name"),
                () if rule.when.is_template() => {
                    return bad("its condition is an expression, such as lead_score >= 75");
                }
                () if made.is_some_and(|made| matches!(made.object, Object::Person | Object::Company)) => {
                    return bad("people and companies are told by requests, not made by triggers");
                }
                () if made.is_some() && rule.object != Object::Person => {
                    return bad("only what people do makes records");
                }
                () if rule.set.keys().any(|field| tells_who(field)) => {
                    return bad("what tells who a record is, or what it belongs to, is not for triggers to say");
                }
                () if rule.set.len().max(made.map_or(0, |made| made.fields.len())) > MOST_FIELDS => {
                    return bad("it says at most 20 fields");
                }
                () if place >= MOST => return bad("there are at most 50 triggers"),
                () => {}
            }
        }
        Ok(Triggers(rules))
    }
}

impl From<Triggers> for Vec<Trigger> {
    fn from(triggers: Triggers) -> Vec<Trigger> {
        triggers.0
    }
}

/// The record's fields, and for how many whole days the person has done nothing: since the last event, or where there was none, since the
/// hub knows them.
fn quietly(record: &Record, now: Timestamp) -> Fields {
    let known = || record.fields.iter().map(|(_, written)| written.at).min();
    let days = record.engagement.last.or_else(known).map(|last| now.duration_since(last).as_hours() / 24);
    let days = days.map(|days| (QUIET.to_owned(), Written::new(Some(Value::number(days.into())), now, &source())));
    record.fields.iter().map(|(name, written)| (name.clone(), written.clone())).chain(days).collect()
}

/// Whether records are known by a field, or refer by it.
fn tells_who(field: &str) -> bool {
    ["id", "name", "email", "phone", "domain"].contains(&field) || Object::referred_by(field).is_some()
}

/// In whose name triggers write.
pub fn source() -> Source {
    "trigger".parse().unwrap_or_else(|_| unreachable!("`trigger` is a valid source"))
}

impl Triggers {
    /// Lets begin what a change of a record begins, within that change. `before` is the record without it; what nobody has changed
    /// yet, because a CRM showed it for the first time, begins nothing.
    pub fn fire(&self, before: Option<&Record>, after: &mut Record, ownership: &Ownership, now: Timestamp) {
        self.begin(before.map(|before| (before, now)), after, ownership, now);
    }

    /// Lets begin what time alone begins. `before` is the record as it stood then.
    pub fn fire_between(
        &self,
        before: (&Record, Timestamp),
        after: &mut Record,
        ownership: &Ownership,
        now: Timestamp,
    ) {
        self.begin(Some(before), after, ownership, now);
    }

    /// Whether any of them waits for time alone.
    pub fn wait(&self) -> bool {
        self.0.iter().any(Trigger::waits)
    }

    fn begin(&self, before: Option<(&Record, Timestamp)>, after: &mut Record, ownership: &Ownership, now: Timestamp) {
        after.standing.retain(|name, _| self.0.iter().any(|rule| rule.name == *name));
        for _ in 0..DEEPEST {
            let crossed: Vec<&Trigger> = self.0.iter().filter(|rule| rule.crosses(before, after, now)).collect();
            crossed.iter().for_each(|rule| rule.begin(after, ownership, now));
            if crossed.is_empty() {
                return;
            }
        }
    }
}

impl Trigger {
    /// The same, with the hub's own names of fields.
    fn canonical(self) -> Trigger {
        let of = |object: &Object, fields: BTreeMap<FieldName, Formula>| {
            let ours = |(field, formula): (FieldName, Formula)| {
                (canonical(object, &field).to_owned(), formula.canonical(&self.object))
            };
            fields.into_iter().map(ours).collect()
        };
        let make = self.make.map(|make| Make { fields: of(&make.object, make.fields), object: make.object });
        Trigger { when: self.when.canonical(&self.object), set: of(&self.object, self.set), make, ..self }
    }

    fn holds(&self, record: &Record, now: Timestamp) -> bool {
        let of_it = record.object == self.object;
        match of_it && self.waits() {
            true => self.when.holds(&quietly(record, now)),
            false => of_it && self.when.holds(&record.fields),
        }
    }

    /// Whether its condition may come to hold by time alone.
    fn waits(&self) -> bool {
        self.when.fields().contains(QUIET)
    }

    /// Whether the condition came to hold just now. That it no longer does is noted.
    fn crosses(&self, before: Option<(&Record, Timestamp)>, after: &mut Record, now: Timestamp) -> bool {
        let holds = self.holds(after, now);
        match after.standing.get_mut(&self.name) {
            Some(standing) if standing.holds && !holds => {
                standing.holds = false;
                false
            }
            Some(standing) => holds && !standing.holds,
            // Whom it held for before there was such a rule.
            None => holds && before.is_none_or(|(before, then)| !self.holds(before, then)),
        }
    }

    fn begin(&self, after: &mut Record, ownership: &Ownership, now: Timestamp) {
        let standing = after.standing.entry(self.name.clone()).or_default();
        standing.lately.retain(|at| *at + SignedDuration::from_hours(1) > now);
        standing.holds = true;
        let stopped = standing.lately.len() >= MOST_AN_HOUR;
        if !stopped {
            standing.lately.push(now);
            standing.times += 1;
        }
        let times = standing.times;
        let made = self.make.as_ref().filter(|_| !stopped).map(|make| make.request(self, times, after, now));
        after.cause.fired.push(Fired { trigger: self.name.clone(), times, stopped, made });
        if stopped {
            return;
        }
        let (said, source) = (after.fields.clone(), source());
        for (field, formula) in &self.set {
            // What cannot be told clears nothing.
            let Some(value) = formula.of(&said) else { continue };
            let fits = after.fields.fit(field, value.clone()).is_ok();
            if !fits || !ownership.allows(field, &source) {
                let (field, source, value) = (field.clone(), source.clone(), Some(value));
                after.cause.denied.push(Denied { field, source, value });
                continue;
            }
            let _ = after.fields.put(field, Some(value), now, &source);
        }
    }
}

impl Make {
    fn request(&self, trigger: &Trigger, times: u32, person: &Record, now: Timestamp) -> SyncRequest {
        // Each change of a record has a version of its own, and is stored once.
        let digest = Sha256::digest(format!("{} {} {times}", person.id, person.version));
        let id = format!("{}-{}", trigger.name, hex(digest.iter().take(16)));
        let id: RequestId = id.parse().unwrap_or_else(|_| unreachable!("a trigger's name and a digest are a valid id"));
        let now_told = Written::new(Value::text(&now.to_string()), now, &source());
        let told = person.fields.iter().map(|(name, written)| (name.clone(), written.clone()));
        let told: Fields = told.chain([("at".to_owned(), now_told)]).collect();
        let name = person.fields.get("id").map_or_else(|| person.id.to_string(), ToString::to_string);
        let said = self.fields.iter().filter_map(|(field, formula)| Some((field.clone(), formula.of(&told)?)));
        let ours = [("id", id.as_str()), ("contact_id", &name)].map(|(field, value)| (field.to_owned(), value.into()));
        SyncRequest {
            version: 1,
            tenant_id: person.tenant.clone(),
            connection_id: None,
            object: self.object.clone(),
            direction: Direction::Send,
            source: source(),
            occurred_at: now,
            lead: said.map(|(field, value)| (field, Value::plain(Some(&value)))).chain(ours).collect(),
            sync_fields: BTreeMap::new(),
            events: Vec::new(),
            workflow: None,
            id,
        }
    }
}

#[cfg(test)]
#[path = "trigger_tests.rs"]
mod tests;
