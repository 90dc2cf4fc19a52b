//! What is made of an event beside its count: a note, a task, a deal. A tenant's rules.

use super::{Event, Kind, fault};
use crate::{
    id::{RecordId, RequestId, hex},
    mapping::Formula,
    record::{FieldName, Fields, Object, Record, Value, Written, canonical},
    request::{Direction, SyncRequest},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// A tenant's rules, each with a name of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Effect>", into = "Vec<Effect>")]
#[schemars(with = "Vec<Effect>")]
pub struct Effects(Vec<Effect>);

/// What each event of one kind makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// Part of the made record's `id`: a rule by another name makes another record.
    pub name: String,
    pub on: Kind,
    /// An expression of the event's attributes and the person's fields, such as `seconds > 300`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Formula>,
    /// `note`, `task`, `deal`, or an object of the tenant's own.
    pub make: Object,
    /// Its fields, each computed of the event's attributes, its `at`, and the person's fields.
    pub fields: BTreeMap<FieldName, Formula>,
}

/// Rules that cannot be had, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {0:?}: {1}")]
pub struct BadEffect(String, &'static str);

/// The most rules of a tenant, and the most for one kind: each makes a record of its own.
const MOST: usize = 50;
const MOST_FIELDS: usize = 20;
const MOST_OF_A_KIND: usize = 3;
/// What is said of every record that is made, and not by a rule.
const OURS: [&str; 2] = ["id", "contact_id"];

impl TryFrom<Vec<Effect>> for Effects {
    type Error = BadEffect;
    fn try_from(rules: Vec<Effect>) -> Result<Effects, BadEffect> {
        let rules: Vec<Effect> = rules.into_iter().map(Effect::canonical).collect();
        let (mut names, mut kinds) = (BTreeSet::new(), BTreeMap::<&Kind, usize>::new());
        for (place, rule) in rules.iter().enumerate() {
            let bad = |why| Err(BadEffect(rule.name.clone(), why));
            if let Some(why) = fault(&mut names, &rule.name, rule.when.as_ref()) {
                return bad(why);
            }
            if matches!(rule.make, Object::Person | Object::Company) {
                return bad("people and companies are told by requests, not made of events");
            }
            if OURS.iter().any(|field| rule.fields.contains_key(*field)) {
                return bad("its id and its contact_id are set already");
            }
            if rule.fields.len() > MOST_FIELDS {
                return bad("it says at most 20 fields");
            }
            let alike = kinds.entry(&rule.on).or_default();
            *alike += 1;
            if *alike > MOST_OF_A_KIND {
                return bad("there are at most three rules for one type");
            }
            if place >= MOST {
                return bad("there are at most 50 rules");
            }
        }
        Ok(Effects(rules))
    }
}

impl From<Effects> for Vec<Effect> {
    fn from(effects: Effects) -> Vec<Effect> {
        effects.0
    }
}

impl Default for Effects {
    /// As most would have it: what was looked at and what e-mails did becomes a task that is done, what was asked and what
    /// was talked about a note, a conversion a deal.
    fn default() -> Effects {
        DEFAULT.clone()
    }
}

static DEFAULT: LazyLock<Effects> = LazyLock::new(|| {
    let looked = "'Viewed ' ~ (subject or content_id or 'the page')";
    let read = "'Opened ' ~ (subject or content_id or 'the content')";
    let won = "subject or campaign or 'Conversion'";
    let rules = [
        done("view", "view", looked, None),
        done("content", "content_accessed", read, None),
        done("email_sent", "email_sent", EMAIL, Some("Email sent to {{full_name}}")),
        done("email_clicked", "email_clicked", EMAIL, Some("Email clicked by {{full_name}}")),
        done("email_replied", "email_replied", EMAIL, Some("Email replied by {{full_name}}")),
        done("email_bounced", "email_bounced", EMAIL, Some("Email bounced for {{full_name}}")),
        rule("question", "question", Object::Note, &[("body", "'Asked: ' ~ (question or 'a question')")]),
        rule("conversation", "conversation", Object::Note, &[("body", "summary or 'A conversation'")]),
        rule(
            "conversion",
            "conversion",
            Object::Deal,
            &[("name", won), ("amount", "amount"), ("stage", "stage or 'open'"), ("close_date", "at")],
        ),
    ];
    Effects(rules.into_iter().flatten().collect())
});

const EMAIL: &str = "'Email: ' ~ (campaign or subject or 'no campaign')";

fn done(name: &str, on: &str, subject: &str, body: Option<&str>) -> Option<Effect> {
    let fields = [("subject", subject), ("status", "'done'"), ("due_date", "at")];
    rule(name, on, Object::Task, &fields.into_iter().chain(body.map(|body| ("body", body))).collect::<Vec<_>>())
}

fn rule(name: &str, on: &str, make: Object, fields: &[(&str, &str)]) -> Option<Effect> {
    let parsed = fields.iter().map(|(field, formula)| Some(((*field).to_owned(), Formula::parse(formula).ok()?)));
    let fields = parsed.collect::<Option<BTreeMap<_, _>>>()?;
    Some(Effect { name: name.to_owned(), on: Kind::try_from(on.to_owned()).ok()?, when: None, make, fields })
}

impl Effects {
    /// The rules for one kind.
    pub fn on<'e>(&'e self, kind: &'e Kind) -> impl Iterator<Item = &'e Effect> {
        self.0.iter().filter(move |rule| rule.on == *kind)
    }
}

impl Effect {
    /// The same, with the hub's own names of the fields that it makes. What it speaks of may be an attribute, which is the product's.
    fn canonical(self) -> Effect {
        let ours = |(field, formula): (FieldName, Formula)| (canonical(&self.make, &field).to_owned(), formula);
        let fields = self.fields.into_iter().map(ours).collect();
        Effect { fields, ..self }
    }

    /// The request that makes what an event of this person makes; `None` where the condition does not hold.
    pub fn request(&self, event: &Event, person: &Record) -> Option<SyncRequest> {
        let told = told(event, person);
        if self.when.as_ref().is_some_and(|when| !when.holds(&told)) {
            return None;
        }
        let id = self.id(event, &person.id);
        let name = person.fields.get("id").map_or_else(|| person.id.to_string(), ToString::to_string);
        let computed = self.fields.iter().filter_map(|(field, formula)| Some((field.clone(), formula.of(&told)?)));
        let ours = OURS.map(|field| (field.to_owned(), if field == "id" { id.as_str() } else { &name }.into()));
        let fields = computed.map(|(field, value)| (field, Value::plain(Some(&value))));
        Some(SyncRequest {
            version: 1,
            id: id.clone(),
            tenant_id: person.tenant.clone(),
            connection_id: None,
            object: self.make.clone(),
            direction: Direction::Send,
            source: super::source(),
            occurred_at: event.at,
            lead: fields.chain(ours).collect(),
            sync_fields: BTreeMap::new(),
            events: Vec::new(),
            workflow: None,
        })
    }

    /// The same for the same event, whoever tells it how often.
    fn id(&self, event: &Event, person: &RecordId) -> RequestId {
        let digest = Sha256::digest(format!("{} {} {person}", event.kind.as_str(), event.id));
        let id = format!("{}-{}", self.name, hex(digest.iter().take(16)));
        id.parse().unwrap_or_else(|_| unreachable!("a rule's name and a digest are a valid id"))
    }
}

/// All that a rule may speak of. An attribute comes before the person's field of the same name.
fn told(event: &Event, person: &Record) -> Fields {
    let source = super::source();
    let known = person.fields.iter().map(|(name, written)| (name.clone(), written.clone()));
    let said = |name: &str, value: Option<Value>| (name.to_owned(), Written::new(value, event.at, &source));
    let own = [said("at", Value::text(&event.at.to_string())), said("type", Value::text(event.kind.as_str()))];
    let attributes = event.attributes.iter().map(|(name, value)| said(name, Some(value.clone())));
    let by_name: BTreeMap<FieldName, Written> = known.chain(own).chain(attributes).collect();
    by_name.into_iter().collect()
}

#[cfg(test)]
#[path = "effects_tests.rs"]
mod tests;
