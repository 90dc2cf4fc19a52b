//! How many points an event is worth: a tenant's rules.

use super::{Event, Kind, Noted, fault};
use crate::{
    id::hex,
    mapping::Formula,
    record::{Fields, Value, Written},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A tenant's rules, each with a name of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Rule>", into = "Vec<Rule>")]
#[schemars(with = "Vec<Rule>")]
pub struct Scoring(Vec<Rule>);

/// Points for events of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ScoringRule")]
pub struct Rule {
    /// By which a score is explained.
    pub name: String,
    pub on: Kind,
    pub points: i64,
    #[serde(default)]
    pub per: Per,
    /// An expression of the event's attributes and the person's totals, such as `seconds > 300`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Formula>,
}

/// How often a rule scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    #[default]
    Event,
    /// Once in each `visit`; an event without that attribute is a visit of its own.
    Visit,
    /// Once for each person.
    Lead,
}

/// What one event added to the score by one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contribution {
    pub rule: String,
    pub points: i64,
}

/// Rules that cannot be had, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {0:?}: {1}")]
pub struct BadRule(String, &'static str);

/// The most rules of a tenant, and the most for one kind that score once per visit or person: each of those is remembered by itself.
const MOST: usize = 50;
const MOST_ONCE: usize = 3;
const MOST_POINTS: u64 = 10_000;

/// The longest name of a visit that is kept as it is, in bytes.
const LONGEST_VISIT: usize = 256;

impl TryFrom<Vec<Rule>> for Scoring {
    type Error = BadRule;
    fn try_from(rules: Vec<Rule>) -> Result<Scoring, BadRule> {
        let (mut names, mut once) = (BTreeSet::new(), BTreeMap::<&Kind, usize>::new());
        for (place, rule) in rules.iter().enumerate() {
            let bad = |why| Err(BadRule(rule.name.clone(), why));
            if let Some(why) = fault(&mut names, &rule.name, rule.when.as_ref()) {
                return bad(why);
            }
            if rule.points == 0 || rule.points.unsigned_abs() > MOST_POINTS {
                return bad("its points are 1 to 10000, or as many below zero");
            }
            let same = once.entry(&rule.on).or_default();
            *same += usize::from(rule.per != Per::Event);
            if *same > MOST_ONCE {
                return bad("three rules for one type may score once per visit or lead");
            }
            if place >= MOST {
                return bad("there are at most 50 rules");
            }
        }
        Ok(Scoring(rules))
    }
}

impl From<Scoring> for Vec<Rule> {
    fn from(scoring: Scoring) -> Vec<Rule> {
        scoring.0
    }
}

impl Default for Scoring {
    /// Looking, asking, downloading and clicking count each time, a long stay once in a visit.
    fn default() -> Scoring {
        let rule = |name: &str, on: &str, points, per, when: Option<&str>| {
            let when = when.and_then(|when| Formula::parse(when).ok());
            Some(Rule { name: name.to_owned(), on: Kind::try_from(on.to_owned()).ok()?, points, per, when })
        };
        let rules = [
            rule("view", "view", 5, Per::Event, None),
            rule("question", "question", 10, Per::Event, None),
            rule("long_visit", "time_spent", 15, Per::Visit, Some("seconds > 300")),
            rule("download", "download", 20, Per::Event, None),
            rule("cta", "cta_clicked", 30, Per::Event, None),
        ];
        Scoring(rules.into_iter().flatten().collect())
    }
}

impl Scoring {
    /// The rules for one kind.
    pub fn on<'s>(&'s self, kind: &'s Kind) -> impl Iterator<Item = &'s Rule> {
        self.0.iter().filter(move |rule| rule.on == *kind)
    }
}

impl Rule {
    /// By what it is known that the rule has scored; `None` where it scores each time.
    pub(super) fn noted(&self, event: &Event) -> Option<Noted> {
        let visit = match self.per {
            Per::Event => return None,
            Per::Visit => Some(event.visit()),
            Per::Lead => None,
        };
        Some(Noted::Scored { rule: self.name.clone(), visit })
    }

    /// Whether the rule's condition holds. An attribute comes before a total of the same name.
    pub(super) fn holds(&self, event: &Event, totals: &BTreeMap<String, i64>) -> bool {
        let Some(when) = &self.when else { return true };
        let told = event.attributes.iter().map(|(name, value)| (name, value.clone()));
        let counted = totals.iter().map(|(name, total)| (name, Value::number((*total).into())));
        let named: BTreeMap<&String, Value> = counted.chain(told).collect();
        let source = super::source();
        let fields =
            named.into_iter().map(|(name, value)| (name.clone(), Written::new(Some(value), event.at, &source)));
        when.holds(&fields.collect::<Fields>())
    }
}

impl Event {
    /// The visit that it belongs to; of a long name the digest, because a key holds it.
    fn visit(&self) -> String {
        let visit = self.attributes.get("visit").map_or_else(|| self.id.to_string(), ToString::to_string);
        if visit.len() <= LONGEST_VISIT { visit } else { hex(&Sha256::digest(visit)) }
    }
}
