//! What there is at one moment: the record, two CRMs, the queues, and what each busy worker has in mind.

use crate::item::Item;
use jiff::{SignedDuration, Timestamp};
use shared::{planner::Seen, record::Value};

pub const CRMS: usize = 2;
/// At most: a size may have fewer.
pub const FIELDS: usize = 2;
/// The fields as the hub and as the CRMs call them.
pub const HUB: [&str; FIELDS] = ["first_name", "last_name"];
pub const REMOTE: [&str; FIELDS] = ["First", "Last"];

/// Who says something: the product, each CRM's users, and in each CRM a write of ours that nothing shows to be ours.
pub const PARTIES: usize = 1 + 2 * CRMS;
pub const PRODUCT: usize = 0;
pub const USERS: usize = 1;
pub const STRAYS: usize = 1 + CRMS;

/// One letter stands for a value.
pub type Word = char;

/// A CRM's own spelling: the second one knows capital letters only.
pub fn spell(crm: usize, word: Word) -> Word {
    if crm == 0 { word } else { word.to_ascii_uppercase() }
}

/// Whether the answer to a write shows what became of it; the second CRM is read again.
pub fn echoes(crm: usize) -> bool {
    crm == 0
}

pub fn value(word: Word) -> Option<Value> {
    Value::text(word.encode_utf8(&mut [0; 4]))
}

/// The clocks are fine ones: whatever is said or written has a time of its own, and none is a whole second.
pub fn time(tick: u8) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(1_790_000_000_000 + i64::from(tick) * 10 + 1)
}

/// What a CRM shows: now, or when somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sight {
    pub shown: [Word; FIELDS],
    pub modified: u8,
}

impl Sight {
    /// As the planner takes it.
    pub fn seen(&self, fields: usize) -> Seen {
        let shown = (0..fields).map(|field| (REMOTE[field].to_owned(), value(self.shown[field])));
        Seen { modified: Some(time(self.modified)), fields: shown.collect() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Message {
    /// This CRM's remote may have changed. A delivery may tell what one field showed then.
    Hint { crm: usize, told: Option<(usize, Word)>, comes: Comes },
    /// This CRM's changes are to be read.
    Pull { crm: usize },
    /// This CRM may lack something.
    Push { crm: usize },
    /// The product says something.
    Request { number: u8, field: usize, word: Word, at: u8 },
}

/// Whether a hint is heard of at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Comes {
    /// A CRM delivers it whenever it likes, as often as it likes, or never.
    Perhaps,
    /// It is in our own queue.
    Surely,
}

impl Message {
    /// As it lies in our own queue, from which it is gone only when it is done.
    pub fn received(self) -> Message {
        match self {
            Message::Hint { crm, told, .. } => Message::Hint { crm, told, comes: Comes::Surely },
            other => other,
        }
    }

    pub fn may_never_come(&self) -> bool {
        matches!(self, Message::Hint { comes: Comes::Perhaps, .. })
    }
}

/// A busy worker: the message in its hand, and how far it has come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Job {
    pub message: Message,
    pub step: Step,
}

/// All that a worker remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The CRM was read, and before that the link at this revision; a page of a pull is read first.
    Looked { taken: Option<u64>, sight: Sight },
    /// The record was read again, and this is to be stored in its place.
    Judged { before: Item, after: Item },
    /// A push has read the record …
    Begun { item: Item },
    /// … the CRM …
    Read { item: Item, sight: Sight },
    /// … has written to the CRM, and is to read it again …
    Written { item: Item, sight: Sight, at: u8 },
    /// … and is to store what became of it: on top of `newer`, if somebody was quicker.
    Settling { item: Item, sight: Sight, sent: Option<Sent>, newer: Option<Item> },
    /// A request has read the record, and whether it was done before.
    Asked { item: Item, done: bool },
}

/// A write, and what the CRM showed after it, if that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sent {
    pub at: u8,
    pub back: Option<Sight>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Counts what was said and written.
    pub now: u8,
    pub item: Item,
    pub crms: [Sight; CRMS],
    /// In any order. Whether a message is there once or twice is all the same: any may be delivered twice.
    pub queue: Vec<Message>,
    /// In no order of their own: one is as good as the other.
    pub workers: Vec<Job>,
    /// The requests that are known to be done, as bits.
    pub done: u8,
    pub edits_left: u8,
    pub says_left: u8,
    /// Whether what a CRM shows of a field was written by us.
    pub ours: [[bool; FIELDS]; CRMS],
    /// Per field, the last that each party said since all agreed on it.
    pub said: [[Option<Word>; PARTIES]; FIELDS],
    /// A CRM was sent what it had just shown, though nobody had said anything else.
    pub vain: bool,
}

impl World {
    pub fn send(&mut self, message: Message) {
        if let Err(place) = self.queue.binary_search(&message) {
            self.queue.insert(place, message);
        }
    }

    /// Nobody works, and nothing has to be done.
    pub fn is_at_rest(&self) -> bool {
        self.workers.is_empty() && self.queue.iter().all(Message::may_never_come)
    }
}
