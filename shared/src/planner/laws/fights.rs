//! Rule 3: two machines that fight over a field are parted, and only over that field.

use super::{acts::*, world::*};
use crate::planner::Strategy;
use proptest::prelude::*;

/// Each round, whoever shows another value than its own machine's sets it back.
fn rounds(w: &mut World, rounds: usize, minutes: i64) {
    for _ in 0..rounds {
        for i in 0..w.sides.len() {
            w.push(i, &Trouble::default());
        }
        w.now += minutes * 60_000;
    }
}

fn fight(tick: i64, f: &str) -> World {
    let mut w = World::new(&[Quirk::Faithful, Quirk::Faithful], tick);
    for (i, value) in ["left", "right"].into_iter().enumerate() {
        w.sides[i].crm.automation = Some((f.to_owned(), text(value)));
    }
    w.say(hub_name(f), Some(text("middle")));
    w
}

fn parked(w: &World) -> Vec<String> {
    w.sides.iter().flat_map(|side| side.link.parked.iter().cloned()).collect()
}

proptest! {
    #![proptest_config(super::cases(200))]

    #[test]
    fn a_field_that_alternates_more_than_four_times_an_hour_is_parked(f in field(), g in field(), tick in tick(), minutes in 1..6i64) {
        prop_assume!(f != g);
        let mut w = fight(tick, f);
        rounds(&mut w, 12, minutes);
        prop_assert!(parked(&w).contains(&f.to_owned()), "{w:#?}");
        let writes = w.writes;
        rounds(&mut w, 12, minutes);
        prop_assert_eq!(w.writes, writes, "still fighting");
        // Time alone does not end it: a person does. Meanwhile the other fields go on.
        w.now += 7_200_000;
        w.edit(0, g, Some(&text("other")));
        rounds(&mut w, 3, minutes);
        prop_assert_eq!(w.shown(1, g), Some(&text("other")));
        prop_assert!(parked(&w).iter().all(|parked| parked == f));
    }

    /// Four returns in an hour are borne.
    #[test]
    fn a_field_that_alternates_slowly_is_never_parked(f in field(), tick in tick(), minutes in 16..40i64) {
        let mut w = fight(tick, f);
        rounds(&mut w, 12, minutes);
        prop_assert_eq!(parked(&w), Vec::<String>::new());
    }

    #[test]
    fn manual_parks_only_the_field_in_conflict(mut w in lived_in(), (f, g) in (field(), field()), side in 0..3usize, ours_wins in any::<bool>()) {
        prop_assume!(f != g);
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.policy.conflicts = Strategy::Manual;
        w.say(hub_name(f), Some(text("ours")));
        w.edit(i, f, Some(&text("theirs")));
        w.edit(i, g, Some(&text("more")));
        let (theirs, more) = (w.shown(i, f).cloned(), w.shown(i, g).cloned());
        w.pull(i);
        w.push(i, &Trouble::default());
        prop_assert_eq!(w.sides[i].link.parked.iter().map(String::as_str).collect::<Vec<_>>(), vec![f]);
        prop_assert_eq!((w.hub_of(f), w.shown(i, f)), (Some(&text("ours")), theirs.as_ref()), "each keeps its own");
        prop_assert_eq!(w.hub_of(g), more.as_ref());
        // The decision.
        w.sides[i].link.parked.clear();
        if !ours_wins {
            w.say(hub_name(f), theirs.clone());
        }
        prop_assert!(w.rest().is_some());
        let end = if ours_wins { Some(w.sides[i].crm.quirk.spell(&text("ours"))) } else { theirs };
        prop_assert_eq!(w.shown(i, f), end.as_ref());
        prop_assert!(w.sides[i].link.parked.is_empty());
    }

    /// Once both sides say the same, there is nothing to decide.
    #[test]
    fn a_parked_field_is_free_again_when_both_sides_agree(f in field(), tick in tick()) {
        let mut w = World::new(&[Quirk::Faithful], tick);
        w.policy.conflicts = Strategy::Manual;
        w.say(hub_name(f), Some(text("ours")));
        w.edit(0, f, Some(&text("theirs")));
        w.pull(0);
        prop_assert_eq!(parked(&w), vec![f.to_owned()]);
        w.edit(0, f, Some(&text("ours")));
        w.pull(0);
        prop_assert_eq!(parked(&w), Vec::<String>::new());
    }
}
