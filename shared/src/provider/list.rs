//! What a CRM shows of an object's records, page by page, rather than of what changed.
//!
//! Whether a record is on one of the CRM's own lists is a field for the mapping: `list:17`, which is true or false.

use super::Field;
use crate::{id::RemoteId, mapping::Mapping, planner::Seen, record::Sort};

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
