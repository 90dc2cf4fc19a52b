//! A CRM's limits, kept before it has to tell us.
//!
//! Every function that calls an account draws on one [`Ledger`], which the table holds. An instance leases from it the right
//! to so many calls per window for a few seconds, and keeps to that by its own [`Book`]; a lease that is not used ages out.
//! So a lone look asks nobody where some calls are not lent, a long push asks once in a few seconds, and whoever finds nothing
//! left waits a few seconds or is told when to come again, before a call is made.

mod book;
mod budget;
mod ledger;
mod limits;

pub use book::Book;
pub use budget::{Budget, Keeper};
pub use ledger::{Answered, Ask, Ledger, Lent, Wish};
pub(super) use limits::number;
pub use limits::{Counts, Day, Limits, Told, Weight, Window};

#[cfg(test)]
mod tests;
