//! What is computed follows what it is computed of; what a CRM's users make of it says nothing.

use super::{acts::*, world::*};
use crate::{
    mapping::{Formula, Rule},
    planner::spelling::is_spelling_of,
};
use proptest::prelude::*;

const LABEL: &str = "Label";
const SIZE: &str = "Size";

fn label() -> Formula {
    Formula::parse("{{first_name}}, if you please").unwrap()
}

fn size() -> Formula {
    Formula::parse(r#""small" if company == "c" else "large""#).unwrap()
}

fn computing() -> impl Strategy<Value = World> {
    world().prop_map(|mut w| {
        w.mapping.rules.extend([Rule::computed("label", label(), LABEL), Rule::computed("size", size(), SIZE)]);
        w
    })
}

/// Of a field that only goes out, what a writer wrote that did not live to tell is taken for a user's: it stays until something else is
/// computed than was agreed last.
fn told(acts: Vec<Act>) -> Vec<Act> {
    let told = |act| match act {
        Act::Push { side, trouble } => Act::Push { side, trouble: Trouble { killed: false, ..trouble } },
        act => act,
    };
    acts.into_iter().map(told).collect()
}

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn what_is_computed_follows(mut w in computing(), acts in acts().prop_map(told)) {
        acts.iter().for_each(|act| w.play(act));
        prop_assert!(w.rest().is_some());
        for side in &w.sides {
            for (formula, field) in [(label(), LABEL), (size(), SIZE)] {
                let computed = formula.of(&w.hub);
                let shown = side.crm.shown.get(field);
                let spelt = computed.as_ref().map(|value| side.crm.quirk.spell(value));
                let excused = computed.is_none() || side.crm.shown.len() == 1 || shown == spelt.as_ref();
                prop_assert!(excused || is_spelling_of(computed.as_ref(), shown), "{w:?}");
            }
        }
        prop_assert!(w.hub.said("label").is_none(), "it is nobody's field");
    }

    #[test]
    fn what_users_make_of_it_stays_where_it_is(mut w in computing(), acts in acts(), v in value()) {
        acts.iter().for_each(|act| w.play(act));
        prop_assert!(w.rest().is_some());
        let before = w.hub.clone();
        w.edit(0, LABEL, Some(&v));
        let shown = w.shown(0, LABEL).cloned();
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(&w.hub, &before);
        prop_assert_eq!(w.shown(0, LABEL), shown.as_ref());
    }
}
