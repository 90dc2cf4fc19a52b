//! What may happen in a world, in any order.

use super::world::{Quirk, Trouble, World, text};
use crate::{planner::Strategy, record::Value};
use proptest::prelude::*;
use proptest::strategy::Strategy as Generator;

#[derive(Clone, Debug)]
pub enum Act {
    Edit {
        side: usize,
        field: &'static str,
        value: Option<Value>,
    },
    Say {
        field: &'static str,
        value: Option<Value>,
    },
    /// A sync request sets a value in one CRM alone.
    Override {
        side: usize,
        field: &'static str,
        value: Value,
    },
    /// Time passes, in milliseconds.
    Wait(i64),
    Pull(usize),
    /// A page is fetched, and absorbed later.
    Hold(usize),
    ReceiveHeld(usize),
    Push {
        side: usize,
        trouble: Trouble,
    },
}

/// Remote fields that flow both ways.
pub const BOTH_WAYS: &[&str] = &["First", "Company", "Phone", "Last"];

/// The hub's name for each of them.
pub fn hub_name(field: &str) -> &'static str {
    match field {
        "First" => "first_name",
        "Company" => "company",
        "Phone" => "phone",
        _ => "last_name",
    }
}

pub fn field() -> impl Generator<Value = &'static str> {
    prop::sample::select(BOTH_WAYS)
}

/// Texts that collide often, a few that get cut, a few that are kept as a digest, and telephone numbers.
pub fn value() -> impl Generator<Value = Value> {
    prop_oneof![
        6 => prop::sample::select(&["a", "A", "ab", "AB", "aB", "b", "B", "ba", "Ba", "c", "cc", "C"][..]).prop_map(text),
        1 => (0..4u8).prop_map(|n| text(&format!("a long name that gets cut {n}"))),
        1 => (0..4u8).prop_map(|n| text(&"word ".repeat(40 + usize::from(n)))),
        2 => (0..4u8).prop_map(|n| text(&format!("+1415555010{n}"))),
    ]
}

pub fn blank_or_value() -> impl Generator<Value = Option<Value>> {
    prop_oneof![1 => Just(None), 4 => value().prop_map(Some)]
}

pub fn quirks() -> impl Generator<Value = Vec<Quirk>> {
    let quirk =
        prop::sample::select(&[Quirk::Faithful, Quirk::Uppercases, Quirk::Truncates, Quirk::RewritesPhones][..]);
    prop::collection::vec(quirk, 1..4)
}

pub fn conflicts() -> impl Generator<Value = Strategy> {
    prop::sample::select(&[Strategy::CrmWins, Strategy::LocalWins, Strategy::NewestWins, Strategy::Manual][..])
}

/// Clocks of one millisecond and of one second.
pub fn tick() -> impl Generator<Value = i64> {
    prop::sample::select(&[1, 1000][..])
}

/// An empty world.
pub fn world() -> impl Generator<Value = World> {
    (quirks(), tick(), prop::collection::vec(any::<bool>(), 3)).prop_map(|(quirks, tick, echoes)| {
        let mut world = World::new(&quirks, tick);
        for (side, echoes) in world.sides.iter_mut().zip(echoes) {
            side.crm.echoes = echoes;
        }
        world
    })
}

pub fn trouble() -> impl Generator<Value = Trouble> {
    let edit = prop::option::weighted(0.3, (field().prop_map(str::to_owned), blank_or_value()));
    let (reader, killed) = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (edit, reader, killed).prop_map(|(edit, reader, killed)| Trouble { edit, reader, killed })
}

pub fn act() -> impl Generator<Value = Act> {
    prop_oneof![
        4 => (0..3usize, field(), blank_or_value()).prop_map(|(side, field, value)| Act::Edit { side, field, value }),
        2 => (field(), blank_or_value()).prop_map(|(field, value)| Act::Say { field, value }),
        1 => (0..3usize, prop::sample::select(&["First", "Own"][..]), value())
            .prop_map(|(side, field, value)| Act::Override { side, field, value }),
        1 => (1..3_000i64).prop_map(Act::Wait),
        1 => (0..3usize).prop_map(Act::Pull),
        1 => (0..3usize).prop_map(Act::Hold),
        1 => (0..3usize).prop_map(Act::ReceiveHeld),
        4 => (0..3usize, trouble()).prop_map(|(side, trouble)| Act::Push { side, trouble }),
    ]
}

pub fn acts() -> impl Generator<Value = Vec<Act>> {
    prop::collection::vec(act(), 0..20)
}

/// Whatever does not change a value.
pub fn quiet_act() -> impl Generator<Value = Act> {
    act().prop_map(|act| match act {
        Act::Edit { side, .. } | Act::Override { side, .. } => Act::Pull(side),
        Act::Say { .. } => Act::Wait(1_000),
        Act::Push { side, trouble } => Act::Push { side, trouble: Trouble { edit: None, ..trouble } },
        other => other,
    })
}

/// A world with a past.
pub fn lived_in() -> impl Generator<Value = World> {
    (world(), acts()).prop_map(|(mut world, acts)| {
        acts.iter().for_each(|act| world.play(act));
        world
    })
}

impl World {
    pub fn play(&mut self, act: &Act) {
        self.story.push(format!("{act:?}"));
        let of = |side: &usize| side % self.sides.len();
        match act {
            Act::Edit { side, field, value } => self.edit(of(side), field, value.as_ref()),
            Act::Say { field, value } => self.say(hub_name(field), value.clone()),
            Act::Override { side, field, value } => self.set_override(of(side), field, value.clone()),
            Act::Wait(ms) => self.now += ms,
            Act::Pull(side) => self.pull(of(side)),
            Act::Hold(side) => self.hold(of(side)),
            Act::ReceiveHeld(side) => self.receive_held(of(side)),
            Act::Push { side, trouble } => self.push(of(side), trouble),
        }
    }
}
