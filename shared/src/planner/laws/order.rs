//! With edits and their times fixed, in what order, how late and how often they are looked at plays no part.

use super::{acts::*, rest::astray, world::*};
use crate::{
    planner::{Policy, Strategy as Conflicts, spelling::is_spelling_of},
    record::{Value, Written},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What happens before anybody looks: users edit the CRMs, and the product says things.
///
/// Each says something that nobody has said: who says what the hub says already has said nothing, whenever it was.
#[derive(Clone, Debug)]
enum Deed {
    Edit(usize, &'static str),
    Say(&'static str),
}

fn deeds() -> impl Strategy<Value = Vec<(Deed, i64)>> {
    let deed = prop_oneof![
        3 => (0..3usize, field()).prop_map(|(side, field)| Deed::Edit(side, field)),
        1 => field().prop_map(Deed::Say),
    ];
    prop::collection::vec((deed, 0..3_000i64), 1..8)
}

/// Looks at the sides: at once, or fetched now and absorbed whenever it comes to that, perhaps twice.
fn looks() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0..3usize, 0..4u8), 0..10)
}

/// A world at rest in which all agree, and what happens in it then.
fn told(mut w: World, strategy: Conflicts, deeds: &[(Deed, i64)]) -> Option<World> {
    w.policy.conflicts = strategy;
    w.rest()?;
    let is_settled = |side: &Side| side.link.overrides.is_empty() && side.link.parked.is_empty();
    // Where a CRM shows a value of its own, or one that waits for a person, there is no common ground.
    w.sides.iter().all(is_settled).then_some(())?;
    w.sides.iter_mut().for_each(|side| {
        side.held.clear();
        side.parked.clear();
    });
    for (n, (deed, wait)) in deeds.iter().enumerate() {
        w.now += wait;
        // Neither later values nor earlier ones are always the greater ones.
        let value = text(&format!("{} {n}", n * 7 % 8));
        match deed {
            Deed::Edit(side, field) => w.edit(side % w.sides.len(), field, Some(&value)),
            Deed::Say(field) => w.say(hub_name(field), Some(value)),
        }
    }
    Some(w)
}

impl World {
    fn looked_at(mut self, looks: &[(usize, u8)]) -> World {
        for (side, how) in looks {
            let i = side % self.sides.len();
            match how {
                0 => self.pull(i),
                1 => self.hold(i),
                2 => self.receive_held(i),
                _ => {
                    let again = self.sides[i].held.clone();
                    self.receive_held(i);
                    self.sides[i].held = again;
                }
            }
        }
        let mut order: Vec<usize> = looks.iter().map(|(side, _)| side % self.sides.len()).collect();
        order.extend(0..self.sides.len());
        order.into_iter().for_each(|i| self.pull(i));
        self
    }

    /// By the hub's field, what it says in the end.
    fn says(&self) -> BTreeMap<&'static str, Option<Value>> {
        BOTH_WAYS.iter().map(|field| (*field, self.hub_of(field).cloned())).collect()
    }
}

fn alike(one: &BTreeMap<&str, Option<Value>>, other: &BTreeMap<&str, Option<Value>>) -> bool {
    let spells = |a: Option<&Value>, b: Option<&Value>| is_spelling_of(a, b) || is_spelling_of(b, a);
    one.iter().all(|(field, value)| spells(value.as_ref(), other.get(field).and_then(Option::as_ref)))
}

/// What is asked of a person: by field, what was agreed, and all the values that are put before them.
fn asked(w: &World) -> BTreeMap<String, (Option<String>, BTreeSet<Option<String>>)> {
    let plain = |value: &Option<Value>| value.as_ref().map(|value| value.to_string().to_lowercase());
    let mut asked: BTreeMap<String, (Option<String>, BTreeSet<Option<String>>)> = BTreeMap::new();
    for parked in w.sides.iter().flat_map(|side| &side.parked) {
        let (base, candidates) = asked.entry(parked.field.clone()).or_default();
        *base = plain(&parked.base);
        candidates.extend([plain(&parked.ours), plain(&parked.theirs)]);
    }
    asked
}

proptest! {
    #![proptest_config(super::cases(2000))]

    /// A CRM tells when a record changed, not when a field did: two of its writes may overlap with one of the product's, and then the newest
    /// is not known. What the CRMs' users do among themselves ends alike by that strategy too.
    #[test]
    fn the_order_of_looks_plays_no_part(w in lived_in(), strategy in prop::sample::select(&[Conflicts::CrmWins, Conflicts::LocalWins, Conflicts::NewestWins][..]), deeds in deeds(), (some, others) in (looks(), looks())) {
        prop_assume!(strategy != Conflicts::NewestWins || deeds.iter().all(|(deed, _)| matches!(deed, Deed::Edit(..))));
        let w = told(w, strategy, &deeds);
        prop_assume!(w.is_some());
        let w = w.unwrap();
        let end = |looks: &[(usize, u8)]| {
            let mut w = w.clone().looked_at(looks);
            (w.rest(), w)
        };
        let ((rest, one), (_, other)) = (end(&some), end(&others));
        prop_assert!(rest.is_some());
        prop_assert!(alike(&one.says(), &other.says()), "{:#?} or {:#?}\n{one:?}{other:?}", one.says(), other.says());
        for w in [&one, &other] {
            prop_assert!((0..w.sides.len()).all(|i| astray(w, i).is_empty()), "{w:?}");
        }
    }

    /// Which of two edits is taken first, and which waits, may be another; what a person is asked is the same.
    #[test]
    fn the_same_is_asked_in_whatever_order_it_is_found(w in lived_in(), deeds in deeds(), (some, others) in (looks(), looks())) {
        let w = told(w, Conflicts::Manual, &deeds);
        prop_assume!(w.is_some());
        let w = w.unwrap();
        prop_assert_eq!(asked(&w.clone().looked_at(&some)), asked(&w.clone().looked_at(&others)), "{:?}", w);
    }

    /// Where each write has its own time, the newest one wins, in whatever order they come and however often.
    #[test]
    fn by_times_of_their_own_the_newest_wins(times in prop::collection::btree_set(0..5_000i64, 1..8), order in prop::collection::vec(any::<prop::sample::Index>(), 0..8), turned in any::<bool>()) {
        let write = |at: &i64| Written::new(Some(text(&format!("{}", at % 10))), time(*at), &format!("source-{}", at % 3).parse().unwrap());
        let writes: Vec<Written> = times.iter().map(write).collect();
        let mut coming: Vec<&Written> = order.iter().map(|index| index.get(&writes)).chain(&writes).collect();
        if turned {
            coming.reverse();
        }
        let policy = Policy::default();
        let last = coming.into_iter().reduce(|stands, comes| if policy.beats(comes, stands) { comes } else { stands });
        prop_assert_eq!(last, writes.last());
    }
}
