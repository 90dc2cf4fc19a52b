//! What may happen, in any order.

use crate::{
    item::{Item, Record},
    properties::{self, Resting},
    verdicts::{Lacks, Verdicts},
    worker::Next,
    world::*,
};
use shared::{
    id::{ConnectionId, RemoteId, Source},
    mapping::{Mapping, Rule},
    planner::{Judge, Ownership, Policy},
    record::{Agreed, Fields, Link, Object},
};

/// How much may happen.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub fields: usize,
    /// What can be said. At the beginning all agree on the first of them.
    pub words: &'static [Word],
    /// How often users change something, in either CRM.
    pub edits: u8,
    /// How often the product does.
    pub says: u8,
    /// How many messages are worked on at a time.
    pub workers: usize,
    /// Deliveries tell what they are about, so that an echo need not be looked at.
    pub tells: bool,
    /// Messages are doubled, workers die, and what was written cannot be read again.
    pub mishaps: bool,
}

pub struct Protocol {
    pub size: Size,
    pub(crate) mapping: Mapping,
    pub(crate) product: Source,
    pub(crate) remotes: [RemoteId; CRMS],
    pub(crate) verdicts: Verdicts,
    pub(crate) resting: Resting,
    connections: [ConnectionId; CRMS],
    policy: Policy,
    ownership: Ownership,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// A user changes a field of a CRM.
    Edit { crm: usize, field: usize, word: Word },
    /// The product says what a field is to be.
    Say { field: usize, word: Word },
    /// An idle worker takes a message, and begins.
    Deliver { message: Message },
    /// The same, and the message is delivered again later.
    DeliverTwice { message: Message },
    /// A busy worker takes its next step.
    Step { worker: usize, luck: Luck },
    /// A busy worker dies. Its message comes back.
    Crash { worker: usize },
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Luck {
    Good,
    /// What was written cannot be read again.
    Blind,
    /// The worker stores what it has to, and dies before it tells anybody.
    Fatal,
}

impl Protocol {
    pub fn new(size: Size) -> Protocol {
        let rules = (0..size.fields).map(|field| Rule::both(HUB[field], REMOTE[field])).collect();
        Protocol {
            size,
            mapping: Mapping::new("people", "Our_Id", rules),
            product: "workflow".parse().unwrap(),
            remotes: ["remote-0", "remote-1"].map(|id| id.parse().unwrap()),
            verdicts: Verdicts::default(),
            resting: Resting::default(),
            connections: ["crm-0", "crm-1"].map(|id| id.parse().unwrap()),
            policy: Policy::default(),
            ownership: Ownership::default(),
        }
    }

    pub(crate) fn judge(&self, crm: usize) -> Judge<'_> {
        let Protocol { connections, policy, ownership, .. } = self;
        Judge { connection: &connections[crm], object: &Object::Person, policy, ownership, meets: false }
    }

    fn beginning(&self) -> World {
        let (word, fields) = (self.size.words[0], 0..self.size.fields);
        let mut hub = Fields::default();
        for field in fields.clone() {
            hub.put(HUB[field], value(word), time(0), &self.product).unwrap();
        }
        let agreed = |crm| Agreed::new(value(word).as_ref(), value(spell(crm, word)).as_ref());
        let link = |crm: usize| Link {
            remote: Some(self.remotes[crm].clone()),
            agreed: fields.clone().map(|field| (REMOTE[field].to_owned(), agreed(crm))).collect(),
            modified: Some(time(0)),
            ..Link::default()
        };
        let mut said = [None; PARTIES];
        said[PRODUCT] = Some(word);
        World {
            now: 0,
            item: self.item(Record { hub, links: [link(0), link(1)] }),
            crms: [0, 1].map(|crm| Sight { shown: [spell(crm, word); FIELDS], modified: 0 }),
            queue: Vec::new(),
            workers: Vec::new(),
            done: 0,
            edits_left: self.size.edits,
            says_left: self.size.says,
            ours: [[false; FIELDS]; CRMS],
            said: [said; FIELDS],
            vain: false,
        }
    }

    pub(crate) fn after(&self, before: &World, act: Act) -> World {
        let mut world = before.clone();
        match act {
            Act::Edit { crm, field, word } => {
                world.edits_left -= 1;
                say(&mut world, field, USERS + crm, word);
                self.change(&mut world, crm, field, word, false);
            }
            Act::Say { field, word } => {
                world.says_left -= 1;
                say(&mut world, field, PRODUCT, word);
                let (number, at) = (world.says_left, world.now);
                world.send(Message::Request { number, field, word, at });
            }
            Act::Deliver { message } => {
                world.queue.retain(|other| *other != message);
                self.deliver(&mut world, message);
            }
            Act::DeliverTwice { message } => self.deliver(&mut world, message),
            Act::Step { worker, luck } => self.go_on(&mut world, worker, luck),
            Act::Crash { worker } => {
                let job = world.workers.remove(worker);
                world.send(job.message);
            }
        }
        world.workers.sort();
        note_strays(&mut world, self.size.fields);
        world
    }

    fn deliver(&self, world: &mut World, message: Message) {
        match self.begin(world, &message) {
            Next::Go(step) => world.workers.push(Job { message: message.received(), step }),
            Next::Done(sends) => sends.into_iter().for_each(|message| world.send(message)),
        }
    }

    fn go_on(&self, world: &mut World, worker: usize, luck: Luck) {
        let Job { message, step } = world.workers.remove(worker);
        match (self.step(world, &message, step, luck), luck) {
            (Next::Go(step), _) => world.workers.push(Job { message, step }),
            (Next::Done(_), Luck::Fatal) => world.send(message),
            (Next::Done(sends), _) => sends.into_iter().for_each(|message| world.send(message)),
        }
    }

    /// A CRM shows something else from now on. A delivery tells of it, sometime or never; the next pull does in any case.
    fn change(&self, world: &mut World, crm: usize, field: usize, word: Word, ours: bool) {
        world.crms[crm].shown[field] = word;
        world.crms[crm].modified = world.now;
        world.ours[crm][field] = ours;
        world.send(Message::Pull { crm });
        world.send(Message::Hint { crm, told: self.size.tells.then_some((field, word)), comes: Comes::Perhaps });
    }

    /// Writes to a CRM. What is there already changes nothing, not even the remote's time.
    pub(crate) fn write(&self, world: &mut World, crm: usize, sight: Sight, lacks: Lacks) {
        let sent = (0..FIELDS).filter_map(|field| Some((field, lacks[field]?)));
        let opposed = |field: usize| world.said[field].iter().flatten().count() > 1;
        world.vain |= sent.clone().any(|(field, word)| sight.shown[field] == word && !opposed(field));
        let sent = sent.map(|(field, word)| (field, spell(crm, word)));
        let changes: Vec<_> = sent.filter(|(field, word)| world.crms[crm].shown[*field] != *word).collect();
        world.now += u8::from(!changes.is_empty());
        changes.into_iter().for_each(|(field, word)| self.change(world, crm, field, word, true));
    }

    fn edits(&self, world: &World, acts: &mut Vec<Act>) {
        for (field, word) in
            (0..self.size.fields).flat_map(|field| self.size.words.iter().map(move |word| (field, *word)))
        {
            let another = |crm: &usize| !world.crms[*crm].shown[field].eq_ignore_ascii_case(&word);
            let crms = (0..CRMS).filter(|_| world.edits_left > 0).filter(another);
            acts.extend(crms.map(|crm| Act::Edit { crm, field, word: spell(crm, word) }));
            acts.extend((world.says_left > 0).then_some(Act::Say { field, word }));
        }
    }

    /// A CRM's own delivery is never gone for good. A pull looks farther back than any worker lives, so it is due again while
    /// somebody is at work.
    fn deliveries(&self, world: &World, acts: &mut Vec<Act>) {
        let mishaps = self.size.mishaps;
        for message in world.queue.iter().copied() {
            let (alone, stays) = match message {
                Message::Hint { .. } => (false, message.may_never_come() && mishaps),
                Message::Pull { .. } => (true, !world.workers.is_empty()),
                Message::Push { .. } => (true, false),
                Message::Request { .. } => (false, false),
            };
            // Pulls and pushes of one connection are handled one at a time.
            if alone && world.workers.iter().any(|job| job.message == message) {
                continue;
            }
            acts.extend((stays || mishaps).then_some(Act::DeliverTwice { message }));
            acts.extend((!stays).then_some(Act::Deliver { message }));
        }
    }

    fn steps(&self, world: &World, acts: &mut Vec<Act>) {
        for (worker, job) in world.workers.iter().enumerate() {
            acts.push(Act::Step { worker, luck: Luck::Good });
            if self.size.mishaps {
                let luck = match job.step {
                    Step::Begun { .. } => None,
                    Step::Written { .. } => Some(Luck::Blind),
                    _ => Some(Luck::Fatal),
                };
                acts.extend(luck.map(|luck| Act::Step { worker, luck }));
                acts.push(Act::Crash { worker });
            }
        }
    }
}

impl stateright::Model for Protocol {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![self.beginning()]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        self.edits(world, acts);
        if world.workers.len() < self.size.workers {
            self.deliveries(world, acts);
        }
        self.steps(world, acts);
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        Some(self.after(world, act)).filter(|after| after != world)
    }

    fn properties(&self) -> Vec<stateright::Property<Protocol>> {
        properties::all(self.size)
    }
}

fn say(world: &mut World, field: usize, party: usize, word: Word) {
    if is_settled(world, field) {
        world.said[field] = [None; PARTIES];
    }
    world.now += 1;
    world.said[field][party] = Some(word);
}

/// Whether all agree on a field, and nobody is about to change that.
fn is_settled(world: &World, field: usize) -> bool {
    let item = world.item;
    let agrees = |crm: usize| !item.lacks(crm, field) && item.agreed(crm, field) == world.crms[crm].shown[field];
    let asks = |message: Message| match message {
        Message::Request { number, field: of, .. } => of == field && world.done >> number & 1 == 0,
        Message::Hint { .. } | Message::Pull { .. } | Message::Push { .. } => false,
    };
    // Somebody lives in the past.
    let differs = |job: &Job| match (job.message, job.step) {
        (Message::Push { crm }, Step::Begun { item } | Step::Read { item, .. }) => item.lacks(crm, field),
        (Message::Hint { crm, .. } | Message::Pull { crm }, Step::Looked { sight, .. }) => {
            sight.shown[field] != world.crms[crm].shown[field]
        }
        (_, Step::Judged { after, .. }) => after.says(field) != item.says(field),
        _ => false,
    };
    let of_job = |job: &Job| asks(job.message) || differs(job);
    (0..CRMS).all(agrees) && !world.queue.iter().copied().any(asks) && !world.workers.iter().any(of_job)
}

/// What we wrote is known for ours by its link, or by the hub that still says it. Without either nothing tells it from an edit.
fn note_strays(world: &mut World, fields: usize) {
    for (crm, field) in (0..CRMS).flat_map(|crm| (0..fields).map(move |field| (crm, field))) {
        let shown = world.crms[crm].shown[field];
        let known = |item: &Item| item.agreed(crm, field) == shown || spell(crm, item.says(field)) == shown;
        if world.ours[crm][field] && !known(&world.item) {
            world.said[field][STRAYS + crm] = Some(shown);
        }
    }
}
