//! What is asked of a CRM about several records at once, and what it answers about each.

use crate::{
    id::{RecordId, RemoteId},
    planner::{Change, Seen},
    record::{Domain, Email, Key, Phone, Region, RemoteField, Said, Title},
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

impl Fetched {
    /// What is shown, if it is.
    pub fn seen(&mut self) -> Option<&mut Seen> {
        match self {
            Fetched::Shown(seen) => Some(seen),
            Fetched::MergedInto(_) | Fetched::Deleted { .. } | Fetched::Erased | Fetched::NotVisible => None,
        }
    }
}

/// How to find a record that has no link yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Asked for only after a create of unknown outcome …
    pub record: Option<RecordId>,
    /// … which was begun then …
    pub begun: Option<Timestamp>,
    /// … and said this, where the CRM has no room for our id.
    pub made: Option<Said>,
    pub email: Option<Email>,
    /// Asked for only where the e-mail matches nothing.
    pub phone: Option<Phone>,
    pub domain: Option<Domain>,
    /// Asked for only where the domain matches nothing.
    pub title: Option<Title>,
}

impl Query {
    /// Its key of one kind.
    pub fn key(&self, by: By) -> Option<Key> {
        match by {
            By::Record | By::Made => None,
            By::Email => self.email.clone().map(Key::Email),
            By::Phone => self.phone.clone().map(Key::Phone),
            By::Domain => self.domain.clone().map(Key::Domain),
            By::Title => self.title.clone().map(Key::Title),
        }
    }

    /// Its keys that several records may share.
    pub fn lookups(&self) -> impl Iterator<Item = Key> {
        By::KEYS.into_iter().filter(|by| !by.is_unique()).filter_map(|by| self.key(by))
    }
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
    /// By what a create said that may have happened.
    Made,
    Email,
    Phone,
    Domain,
    Title,
}

impl By {
    /// The strongest first; each is asked for only where those before it match nothing.
    pub const KEYS: [By; 4] = [By::Email, By::Phone, By::Domain, By::Title];

    /// The hub's field that holds such a key.
    pub fn field(self) -> &'static str {
        match self {
            By::Record | By::Made => "id",
            By::Email => "email",
            By::Phone => "phone",
            By::Domain => "domain",
            By::Title => "name",
        }
    }

    /// A key of this kind, from what a CRM shows.
    pub fn read(self, raw: &str, region: &Region) -> Option<Key> {
        match self {
            By::Record | By::Made => None,
            By::Email => Email::parse(raw).map(Key::Email),
            By::Phone => Phone::parse(raw, region).map(Key::Phone),
            By::Domain => Domain::parse(raw).map(Key::Domain),
            By::Title => Title::parse(raw).map(Key::Title),
        }
    }

    /// Whether only one remote can match so.
    pub fn is_unique(self) -> bool {
        matches!(self, By::Record | By::Made | By::Email)
    }

    /// Whether a key of this kind was asked for.
    pub fn is(self, key: &Key) -> bool {
        match key {
            Key::Email(_) => self == By::Email,
            Key::Phone(_) => self == By::Phone,
            Key::Domain(_) => self == By::Domain,
            Key::Title(_) => self == By::Title,
            Key::Remote(..) | Key::Own(_) => false,
        }
    }
}

/// An id that is made of digits.
pub(super) fn digits(raw: &str) -> Option<RemoteId> {
    raw.bytes().all(|byte| byte.is_ascii_digit()).then(|| raw.parse().ok()).flatten()
}

impl Outcome {
    /// What is shown, if it is.
    pub fn seen(&mut self) -> Option<&mut Seen> {
        if let Outcome::Written { seen, .. } = self { seen.as_mut() } else { None }
    }
}

/// One record to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub record: RecordId,
    /// `None` to create it.
    pub remote: Option<RemoteId>,
    pub changes: Vec<Change>,
}

impl Write {
    /// What it says, to be known again.
    pub fn said(&self) -> Said {
        Said::of(self.changes.iter().map(|change| (&change.field, change.value.as_ref())))
    }
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
