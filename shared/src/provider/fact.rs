//! What a CRM itself can tell about how well a connection stands.

use super::{Grant, session::Answer};
use crate::{
    connection::Watch,
    error::{Error, Result},
    id::AccountId,
};
use jiff::Timestamp;

/// The connection that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    pub grant: &'a Grant,
    pub watch: Option<&'a Watch>,
    /// Where its deliveries should come.
    pub url: &'a str,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Whose account answered.
    Account(AccountId),
    /// What the token may do, where token answers do not tell.
    Scopes(Vec<String>),
    /// Calls that are left of those of a day; `of` where the CRM says how many there are.
    Quota {
        left: u64,
        of: Option<u64>,
    },
    Webhook(Hook),
    /// When it answered, by its own clock.
    Clock(Timestamp),
    /// A question that our token may not ask, or that the CRM does not take.
    Unanswered {
        about: &'static str,
        reason: String,
    },
}

/// The subscription that brings changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Hook {
    Alive {
        until: Option<Timestamp>,
        /// How the last delivery was answered, as the CRM saw it.
        status: Option<u16>,
    },
    Missing,
    /// No API shows it.
    Unseen,
}

/// An answer, or the fact that there is none for us. What passes by itself stays an error.
pub(super) fn answered(
    about: &'static str,
    answer: Result<Answer>,
    read: impl FnOnce(&Answer) -> Vec<Fact>,
) -> Result<Vec<Fact>> {
    match answer {
        Ok(answer) => Ok(read(&answer).into_iter().chain(answer.date().map(Fact::Clock)).collect()),
        Err(Error::Config { reason }) => Ok(vec![Fact::Unanswered { about, reason }]),
        Err(error) => Err(error),
    }
}

/// A number in a header.
pub(super) fn counted(answer: &Answer, header: &str) -> Option<u64> {
    answer.headers.get(header)?.to_str().ok()?.trim().parse().ok()
}
