//! Rule 1: a stale look changes nothing.

use super::{acts::*, world::*};
use crate::planner::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(super::cases(1000))]

    /// A page is held while edits, pushes and looks go on. At the end it reverts nothing.
    #[test]
    fn a_page_held_back_reverts_nothing(mut w in lived_in(), side in 0..3usize, acts in prop::collection::vec(act(), 1..8)) {
        let i = side % w.sides.len();
        w.hold(i);
        let page = w.sides[i].held.last().cloned().unwrap();
        acts.iter().for_each(|act| w.play(act));
        prop_assert!(w.rest().is_some());
        w.pull(i);
        let (hub, writes) = (w.hub.clone(), w.writes);
        w.receive(i, &page, Taken::Sometime);
        prop_assert!(w.rest().is_some());
        prop_assert_eq!((&w.hub, w.writes), (&hub, writes), "{:#?}", page);
    }

    /// A look that was requested before the link moved is not reused, however new it looks.
    #[test]
    fn a_look_from_before_the_link_moved_is_never_absorbed(w in lived_in(), side in 0..3usize, back in 1..4u64) {
        let i = side % w.sides.len();
        let link = &w.sides[i].link;
        prop_assume!(link.rev >= back);
        let taken = Taken::After { rev: link.rev - back };
        prop_assert_ne!(freshness(link, &w.look(i), taken, &w.mapping), Freshness::Absorb);
    }

    /// What no later look has shown is never dropped for good: it is fetched again.
    #[test]
    fn a_look_that_shows_something_unknown_is_never_just_dropped(mut w in lived_in(), f in field(), side in 0..3usize, older in 0..5_000i64) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        let mut page = w.look(i);
        page.fields.insert(f.to_owned(), Some(text("zz")));
        page.modified = Some(time(w.sides[i].crm.modified - older));
        prop_assert_eq!(freshness(&w.sides[i].link, &page, Taken::Sometime, &w.mapping), Freshness::FetchAgain);
    }

    #[test]
    fn a_page_that_shows_our_own_write_costs_nothing(mut w in lived_in(), side in 0..3usize) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.pull(i);
        prop_assert_eq!(freshness(&w.sides[i].link, &w.look(i), Taken::Sometime, &w.mapping), Freshness::Drop);
        let before = w.sides[i].link.clone();
        w.pull(i);
        prop_assert_eq!(&w.sides[i].link, &before);
    }
}

/// A page never tells that a remote which is gone is back: that is asked of the CRM.
#[test]
fn a_page_does_not_bring_a_deleted_remote_back() {
    let mut w = World::new(&[Quirk::Faithful], 1);
    w.edit(0, "First", Some(&text("Ada")));
    w.hold(0);
    w.sides[0].link.gone = Some(crate::record::Gone::Deleted { at: time(w.now) });
    let page = w.sides[0].held[0].clone();
    assert_eq!(freshness(&w.sides[0].link, &page, Taken::Sometime, &w.mapping), Freshness::FetchAgain);
}
