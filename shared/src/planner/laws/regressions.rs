//! Counterexamples that were found once, by name.

use super::world::*;
use crate::{
    planner::{Change, Taken, freshness, settle},
    record::Value,
};

fn one(quirk: Quirk, tick: i64) -> World {
    World::new(&[quirk], tick)
}

fn edit(field: &str, value: &str) -> Trouble {
    Trouble { edit: Some((field.to_owned(), Some(text(value)))), ..Trouble::default() }
}

/// The reader judged the edit against a write that it did not know of; the settling must not bury it.
#[test]
fn an_edit_in_the_second_of_our_write_survives_a_reader_that_saw_it_first() {
    let mut w = one(Quirk::Faithful, 1000);
    w.say("first_name", Some(text("A")));
    w.push(0, &Trouble { reader: true, ..edit("First", "+14155550100") });
    assert!(w.rest().is_some());
    assert_eq!(w.hub_of("First"), w.shown(0, "First"), "{w:?}");
}

/// In whole seconds a race is told by the value; a phone in a field of another name was taken for an edit.
#[test]
fn a_rewritten_phone_is_no_edit_in_any_field() {
    let mut w = World::new(&[Quirk::Faithful, Quirk::RewritesPhones], 1000);
    w.edit(0, "First", Some(&text("+14155550100")));
    assert!(w.rest().is_some());
    assert_eq!(w.hub_of("First"), Some(&text("+14155550100")));
}

/// The CRM's answer never came; the next look shows our value cut short, against a hub that still wants to send it.
#[test]
fn a_writer_that_is_killed_does_not_cut_the_hub() {
    for quirk in [Quirk::Truncates, Quirk::Uppercases, Quirk::RewritesPhones] {
        let mut w = one(quirk, 1);
        let long = text("a name that is longer than the CRM allows");
        w.say("first_name", Some(long.clone()));
        w.push(0, &Trouble { killed: true, ..Trouble::default() });
        assert!(w.rest().is_some());
        assert_eq!(w.hub_of("First"), Some(&long), "{quirk:?}");
    }
}

/// A page repeats our id, of which no agreement is kept: each echo was fetched again.
#[test]
fn our_own_id_in_a_page_is_no_news() {
    let mut w = one(Quirk::Faithful, 1);
    w.say("first_name", Some(text("Ada")));
    assert!(w.rest().is_some());
    let page = w.look(0);
    assert!(page.fields.contains_key("Our_Id"));
    assert_eq!(freshness(&w.sides[0].link, &page, Taken::Sometime, &w.mapping), crate::planner::Freshness::Drop);
    assert!(!w.sides[0].link.agreed.contains_key("Our_Id"));
}

/// The edit was judged by the time of the hub's own value, which was not the one in force.
#[test]
fn a_value_for_one_crm_alone_is_judged_by_its_own_time() {
    for (edited_last, end) in [(false, "Wanted"), (true, "Edited")] {
        let mut w = one(Quirk::Faithful, 1);
        w.say("first_name", Some(text("Ada")));
        assert!(w.rest().is_some());
        let steps: [&dyn Fn(&mut World); 2] =
            [&|w| w.edit(0, "First", Some(&text("Edited"))), &|w| w.set_override(0, "First", text("Wanted"))];
        for step in if edited_last { [1, 0] } else { [0, 1] } {
            steps[step](&mut w);
            w.edit(0, "Status", None);
            w.pull(0);
        }
        assert!(w.rest().is_some());
        assert_eq!(w.shown(0, "First"), Some(&text(end)), "{w:?}");
    }
}

/// It was left in force though it no longer stood, so that a second request for the same value sent nothing.
#[test]
fn an_edit_ends_a_value_for_one_crm_alone_and_the_next_request_sets_it_again() {
    let mut w = one(Quirk::Faithful, 1);
    w.set_override(0, "Own", text("hot"));
    assert!(w.rest().is_some());
    w.edit(0, "Own", Some(&text("cold")));
    assert!(w.rest().is_some());
    assert_eq!((w.shown(0, "Own"), w.sides[0].link.overrides.len()), (Some(&text("cold")), 0));
    w.set_override(0, "Own", text("hot"));
    assert!(w.rest().is_some());
    assert_eq!(w.shown(0, "Own"), Some(&text("hot")));
}

/// The same number as text was a conflict, and lost.
#[test]
fn a_number_that_is_shown_as_text_is_that_number() {
    let mut w = one(Quirk::Faithful, 1);
    w.say("duration", Some(Value::number(184.into())));
    w.edit(0, "Duration", Some(&text("184")));
    w.edit(0, "Last", Some(&text("Byron")));
    w.pull(0);
    assert_eq!(w.pending(0), vec![]);
    assert_eq!(w.hub.written("duration").map(|written| written.source.clone()), Some(product()));
}

/// A CRM that shows what we want already was written to all the same.
#[test]
fn a_filler_that_is_there_already_is_not_sent() {
    let mut w = one(Quirk::Faithful, 1);
    w.edit(0, "Last", Some(&text("Unknown")));
    assert!(w.rest().is_some());
    assert_eq!((w.writes, w.hub_of("Last")), (0, None));
}

/// Someone undoes our write before we look: that is an edit.
#[test]
fn an_undo_right_after_our_write_is_absorbed() {
    let mut w = one(Quirk::Faithful, 1);
    w.say("first_name", Some(text("old")));
    assert!(w.rest().is_some());
    w.say("first_name", Some(text("new")));
    w.push(0, &edit("First", "old"));
    assert!(w.rest().is_some());
    assert_eq!((w.hub_of("First"), w.writes), (Some(&text("old")), 2));
}

/// In whole seconds it cannot be told from an edit by time; the hub was set back to the old value.
#[test]
fn a_field_that_the_crm_ignores_does_not_set_the_hub_back() {
    let mut w = one(Quirk::Faithful, 1000);
    w.say("first_name", Some(text("old")));
    assert!(w.rest().is_some());
    w.say("first_name", Some(text("new")));
    let sent = vec![Change { field: "First".to_owned(), value: Some(text("new")) }];
    w.sides[0].crm.modified += 60_000;
    let seen = w.look(0);
    w.sides[0].link = settle(&w.sides[0].link, &sent, &seen, crate::planner::Shown::After(seen.modified));
    w.pull(0);
    assert_eq!((w.hub_of("First"), w.pending(0)), (Some(&text("new")), vec![]));
}

/// Its time in whole seconds was taken for the start of the second, so that an older write of the hub won.
#[test]
fn a_whole_second_stands_for_all_of_it() {
    let mut w = one(Quirk::Faithful, 1000);
    w.policy.priority = vec!["crm-0".parse().unwrap(), product()];
    w.say("first_name", Some(text("base")));
    assert!(w.rest().is_some());
    w.now += 60_000 - w.now % 1000;
    w.say("first_name", Some(text("ours")));
    w.now += 500;
    w.edit(0, "First", Some(&text("theirs")));
    assert!(w.rest().is_some());
    assert_eq!(w.hub_of("First"), Some(&text("theirs")), "a tie, which the CRM wins here");
}

/// A CRM that showed another value than the hub, by a request's wish, and one that did not are edited in the same second, each to what the
/// other showed. Values alone cannot tell that; whoever is looked at last wins, and all agree on it.
#[test]
fn edits_that_change_places_end_in_agreement() {
    for order in [[0, 1], [1, 0]] {
        let mut w = World::new(&[Quirk::Faithful, Quirk::Faithful, Quirk::Faithful], 1000);
        w.policy.priority = vec!["workflow".parse().unwrap()];
        w.set_override(0, "First", text("C"));
        w.edit(1, "First", Some(&text("a")));
        w.say("first_name", Some(text("base")));
        assert!(w.rest().is_some());
        assert_eq!((w.shown(0, "First"), w.shown(1, "First")), (Some(&text("C")), Some(&text("a"))));
        w.edit(1, "First", Some(&text("C")));
        w.edit(0, "First", Some(&text("a")));
        order.into_iter().for_each(|side| w.pull(side));
        assert!(w.rest().is_some());
        assert!((0..3).all(|i| w.shown(i, "First") == w.hub_of("First")), "{w:?}");
    }
}
