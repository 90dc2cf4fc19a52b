//! Pipedrive's wire face: `/pipedrive/…` is the OAuth server and every company's API domain.

pub mod company;
pub mod edits;
pub mod errors;

use crate::clock::Rng;
use crate::faults::CrmFaults;
use crate::webhooks::Outbox;
use crate::wire::{Call, Reply};
use crate::world::World;
use company::Company;

/// Everything that an operation in one company needs.
#[derive(Debug)]
pub struct Desk<'a> {
    pub company: &'a mut Company,
    pub faults: &'a mut CrmFaults,
    pub outbox: &'a mut Outbox,
    pub rng: &'a mut Rng,
    pub now: i64,
}

pub fn answer(_: &mut World, _: &Call) -> Reply {
    errors::not_found()
}
