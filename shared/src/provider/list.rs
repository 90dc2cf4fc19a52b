//! What a CRM shows of an object's records, page by page, rather than of what changed.
//!
//! Whether a record is on one of the CRM's own lists is a field for the mapping: `list:17`, which is true or false.

use super::{Field, Outcome, Write};
use crate::{
    id::RemoteId,
    mapping::Mapping,
    planner::Seen,
    record::{Sort, Value},
};
use std::collections::BTreeMap;

const FIELD: &str = "list:";

/// The list that a field is about, if it is about one.
pub fn of_field(field: &str) -> Option<&str> {
    field.strip_prefix(FIELD)
}

/// The field that says whether a record is on a list.
pub fn field(list: &str) -> String {
    format!("{FIELD}{list}")
}

/// The mapped lists as fields of an object, where whoever is on them is for the CRM to say.
pub(super) fn shown(mapping: &Mapping) -> impl Iterator<Item = Field> {
    mapping.lists().into_iter().map(|list| as_field(list, list, false))
}

pub(super) fn as_field(list: &str, label: &str, writable: bool) -> Field {
    let label = format!("list {label}");
    Field { name: field(list), label, writable, takes: &[Sort::Flag], ..Field::default() }
}

/// Of what was written, who is to be on a list, and who is not.
pub(super) fn wanted(list: &str, writes: &[Write], outcomes: &[Outcome]) -> BTreeMap<RemoteId, bool> {
    let written = |(write, outcome): (&Write, &Outcome)| match outcome {
        Outcome::Written { remote, .. } => Some((remote.clone(), is_on(list, write)?)),
        _ => None,
    };
    writes.iter().zip(outcomes).filter_map(written).collect()
}

/// Says in the outcomes who is on the list now; `failed` is what became of whom it could not be told.
pub(super) fn note(
    list: &str,
    writes: &[Write],
    outcomes: &mut [Outcome],
    failed: impl Fn(&RemoteId) -> Option<Outcome>,
) {
    for (write, outcome) in writes.iter().zip(outcomes.iter_mut()) {
        let (Some(is_on), Outcome::Written { remote, seen, .. }) = (is_on(list, write), &mut *outcome) else {
            continue;
        };
        match failed(remote) {
            Some(failed) => *outcome = failed,
            None => seen.iter_mut().for_each(|seen| drop(seen.fields.insert(field(list), Some(Value::Flag(is_on))))),
        }
    }
}

/// Whether a write is about lists alone.
pub(super) fn is_all(write: &Write) -> bool {
    write.changes.iter().all(|change| of_field(&change.field).is_some())
}

fn is_on(list: &str, write: &Write) -> Option<bool> {
    let change = write.changes.iter().find(|change| of_field(&change.field) == Some(list))?;
    Some(change.value == Some(Value::Flag(true)))
}

/// One page of all of an object's records, or of those of one of the CRM's own lists.
#[derive(Clone, Debug)]
pub enum Listed {
    Shown {
        records: Vec<(RemoteId, Seen)>,
        /// Where to go on; `None` after the last page.
        next: Option<String>,
    },
    /// The account has no such list of such records, or does not show it to us: what it says. No reason to stop anything else.
    Refused(String),
}

impl Listed {
    pub(super) fn none(list: &str, why: &str) -> Listed {
        Listed::Refused(format!("{list:?} {why}"))
    }
}
