//! What a deletion means: never more than the policy says, and never at the cost of an edit.

use super::{acts::*, world::*};
use crate::{
    cause::{By, Cause},
    planner::{Deletes, Errand, Guard, Meaning, errand, meaning, says_something_new},
    record::{Deletion, Gone, Link, Object, Record},
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn policy() -> impl Strategy<Value = Deletes> {
    prop::sample::select(&[Deletes::Ignore, Deletes::SoftDelete, Deletes::Propagate, Deletes::Restore][..])
}

fn means(w: &World, i: usize, policy: Deletes, now: Timestamp) -> Meaning {
    meaning(policy, &w.hub, &w.sides[i].link, &w.mapping, true, now)
}

/// A record with a link for each side, deleted in the first CRM.
fn deleted(w: &World, spreads: bool) -> Record {
    let by = w.sides[0].connection.clone();
    let cause = Cause::new(By::Look { connection: by.clone() }, "law", time(w.now));
    let mut record =
        Record::empty("demo".parse().unwrap(), Object::Person, "01J00000000000000000000000".parse().unwrap(), cause);
    record.fields = w.hub.clone();
    record.links = w.sides.iter().map(|side| (side.connection.clone(), side.link.clone())).collect();
    record.deleted = Some(Deletion { at: time(w.now), by: Some(by), spreads });
    record
}

proptest! {
    #![proptest_config(super::cases(500))]

    /// Where both sides are at rest, each policy does what it says.
    #[test]
    fn a_deletion_means_what_the_policy_says(mut w in lived_in(), side in 0..3usize, policy in policy()) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        prop_assume!(w.pending(i).is_empty());
        let said = match policy {
            Deletes::Ignore => Meaning::Ends,
            Deletes::SoftDelete => Meaning::Deletes { spreads: false },
            Deletes::Propagate => Meaning::Deletes { spreads: true },
            Deletes::Restore => Meaning::MadeAgain,
        };
        prop_assert_eq!(means(&w, i, policy, time(w.now)), said);
    }

    /// Whoever deleted the person had not seen what was said since: that outlives the deletion.
    #[test]
    fn an_edit_that_was_not_seen_outlives_a_deletion(mut w in lived_in(), f in field(), side in 0..3usize, policy in policy()) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        w.say(hub_name(f), Some(text("said meanwhile")));
        let kept = matches!(means(&w, i, policy, time(w.now)), Meaning::Ends | Meaning::Contested | Meaning::MadeAgain);
        prop_assert!(kept);
    }

    /// A CRM that shows what was agreed says nothing new; one where somebody edits does.
    #[test]
    fn only_an_edit_brings_back_who_was_deleted(mut w in lived_in(), f in field(), side in 0..3usize) {
        prop_assert!(w.rest().is_some());
        let i = side % w.sides.len();
        let before = w.hub.clone();
        w.pull(i);
        prop_assert!(!says_something_new(&before, &w.hub));
        w.now += 5_000;
        w.edit(i, f, Some(&text("edited")));
        w.pull(i);
        prop_assert!(says_something_new(&before, &w.hub));
    }

    /// Nothing is pushed of a person who is deleted, and only what spreads is deleted elsewhere: never where it began, never twice.
    #[test]
    fn of_who_is_deleted_nothing_is_pushed(mut w in lived_in(), f in field(), spreads in any::<bool>(), gone in any::<bool>()) {
        prop_assert!(w.rest().is_some());
        w.say(hub_name(f), Some(text("new")));
        let mut record = deleted(&w, spreads);
        for (i, side) in w.sides.iter().enumerate() {
            let wanted = if spreads && i > 0 { Errand::Delete } else { Errand::Nothing };
            prop_assert_eq!(errand(&record, &side.connection), wanted);
            let link = record.links.get_mut(&side.connection).unwrap();
            *link = Link { gone: gone.then_some(Gone::Deleted { at: time(0) }), ..link.clone() };
            let ended = if gone { Errand::Nothing } else { wanted };
            prop_assert_eq!(errand(&record, &side.connection), ended);
        }
        record.deleted = None;
        prop_assert_eq!(errand(&record, &w.sides[0].connection), Errand::Push);
    }

    /// More than the guard allows never goes, however it is divided.
    #[test]
    fn a_mass_does_not_go(most in 0..50u32, share in 0..100u32, few in 0..20u32, known in 0..200u64, gone in 0..100u32) {
        let guard = Guard { most, share, few };
        let allowed = guard.allows(gone, known);
        prop_assert!(!allowed || gone <= most);
        prop_assert!(!allowed || gone <= few || u64::from(gone) * 100 <= u64::from(share) * known);
        prop_assert!(allowed || gone > most.min(few), "a few may always go");
        if let Some(enough) = guard.enough(gone) {
            prop_assert_eq!(guard.allows(gone, known.min(enough)), allowed, "no more need be counted");
        }
    }
}

#[test]
fn what_is_made_again_and_deleted_again_stays_gone() {
    let w = World::new(&[Quirk::Faithful], 1);
    let again = |hours: i64| {
        let link = Link { restored: Some(time(0)), ..w.sides[0].link.clone() };
        meaning(Deletes::Restore, &w.hub, &link, &w.mapping, true, time(0) + SignedDuration::from_hours(hours))
    };
    assert_eq!((again(1), again(30)), (Meaning::Insisted, Meaning::MadeAgain));
}

/// Where nothing is sent, nobody can have seen what the hub says, and nothing can be made again.
#[test]
fn what_only_flows_in_is_deleted_without_regard_to_the_hub() {
    let mut w = World::new(&[Quirk::Faithful], 1);
    w.say("first_name", Some(text("Ada")));
    let heard = |policy| meaning(policy, &w.hub, &w.sides[0].link, &w.mapping, false, time(w.now));
    assert_eq!(heard(Deletes::Propagate), Meaning::Deletes { spreads: true });
    assert_eq!(heard(Deletes::Restore), Meaning::Ends);
}
