//! Decides what a look at a CRM means and what a push must send. Pure: no clock, no network, no store.
//!
//! Three things are compared: what the hub says, what the hub and this CRM last agreed on, and what the CRM shows now.

mod absorb;
mod pending;
mod policy;
mod settle;

pub use absorb::{Absorbed, Parked, absorb};
pub use pending::{Change, fingerprint, pending, wanted};
pub use policy::{Policy, Strategy, Verdict};
pub use settle::settle;

use crate::record::{Link, RemoteField, Value};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a CRM shows of one remote now. A field that is absent was not shown and says nothing; `None` is blank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub modified: Option<Timestamp>,
    pub fields: BTreeMap<RemoteField, Option<Value>>,
}

/// When a look was taken, by what its link knew then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// After the link was read at this revision: whatever is shown is at least as new as that agreement.
    After { rev: u64 },
    /// At an unknown time, such as a page fetched before its records were read.
    Sometime,
}

/// What to do with a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    Absorb,
    /// It shows less than is known already.
    Drop,
    /// It cannot be told from an older one: fetch that remote again.
    FetchAgain,
}

/// A stale look changes nothing: one fetched before our own push was settled would revert it.
pub fn freshness(link: &Link, seen: &Seen, taken: Taken) -> Freshness {
    if cfg!(feature = "mutant_absorb_stale") {
        return Freshness::Absorb;
    }
    if seen.modified < link.modified {
        return Freshness::Drop;
    }
    match taken {
        Taken::After { rev } if rev == link.rev => Freshness::Absorb,
        Taken::After { .. } => Freshness::FetchAgain,
        Taken::Sometime if seen.modified > link.modified => Freshness::Absorb,
        Taken::Sometime if shows_what_is_agreed(link, seen) => Freshness::Drop,
        Taken::Sometime => Freshness::FetchAgain,
    }
}

fn shows_what_is_agreed(link: &Link, seen: &Seen) -> bool {
    seen.fields.iter().all(|(field, value)| match link.agreed.get(field) {
        Some(agreed) => agreed.theirs_is(value.as_ref()),
        None => value.is_none(),
    })
}
