//! What is asked of a CRM about several records at once, and what it answers about each.

use crate::{
    id::{RecordId, RemoteId},
    planner::{Change, Seen},
    record::{Email, Phone, RemoteField},
};
use jiff::Timestamp;

/// What a remote is now.
#[derive(Clone, Debug, PartialEq)]
pub enum Fetched {
    Shown(Seen),
    /// It was merged into another remote of the same account.
    MergedInto(RemoteId),
    Deleted {
        at: Timestamp,
    },
    /// Deleted for privacy. No fetch tells of it; a webhook does.
    Erased,
    /// Not there, or not for us: no evidence of a deletion.
    NotVisible,
}

/// How to find a record that has no link yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Asked for only after a create of unknown outcome …
    pub record: Option<RecordId>,
    /// … which was begun then.
    pub begun: Option<Timestamp>,
    pub email: Option<Email>,
    /// Asked for only where the e-mail matches nothing.
    pub phone: Option<Phone>,
}

/// A remote that matches a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub remote: RemoteId,
    pub by: By,
    pub seen: Seen,
    /// The record id in the mapping's id field, if any: that remote is another record's.
    pub claimed: Option<RecordId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    Record,
    Email,
    Phone,
}

/// One record to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub record: RecordId,
    /// `None` to create it.
    pub remote: Option<RemoteId>,
    pub changes: Vec<Change>,
}

/// What became of one write.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// `seen` is the record as the CRM now shows it, where its answer says so; `modified` is the write's own time.
    Written { remote: RemoteId, modified: Option<Timestamp>, seen: Option<Seen> },
    /// The CRM will never take this record as it is. `message` may hold personal data: it is for the exception, not for logs.
    Refused { code: String, field: Option<RemoteField>, message: String },
    /// It exists already, under this id: someone was quicker.
    Exists { remote: RemoteId },
    /// The remote to update is not there.
    Missing,
    /// Not tried, or its answer was lost: the same write may go through later.
    Later,
}
