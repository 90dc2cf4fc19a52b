//! Rule 2: not shown is not blank, and a blank under a keep rule says nothing.

use super::{acts::*, world::*};
use proptest::prelude::*;

proptest! {
    #![proptest_config(super::cases(1000))]

    /// The CRM stops showing some fields, and is edited in them.
    #[test]
    fn a_field_that_is_not_shown_says_nothing(mut w in lived_in(), hidden in prop::sample::subsequence(BOTH_WAYS, 1..4), side in 0..3usize, v in blank_or_value()) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        let (hub, agreed, writes) = (w.hub.clone(), w.sides[i].link.agreed.clone(), w.writes);
        for field in &hidden {
            w.sides[i].crm.hidden.insert((*field).to_owned());
            w.edit(i, field, v.as_ref());
        }
        prop_assert!(w.rest().is_some());
        for field in &hidden {
            prop_assert_eq!(w.hub.written(hub_name(field)), hub.written(hub_name(field)));
            prop_assert_eq!(w.sides[i].link.agreed.get(*field), agreed.get(*field));
        }
        prop_assert_eq!(w.writes, writes);
        // As soon as it is shown again, it counts as any other edit.
        w.sides[i].crm.hidden.clear();
        prop_assert!(w.rest().is_some());
        for field in hidden.iter().filter(|_| v.is_some()) {
            prop_assert!(w.sides[i].link.agreed[*field].theirs_is(w.shown(i, field)), "{w:#?}");
        }
    }

    /// An answer that does not repeat what was written leaves the CRM's spelling unknown, not blank.
    #[test]
    fn a_write_whose_field_is_not_shown_comes_to_rest(mut w in world(), f in field(), v in value(), side in 0..3usize) {
        let i = side % w.sides.len();
        prop_assert!(w.rest().is_some());
        w.sides[i].crm.hidden.insert(f.to_owned());
        w.say(hub_name(f), Some(v.clone()));
        prop_assert!(w.rest().is_some());
        let (hub, writes) = (w.hub.clone(), w.writes);
        prop_assert_eq!(hub.get(hub_name(f)), Some(&v));
        w.sides[i].crm.hidden.clear();
        prop_assert!(w.rest().is_some());
        prop_assert_eq!((&w.hub, w.writes), (&hub, writes), "the CRM's spelling was taken for an edit");
    }

    #[test]
    fn a_blank_under_a_keep_rule_stays_until_the_hub_changes(mut w in lived_in(), f in prop::sample::select(&["First", "Phone"][..]), side in 0..3usize, v in value()) {
        w.say(hub_name(f), Some(text("kept")));
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        let (hub, writes) = (w.hub.clone(), w.writes);
        w.edit(i, f, None);
        prop_assert!(w.rest().is_some());
        prop_assert_eq!((&w.hub, w.writes, w.shown(i, f)), (&hub, writes, None));
        prop_assert!(w.sides[i].link.agreed[f].theirs.is_none());
        prop_assume!(w.hub_of(f) != Some(&v));
        w.say(hub_name(f), Some(v.clone()));
        prop_assert!(w.rest().is_some());
        let spelt = w.sides[i].crm.quirk.spell(&v);
        prop_assert_eq!(w.shown(i, f), Some(&spelt));
    }

    #[test]
    fn a_blank_under_a_clear_rule_clears_everywhere(mut w in lived_in(), side in 0..3usize) {
        w.say("company", Some(text("kept")));
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.edit(i, "Company", None);
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.hub_of("Company"), None);
        for i in 0..w.sides.len() {
            prop_assert_eq!(w.shown(i, "Company"), None);
        }
    }

    /// A value that the hub's field cannot hold.
    #[test]
    fn a_misfit_stays_where_it_is(mut w in lived_in(), side in 0..3usize, minutes in 0..100i64, conflict in any::<bool>()) {
        w.say("duration", Some(crate::record::Value::number(minutes.into())));
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.policy.conflicts = crate::planner::Strategy::CrmWins;
        if conflict {
            w.say("duration", Some(crate::record::Value::number((minutes + 1).into())));
        }
        let (hub, misfits) = (w.hub.clone(), w.sides[i].misfits);
        w.edit(i, "Duration", Some(&text("long")));
        prop_assert!(w.rest().is_some());
        let long = w.sides[i].crm.quirk.spell(&text("long"));
        prop_assert_eq!((&w.hub, w.shown(i, "Duration"), w.sides[i].misfits), (&hub, Some(&long), misfits + 1));
        w.say("duration", Some(crate::record::Value::number((minutes + 2).into())));
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.shown(i, "Duration").map(ToString::to_string), Some((minutes + 2).to_string()));
    }
}
