//! What a CRM shows of an object's records, page by page, rather than of what changed.

use crate::{id::RemoteId, planner::Seen};

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
