use super::*;
use crate::{
    cause::{By, Cause},
    id::Source,
    planner::{Errand, cases, errand},
    record::{Gone, Link, Object},
};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn record() -> Record {
    let cause = Cause::new(By::Rules { what: "a test".to_owned() }, "t", at(0));
    Record::empty("demo".parse().unwrap(), Object::Person, "rec-1".parse().unwrap(), cause)
}

fn text(value: Option<u8>) -> Option<Value> {
    value.and_then(|value| Value::text(&value.to_string()))
}

/// A record to which these values were written one after the other, and the changes of it that are in the scope, the latest first.
fn written(writes: &[(Option<u8>, bool)]) -> (Record, Vec<Changed>) {
    let (mut record, mut changes) = (record(), Vec::new());
    let whole = |value: &Option<u8>| text(*value);
    for (n, (value, is_meant)) in writes.iter().enumerate() {
        let before = record.fields.get("company").cloned();
        record.fields.put("company", whole(value), at(n as i64), &"workflow".parse().unwrap()).unwrap();
        let after = record.fields.get("company").cloned();
        if before != after && *is_meant {
            let fields = vec![FieldChange { field: "company".to_owned(), before, after }];
            changes.insert(0, Changed { version: n as u64 + 2, fields, sent: Vec::new() });
        }
    }
    (record, changes)
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Whatever was written in between by whomever.
    #[test]
    fn what_others_wrote_stays_and_all_else_goes_back(writes in prop::collection::vec((prop::option::of(0u8..3), any::<bool>()), 1..12)) {
        let (before, changes) = written(&writes);
        let (after, told) = undone(&before, &changes, at(100));
        let value = |record: &Record| record.fields.get("company").cloned();
        // Written by hand: the value before the run of meant writes that ends the history.
        let mut values: Vec<(Option<Value>, bool)> = vec![(None, false)];
        for (value, is_meant) in &writes {
            if values.last().is_none_or(|(last, _)| *last != text(*value)) {
                values.push((text(*value), *is_meant));
            }
        }
        let last_of_others = values.iter().rposition(|(_, is_meant)| !is_meant).unwrap();
        let ends_meant = values.last().unwrap().1;
        if ends_meant {
            let others = &values[last_of_others].0;
            // Unless others wrote what an earlier one of these had made it.
            let coincides = values[..last_of_others].iter().any(|(value, is_meant)| *is_meant && value == others);
            prop_assert!(coincides || value(&after) == *others);
        } else if told.left.is_empty() {
            // What others wrote happens to be what was meant.
            let latest = changes.first().map(|changed| changed.fields[0].after.clone());
            prop_assert!(latest.is_none() || latest == Some(value(&before)));
        } else {
            prop_assert_eq!(value(&after), value(&before));
        }
        prop_assert_eq!(told.fields.is_empty(), value(&after) == value(&before));
        let again = undone(&after, &changes, at(101)).1;
        prop_assert!(told.fields.is_empty() || again.fields.is_empty(), "twice is once: {again:?}");
    }
}

#[test]
fn who_came_to_be_by_it_is_archived_where_nobody_else_has_a_part_in_them() {
    let (record, mut changes) = written(&[(Some(1), true)]);
    changes[0].version = 1;
    let (after, told) = undone(&record, &changes, at(9));
    assert!(told.archived && told.left.is_empty());
    assert_eq!(after.deleted, Some(Deletion { at: at(9), by: None, spreads: true }));

    let (hubspot, zoho): (ConnectionId, ConnectionId) = ("hubspot".parse().unwrap(), "zoho".parse().unwrap());
    let link = |made| Link { remote: "7".parse().ok(), made, ..Link::default() };
    let mut known = record.clone();
    known.links = [(hubspot.clone(), link(true)), (zoho, link(false))].into();
    let (after, told) = undone(&known, &changes, at(9));
    assert_eq!((after.deleted, told.left), (None, [("id".to_owned(), Left::Made)].into()));

    let mut edited = record.clone();
    edited.fields.put("email", Value::text("ada@example.com"), at(8), &"crm".parse().unwrap()).unwrap();
    let (after, told) = undone(&edited, &changes, at(9));
    assert_eq!((after.deleted, told.left), (None, [("email".to_owned(), Left::EditedSince)].into()));

    let mut made = record;
    made.links = [(hubspot.clone(), link(true))].into();
    let (mut after, _) = undone(&made, &changes, at(9));
    assert_eq!(errand(&after, &hubspot), Errand::Delete);
    after.links.get_mut(&hubspot).unwrap().gone = Some(Gone::Deleted { at: at(10) });
    after.revive();
    assert_eq!((after.deleted, &after.links[&hubspot].remote), (None, &None), "whoever names them next has them back");
}

#[test]
fn what_is_counted_of_events_stays() {
    let (mut record, mut changes) = written(&[(Some(1), true)]);
    record.fields.put("lead_score", Some(Value::number(80.into())), at(3), &engagement::source()).unwrap();
    let score = FieldChange { field: "lead_score".to_owned(), before: None, after: Some(Value::number(80.into())) };
    changes[0].fields = vec![score];
    let (_, told) = undone(&record, &changes, at(9));
    assert_eq!((told.fields, told.left), (Vec::new(), [("lead_score".to_owned(), Left::Counted)].into()));
}

/// One CRM's own value goes back to what it was sent before; what it showed before that is not known.
#[test]
fn what_was_set_in_one_crm_alone_goes_back_there() {
    let (connection, workflow): (ConnectionId, Source) = ("hubspot".parse().unwrap(), "workflow".parse().unwrap());
    let of = |before: Option<u8>, after: u8| SentChange {
        connection: connection.clone(),
        field: "last_call".to_owned(),
        before: text(before),
        after: text(Some(after)),
    };
    let mut record = record();
    let own = Written::new(text(Some(2)), at(5), &workflow);
    record.links.entry(connection.clone()).or_default().overrides.insert("last_call".to_owned(), own);
    let changed = |sent| [Changed { version: 3, fields: Vec::new(), sent: vec![sent] }];
    let (after, told) = undone(&record, &changed(of(Some(1), 2)), at(9));
    let set = &after.links[&connection].overrides["last_call"];
    assert_eq!((set.value.clone(), told.sent.len()), (text(Some(1)), 1));
    let (_, told) = undone(&record, &changed(of(None, 2)), at(9));
    assert_eq!(told.left, [("hubspot.last_call".to_owned(), Left::Unknown)].into());
    let (_, told) = undone(&record, &changed(of(Some(1), 7)), at(9));
    assert_eq!(told.left, [("hubspot.last_call".to_owned(), Left::EditedSince)].into());
}
