//! What a worker does with a message, step by step. Between any two of them the others go on, or it dies.

use crate::{
    item::{Item, Record},
    protocol::{Luck, Protocol},
    verdicts::Judged,
    world::*,
};

/// What comes after a step.
pub(crate) enum Next {
    Go(Step),
    /// The message is done, once these are sent.
    Done(Vec<Message>),
}

impl Protocol {
    /// The first step with a message.
    pub(crate) fn begin(&self, world: &World, message: &Message) -> Next {
        let item = world.item;
        match message {
            Message::Hint { crm, told, comes } => {
                let is_echo = told.is_some_and(|told| self.is_echo(item, *crm, told));
                match (is_echo, comes) {
                    (false, _) => self.look(world, *crm),
                    (true, Comes::Perhaps) => Next::Done(Vec::new()),
                    // Whoever had it before may not have lived to hand on what it told.
                    (true, Comes::Surely) => hand_on(item),
                }
            }
            Message::Pull { crm } => Next::Go(Step::Looked { taken: None, sight: world.crms[*crm] }),
            Message::Push { crm } if item.is_pending(*crm) => Next::Go(Step::Begun { item }),
            Message::Push { .. } => hand_on(item),
            Message::Request { number, .. } => Next::Go(Step::Asked { item, done: world.knows(*number) }),
        }
    }

    pub(crate) fn step(&self, world: &mut World, message: &Message, step: Step, luck: Luck) -> Next {
        match (message, step) {
            (Message::Request { .. }, Step::Asked { item, done: true }) => hand_on(item),
            (Message::Request { number, field, word, at }, Step::Asked { item, .. }) => {
                let after = self.asked(item, *field, *word, *at);
                // A request is done once, in one transaction with what it changes.
                if world.knows(*number) || !world.commit(item, after) {
                    return self.begin(world, message);
                }
                world.done |= 1 << number;
                hand_on(after)
            }
            (Message::Hint { crm, .. } | Message::Pull { crm }, step) => self.look_on(world, *crm, step),
            (Message::Push { crm }, step) => self.push_on(world, *crm, step, luck),
            (message, step) => unreachable!("{step:?} with {message:?}"),
        }
    }

    /// The link's revision is read, then the CRM.
    fn look(&self, world: &World, crm: usize) -> Next {
        Next::Go(Step::Looked { taken: Some(world.item.rev(crm)), sight: world.crms[crm] })
    }

    fn look_on(&self, world: &mut World, crm: usize, step: Step) -> Next {
        match step {
            Step::Looked { taken, sight } => match self.judged(world.item, crm, taken, sight) {
                Judged::Stands => hand_on(world.item),
                Judged::Again => self.look(world, crm),
                Judged::Changes(after) => Next::Go(Step::Judged { before: world.item, after }),
            },
            Step::Judged { before, after } => match world.commit(before, after) {
                true => hand_on(after),
                false => self.look(world, crm),
            },
            step => unreachable!("{step:?} in a look"),
        }
    }

    fn push_on(&self, world: &mut World, crm: usize, step: Step, luck: Luck) -> Next {
        match step {
            Step::Begun { item } => {
                let sight = world.crms[crm];
                match self.lacks(item, crm, sight) {
                    Some(_) => Next::Go(Step::Read { item, sight }),
                    // The CRM shows an older state than is known.
                    None => Next::Done(vec![Message::Push { crm }]),
                }
            }
            Step::Read { item, sight } => {
                let lacks = self.lacks(item, crm, sight).unwrap_or_default();
                if lacks == [None; FIELDS] {
                    return self.store(world, crm, item, sight, None, None);
                }
                self.write(world, crm, sight, lacks);
                let (at, back) = (world.crms[crm].modified, Some(world.crms[crm]));
                Next::Go(match echoes(crm) {
                    true => Step::Settling { item, sight, sent: Some(Sent { at, back }), newer: None },
                    false => Step::Written { item, sight, at },
                })
            }
            Step::Written { item, sight, at } => {
                let back = Some(world.crms[crm]).filter(|_| luck != Luck::Blind);
                Next::Go(Step::Settling { item, sight, sent: Some(Sent { at, back }), newer: None })
            }
            Step::Settling { item, sight, sent, newer } => self.store(world, crm, item, sight, sent, newer),
            step => unreachable!("{step:?} in a push"),
        }
    }

    /// Stores what became of a push: the link alone if that is still what it was, or the whole record. Who loses a race
    /// reads the record again.
    fn store(
        &self,
        world: &mut World,
        crm: usize,
        item: Item,
        sight: Sight,
        sent: Option<Sent>,
        newer: Option<Item>,
    ) -> Next {
        let settled = self.settled((item, crm, sight, sent, newer));
        let before = newer.unwrap_or(item);
        let done = match settled.after {
            None => true,
            Some(after) if settled.hub => world.commit(before, after),
            Some(after) => self.settle(world, crm, before, after),
        };
        if !done {
            return Next::Go(Step::Settling { item, sight, sent, newer: Some(world.item) });
        }
        // What is handed on is the record as this worker knows it, whatever others have stored in it since.
        let pushes = pushes(settled.after.unwrap_or(before));
        let look = settled.look.then_some(Message::Hint { crm, told: None, comes: Comes::Surely });
        Next::Done(look.into_iter().chain(pushes).collect())
    }

    fn settle(&self, world: &mut World, crm: usize, before: Item, after: Item) -> bool {
        if world.item.rev(crm) != before.rev(crm) {
            return false;
        }
        if world.item == before {
            world.item = after;
            return true;
        }
        let mut stored = Record::clone(&world.item);
        stored.links[crm] = after.links[crm].clone();
        world.item = self.item(stored);
        true
    }
}

/// What the CRMs lack of a record is handed on, to each in a message of its own.
fn hand_on(item: Item) -> Next {
    Next::Done(pushes(item).collect())
}

fn pushes(item: Item) -> impl Iterator<Item = Message> {
    (0..CRMS).filter(move |crm| item.is_pending(*crm)).map(|crm| Message::Push { crm })
}

impl World {
    fn knows(&self, number: u8) -> bool {
        self.done >> number & 1 == 1
    }

    /// Stores a whole record in the place of the one that was read. Whether that was still there.
    fn commit(&mut self, before: Item, after: Item) -> bool {
        let stands = self.item == before || shared::mutant::lives("without_version_condition");
        if stands {
            self.item = after;
        }
        stands
    }
}
