//! A model of Zoho's list, and runs over it.

use super::*;
use proptest::prelude::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::json;
use std::collections::BTreeMap;

const START: i64 = 1_790_000_000;

/// Records and when they were modified, in seconds after the start.
#[derive(Clone, Debug, Default)]
struct Account {
    records: BTreeMap<u64, i64>,
    now: i64,
    /// Whether `If-Modified-Since` includes its own second.
    inclusive: bool,
    /// Pages hold this many.
    page: usize,
    /// Tokens reach this many.
    reach: usize,
    calls: usize,
}

impl Account {
    fn of(times: impl IntoIterator<Item = i64>) -> Account {
        let records: BTreeMap<u64, i64> = times.into_iter().enumerate().map(|(n, at)| (n as u64 + 1, at)).collect();
        let now = records.values().max().copied().unwrap_or_default() + 1000;
        Account { records, now, inclusive: false, page: PAGE, reach: 100_000, calls: 0 }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_second(START + self.now).unwrap()
    }

    fn row(&self, id: u64) -> Json {
        let at = Timestamp::from_second(START + self.records[&id]).unwrap();
        json!({"id": id.to_string(), "Modified_Time": time(at).replace("+00:00", "Z"), "Last_Name": self.records[&id].to_string()})
    }

    /// What the list at a place answers. Its token names the last record shown.
    fn list(&mut self, place: &Place) -> Answer {
        self.calls += 1;
        let from = place.from.as_second() - START;
        let mut rows: Vec<(i64, u64)> = self.records.iter().map(|(id, at)| (*at, *id)).collect();
        rows.retain(|(at, _)| *at > from || self.inclusive && *at == from);
        rows.sort_unstable();
        let token: Option<(i64, u64, usize)> = place.token.as_deref().map(|t| serde_json::from_str(t).unwrap());
        let start = token.map_or(0, |(at, id, _)| rows.partition_point(|row| *row <= (at, id)));
        let so_far = token.map_or(0, |t| t.2);
        if so_far >= self.reach {
            return answer(
                400,
                &json!({"code": "PAGINATION_LIMIT_EXCEEDED", "details": {}, "message": "", "status": "error"}),
                self.now,
            );
        }
        let some: Vec<(i64, u64)> = rows.iter().skip(start).take(self.page).copied().collect();
        let Some((at, id)) = some.last() else { return answer(304, &Json::Null, self.now) };
        let more = start + some.len() < rows.len();
        let next = more.then(|| json!([at, id, so_far + some.len()]).to_string());
        let data: Vec<Json> = some.iter().map(|(_, id)| self.row(*id)).collect();
        answer(200, &json!({"data": data, "info": {"more_records": more, "next_page_token": next}}), self.now)
    }

    fn by_id(&mut self, place: &Place, after: &RemoteId) -> Json {
        self.calls += 1;
        let (from, until) = (place.from.as_second() - START, place.newest.as_second() - START + 1);
        let after: u64 = after.as_str().parse().unwrap();
        let ids: Vec<u64> = self
            .records
            .iter()
            .filter(|(id, at)| **id > after && (from..=until).contains(*at))
            .map(|(id, _)| *id)
            .collect();
        let data: Vec<Json> = ids.iter().take(ROWS).map(|id| self.row(*id)).collect();
        json!({"data": data, "info": {"more_records": ids.len() > ROWS}})
    }

    /// One page, by way of a cursor that is stored in between.
    fn delta(&mut self, cursor: &Cursor) -> Page {
        let cursor: Cursor = serde_json::from_str(&serde_json::to_string(cursor).unwrap()).unwrap();
        let (run, mapping) = (Run::at(&cursor, self.time()), crate::provider::of_people(crate::provider::Crm::Zoho));
        match run.place.from_id.clone() {
            Some(id) => {
                let body = self.by_id(&run.place, &id);
                run.page_of_one_second(&body, &mapping)
            }
            None => {
                let answer = self.list(&run.place);
                run.page(&answer, &mapping)
            }
        }
    }

    /// Pages until there is no more; what was seen last of each record.
    fn run(
        &mut self,
        mut cursor: Cursor,
        seen: &mut BTreeMap<u64, i64>,
        mut between: impl FnMut(&mut Account, usize),
    ) -> Cursor {
        for turn in 0.. {
            assert!(turn < 1_000, "the run does not end: {cursor:?}");
            let page = self.delta(&cursor);
            for (id, shown) in page.shown {
                let at = shown.modified.unwrap().as_second() - START;
                let newest = seen.entry(id.as_str().parse().unwrap()).or_insert(at);
                *newest = at.max(*newest);
            }
            cursor = page.next;
            if !page.more {
                break;
            }
            between(self, turn);
        }
        cursor
    }
}

fn answer(status: u16, body: &Json, now: i64) -> Answer {
    let mut headers = HeaderMap::new();
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&Timestamp::from_second(START + now).unwrap())
        .unwrap();
    headers.insert(reqwest::header::DATE, date.parse().unwrap());
    Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.clone() }
}

#[test]
fn a_quiet_account_is_asked_once_and_shows_nothing_again() {
    let mut account = Account::of((0..1000).map(|n| n / 300));
    let cursor = account.run(Cursor::Beginning, &mut BTreeMap::new(), |_, _| ());
    account.calls = 0;
    for _ in 0..3 {
        let page = account.delta(&cursor);
        assert_eq!((page.shown.len(), page.more, &page.next), (0, false, &cursor));
    }
    assert_eq!(account.calls, 3);
}

#[test]
fn an_empty_account_stays_at_its_beginning() {
    let page = Account::of([]).delta(&Cursor::Beginning);
    assert!(!page.more);
    let mut later = Account::of([7]);
    assert_eq!(later.delta(&page.next).shown.len(), 1);
}

#[test]
fn what_was_fresh_is_read_once_more_when_it_is_settled() {
    let mut account = Account::of([0, 10]);
    account.now = 11;
    let cursor = account.run(Cursor::Beginning, &mut BTreeMap::new(), |_, _| ());
    // Modified at 5, but visible only after the first run.
    account.records.insert(9, 5);
    account.now = 700;
    let mut seen = BTreeMap::new();
    let cursor = account.run(cursor, &mut seen, |_, _| ());
    assert!(seen.contains_key(&9));
    account.now = 2000;
    let cursor = account.run(cursor, &mut BTreeMap::new(), |_, _| ());
    assert!(account.delta(&cursor).shown.is_empty());
}

#[test]
fn a_quiet_account_is_asked_once_however_much_happened_just_before() {
    for per_second in [100, 10_000] {
        let mut account = Account::of((0..10_000).map(|n| n / per_second));
        account.now = 10_000 / per_second + 20;
        let mut cursor = account.run(Cursor::Beginning, &mut BTreeMap::new(), |_, _| ());
        for _ in 0..7 {
            account.now += 60;
            account.calls = 0;
            cursor = account.run(cursor, &mut BTreeMap::new(), |_, _| ());
            assert_eq!(account.calls, 1);
        }
    }
}

#[test]
fn an_edit_in_the_second_of_the_last_run_is_not_late() {
    let mut account = Account::of([0, 10]);
    account.now = 10;
    let cursor = account.run(Cursor::Beginning, &mut BTreeMap::new(), |_, _| ());
    account.records.insert(1, 10);
    let mut seen = BTreeMap::new();
    account.run(cursor, &mut seen, |_, _| ());
    assert!(seen.contains_key(&1));
}

#[test]
fn reading_ten_thousand_takes_few_more_calls_than_pages() {
    for per_second in [1, 7, 60, 150, 10_000] {
        let mut account = Account::of((0..10_000).map(|n| n / per_second));
        let mut seen = BTreeMap::new();
        account.run(Cursor::Beginning, &mut seen, |_, _| ());
        assert_eq!(seen.len(), 10_000);
        assert!(account.calls <= 68, "{per_second} a second: {} calls", account.calls);
    }
}

#[test]
fn a_second_with_more_records_than_a_token_reaches_is_read_by_id() {
    let mut account = Account::of(std::iter::repeat_n(50, 5_000).chain([10, 20, 51, 52, 90]));
    account.reach = 1_000;
    let mut seen = BTreeMap::new();
    account.run(Cursor::Beginning, &mut seen, |_, _| ());
    assert_eq!(seen, account.records);
}

/// The first page of the last second began where that second does.
#[test]
fn a_last_second_of_more_than_a_page_is_settled_too() {
    let times = [0; 2].into_iter().chain([36; 6]).chain([37; 5]).chain([38]).chain([39; 4]);
    let mut account = Account { page: 3, reach: 6, inclusive: true, ..Account::of(times) };
    let cursor = account.run(Cursor::Beginning, &mut BTreeMap::new(), |_, _| ());
    let page = account.delta(&cursor);
    assert_eq!((page.shown.len(), page.more, page.next), (0, false, cursor));
}

#[test]
fn an_expired_token_starts_anew() {
    let mut account = Account::of((0..900).map(|n| n / 300));
    let first = account.delta(&Cursor::Beginning);
    let body =
        json!({"code": "EXPIRED_VALUE", "details": {"param_name": "page_token"}, "message": "", "status": "error"});
    let again = Run::at(&first.next, account.time())
        .page(&answer(400, &body, account.now), &crate::provider::of_people(crate::provider::Crm::Zoho));
    assert!(again.more && again.shown.is_empty());
    let mut seen: BTreeMap<u64, i64> = first.shown.iter().map(|(id, _)| (id.as_str().parse().unwrap(), 0)).collect();
    account.run(again.next, &mut seen, |_, _| ());
    assert_eq!(seen.len(), 900);
}

proptest! {
    /// Whatever the times, the page and the reach are, and whatever is edited meanwhile: after one more run all is seen as it is.
    #[test]
    fn nothing_is_missed(
        times in prop::collection::vec(0i64..40, 0..300),
        edits in prop::collection::vec((1u64..400, 0usize..30), 0..40),
        page in 3usize..40, reach in 1usize..6, inclusive in any::<bool>(), step in 0i64..200,
    ) {
        let mut account = Account { page, reach: page * reach, inclusive, ..Account::of(times) };
        let mut seen = BTreeMap::new();
        let edit = |account: &mut Account, turn: usize| {
            account.now += step;
            for (id, _) in edits.iter().filter(|(_, at)| *at == turn) {
                account.records.insert(*id, account.now);
            }
        };
        let cursor = account.run(Cursor::Beginning, &mut seen, edit);
        let cursor = account.run(cursor, &mut seen, |_, _| ());
        prop_assert_eq!(&seen, &account.records);
        account.now += 900;
        let cursor = account.run(cursor, &mut seen, |_, _| ());
        account.calls = 0;
        let page = account.delta(&cursor);
        prop_assert_eq!((account.calls, page.shown.len(), page.more), (1, if inclusive { page.shown.len() } else { 0 }, false));
    }

    #[test]
    fn no_answer_panics(status in 200u16..600, body in crate::provider::zoho::records::tests::any_json()) {
        let answer = answer(status, &body, 0);
        let _ = Run::at(&Cursor::Beginning, Timestamp::UNIX_EPOCH).page(&answer, &crate::provider::of_people(crate::provider::Crm::Zoho));
        let _ = Run::at(&Cursor::Beginning, Timestamp::UNIX_EPOCH).page_of_one_second(&body, &crate::provider::of_people(crate::provider::Crm::Zoho));
    }
}
