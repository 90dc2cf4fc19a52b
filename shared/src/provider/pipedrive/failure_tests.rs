use super::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::json;

fn answer(status: u16, headers: &[(&'static str, &str)], body: Json) -> Answer {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    Answer { status: StatusCode::from_u16(status).unwrap(), headers, body }
}

fn waits(headers: &[(&'static str, &str)]) -> u64 {
    match of_call(&answer(429, headers, Json::Null)) {
        Some(Error::RateLimited { after }) => after.as_secs(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_429_with_calls_left_is_the_days() {
    assert_eq!(waits(&[]), 2);
    assert_eq!(waits(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2")]), 2);
    assert_eq!(
        waits(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790000000")]),
        2,
        "no number of seconds"
    );
    assert_eq!(waits(&[("x-ratelimit-remaining", "71")]), 900);
}

#[test]
fn each_status_says_what_to_do_next() {
    let body = || json!({"success": false, "error": "unauthorized access"});
    let of = |status, body| of_call(&answer(status, &[], body));
    assert!(of(200, json!({"success": true})).is_none());
    assert!(matches!(of(401, body()), Some(Error::AuthExpired { .. })));
    assert!(matches!(of(402, body()), Some(Error::Config { .. })));
    assert!(matches!(of(403, body()), Some(Error::Config { .. })));
    assert!(matches!(of(403, Json::Null), Some(Error::RateLimited { .. })), "the proxy's page of HTML");
    assert!(matches!(of(500, body()), Some(Error::Retryable { .. })));
    assert!(matches!(of(400, body()), Some(Error::Config { .. })));
}

#[test]
fn a_record_may_be_refused_or_gone() {
    let refused = answer(400, &[], json!({"success": false, "error": "name is required"}));
    assert!(of_record(&refused).is_none());
    let expected =
        Outcome::Refused { code: "HTTP_400".to_owned(), field: None, message: "name is required".to_owned() };
    assert_eq!(outcome(&refused, false), expected);
    let gone = answer(404, &[], json!({"success": false}));
    assert_eq!(outcome(&gone, true), Outcome::Missing);
    assert!(matches!(outcome(&gone, false), Outcome::Refused { .. }));
    assert!(matches!(of_record(&answer(404, &[], Json::Null)), Some(Error::Config { .. })), "no answer of the API's");
}
