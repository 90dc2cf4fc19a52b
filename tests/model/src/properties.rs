//! What holds in every state.

use crate::{
    protocol::{Act, Luck, Protocol, Size},
    world::*,
};
use stateright::Property;
use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{Mutex, PoisonError},
};

pub(crate) fn all(size: Size) -> Vec<Property<Protocol>> {
    let raced = Property::sometimes("a push is settled on a newer record", |_, world: &World| {
        world.workers.iter().any(|job| matches!(job.step, Step::Settling { sent: Some(_), newer: Some(_), .. }))
    });
    let mut properties = vec![
        Property::always("at rest hub and CRMs agree", agree),
        Property::always("at rest nothing is pending", |_, world: &World| {
            !world.is_at_rest() || !(0..CRMS).any(|crm| world.item.is_pending(crm))
        }),
        Property::always("no unopposed edit is lost", nothing_is_lost),
        Property::always("nothing is written that a CRM shows already", |_, world: &World| !world.vain),
        Property::always("all comes to rest", comes_to_rest),
        Property::always("the writes come to an end", |protocol, world| {
            protocol.writes(world) <= MOST * protocol.said(world)
        }),
        Property::sometimes("all was said and rests", |_, world: &World| {
            world.is_at_rest() && world.edits_left + world.says_left == 0
        }),
    ];
    properties.extend((size.workers > 1).then_some(raced));
    properties
}

/// Writes for each word that is said: one for each CRM, and one that is undone.
const MOST: u8 = 3;

impl Protocol {
    fn said(&self, world: &World) -> u8 {
        self.size.edits - world.edits_left + self.size.says - world.says_left
    }

    fn writes(&self, world: &World) -> u8 {
        world.now - self.said(world)
    }
}

/// Up to spelling: the same letter is never sent again.
fn agree(protocol: &Protocol, world: &World) -> bool {
    let agrees = |crm: usize, field: usize| world.crms[crm].shown[field].eq_ignore_ascii_case(&world.item.says(field));
    !world.is_at_rest() || (0..protocol.size.fields).all(|field| (0..CRMS).all(|crm| agrees(crm, field)))
}

/// The hub says what somebody said last, in that one's own spelling; where nobody opposed it, that is the last edit.
fn nothing_is_lost(protocol: &Protocol, world: &World) -> bool {
    let of = |party: usize, word| if party == PRODUCT { word } else { spell((party - USERS) % CRMS, word) };
    let stands = |field: usize| {
        let mut said = world.said[field].iter().enumerate();
        said.any(|(party, said)| *said == Some(of(party, world.item.says(field))))
    };
    !world.is_at_rest() || (0..protocol.size.fields).all(stands)
}

/// The states from which all is known to come to rest, by their hashes.
#[derive(Default)]
pub(crate) struct Resting(Mutex<HashSet<u64>>);

/// More steps than it ever takes.
const FAR: usize = 200;

/// Whether all comes to rest if from now on nobody says anything, nothing is doubled, and nobody dies.
fn comes_to_rest(protocol: &Protocol, world: &World) -> bool {
    let mut known = protocol.resting.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut way = Vec::new();
    let mut here = world.clone();
    while way.len() < FAR {
        let state = BuildHasherDefault::<DefaultHasher>::default().hash_one(&here);
        if known.contains(&state) {
            break;
        }
        way.push(state);
        let Some(act) = goes_on(&here) else { break };
        here = protocol.after(&here, act);
    }
    let rests = way.len() < FAR;
    known.extend(way.into_iter().filter(|_| rests));
    rests
}

fn goes_on(world: &World) -> Option<Act> {
    if !world.workers.is_empty() {
        return Some(Act::Step { worker: 0, luck: Luck::Good });
    }
    let message = *world.queue.iter().find(|message| !message.may_never_come())?;
    Some(Act::Deliver { message })
}
