//! Salesforce's wire face: `/salesforce/…` is the login host and every instance host.

pub mod edits;
pub mod errors;
pub mod ids;
pub mod org;
pub mod outbound;

use crate::clock::Rng;
use crate::faults::CrmFaults;
use crate::webhooks::Outbox;
use crate::wire::{Call, Reply};
use crate::world::World;
use org::Org;

/// Everything that an operation in one org needs.
#[derive(Debug)]
pub struct Desk<'a> {
    pub org: &'a mut Org,
    pub faults: &'a mut CrmFaults,
    pub outbox: &'a mut Outbox,
    pub rng: &'a mut Rng,
    pub now: i64,
}

pub fn answer(_: &mut World, _: &Call) -> Reply {
    errors::not_found()
}
