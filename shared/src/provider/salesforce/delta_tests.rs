use super::{super::records::PEOPLE, *};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

/// Records as an org has them: object (0 contact, 1 lead), number, second of the last change.
type Index = Vec<(usize, u32, i64)>;

fn row(object: usize, number: u32, second: i64) -> Json {
    let at = Timestamp::from_second(second).unwrap().strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
    json!({"Id": format!("{}{number:015}", PEOPLE[object].prefix), "SystemModstamp": at})
}

/// What an org answers to a question, `batch` records at a time.
fn answered(index: &Index, place: &Place, batch: usize) -> Vec<Rows> {
    let page = |object: usize| {
        let after = |(of, number, second): &&(usize, u32, i64)| {
            let from = place.from.as_second();
            *of == object
                && match seen_of(place, PEOPLE[object]) {
                    Seen::Nothing => *second >= from,
                    Seen::All => *second > from,
                    Seen::UpTo(id) => {
                        *second > from || (*second == from && format!("{number:015}").as_str() > &id.as_str()[3..])
                    }
                }
        };
        let mut hits: Index = index.iter().filter(after).copied().collect();
        hits.sort_by_key(|(_, number, second)| (*second, *number));
        let more = hits.len() > batch;
        hits.truncate(batch);
        let rows = hits.into_iter().map(|(of, number, second)| row(of, number, second)).collect();
        Rows::of(rows, more)
    };
    vec![page(0), page(1)]
}

/// One run of pages. Before each page but the first, a record may be changed, which takes it to the end; one changed in the very second of the end is left to the next run.
fn run(
    index: &mut Index,
    cursor: Cursor,
    batch: usize,
    clock: i64,
    edits: &[usize],
) -> (BTreeSet<(String, i64)>, Cursor, usize) {
    let (mut seen, mut cursor, mut edits) = (BTreeSet::new(), cursor, edits.iter());
    for page in 1..2000 {
        cursor = serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap();
        let run = Run::at(&cursor);
        let merged = in_order(answered(index, &run.place, batch), &PEOPLE);
        for row in &merged.rows {
            seen.insert((id(row).unwrap().to_string(), modified(row).unwrap().as_second()));
        }
        let (next, more) = run.next(&merged, Timestamp::from_second(clock).ok());
        assert_ne!((&next, more), (&cursor, true), "a continuation advances");
        cursor = next;
        if !more {
            return (seen, cursor, page);
        }
        if let Some(edit) = edits.next() {
            let last = index.iter().map(|(_, _, second)| *second).max().unwrap();
            let at = edit % index.len();
            index[at].2 = last + 1;
        }
    }
    panic!("a run without an end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_run_sees_every_record_as_it_is(
        seconds in prop::collection::vec((0..2usize, 0..12i64), 1..60),
        batch in 1..7usize,
        edits in prop::collection::vec(any::<usize>(), 0..10),
    ) {
        let mut index: Index = seconds.iter().enumerate().map(|(n, (object, second))| (*object, n as u32, 1000 + second)).collect();
        let (seen, cursor, _) = run(&mut index, Cursor::Beginning, batch, 2000, &edits);
        for (object, number, second) in &index {
            let shown = row(*object, *number, *second);
            prop_assert!(seen.contains(&(id(&shown).unwrap().to_string(), *second)), "{object} {number} at {second}");
        }
        prop_assert_eq!(cursor, Cursor::Since { since: Timestamp::from_second(2000 - 300).unwrap(), page: None });
    }
}

#[test]
fn ten_thousand_are_five_calls_and_nothing_new_is_one() {
    let mut index: Index = (0..10_000).map(|n| (1, n, 1000 + i64::from(n / 50))).collect();
    let (seen, cursor, pages) = run(&mut index, Cursor::Beginning, 2000, 2000, &[]);
    assert_eq!((seen.len(), pages), (10_000, 5));
    assert_eq!(run(&mut index, cursor, 2000, 2300, &[]).2, 1);
}

#[test]
fn twenty_five_thousand_of_one_second_are_all_read() {
    let mut index: Index = (0..25_000).map(|n| (usize::from(n % 2 == 0), n, 1000)).collect();
    let (seen, _, pages) = run(&mut index, Cursor::Beginning, 2000, 2000, &[]);
    assert_eq!(seen.len(), 25_000);
    assert!(pages <= 14, "{pages}");
}

#[test]
fn what_is_shown_late_is_read_by_the_next_run() {
    let mut index: Index = vec![(1, 1, 1990)];
    let (_, cursor, _) = run(&mut index, Cursor::Beginning, 10, 2000, &[]);
    // Saved before the first run, shown after it.
    index.push((0, 2, 1800));
    let (seen, _, _) = run(&mut index, cursor, 10, 2300, &[]);
    assert_eq!(seen.len(), 2);
}

#[test]
fn the_question_names_a_place_by_time_and_id() {
    let place = |from_id: Option<&str>| Place {
        from: Timestamp::from_second(1_790_000_000).unwrap(),
        from_id: from_id.map(|id| id.parse().unwrap()),
        token: None,
        newest: Timestamp::UNIX_EPOCH,
    };
    let [contact, lead] = PEOPLE;
    assert_eq!(
        question(&place(None), contact, "Id"),
        "SELECT Id FROM Contact WHERE SystemModstamp >= 2026-09-21T14:13:20Z ORDER BY SystemModstamp, Id LIMIT 2001"
    );
    let at = Some("00Qxx0000004TmiEAE");
    assert!(question(&place(at), contact, "Id").contains("WHERE SystemModstamp > 2026-09-21T14:13:20Z ORDER"));
    assert!(question(&place(at), lead, "Id").contains("AND Id > '00Qxx0000004TmiEAE')) AND IsConverted = false ORDER"));
    let at = Some("003xx000004TmiQAAS");
    assert!(question(&place(at), lead, "Id").contains("WHERE SystemModstamp >= 2026-09-21T14:13:20Z AND IsConverted"));
}
