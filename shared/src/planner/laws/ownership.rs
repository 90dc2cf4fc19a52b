//! What is not a source's to write it never changes; what the hub says there stands everywhere.

use super::{acts::*, world::*};
use crate::planner::{Ownership, Strategy as Conflicts};
use proptest::prelude::*;
use serde_json::json;

/// Any owners of the fields that flow both ways; some have none listed.
fn ownership() -> impl Strategy<Value = Ownership> {
    let owners = prop::option::of(prop::sample::subsequence(vec!["crm", "crm-0", "crm-1", "workflow"], 0..3));
    prop::collection::vec(owners, BOTH_WAYS.len()).prop_map(|owners| {
        let owned = BOTH_WAYS.iter().zip(owners).filter_map(|(field, owners)| Some((hub_name(field), owners?)));
        serde_json::from_value(owned.map(|(field, owners)| (field.to_owned(), json!(owners))).collect()).unwrap()
    })
}

/// What the hub says by a CRM that may not.
fn usurped(w: &World) -> Vec<String> {
    let usurps = |source: &str| w.sides.iter().find(|side| side.connection.as_str() == source).map(|s| &s.connection);
    let fields = w.hub.iter().filter(|(field, written)| {
        usurps(written.source.as_str()).is_some_and(|crm| !w.ownership.allows_crm(field, crm))
    });
    fields.map(|(field, _)| field.clone()).collect()
}

proptest! {
    #![proptest_config(super::cases(1000))]

    #[test]
    fn a_refused_source_never_changes_a_field(mut w in world(), ownership in ownership(), strategy in conflicts(), acts in acts()) {
        (w.ownership, w.policy.conflicts) = (ownership, strategy);
        for act in &acts {
            w.play(act);
            prop_assert_eq!(usurped(&w), Vec::<String>::new(), "{:?}", w);
        }
        let rounds = w.rest();
        prop_assert!(matches!(rounds, Some(n) if n <= 4), "still moving after {rounds:?}: {w:?}");
        prop_assert_eq!(usurped(&w), Vec::<String>::new(), "{:?}", w);
    }

    /// Also where the owners were others before.
    #[test]
    fn at_rest_every_remote_shows_what_the_owners_say(mut w in lived_in(), ownership in ownership(), strategy in conflicts(), acts in acts()) {
        (w.ownership, w.policy.conflicts) = (ownership, strategy);
        acts.iter().for_each(|act| w.play(act));
        prop_assert!(w.rest().is_some());
        for i in 0..w.sides.len() {
            let mut astray = super::rest::astray(&w, i);
            // Where nobody who may has a value, a CRM shows its own.
            let connection = w.sides[i].connection.clone();
            astray.retain(|field| w.hub_of(field).is_some() || w.ownership.allows_crm(hub_name(field), &connection));
            prop_assert_eq!(astray, Vec::<String>::new(), "{:?}", w);
        }
    }

    /// Whatever the strategy for conflicts is: it is none.
    #[test]
    fn an_edit_of_what_another_owns_is_undone_and_kept_for_the_audit(mut w in lived_in(), f in field(), v in value(), strategy in conflicts()) {
        w.policy.conflicts = strategy;
        w.ownership = serde_json::from_value(json!({hub_name(f): ["workflow"]})).unwrap();
        w.say(hub_name(f), Some(text("ours")));
        prop_assert!(w.rest().is_some());
        prop_assume!(!w.sides[0].link.parked.contains(f) && !w.sides[0].link.overrides.contains_key(f));
        let before = w.shown(0, f).cloned();
        w.edit(0, f, Some(&v));
        prop_assume!(w.shown(0, f) != before.as_ref());
        let denied = w.denied.len();
        prop_assert!(w.rest().is_some());
        prop_assert_eq!(w.shown(0, f), before.as_ref());
        prop_assert_eq!(w.hub_of(f), Some(&text("ours")));
        prop_assert_eq!(w.denied.len(), denied + 1, "{:?}", w.denied);
    }
}

/// Whether or not the CRM is the system of record: what it says in a person's favour is not undone.
#[test]
fn nobody_undoes_that_a_person_wants_no_mail() {
    let mut w = World::new(&[Quirk::Faithful], 1);
    w.mapping.rules.push(rule("email_opted_out", "Opted_Out"));
    w.say("email_opted_out", Some(crate::record::Value::Flag(false)));
    assert!(w.rest().is_some());
    w.edit(0, "Opted_Out", Some(&crate::record::Value::Flag(true)));
    assert!(w.rest().is_some());
    let flag = |flag| crate::record::Value::Flag(flag);
    assert_eq!((w.hub_of("Opted_Out"), w.shown(0, "Opted_Out")), (Some(&flag(false)), Some(&flag(true))));
    assert_eq!(w.denied.len(), 1);
}

/// Nobody has said anything yet: the CRM keeps its own, and the first word of an owner goes out.
#[test]
fn what_no_owner_has_said_stays_where_it_is() {
    let mut w = World::new(&[Quirk::Faithful, Quirk::Faithful], 1);
    w.policy.conflicts = Conflicts::CrmWins;
    w.ownership = serde_json::from_value(json!({"company": ["workflow"]})).unwrap();
    w.edit(0, "Company", Some(&text("Acme")));
    assert!(w.rest().is_some());
    assert_eq!((w.hub_of("Company"), w.shown(0, "Company"), w.shown(1, "Company")), (None, Some(&text("Acme")), None));
    assert_eq!(w.denied.len(), 1);
    w.ownership = serde_json::from_value(json!({"company": ["workflow"], "last_name": ["workflow"]})).unwrap();
    w.edit(0, "Last", Some(&text("Byron")));
    assert!(w.rest().is_some());
    assert_eq!((w.hub_of("Last"), w.shown(0, "Last")), (None, Some(&text("Byron"))), "a filler takes nobody's place");
    w.say("company", Some(text("Analytical")));
    assert!(w.rest().is_some());
    for side in 0..2 {
        assert_eq!(w.shown(side, "Company"), Some(&text("Analytical")));
    }
}
