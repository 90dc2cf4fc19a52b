//! Decides what a look at a CRM means and what a push must send. Pure: no clock, no network, no store.
//!
//! Three things are compared: what the hub says, what the hub and this CRM last agreed on, and what the CRM shows now.

mod absorb;
mod deletion;
#[cfg(test)]
mod laws;
#[cfg(test)]
pub(crate) use laws::cases;
mod mass;
mod ownership;
mod pending;
mod policy;
mod resolve;
mod settle;
mod spelling;

pub use absorb::{Absorbed, Parked, absorb};
pub use deletion::{Deletes, Errand, Meaning, UNDELETABLE, errand, meaning, says_something_new};
pub use mass::{Guard, Mass, masses};
pub use ownership::Ownership;
pub use pending::{Change, Route, due, fingerprint, pending, refused, route, wanted};
pub use policy::{Apart, Joining, Judge, Policy, Strategy, Verdict};
pub use resolve::{Decided, Take, resolve};
pub use settle::{Shown, read_back, settle};

use crate::{
    change::Hinted,
    mapping::Mapping,
    mutant,
    record::{Agreed, Link, RemoteField, Value},
};
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
///
/// One that shows nothing new may be dropped; any other that cannot be trusted is fetched again, because what it
/// shows in fields that no later look has shown is known from nowhere else.
pub fn freshness(link: &Link, seen: &Seen, taken: Taken, mapping: &Mapping) -> Freshness {
    if mutant::lives("absorb_stale") {
        return Freshness::Absorb;
    }
    let link = &*absorb::under(link, seen, mapping);
    let newer = seen.modified > link.modified;
    let older = seen.modified.is_some() && seen.modified < link.modified;
    let fresh = match taken {
        Taken::After { rev } => rev == link.rev && !older,
        Taken::Sometime => newer && link.gone.is_none(),
    };
    match fresh {
        true => Freshness::Absorb,
        // A remote that was gone and is shown has come back, even if nothing of it is new.
        false if link.gone.is_none() && shows_nothing_new(link, seen, mapping) => Freshness::Drop,
        false => Freshness::FetchAgain,
    }
}

/// Whether all that a hint tells is what was agreed already, as the echo of our own write does: then nobody needs to look.
pub fn tells_nothing_new(link: &Link, hint: &Hinted, mapping: &Mapping) -> bool {
    let Some(tells) = &hint.tells else { return false };
    let mut told = tells.0.iter().filter(|(field, _)| absorb::concerns(link, mapping, field));
    link.gone.is_none()
        && hint.as_of.is_none_or(|at| link.modified >= Some(at))
        && told.all(|(field, digest)| {
            let theirs = link.agreed.get(field).and_then(|agreed| agreed.theirs.as_ref());
            Agreed::digest(theirs) == *digest
        })
}

fn shows_nothing_new(link: &Link, seen: &Seen, mapping: &Mapping) -> bool {
    let mut fields = seen.fields.iter().filter(|(field, _)| absorb::concerns(link, mapping, field));
    fields
        .all(|(field, shown)| link.agreed.get(field).map_or(shown.is_none(), |agreed| agreed.theirs_is(shown.as_ref())))
}
