//! Every world comes to rest, and what it shows then.

use super::{acts::*, world::*};
use crate::planner::{spelling::is_spelling_of, wanted};
use proptest::prelude::*;

/// The fields that a side shows otherwise than the hub wants, for no good reason.
pub(super) fn astray(w: &World, i: usize) -> Vec<String> {
    let side = &w.sides[i];
    let wanted = wanted(&w.hub, &side.link, &w.mapping);
    let stray = |field: &&&str| {
        let (want, shown) = (wanted.get(**field).cloned().flatten(), side.crm.shown.get(**field));
        let rule = w.mapping.inbound(field).unwrap();
        let blank = shown.and_then(|value| rule.invert(value, &w.mapping.region)).is_none();
        let excused = (blank && !rule.clears) || side.link.parked.contains(**field);
        !excused && !is_spelling_of(want.map(|value| side.crm.quirk.spell(&value)).as_ref(), shown)
    };
    BOTH_WAYS.iter().filter(stray).map(|field| (*field).to_owned()).collect()
}

proptest! {
    #![proptest_config(super::cases(1000))]

    #[test]
    fn every_world_comes_to_rest(mut w in lived_in(), strategy in conflicts()) {
        w.policy.conflicts = strategy;
        let rounds = w.rest();
        prop_assert!(matches!(rounds, Some(n) if n <= 4), "still moving after {rounds:?}: {w:#?}");
    }

    #[test]
    fn at_rest_every_remote_shows_the_hub(mut w in lived_in(), strategy in conflicts()) {
        w.policy.conflicts = strategy;
        prop_assert!(w.rest().is_some());
        for i in 0..w.sides.len() {
            prop_assert_eq!(astray(&w, i), Vec::<String>::new(), "{:#?}", w);
        }
    }

    #[test]
    fn an_unopposed_edit_survives(mut w in lived_in(), f in field(), v in value(), side in 0..3usize) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        let before = w.shown(i, f).cloned();
        w.edit(i, f, Some(&v));
        let edited = w.shown(i, f).cloned();
        prop_assume!(before != edited);
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.shown(i, f), edited.as_ref(), "{:#?}", w);
        // It says what a request had said for that CRM alone, or something new: then the hub says it too.
        let alone = w.sides[i].link.overrides.contains_key(f);
        prop_assert!(alone || is_spelling_of(w.hub_of(f), edited.as_ref()), "{w:?}");
        for j in 0..w.sides.len() {
            prop_assert_eq!(astray(&w, j), Vec::<String>::new(), "{:#?}", w);
        }
    }

    #[test]
    fn a_second_look_changes_nothing(mut w in lived_in(), strategy in conflicts()) {
        w.policy.conflicts = strategy;
        prop_assert!(w.rest().is_some());
        let links = |w: &World| w.sides.iter().map(|s| s.link.clone()).collect::<Vec<_>>();
        let before = (w.hub.clone(), w.writes, links(&w));
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(&(w.hub.clone(), w.writes, links(&w)), &before);
    }

    /// One edit among looks and pushes in any order, some looks long delayed.
    #[test]
    fn one_edit_survives_delayed_looks(mut w in lived_in(), f in field(), side in 0..3usize, tail in prop::collection::vec((0..3usize, 0..4u8), 0..12)) {
        prop_assert!(w.rest().is_some());
        (0..w.sides.len()).for_each(|j| w.hold(j));
        let i = side % w.sides.len();
        w.edit(i, f, Some(&text("zz")));
        let edited = w.shown(i, f).cloned();
        for (side, step) in tail {
            let j = side % w.sides.len();
            match step {
                0 => w.push(j, &Trouble::default()),
                1 => w.receive_held(j),
                2 => w.push(j, &Trouble { killed: true, ..Trouble::default() }),
                _ => w.hold(j),
            }
        }
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.hub_of(f), edited.as_ref(), "{:#?}", w);
    }

    /// However far apart the looks are.
    #[test]
    fn edits_of_different_fields_both_survive(mut w in lived_in(), (f, g) in (field(), field()), i in 0..3usize, j in 0..3usize, tail in prop::collection::vec(quiet_act(), 0..8)) {
        prop_assume!(f != g);
        prop_assert!(w.rest().is_some());
        let (i, j) = (i % w.sides.len(), j % w.sides.len());
        w.edit(i, f, Some(&text("yy")));
        w.edit(j, g, Some(&text("zz")));
        let edited = (w.shown(i, f).cloned(), w.shown(j, g).cloned());
        tail.iter().for_each(|act| w.play(act));
        prop_assert!(w.rest().is_some());
        prop_assert_eq!((w.hub_of(f).cloned(), w.hub_of(g).cloned()), edited, "{:#?}", w);
        for i in 0..w.sides.len() {
            prop_assert_eq!(astray(&w, i), Vec::<String>::new(), "{:#?}", w);
        }
    }
}

/// An override stands until someone says something newer; then the field is the hub's again.
#[test]
fn a_value_for_one_crm_alone_stands_until_something_newer_is_said() {
    let mut w = World::new(&[Quirk::Faithful, Quirk::Faithful], 1);
    w.say("first_name", Some(text("Ada")));
    w.set_override(0, "First", text("VIP"));
    assert!(w.rest().is_some());
    assert_eq!((w.shown(0, "First"), w.shown(1, "First")), (Some(&text("VIP")), Some(&text("Ada"))));
    w.edit(1, "First", Some(&text("Augusta")));
    assert!(w.rest().is_some());
    assert_eq!((w.shown(0, "First"), w.shown(1, "First")), (Some(&text("Augusta")), Some(&text("Augusta"))));
}
