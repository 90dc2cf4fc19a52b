use super::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value as Json, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// An answer given `skew` seconds by Pipedrive's clock after ours said zero.
fn answer(status: u16, cursor: Option<&str>, skew: i64) -> Answer {
    let mut headers = HeaderMap::new();
    let date = at(skew).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    headers.insert(reqwest::header::DATE, date.parse().unwrap());
    let body = json!({"success": true, "data": [], "additional_data": {"next_cursor": cursor}});
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: if status == 200 { body } else { Json::Null },
    }
}

#[test]
fn a_window_keeps_its_end_through_all_its_pages() {
    let first = Window::at(&Cursor::Since { since: at(-900), page: None }, at(0));
    assert!(
        first.path("persons").ends_with(&format!(
            "&updated_until={}&updated_since={}",
            encoded(&at(-5).to_string()),
            encoded(&at(-900).to_string())
        )),
        "{}",
        first.path("persons")
    );
    let (cursor, more) = first.next(&answer(200, Some("a+b"), 0));
    assert!(more);
    let second = Window::at(&serde_json::from_str(&serde_json::to_string(&cursor).unwrap()).unwrap(), at(100));
    assert_eq!((second.since, second.until), (first.since, first.until));
    assert!(second.path("persons").ends_with("&cursor=a%2Bb"), "{}", second.path("persons"));
    let (rest, more) = second.next(&answer(200, None, 100));
    assert_eq!((rest, more), (Cursor::Since { since: at(-5) - OVERLAP, page: None }, false));
}

#[test]
fn the_next_window_begins_by_pipedrives_clock_where_ours_is_ahead() {
    let window = Window::at(&Cursor::Since { since: at(-900), page: None }, at(0));
    let (rest, _) = window.next(&answer(200, None, -30));
    assert_eq!(rest, Cursor::Since { since: at(-35) - OVERLAP, page: None });
    let behind = Window::at(&Cursor::Since { since: at(-10), page: None }, at(0)).next(&answer(200, None, -30)).0;
    assert_eq!(behind, Cursor::Since { since: at(-10), page: None }, "never backwards");
}

#[test]
fn a_cursor_that_is_refused_begins_its_window_anew() {
    let window = Window::at(&Cursor::Since { since: at(-900), page: None }, at(0));
    let (cursor, _) = window.next(&answer(200, Some("stale"), 0));
    let (next, more) = Window::at(&cursor, at(7)).next(&answer(400, None, 7));
    assert_eq!((next, more), (Cursor::Since { since: at(-900), page: None }, false));
}

#[test]
fn the_beginning_asks_for_everything() {
    assert!(!Window::at(&Cursor::Beginning, at(0)).path("persons").contains("updated_since"));
}
