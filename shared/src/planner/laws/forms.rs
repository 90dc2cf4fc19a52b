//! Rules that spell values in a form of their own: whatever is lost by it, everything comes to rest.

use super::{acts::*, world::*};
use crate::{
    mapping::{Form, Rule},
    planner::spelling::is_spelling_of,
    record::Value,
};
use proptest::prelude::*;

/// Two connections with their own spelling of the same fields: the one has days, numbers and flags where the other has texts.
fn lossy() -> impl Strategy<Value = World> {
    let forms = [
        ("duration", "Seconds", "Duration_Text", Form::Number, Form::Text),
        ("due", "Due", "Due_At", Form::Date, Form::Time),
        ("opted_out", "Opted_Out", "Opted_Out_Text", Form::Flag, Form::Text),
        ("phone", "Phone_E164", "Phone_Text", Form::Phone, Form::Text),
        ("stage", "Stage", "Stage_Text", Form::Text, Form::Text),
    ];
    world().prop_map(move |mut w| {
        w.sides.truncate(2);
        for (hub, one, other, form, of_other) in forms {
            let rule = |remote: &str, form| Rule { form: Some(form), ..Rule::both(hub, remote) };
            w.mapping.rules.extend([rule(one, form), rule(other, of_other)]);
        }
        // A table with fewer stages than there are, and what only goes out in capitals.
        let stage = w.mapping.rules.iter_mut().find(|rule| rule.remote == "Stage").unwrap();
        stage.values = [("won", "closed"), ("open", "new")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        let loud = Rule { form: Some(Form::Upper), ..Rule::to_crm("company", "Company_Loud") };
        w.mapping.rules.push(loud);
        w
    })
}

const FORMED: [&str; 10] = [
    "Seconds",
    "Duration_Text",
    "Due",
    "Due_At",
    "Opted_Out",
    "Opted_Out_Text",
    "Phone_E164",
    "Phone_Text",
    "Stage",
    "Stage_Text",
];

fn edit() -> impl Strategy<Value = (usize, &'static str, Value)> {
    let text = prop::sample::select(
        &[
            "184",
            "184.0",
            "7",
            "long",
            "yes",
            "FALSE",
            "2026-11-21",
            "2026-11-21T09:00:00.250+02:00",
            "2026-11-22T00:00:00Z",
            "(415) 555-0100",
            "+14155550100",
            "won",
            "lost",
            "closed",
            "new",
        ][..],
    );
    let value = prop_oneof![
        4 => text.prop_map(text_of),
        1 => (0..3i64).prop_map(|n| Value::number(n.into())),
        1 => any::<bool>().prop_map(Value::Flag),
    ];
    (0..2usize, prop::sample::select(&FORMED[..]), value)
}

fn text_of(raw: &str) -> Value {
    text(raw)
}

/// The fields that a side shows otherwise than the hub says them there, for no good reason: what a rule cannot spell or hear, and what
/// waits for a person, stays as it is.
fn astray(w: &World, i: usize) -> Vec<(&str, Option<Value>, Option<Value>)> {
    let (side, region) = (&w.sides[i], &w.mapping.region);
    let rules = w.mapping.rules.iter().filter(|rule| FORMED.contains(&rule.remote.as_str()));
    let mut astray = Vec::new();
    for rule in rules.filter(|rule| !side.link.parked.contains(&rule.remote)) {
        let Some(said) = w.hub.get(&rule.hub).and_then(|said| rule.spelt(said, region)) else { continue };
        let shown = side.crm.shown.get(&rule.remote);
        let heard = |value: &Value| rule.heard(value, &w.hub, region);
        let unheard = shown.is_some_and(|shown| heard(shown).0.is_none() || heard(shown).1.is_some());
        let same = shown.is_some_and(|shown| heard(shown) == heard(&said));
        // The CRM has a spelling of its own, too.
        if !unheard && !same && !is_spelling_of(Some(&side.crm.quirk.spell(&said)), shown) {
            astray.push((rule.remote.as_str(), Some(said), shown.cloned()));
        }
    }
    astray
}

/// What a CRM makes of our spelling is no edit of the hub's value.
#[test]
fn a_number_in_a_text_of_another_spelling_is_the_same_number() {
    let mut w = World::new(&[Quirk::Faithful], 1);
    let rule = Rule { form: Some(Form::Text), ..Rule::both("duration", "Duration_Text") };
    w.mapping.rules.push(rule);
    w.say("duration", Some(Value::number(184.into())));
    assert!(w.rest().is_some());
    assert_eq!(w.shown(0, "Duration_Text"), Some(&text("184")));
    let before = w.hub.clone();
    w.edit(0, "Duration_Text", Some(&text("184.00")));
    assert!(w.rest().is_some());
    assert_eq!(w.hub, before);
    w.edit(0, "Duration_Text", Some(&text("185.50")));
    assert!(w.rest().is_some());
    assert_eq!(w.hub_of("Duration_Text"), Some(&Value::number(serde_json::Number::from_f64(185.5).unwrap())));
}

proptest! {
    #![proptest_config(super::cases(1000))]

    /// Every field twice on each side, in two forms: an edit of the one is heard, told to the other three, and that is all.
    #[test]
    fn lossy_mappings_come_to_rest_within_two_rounds(mut w in lossy(), edits in prop::collection::vec(edit(), 0..8), strategy in conflicts(), apart in any::<bool>()) {
        w.policy.conflicts = strategy;
        for (side, field, value) in edits {
            let i = side % w.sides.len();
            w.edit(i, field, Some(&value));
            if apart {
                let rounds = w.rest();
                prop_assert!(matches!(rounds, Some(n) if n <= 2), "still moving after {rounds:?}: {w:#?}");
            }
        }
        let rounds = w.rest();
        prop_assert!(matches!(rounds, Some(n) if n <= 2), "still moving after {rounds:?}: {w:#?}");
        for i in 0..w.sides.len() {
            prop_assert!(astray(&w, i).is_empty(), "{:?}: {w:#?}", astray(&w, i));
        }
        let before = (w.writes, w.hub.clone());
        prop_assert_eq!(w.rest(), Some(0));
        prop_assert_eq!(&(w.writes, w.hub.clone()), &before);
    }
}
