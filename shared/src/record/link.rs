//! What the hub and one remote know of each other.

use super::{Said, Value, Written};
use crate::id::{RemoteId, RequestId, hex};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A field's name in a CRM's own API, such as `firstname` or `First_Name`.
pub type RemoteField = String;

/// A record ⇄ a remote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// `None` until the remote was found or created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteId>,
    /// It came to be by our own write: there was no such remote before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made: bool,
    /// Per field, what was last agreed, in both spellings.
    #[serde(default)]
    pub agreed: BTreeMap<RemoteField, Agreed>,
    /// Values that a sync request set in this CRM alone (its `sync_fields`), each in force until something newer is
    /// said: by another request, by the CRM, or for the hub's field that is mapped to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<RemoteField, Written>,
    /// Fields that wait for a person's decision.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parked: BTreeSet<RemoteField>,
    /// References to records that are not in this CRM yet, as the hub has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waits: BTreeMap<RemoteField, Value>,
    /// What the CRM refused last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// The remote's own modification time at the last agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// The version of the mapping that it was last looked at by, where rules have changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mapped: u64,
    /// Counts the changes of this link.
    #[serde(default)]
    pub rev: u64,
    /// Set before the remote is created: until the link has its remote, a create may have happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Timestamp>,
    /// What that create says, where the CRM has no room for our id.
    #[serde(default, skip_serializing_if = "Said::is_empty")]
    pub said: Said,
    /// The remote is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
    /// When a remote that was deleted was last made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Timestamp>,
    /// The sync requests that end when this link is settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaiting: Vec<Awaiting>,
}

/// What was last agreed about one field: our value, and the CRM's own spelling of it.
///
/// Both are needed. A CRM that rewrites `+14155550100` as `(415) 555-0100` has not changed the value,
/// and is not asked to change it back: "did they?" compares theirs with theirs, "did we?" ours with ours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Value>,
    /// We wrote it and have not seen how the CRM spells it: `theirs` is what we sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flips: Option<Flips>,
}

/// A field that goes back to what it was before our last write of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flips {
    /// What the CRM showed before our last write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// When it went back: the returns of the last hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<Timestamp>,
}

/// A write that the CRM will not take. It is not sent again until what is wanted, or the mapping, is another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Of what was wanted, and of the mapping's version.
    pub fingerprint: String,
    /// The CRM's own error code.
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<RemoteField>,
}

/// How a remote came to be no more. A push never brings it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    Deleted {
        at: Timestamp,
    },
    /// Deleted for privacy: the person asked for it.
    Erased {
        at: Timestamp,
    },
}

/// A sync request that is not told its end yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Awaiting {
    pub request: RequestId,
    /// It has heard that it waits, and why.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Workflow>,
}

/// The workflow step that a sync request came from; given back in every event about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workflow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
}

impl Link {
    /// Sets a value in this CRM alone, unless the same source has said something newer about it. Whether it did.
    pub fn set_override(&mut self, field: &str, written: Written) -> bool {
        let before = self.overrides.get(field);
        let news = written.is_news_to(before);
        if news {
            let written = written.over(before.cloned());
            self.overrides.insert(field.to_owned(), written);
        }
        news
    }
}

impl Agreed {
    /// An agreement, with long values kept as a digest: write units follow the size of the whole item.
    pub fn new(ours: Option<&Value>, theirs: Option<&Value>) -> Agreed {
        Agreed { ours: ours.map(shortened), theirs: theirs.map(shortened), ..Agreed::default() }
    }
    pub fn ours_is(&self, value: Option<&Value>) -> bool {
        is(self.ours.as_ref(), value)
    }
    /// Of a value as a CRM spells it.
    pub fn digest(value: Option<&Value>) -> String {
        use sha2::{Digest, Sha256};
        let plain = value.map(|value| shortened(value).to_string()).unwrap_or_default();
        hex(Sha256::digest(plain).iter().take(8))
    }
    pub fn theirs_is(&self, value: Option<&Value>) -> bool {
        is(self.theirs.as_ref(), value)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(version: &u64) -> bool {
    *version == 0
}

/// Whether a value is the one that was kept.
fn is(kept: Option<&Value>, value: Option<&Value>) -> bool {
    match value.and_then(digested) {
        Some(digest) => kept == Some(&digest),
        None => kept == value,
    }
}

/// The value itself, or for a long text its digest. Idempotent: a digest is short.
fn shortened(value: &Value) -> Value {
    digested(value).unwrap_or_else(|| value.clone())
}

/// The digest of a long text; `None` of what is kept as it is.
fn digested(value: &Value) -> Option<Value> {
    use sha2::{Digest, Sha256};
    const LONG: usize = 128;
    let Value::Text(text) = value else { return None };
    if text.as_str().len() <= LONG {
        return None;
    }
    let hex = hex(&Sha256::digest(text.as_str()));
    Value::text(&format!("sha256:{hex}"))
}
