//! What a CRM tells us by itself: that remotes may have changed.

use crate::{change::Hinted, id::AccountId};

/// "This remote may have changed." Nothing in it is believed but the id, and that an erased one is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The account it is in, where the delivery says so: HubSpot has one URL for all of an app's accounts.
    pub account: Option<AccountId>,
    /// Whose change it tells of, where what it tells counts only if that was ourselves.
    pub by: Option<String>,
    /// What the remote is, by the CRM's own name for it: `contacts`, `Lead`, `persons`.
    pub filed: String,
    pub of: Hinted,
}

/// An event that a CRM put on the event bus of one of its accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub account: AccountId,
    pub says: Says,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    Changed(Vec<Hint>),
    /// More changed than is listed, among what is filed under this name: it is for a pull to find.
    More(String),
    Unreadable(Unreadable),
}

/// Genuine, but not to be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a genuine delivery that cannot be read: {0}")]
pub struct Unreadable(pub &'static str);
