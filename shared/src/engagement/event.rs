//! One event, as the product tells it.

use super::Noted;
use crate::{
    id::EventId,
    record::{Kind as Holds, Value},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::collections::BTreeMap;

/// Something that a person did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Of its type. Counted once for this person, however often it arrives.
    pub id: EventId,
    /// `view`, `question`, `time_spent`, `content_accessed`, `download`, `cta_clicked`, `email_sent`, `email_opened`, `email_clicked`,
    /// `email_replied`, `email_bounced`, `unsubscribed`, `conversion`, `completed`, `sentiment`, or a name of your own that a rule for scores names.
    #[serde(rename = "type")]
    #[schemars(with = "String", regex(pattern = r"^[a-z0-9_]{1,40}$"))]
    pub kind: Kind,
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Texts, numbers, true or false: `visit`, `campaign`, `subject`, `question`, `content_id`, `seconds`, `sentiment`, and whatever else there is.
    #[serde(default, deserialize_with = "attributes")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub attributes: BTreeMap<String, Value>,
}

/// Attributes as the table takes them; blank ones are left out.
fn attributes<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let mut attributes = BTreeMap::new();
    for (name, json) in BTreeMap::<String, serde_json::Value>::deserialize(from)? {
        if name.trim().is_empty() || name.len() > 255 {
            return Err(D::Error::custom("an attribute's name has 1 to 255 bytes"));
        }
        let value = Value::from_json(&json).map_err(|wrong| D::Error::custom(format!("{name:?}: {wrong}")))?;
        attributes.extend(value.map(|value| (name, value)));
    }
    Ok(attributes)
}

/// What kind of event it is: lower-case letters, digits and underscores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(with = "String")]
#[serde(try_from = "String", into = "String")]
pub struct Kind(String);

/// How events of a kind are told by the hub's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tells {
    /// How many there were.
    Count(&'static str),
    /// The sum of an attribute.
    Sum(&'static str, &'static str),
    /// What the latest one says by an attribute.
    Latest(&'static str, &'static str),
    /// That it happened.
    Flag(&'static str),
}

/// That a person wants no e-mails is taken from whoever tells it: it is their own word.
pub(super) const OPTED_OUT: &str = "email_opted_out";

/// An e-mail was opened; when the last one was is told, too.
pub(super) const OPENED: &str = "email_opened";
pub(super) const LAST_OPENED: &str = "last_email_opened";
/// Where the last event came from that told its campaign.
pub(super) const LAST_CAMPAIGN: &str = "last_campaign_id";

const KINDS: &[(&str, Tells)] = &[
    ("view", Tells::Count("views")),
    ("question", Tells::Count("questions")),
    ("time_spent", Tells::Sum("time_spent", "seconds")),
    ("content_accessed", Tells::Count("contents_accessed")),
    ("download", Tells::Count("downloads")),
    ("cta_clicked", Tells::Count("cta_clicks")),
    ("email_sent", Tells::Count("emails_sent")),
    ("email_opened", Tells::Count("opens")),
    ("email_clicked", Tells::Count("clicks")),
    ("email_replied", Tells::Count("replies")),
    ("email_bounced", Tells::Count("bounces")),
    ("unsubscribed", Tells::Flag(OPTED_OUT)),
    ("conversion", Tells::Count("conversions")),
    ("completed", Tells::Count("completions")),
    ("sentiment", Tells::Latest("sentiment", "sentiment")),
];

impl Kind {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the hub's fields tell of it; nothing of a name of the tenant's own.
    pub(super) fn tells(&self) -> Option<Tells> {
        KINDS.iter().find(|(name, _)| *name == self.0).map(|(_, tells)| *tells)
    }
}

impl TryFrom<String> for Kind {
    type Error = &'static str;
    fn try_from(name: String) -> Result<Kind, Self::Error> {
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let ok = (1..=40).contains(&name.len()) && name.bytes().all(sound);
        ok.then_some(Kind(name)).ok_or("a type has 1 to 40 lower-case letters, digits and underscores")
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> String {
        kind.0
    }
}

impl Event {
    /// By what it is known that it was counted.
    pub fn noted(&self) -> Noted {
        Noted::Event(self.kind.clone(), self.id.clone())
    }

    /// A number among the attributes.
    pub(super) fn number(&self, attribute: &str) -> Option<f64> {
        match self.attributes.get(attribute)?.clone().into_kind(Holds::Number).ok()? {
            Value::Number(number) => number.as_f64(),
            _ => None,
        }
    }
}

/// An event that cannot be read; the others go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEvent {
    /// Its place in the request, from 0.
    pub place: usize,
    pub reason: String,
}

/// The largest event that is taken, in bytes of JSON: each is an item of its own.
const LARGEST: usize = 16 * 1024;

/// The events of a request that can be read, and those that cannot.
pub fn read(events: &[serde_json::Value]) -> (Vec<Event>, Vec<BadEvent>) {
    let (mut sound, mut bad) = (Vec::new(), Vec::new());
    for (place, json) in events.iter().enumerate() {
        let length = json.to_string().len();
        match serde_json::from_value::<Event>(json.clone()) {
            _ if length > LARGEST => {
                bad.push(BadEvent { place, reason: format!("{length} bytes; an event holds at most {LARGEST}") })
            }
            Ok(event) => match event.kind.tells() {
                Some(Tells::Sum(_, attribute)) if event.number(attribute).is_none() => {
                    bad.push(BadEvent { place, reason: format!("{attribute:?} among its attributes is no number") })
                }
                _ => sound.push(event),
            },
            Err(error) => bad.push(BadEvent { place, reason: error.to_string() }),
        }
    }
    (sound, bad)
}
