//! Which changes are meant: those of a time, a run, a source.

use crate::{
    cause::{By, Cause, Step},
    id::Source,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In whose name changes are undone.
pub fn undo() -> Source {
    "undo".parse().unwrap_or_else(|_| unreachable!("`undo` is a valid source"))
}

/// Those for which all of this holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UndoScope")]
pub struct Scope {
    /// From this time on …
    pub since: Timestamp,
    /// … and before this one; left out, until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of one run: a trace, a sync request's id, or the `run_id` of a workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// By one source: who sent the requests, such as `billing`, the connection whose CRM was heard, or `undo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

impl Scope {
    pub fn holds(&self, cause: &Cause) -> bool {
        self.is_within(cause.at)
            && self.run.as_ref().is_none_or(|run| is_of_run(cause, run))
            && self.source.as_ref().is_none_or(|source| is_by(&cause.by, source))
    }

    fn is_within(&self, at: Timestamp) -> bool {
        at >= self.since && self.until.is_none_or(|until| at < until)
    }
}

fn is_of_run(cause: &Cause, run: &str) -> bool {
    let of_step = |step: &Step| {
        step.request.as_str() == run
            || step.workflow.as_ref().and_then(|workflow| workflow.run_id.as_deref()) == Some(run)
    };
    cause.trace == run
        || matches!(&cause.by, By::Request { id, .. } if id.as_str() == run)
        || cause.steps.iter().any(of_step)
}

fn is_by(by: &By, wanted: &Source) -> bool {
    match by {
        By::Request { source, .. } => source == wanted,
        By::Look { connection } => connection.as_str() == wanted.as_str(),
        By::Undo => *wanted == undo(),
        By::Erasure => false,
        By::Push { .. } | By::Remote { .. } | By::Rules { .. } | By::Person { .. } => false,
    }
}
