//! Two databases that meet: what differs waits for a person unless the policy says who is right.

use super::{acts::*, world::*};
use crate::{
    id::ConnectionId,
    planner::{Joining, Strategy as Conflicts, Take, absorb, pending, resolve},
    record::{Fields, Link},
};
use proptest::prelude::*;

/// A hub and a CRM that both have the field filled in, and never met.
fn strangers(f: &'static str, ours: &str, theirs: &str) -> World {
    let mut w = World::new(&[Quirk::Faithful], 1);
    w.say(hub_name(f), Some(text(ours)));
    w.edit(0, f, Some(&text(theirs)));
    w.meets = true;
    w
}

fn decided(w: &World, f: &str, take: Take) -> (Fields, Link) {
    let (connection, link): (&ConnectionId, &Link) = (&w.sides[0].connection, &w.sides[0].link);
    resolve(&w.hub, link, &f.to_owned(), w.shown(0, f), take, connection, &w.mapping, time(w.now)).unwrap()
}

proptest! {
    #![proptest_config(super::cases(300))]

    #[test]
    fn what_differs_waits_and_neither_side_changes(f in field(), conflicts in conflicts()) {
        let mut w = strangers(f, "ours", "theirs");
        w.policy.conflicts = conflicts;
        w.pull(0);
        prop_assert!(w.sides[0].link.parked.contains(f));
        prop_assert_eq!(w.sides[0].parked.len(), 1);
        prop_assert!(w.pending(0).iter().all(|change| change.field != f));
        prop_assert_eq!(w.hub_of(f), Some(&text("ours")));
    }

    /// Blanks are filled both ways, whatever the policy says; and what both say alike is no conflict.
    #[test]
    fn blanks_are_filled_both_ways(f in field(), ours in any::<bool>()) {
        let mut w = World::new(&[Quirk::Faithful], 1);
        w.meets = true;
        match ours {
            true => w.say(hub_name(f), Some(text("one"))),
            false => w.edit(0, f, Some(&text("one"))),
        }
        w.pull(0);
        w.meets = false;
        prop_assert!(w.rest().is_some());
        prop_assert_eq!((w.hub_of(f), w.shown(0, f)), (Some(&text("one")), Some(&text("one"))));
        let mut same = strangers(f, "same", "same");
        same.pull(0);
        prop_assert!(same.sides[0].link.parked.is_empty());
    }

    /// Once they have met, later edits go by the connection's own rule for conflicts.
    #[test]
    fn a_later_edit_is_no_meeting(f in field()) {
        let mut w = strangers(f, "same", "same");
        w.pull(0);
        w.policy.conflicts = Conflicts::CrmWins;
        w.say(hub_name(f), Some(text("ours")));
        w.edit(0, f, Some(&text("theirs")));
        w.pull(0);
        prop_assert_eq!(w.hub_of(f), Some(&text("theirs")));
        prop_assert!(w.sides[0].link.parked.is_empty());
    }

    /// A person's word ends the conflict, on both sides, and for good.
    #[test]
    fn what_a_person_decides_holds(f in field(), ours in any::<bool>()) {
        let mut w = strangers(f, "ours", "theirs");
        w.pull(0);
        let (take, right) = if ours { (Take::Ours, "ours") } else { (Take::Theirs, "theirs") };
        (w.hub, w.sides[0].link) = decided(&w, f, take);
        w.meets = false;
        prop_assert_eq!(pending(&w.hub, &w.sides[0].link, &w.mapping).iter().any(|change| change.field == f), ours);
        prop_assert!(w.rest().is_some());
        prop_assert_eq!((w.hub_of(f), w.shown(0, f)), (Some(&text(right)), Some(&text(right))));
        prop_assert!(w.sides[0].link.parked.is_empty());
    }
}

#[test]
fn the_policy_may_say_who_is_right() {
    for (joining, right) in [(Joining::HubWins, "ours"), (Joining::CrmWins, "theirs"), (Joining::NewestWins, "theirs")]
    {
        let mut w = strangers("Company", "ours", "theirs");
        w.policy.joining = joining;
        w.pull(0);
        w.meets = false;
        assert!(w.rest().is_some());
        assert_eq!((w.hub_of("Company"), w.shown(0, "Company")), (Some(&text(right)), Some(&text(right))));
    }
}

/// A value that no table had a word for is read by the table that has, though the CRM shows what it did before.
#[test]
fn rules_that_change_are_met_anew() {
    let mut w = World::new(&[Quirk::Faithful], 1);
    let owners = |table: &[(&str, &str)]| {
        let mut next = mapping();
        let rule = next.rules.iter_mut().find(|rule| rule.remote == "Owner").unwrap();
        rule.values = table.iter().map(|(hub, remote)| ((*hub).to_owned(), (*remote).to_owned())).collect();
        next
    };
    w.mapping = w.mapping.succeeded_by(owners(&[("ada", "7")]));
    w.edit(0, "Owner", Some(&text("8")));
    w.edit(0, "Company", Some(&text("Analytical")));
    assert!(w.rest().is_some());
    assert_eq!(w.hub_of("Owner"), None);
    w.mapping = w.mapping.succeeded_by(owners(&[("ada", "7"), ("grace", "8")]));
    assert!(w.mapping.changed.keys().eq(["Owner"]));
    w.meets = true;
    w.pull(0);
    assert_eq!(w.hub.said("owner").and_then(|said| said.value), Some(text("grace")));
    assert!(w.sides[0].link.parked.is_empty());
    let link = w.sides[0].link.clone();
    w.pull(0);
    assert_eq!(w.sides[0].link, link, "once is enough");
}

/// Looks that are absorbed twice raise nothing new.
#[test]
fn a_look_that_comes_twice_parks_once() {
    let mut w = strangers("Company", "ours", "theirs");
    w.pull(0);
    let again = absorb(&w.hub, &w.sides[0].link, &w.look(0), &w.mapping, w.judge(0));
    assert!(again.parked.is_empty(), "{:?}", again.parked);
}
