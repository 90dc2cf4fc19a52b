//! Values: long ones are kept as a digest, and a CRM's spelling of ours is told from an edit.

use super::{acts::*, world::*};
use crate::{
    planner::spelling::is_spelling_of,
    record::{Agreed, Value},
};
use proptest::prelude::*;

fn any_text() -> impl Strategy<Value = Value> {
    prop_oneof!["[a-z]{1,3}", "[ab]{120,136}", "\\PC{1,160}"].prop_filter_map("blank", |raw| Value::text(&raw))
}

proptest! {
    #![proptest_config(super::cases(1000))]

    /// Whatever an agreement keeps of a value tells it from every other.
    #[test]
    fn a_long_value_is_compared_as_itself((a, b) in (any_text(), any_text()), near in any::<bool>()) {
        let b = if near { text(&format!("{a}x")) } else { b };
        let agreed = Agreed::new(Some(&a), Some(&b));
        prop_assert!(agreed.ours_is(Some(&a)) && agreed.theirs_is(Some(&b)));
        prop_assert_eq!(agreed.ours_is(Some(&b)), a == b);
        prop_assert!(!agreed.ours_is(None));
        let again = Agreed::new(agreed.ours.as_ref(), agreed.theirs.as_ref());
        prop_assert_eq!(&again, &agreed, "an agreement about a digest is that agreement");
        prop_assert!(serde_json::to_string(&agreed).unwrap().len() < 700);
    }

    #[test]
    fn a_long_value_travels_whole(mut w in lived_in(), f in field(), side in 0..3usize, n in 0..9u8) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.edit(i, f, Some(&text(&format!("{}{n}", "long ".repeat(50)))));
        let shown = w.shown(i, f).cloned();
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.hub_of(f), shown.as_ref());
        for side in &w.sides {
            prop_assert_eq!(side.crm.shown.get(f).cloned(), shown.as_ref().map(|v| side.crm.quirk.spell(v)));
        }
    }

    #[test]
    fn every_quirk_spells_what_it_was_sent(v in value(), quirks in quirks()) {
        prop_assert!(quirks.iter().all(|quirk| is_spelling_of(Some(&v), Some(&quirk.spell(&v)))));
    }

    #[test]
    fn another_value_is_no_spelling((v, u) in ("[a-c]{1,8}", "[a-c]{1,8}")) {
        prop_assume!(v != u);
        prop_assert!(!is_spelling_of(Some(&text(&v)), Some(&text(&u))));
    }
}

#[test]
fn what_is_a_spelling_and_what_is_an_edit() {
    let number = |n: f64| Value::number(serde_json::Number::from_f64(n).unwrap());
    let check = |sent: &Value, shown: &Value, is: bool| {
        assert_eq!(is_spelling_of(Some(sent), Some(shown)), is, "{sent} {shown}")
    };
    check(&text("+14155550100"), &text("(415) 555-0100"), true);
    check(&text("+14155550100"), &text("555-0100"), true);
    check(&text("+14155550100"), &text("0100"), false);
    check(&text("Ada"), &text("ADA"), true);
    check(&text("Straße"), &text("STRASSE"), true);
    check(&text("Jonathan"), &text("Jon"), false);
    check(&text("-"), &text("?"), false);
    check(&number(1.5), &number(15.0), false);
    check(&number(184.0), &text("184"), true);
    check(&number(184.0), &text("184.00"), true);
    check(&number(184.0), &text("1"), false);
    assert!(!is_spelling_of(Some(&text("Ada")), None));
    assert!(is_spelling_of(None, None));
}
