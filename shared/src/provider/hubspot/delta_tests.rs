use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Records as the index has them: id and time of modification, in milliseconds.
type Index = Vec<(u64, i64)>;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}

/// Answers a question as HubSpot's search does, `limit` records at a time. Equal times come in no order to rely on.
fn answered(index: &Index, question: &Json, limit: usize) -> (Vec<Json>, bool) {
    let filters = question["filterGroups"][0]["filters"].as_array().unwrap();
    let value = |n: usize| filters[n]["value"].as_str().unwrap().parse::<i64>().unwrap();
    let operators: Vec<&str> = filters.iter().map(|filter| filter["operator"].as_str().unwrap()).collect();
    let mut hits: Index = match operators.as_slice() {
        ["GTE"] => index.iter().copied().filter(|(_, modified)| *modified >= value(0)).collect(),
        ["EQ", "GT"] => index
            .iter()
            .copied()
            .filter(|(id, modified)| *modified == value(0) && i64::try_from(*id).unwrap() > value(1))
            .collect(),
        other => panic!("{other:?}"),
    };
    match operators.len() {
        1 => hits.sort_by_key(|(id, modified)| (*modified, id.reverse_bits())),
        _ => hits.sort_unstable(),
    }
    let row = |(id, modified): &(u64, i64)| json!({"id": id.to_string(), "properties": {"lastmodifieddate": at(*modified).to_string()}});
    (hits.iter().take(limit).map(row).collect(), hits.len() > limit)
}

/// One run of pages. Before each page but the first, a record may be modified.
fn run(
    index: &mut Index,
    cursor: Cursor,
    limit: usize,
    clock: Timestamp,
    edits: &[(usize, i64)],
) -> (BTreeSet<(u64, i64)>, Cursor, usize) {
    let (mut seen, mut cursor, mut edits) = (BTreeSet::new(), cursor, edits.iter());
    for page in 1..2000 {
        // The cursor survives serialisation.
        cursor = serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap();
        let Cursor::Since { since, page: place } = &cursor else { panic!("{cursor:?}") };
        let place = resumed(*since, place.as_ref(), clock);
        let (rows, full) =
            answered(index, &question(&crate::provider::of_people(crate::provider::Crm::HubSpot), &place), limit);
        seen.extend(
            rows.iter().map(|row| {
                (number(&id(row).unwrap()), time(property(row, "lastmodifieddate")).unwrap().as_millisecond())
            }),
        );
        let run = Run { since: *since, place, rows: &rows, full, clock: Some(clock), modified: "lastmodifieddate" };
        let (next, more) = run.next();
        assert_ne!((&next, more), (&cursor, true), "a continuation advances");
        cursor = next;
        if !more {
            return (seen, cursor, page);
        }
        if let Some((which, when)) = edits.next()
            && !index.is_empty()
        {
            let place = which % index.len();
            index[place].1 = *when;
        }
    }
    panic!("it never ends");
}

const BASE: i64 = 1_795_000_000_000;

fn from(milliseconds: i64) -> Cursor {
    Cursor::Since { since: at(milliseconds), page: None }
}

proptest! {
    #[test]
    fn a_run_shows_everything_whatever_the_times_and_ends(
        times in prop::collection::vec(0i64..12, 0..60), limit in 1usize..8, start in 0i64..6,
        edits in prop::collection::vec(0usize..60, 0..10),
    ) {
        let mut index: Index = (1u64..).zip(times).map(|(id, time)| (id * 7, BASE + time)).collect();
        let edits: Vec<_> = edits.into_iter().zip(BASE + 12..).collect();
        let (seen, _, _) = run(&mut index, from(BASE + start), limit, at(BASE + 40), &edits);
        // As they stand when the run is over.
        for record in index.iter().filter(|(_, modified)| *modified >= BASE + start) {
            prop_assert!(seen.contains(record), "{record:?}");
        }
    }

    #[test]
    fn what_the_index_shows_late_is_read_by_a_later_run(
        times in prop::collection::vec(0i64..1_200, 1..40), late in prop::collection::vec(0i64..280, 40), limit in 1usize..8,
    ) {
        // One run a minute; each record is in the index up to 280 seconds after its modification.
        let records: Vec<(u64, i64, i64)> = (1u64..).zip(times.iter().zip(&late)).map(|(id, (time, late))| (id, *time, time + late)).collect();
        let (mut cursor, mut seen) = (from(BASE), BTreeSet::new());
        for minute in 0..40 {
            let now = minute * 60;
            let mut index: Index = records.iter().filter(|(_, _, shown)| *shown <= now).map(|(id, time, _)| (*id, BASE + time * 1000)).collect();
            let (some, next, _) = run(&mut index, cursor, limit, at(BASE + now * 1000), &[]);
            seen.extend(some);
            cursor = next;
        }
        prop_assert_eq!(seen.len(), records.len());
    }
}

#[test]
fn ten_thousand_in_one_millisecond_are_read_by_id() {
    let mut index: Index = (1..=10_450).map(|id| (id, BASE + 1000)).collect();
    index.push((20_000, BASE + 1001));
    let (seen, _, pages) = run(&mut index, from(BASE), PAGE, at(BASE + 5000), &[]);
    assert_eq!(seen.len(), 10_451);
    assert!(pages <= 56, "{pages}");
}

#[test]
fn past_ten_thousand_a_page_costs_one_record_more() {
    let mut index: Index = (1..=10_450).map(|id| (id, BASE + i64::try_from(id).unwrap())).collect();
    let (seen, _, pages) = run(&mut index, from(BASE), PAGE, at(BASE + 20_000), &[]);
    assert_eq!((seen.len(), pages), (10_450, 53));
}

#[test]
fn nothing_new_costs_one_call_and_the_watermark_follows_hubspots_clock() {
    let (_, next, pages) = run(&mut Vec::new(), from(BASE), PAGE, at(BASE + 600_000), &[]);
    assert_eq!((next, pages), (from(BASE + 300_000), 1));
    let (_, next, pages) = run(&mut Vec::new(), from(BASE), PAGE, at(BASE + 1000), &[]);
    assert_eq!((next, pages), (from(BASE), 1), "never back");
}

#[test]
fn after_many_changes_the_overlap_costs_one_page_until_it_is_due() {
    let mut index: Index = (1..=2000).map(|id| (id, BASE + i64::try_from(id).unwrap())).collect();
    let (_, cursor, pages) = run(&mut index, from(BASE), PAGE, at(BASE + 5000), &[]);
    assert_eq!(pages, 11);
    let (seen, cursor, pages) = run(&mut index, cursor, PAGE, at(BASE + 60_000), &[]);
    assert!((1..=SPARE).contains(&seen.len()) && pages == 1, "{} {pages}", seen.len());
    index.push((9999, BASE + 61_000));
    let (seen, cursor, pages) = run(&mut index, cursor, PAGE, at(BASE + 120_000), &[]);
    assert!(seen.contains(&(9999, BASE + 61_000)) && pages == 1);
    // A record that was behind the newest all the time.
    index.push((3, BASE + 500));
    let (seen, cursor, _) = run(&mut index, cursor, PAGE, at(BASE + 600_000), &[]);
    assert!(seen.contains(&(3, BASE + 500)));
    let (_, _, pages) = run(&mut index, cursor, PAGE, at(BASE + 700_000), &[]);
    assert_eq!(pages, 1, "all of it is old");
}

#[test]
fn without_a_date_the_newest_time_seen_stands_for_the_clock() {
    let rows = [json!({"id": "1", "updatedAt": "2026-11-21T09:00:00Z"})];
    let since: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
    let place = Place { from: since, from_id: None, token: None, newest: since };
    let run = Run { since, place, rows: &rows, full: false, clock: None, modified: "lastmodifieddate" };
    assert_eq!(run.next().0, Cursor::Since { since: "2026-11-21T08:55:00Z".parse().unwrap(), page: None });
}

#[test]
fn times_at_the_end_of_time_do_no_harm() {
    for time in [Timestamp::MIN, Timestamp::MAX] {
        let rows = [json!({"id": "1", "updatedAt": time.to_string()}), json!({"id": "x"}), json!(5)];
        for from_id in [None, Some("5".parse().unwrap())] {
            for full in [true, false] {
                let place = Place { from: time, from_id: from_id.clone(), token: None, newest: time };
                let _ = Run { since: time, place, rows: &rows, full, clock: Some(time), modified: "lastmodifieddate" }
                    .next();
            }
        }
        let _ = resumed(time, None, time);
    }
}
