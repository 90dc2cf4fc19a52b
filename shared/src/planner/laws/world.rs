//! A hub, one to three simulated CRMs with their quirks, and what the functions do between them.

pub use super::crm::{Crm, Quirk};
use crate::{
    cause::Denied,
    id::{ConnectionId, Source},
    mapping::{Direction, Mapping, Rule},
    planner::*,
    record::{Fields, Gone, Link, Object, Refusal, Value, Written},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// One connection with its CRM.
#[derive(Clone, Debug)]
pub struct Side {
    pub connection: ConnectionId,
    pub crm: Crm,
    pub link: Link,
    /// Pages that were fetched and not yet absorbed.
    pub held: Vec<Seen>,
    pub parked: Vec<Parked>,
    pub misfits: usize,
}

#[derive(Clone)]
pub struct World {
    /// In milliseconds.
    pub now: i64,
    /// What the CRMs' clocks resolve, in milliseconds.
    pub tick: i64,
    pub hub: Fields,
    pub mapping: Mapping,
    pub policy: Policy,
    pub ownership: Ownership,
    /// The hub and the CRMs meet for the first time.
    pub meets: bool,
    pub denied: Vec<Denied>,
    pub sides: Vec<Side>,
    pub writes: usize,
    /// Writes about somebody whom the rules leave out just then.
    pub uninvited: usize,
    pub story: Vec<String>,
}

/// What happens between a write and its settling.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// A person edits this.
    pub edit: Option<(String, Option<Value>)>,
    /// Another function looks, and absorbs what it sees.
    pub reader: bool,
    /// The writer is killed before it can settle.
    pub killed: bool,
}

pub fn text(raw: &str) -> Value {
    Value::text(raw).unwrap()
}

pub fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_790_000_000_000 + ms).unwrap()
}

pub fn product() -> Source {
    "workflow".parse().unwrap()
}

pub fn rule(hub: &str, remote: &str) -> Rule {
    Rule::both(hub, remote)
}

pub fn mapping() -> Mapping {
    let rules = vec![
        rule("first_name", "First"),
        Rule { clears: true, ..rule("company", "Company") },
        rule("phone", "Phone"),
        rule("last_name", "Last").or("Unknown"),
        rule("duration", "Duration"),
        Rule::to_crm("status", "Status"),
        Rule { direction: Direction::FromCrm, ..rule("owner", "Owner") },
    ];
    Mapping::new("people", "Our_Id", rules)
}

impl World {
    pub fn new(quirks: &[Quirk], tick: i64) -> World {
        let side = |(i, quirk): (usize, &Quirk)| Side {
            connection: format!("crm-{i}").parse().unwrap(),
            crm: Crm {
                quirk: *quirk,
                shown: BTreeMap::from([("Our_Id".to_owned(), text("record-1"))]),
                modified: 0,
                hidden: BTreeSet::new(),
                refuses: false,
                deleted: false,
                echoes: false,
                automation: None,
            },
            link: Link { remote: Some(format!("remote-{i}").parse().unwrap()), ..Link::default() },
            held: Vec::new(),
            parked: Vec::new(),
            misfits: 0,
        };
        let sides = quirks.iter().enumerate().map(side).collect();
        World {
            now: 1_000,
            tick,
            hub: Fields::default(),
            mapping: mapping(),
            policy: Policy::default(),
            ownership: Ownership::default(),
            meets: false,
            denied: Vec::new(),
            sides,
            writes: 0,
            uninvited: 0,
            story: Vec::new(),
        }
    }

    /// A person edits a remote.
    pub fn edit(&mut self, i: usize, field: &str, value: Option<&Value>) {
        self.now += 10;
        let (now, tick) = (self.now, self.tick);
        let crm = &mut self.sides[i].crm;
        crm.store(field, value);
        crm.modified = now - now % tick;
    }

    /// The tenant's own product writes the hub.
    pub fn say(&mut self, field: &str, value: Option<Value>) {
        self.now += 10;
        self.hub.put(field, value, time(self.now), &product()).unwrap();
    }

    pub fn set_override(&mut self, i: usize, field: &str, value: Value) {
        self.now += 10;
        let at = time(self.now);
        let link = &mut self.sides[i].link;
        if link.set_override(field, Written::new(Some(value), at, &product())) {
            link.rev += 1;
        }
    }

    pub fn look(&self, i: usize) -> Seen {
        let (crm, link) = (&self.sides[i].crm, &self.sides[i].link);
        let mut fields: BTreeSet<String> = self.mapping.remote_fields().into_iter().map(str::to_owned).collect();
        fields.extend(link.overrides.keys().cloned());
        fields.retain(|field| !crm.hidden.contains(field));
        let shown = fields.into_iter().map(|field| (field.clone(), crm.shown.get(&field).cloned()));
        Seen { modified: Some(time(crm.modified)), fields: shown.collect() }
    }

    /// What becomes of a look.
    pub fn receive(&mut self, i: usize, seen: &Seen, taken: Taken) {
        match freshness(&self.sides[i].link, seen, taken, &self.mapping) {
            Freshness::Absorb => self.absorb(i, seen),
            Freshness::Drop => {}
            Freshness::FetchAgain => self.pull(i),
        }
    }

    fn absorb(&mut self, i: usize, seen: &Seen) {
        let side = &self.sides[i];
        let done = absorb(&self.hub, &side.link, seen, &self.mapping, self.judge(i));
        self.commit(i, done);
    }

    pub fn judge(&self, i: usize) -> Judge<'_> {
        let World { policy, ownership, meets, .. } = self;
        Judge { connection: &self.sides[i].connection, object: &Object::Person, policy, ownership, meets: *meets }
    }

    fn commit(&mut self, i: usize, done: Absorbed) {
        let side = &mut self.sides[i];
        side.parked.extend(done.parked);
        side.misfits += done.misfits.len();
        self.denied.extend(done.denied);
        (self.hub, side.link) = (done.hub, done.link);
    }

    /// Looks, and absorbs at once.
    pub fn pull(&mut self, i: usize) {
        let rev = self.sides[i].link.rev;
        if !self.sides[i].crm.deleted {
            self.receive(i, &self.look(i), Taken::After { rev });
        }
    }

    pub fn hold(&mut self, i: usize) {
        let seen = self.look(i);
        self.sides[i].held.push(seen);
    }

    pub fn receive_held(&mut self, i: usize) {
        for seen in std::mem::take(&mut self.sides[i].held) {
            self.receive(i, &seen, Taken::Sometime);
        }
    }

    pub fn pending(&self, i: usize) -> Vec<Change> {
        pending(&self.hub, &self.sides[i].link, &self.mapping)
    }

    /// What outbound does: read, absorb, write, settle.
    pub fn push(&mut self, i: usize, trouble: &Trouble) {
        self.pull(i);
        let changes = self.pending(i);
        if changes.is_empty() {
            return;
        }
        self.writes += 1;
        let include = self.mapping.include.as_ref();
        self.uninvited += usize::from(include.is_some_and(|include| !include.holds(&self.hub)));
        self.now += 10;
        let (now, tick) = (self.now, self.tick);
        let side = &mut self.sides[i];
        if side.crm.deleted {
            side.link.gone = Some(Gone::Deleted { at: time(now) });
            return;
        }
        if side.crm.refuses {
            let fingerprint = fingerprint(&wanted(&self.hub, &side.link, &self.mapping), &self.mapping);
            side.link.refused = Some(Refusal { fingerprint, code: "NO".to_owned(), field: None });
            side.link.rev += 1;
            return;
        }
        let rev = side.link.rev;
        let before = side.crm.shown.clone();
        let written = side.crm.write(&changes, now - now % tick);
        // An undo within the CRM's own second cannot be told from a field that it ignores.
        let quirk = side.crm.quirk;
        let spelt = |value: &Option<Value>| value.as_ref().map(|value| quirk.spell(value));
        if trouble.edit.as_ref().is_some_and(|(field, value)| before.get(field) == spelt(value).as_ref()) {
            self.now += tick;
        }
        let echo = self.sides[i].crm.echoes.then(|| self.look(i));
        self.meanwhile(i, trouble);
        if trouble.killed {
            return;
        }
        let seen = echo.unwrap_or_else(|| self.look(i));
        let side = &self.sides[i];
        if side.link.rev == rev {
            let (hub, link) = (&self.hub, &side.link);
            let shown = Shown::After(Some(time(written)));
            let done = read_back(hub, link, &changes, &seen, shown, &self.mapping, self.judge(i));
            self.commit(i, done);
        } else {
            self.sides[i].link = settle(&side.link, &changes, &seen, Shown::After(Some(time(written))));
            self.pull(i);
        }
    }

    fn meanwhile(&mut self, i: usize, trouble: &Trouble) {
        if let Some((field, value)) = self.sides[i].crm.automation.clone()
            && self.sides[i].crm.shown.get(&field) != Some(&value)
        {
            self.now += 2_000;
            self.edit(i, &field, Some(&value));
        }
        if let Some((field, value)) = trouble.edit.clone() {
            self.edit(i, &field, value.as_ref());
        }
        if trouble.reader {
            self.pull(i);
        }
    }

    /// Rounds until nothing moves, or `None` if it never stops.
    pub fn rest(&mut self) -> Option<usize> {
        (0..16).find(|_| {
            let (writes, hub) = (self.writes, self.hub.clone());
            (0..self.sides.len()).for_each(|i| self.pull(i));
            (0..self.sides.len()).for_each(|i| self.push(i, &Trouble::default()));
            self.now += 60_000;
            self.writes == writes && self.hub == hub
        })
    }

    pub fn shown(&self, i: usize, field: &str) -> Option<&Value> {
        self.sides[i].crm.shown.get(field)
    }

    /// What the hub says, in the terms of a remote field that flows both ways.
    pub fn hub_of(&self, field: &str) -> Option<&Value> {
        self.mapping.inbound(field).and_then(|rule| self.hub.get(&rule.hub))
    }
}
