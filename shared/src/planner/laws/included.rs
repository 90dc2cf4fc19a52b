//! Who is not a CRM's business is neither made nor changed there, and comes as soon as they are.

use super::{acts::*, world::*};
use crate::mapping::Formula;
use proptest::prelude::*;

/// A world in which only those of a company are the CRMs' business.
fn choosing() -> impl Strategy<Value = World> {
    world().prop_map(|mut w| {
        w.mapping.include = Some(Formula::parse("company == 'ab'").unwrap());
        w
    })
}

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn nothing_is_written_of_who_is_not_included(mut w in choosing(), acts in acts()) {
        acts.iter().for_each(|act| w.play(act));
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.uninvited, 0, "{:?}", w);
        let before = w.writes;
        w.say("company", Some(text("elsewhere")));
        w.say("phone", Some(text("+14155550100")));
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.writes, before);
    }

    #[test]
    fn who_comes_to_be_included_is_told_of_whole(mut w in choosing(), acts in acts()) {
        acts.iter().for_each(|act| w.play(act));
        prop_assert!(w.rest().is_some());
        w.say("company", Some(text("ab")));
        prop_assert!(w.rest().is_some());
        for i in 0..w.sides.len() {
            prop_assert_eq!(super::rest::astray(&w, i), Vec::<String>::new(), "{:?}", w);
        }
    }
}
