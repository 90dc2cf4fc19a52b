//! Rule 4: no blind write, and an edit that races one is absorbed, not swallowed.

use super::{acts::*, world::*};
use proptest::prelude::*;

proptest! {
    #![proptest_config(super::cases(1000))]

    /// Between the write and the read-back, a person edits a field: the one that was written, or another.
    #[test]
    fn an_edit_between_write_and_read_back_is_absorbed(mut w in lived_in(), (f, g) in (field(), field()), side in 0..3usize, reader in any::<bool>(), gap in 0..2_000i64) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.say(hub_name(f), Some(text("ours")));
        w.now += gap;
        w.push(i, &Trouble { edit: Some((g.to_owned(), Some(text("theirs")))), reader, killed: false });
        let theirs = w.shown(i, g).cloned();
        prop_assert_eq!(theirs.as_ref(), Some(&w.sides[i].crm.quirk.spell(&text("theirs"))));
        prop_assert!(w.rest().is_some());
        if !reader {
            prop_assert_eq!(w.hub_of(g), theirs.as_ref(), "{:?}", w);
        }
        // A reader that comes between sees a conflict where the field is the same; either value may win, none is half.
        let hub = w.hub_of(g).cloned();
        prop_assert!(hub == theirs || (f == g && hub == Some(text("ours"))), "{w:?}");
        prop_assert!(crate::planner::spelling::is_spelling_of(hub.as_ref(), w.shown(i, g)), "{w:?}");
    }

    /// Our own value in the CRM's spelling is no edit, whoever sees it first and whatever became of the writer.
    #[test]
    fn our_own_write_is_never_taken_for_an_edit(mut w in lived_in(), f in field(), v in value(), side in 0..3usize, reader in any::<bool>(), killed in any::<bool>()) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.say(hub_name(f), Some(v.clone()));
        w.push(i, &Trouble { edit: None, reader, killed });
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.hub_of(f), Some(&v), "{:?}", w);
        let writer = w.hub.written(hub_name(f)).map(|written| written.source.clone());
        prop_assert_eq!(writer, Some(product()));
    }

    /// An edit that was made before our write is read first, and judged.
    #[test]
    fn nothing_is_written_over_an_edit_that_was_not_looked_at(mut w in lived_in(), f in field(), side in 0..3usize) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.say(hub_name(f), Some(text("ours")));
        w.now += 5_000;
        w.edit(i, f, Some(&text("theirs")));
        let theirs = w.shown(i, f).cloned();
        w.policy.conflicts = crate::planner::Strategy::CrmWins;
        w.push(i, &Trouble::default());
        prop_assert_eq!((w.shown(i, f), w.hub_of(f)), (theirs.as_ref(), theirs.as_ref()));
    }

    /// A loser of the race to commit settles the same write again, on the link as it now is.
    #[test]
    fn settling_twice_is_settling_once(mut w in lived_in(), f in field(), v in value(), side in 0..3usize) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.say(hub_name(f), Some(v));
        let sent = w.pending(i);
        w.push(i, &Trouble::default());
        let (link, seen) = (&w.sides[i].link, w.look(i));
        let again = crate::planner::settle(link, &sent, &seen, crate::planner::Shown::After(seen.modified));
        prop_assert_eq!(again, crate::record::Link { rev: link.rev + 1, ..link.clone() });
    }
}
