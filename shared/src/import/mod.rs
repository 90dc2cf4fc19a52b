//! Imports: a file of rows that becomes sync requests. Counted first, then done; each goes on from wherever it was stopped.

mod ask;
mod told;
mod walk;

pub use ask::{Asked, Upload, key, now_counted};
pub(crate) use told::lines;
pub use walk::Stretch;

use crate::{
    id::{ConnectionId, Source, TenantId},
    inbox::Outcome,
    record::Object,
    rows::{Column, Dialect, Format, Hints, Place},
    store::Became,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An import, as it is asked for and as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    pub about: About,
    /// What was counted, before anything is written.
    pub counted: Option<Counts>,
    /// What was done so far.
    pub done: Option<Counts>,
    pub state: State,
    /// Why it failed, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the file's columns are, once it was looked at.
    #[serde(default)]
    pub columns: Vec<Column>,
    pub begun: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// Where the file is read next.
    pub walk: Walk,
}

/// What an import is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ImportAbout")]
pub struct About {
    pub id: String,
    pub tenant: TenantId,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub object: Object,
    pub format: Format,
    /// What its maker says of the file; the rest is seen.
    #[serde(default)]
    pub hints: Hints,
    /// To whose CRM the file's column of ids belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// Header → the hub's field; null leaves a column out.
    #[serde(default)]
    pub columns: BTreeMap<String, Option<String>>,
    /// Other columns become fields under their own names.
    #[serde(default)]
    pub keep: bool,
    pub source: Source,
    /// When the values became true.
    pub as_of: Timestamp,
    pub at: Timestamp,
    /// The file's size.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ImportState")]
pub enum State {
    /// For its file.
    Waiting,
    /// What would become of its rows; nothing is written.
    Counting,
    /// It waits to be started.
    Counted,
    Running,
    Done,
    Cancelled,
    Failed,
}

/// How far a file was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// Which file it is, by S3's tag of its content.
    #[serde(default)]
    pub etag: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// The file's first row.
    #[serde(default)]
    pub first: Place,
    #[serde(default)]
    pub at: Place,
    /// Parts of the result that were written.
    #[serde(default)]
    pub parts: u32,
}

/// What became of rows, or would.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ImportCounts")]
pub struct Counts {
    /// All that say anything: those below together.
    pub rows: u64,
    /// Records that were made. Counted beforehand, two rows about somebody new are two.
    pub created: u64,
    pub updated: u64,
    /// Rows that say nothing new.
    pub unchanged: u64,
    pub refused: u64,
    /// Of those that were not refused: rows with a value that could not be used.
    pub odd: u64,
    /// By code, how many rows were refused or had such a value, and the first of them.
    pub reasons: BTreeMap<String, Reason>,
}

/// One kind of fault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ImportReason")]
pub struct Reason {
    pub rows: u64,
    /// As a spreadsheet counts: the header is row 1.
    pub first: u64,
}

impl Counts {
    fn note(&mut self, row: u64, outcome: &Outcome) {
        self.rows += 1;
        let codes: BTreeSet<&String> = match outcome {
            Outcome::Refused(code, _) => {
                self.refused += 1;
                [code].into()
            }
            Outcome::Done { became, odd, .. } => {
                match became {
                    Became::Created => self.created += 1,
                    Became::Updated => self.updated += 1,
                    Became::Unchanged => self.unchanged += 1,
                }
                self.odd += u64::from(!odd.is_empty());
                odd.iter().map(|(code, _)| code).collect()
            }
        };
        for code in codes {
            let reason = self.reasons.entry(code.clone()).or_insert(Reason { rows: 0, first: row });
            reason.rows += 1;
        }
    }
}

impl Import {
    fn is_rehearsal(&self) -> bool {
        self.state == State::Counting
    }

    /// Whether somebody works on it.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, State::Counting | State::Running)
    }

    /// The result's file of what it has done last, which is there once it was.
    pub fn result(&self) -> Option<String> {
        let About { tenant, id, .. } = &self.about;
        match self.state {
            State::Done => Some(format!("results/{tenant}/{id}/done.csv")),
            State::Counted => Some(format!("results/{tenant}/{id}/counted.csv")),
            State::Waiting | State::Counting | State::Running | State::Cancelled | State::Failed => None,
        }
    }
}
