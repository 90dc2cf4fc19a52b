//! Seed 004's pipeline, step by step: what changes in the primary CRM, until everybody knows it or a person is asked.

use super::world::*;
use crate::{
    planner::{Apart, Strategy, Taken},
    record::Object,
};

/// A primary CRM and a second system, which write phones in ways of their own, and agree.
fn agreed() -> World {
    let mut w = World::new(&[Quirk::RewritesPhones, Quirk::Faithful], 1);
    w.say("first_name", Some(text("Ada")));
    w.say("phone", Some(text("+14155550100")));
    assert!(w.rest().is_some());
    w
}

#[test]
fn a_change_in_the_primary_crm_reaches_the_second_system() {
    let mut w = agreed();
    let writes = w.writes;
    // Step 1: a change event arrives. It is only a hint: what counts is what the CRM shows then.
    w.edit(0, "Phone", Some(&text("(415) 555-0177")));
    w.hold(0);
    // Step 2: it is normalised, and its keys are valid ones.
    w.receive_held(0);
    assert_eq!(w.hub_of("Phone"), Some(&text("+14155550177")));
    // Step 3: the policy of the field says who is right. Nobody else has spoken: it is taken.
    assert!(w.sides[0].parked.is_empty());
    // Step 4: the second system is told, in its own spelling.
    w.push(1, &Trouble::default());
    assert_eq!(w.shown(1, "Phone"), Some(&text("+14155550177")));
    // Step 5: every change is one of the record, with its source; what changes nothing leaves nothing.
    assert_eq!(w.hub.written("phone").unwrap().source.as_str(), "crm-0");
    assert!(w.rest().is_some());
    assert_eq!(w.writes, writes + 1, "once, and no echo comes back");
}

#[test]
fn a_policy_for_each_field_says_who_is_right() {
    let mut w = agreed();
    let fields = [("first_name", Strategy::CrmWins), ("phone", Strategy::LocalWins)];
    let apart = Apart { fields: fields.map(|(field, rule)| (field.to_owned(), rule)).into(), ..Apart::default() };
    w.policy.apart.insert(Object::Person, apart);
    for (field, theirs) in [("First", "Augusta"), ("Phone", "(415) 555-0177")] {
        w.edit(0, field, Some(&text(theirs)));
    }
    w.say("first_name", Some(text("Countess")));
    w.say("phone", Some(text("+14155550188")));
    assert!(w.rest().is_some());
    assert_eq!((w.hub_of("First"), w.hub_of("Phone")), (Some(&text("Augusta")), Some(&text("+14155550188"))));
    assert_eq!((w.shown(0, "Phone"), w.shown(1, "First")), (Some(&text("(415) 555-0188")), Some(&text("Augusta"))));
}

#[test]
fn what_nobody_can_decide_is_queued_for_a_person() {
    let mut w = agreed();
    w.policy.conflicts = Strategy::Manual;
    w.edit(0, "First", Some(&text("Augusta")));
    w.say("first_name", Some(text("Countess")));
    let (rev, seen) = (w.sides[0].link.rev, w.look(0));
    w.receive(0, &seen, Taken::After { rev });
    // Step 6: with both sides and what they had agreed on.
    let parked = &w.sides[0].parked[0];
    let sides = (parked.base.as_ref(), parked.ours.as_ref(), parked.theirs.as_ref());
    assert_eq!(sides, (Some(&text("Ada")), Some(&text("Countess")), Some(&text("Augusta"))));
    assert!(w.rest().is_some());
    assert_eq!(w.shown(0, "First"), Some(&text("Augusta")), "it waits there, and here");
    assert_eq!(w.hub_of("First"), Some(&text("Countess")));
}
