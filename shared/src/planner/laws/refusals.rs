//! Rule 5: a refused record rests.

use super::{acts::*, world::*};
use crate::{
    planner::{fingerprint, wanted},
    record::Value,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn a_refused_record_rests_until_something_else_is_wanted(mut w in lived_in(), (f, g) in (field(), field()), side in 0..3usize) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.sides[i].crm.refuses = true;
        w.say(hub_name(f), Some(text("bad")));
        prop_assert!(w.rest().is_some());
        let tried = w.writes;
        prop_assert!(w.sides[i].link.refused.is_some());
        // Neither another try nor an edit that enters the hub as it is.
        w.push(i, &Trouble::default());
        prop_assert_eq!(w.writes, tried);
        w.edit(i, "Owner", Some(&text("someone")));
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.writes, tried);
        prop_assert_eq!(w.hub.get("owner"), Some(&w.sides[i].crm.quirk.spell(&text("someone"))), "looks go on");
        // Another value is another try.
        w.sides[i].crm.refuses = false;
        w.say(hub_name(g), Some(text("good")));
        prop_assert!(w.rest().is_some());
        let good = w.sides[i].crm.quirk.spell(&text("good"));
        prop_assert_eq!((w.shown(i, g), &w.sides[i].link.refused), (Some(&good), &None));
    }

    #[test]
    fn a_refused_record_is_tried_again_under_another_mapping(mut w in lived_in(), f in field(), side in 0..3usize) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.sides[i].crm.refuses = true;
        w.say(hub_name(f), Some(text("bad")));
        prop_assert!(w.rest().is_some());
        prop_assert!(w.pending(i).is_empty());
        w.sides[i].crm.refuses = false;
        w.mapping.version += 1;
        prop_assert!(!w.pending(i).is_empty());
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.shown(i, f), Some(&w.sides[i].crm.quirk.spell(&text("bad"))));
    }

    /// Two things that are wanted have one fingerprint only if they are the same thing.
    #[test]
    fn a_fingerprint_tells_what_is_wanted_apart(a in lived_in(), b in lived_in(), version in 1..3u64) {
        let mut mapping = mapping();
        mapping.version = version;
        let of = |w: &World, mapping| wanted(&w.hub, &w.sides[0].link, mapping);
        let (one, other) = (of(&a, &a.mapping), of(&b, &mapping));
        let same = fingerprint(&one, &a.mapping) == fingerprint(&other, &mapping);
        prop_assert_eq!(same, one == other && a.mapping.version == version);
    }
}

#[test]
fn a_list_and_its_spelling_have_different_fingerprints() {
    let list = |items: &[&str]| Value::from_json(&serde_json::json!(items)).unwrap();
    let of = |value| fingerprint(&[("Tags".to_owned(), value)].into(), &mapping());
    assert_ne!(of(list(&["a;b"])), of(list(&["a", "b"])));
    assert_ne!(of(list(&["a"])), of(Some(text("[\"a\"]"))));
    assert_ne!(of(None), of(Some(text("-"))));
}
