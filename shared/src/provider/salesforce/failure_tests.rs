use super::*;
use proptest::prelude::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::json;

fn answer(status: u16, body: Json) -> Answer {
    Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body }
}

fn error(code: &str, message: &str) -> Json {
    json!([{"message": message, "errorCode": code}])
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Good,
    Reauth,
    Person,
    Wait(u64),
    Again,
    Bug,
}

fn is(error: Option<&Error>) -> Is {
    match error {
        None => Is::Good,
        Some(Error::AuthExpired { .. }) => Is::Reauth,
        Some(Error::Config { .. }) => Is::Person,
        Some(Error::RateLimited { after }) => Is::Wait(after.as_secs()),
        Some(Error::Retryable { .. }) => Is::Again,
        Some(Error::Bug { .. }) => Is::Bug,
    }
}

#[test]
fn each_error_body_says_what_to_do_next() {
    let spent = "TotalRequests Limit exceeded.";
    let crowded = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
    let table: &[(u16, Json, Is)] = &[
        (200, json!({"results": []}), Is::Good),
        (204, Json::Null, Is::Good),
        (401, error("INVALID_SESSION_ID", "Session expired or invalid"), Is::Reauth),
        (403, error("REQUEST_LIMIT_EXCEEDED", spent), Is::Wait(900)),
        (403, error("REQUEST_LIMIT_EXCEEDED", crowded), Is::Wait(5)),
        (403, error("API_DISABLED_FOR_ORG", ""), Is::Person),
        (403, error("INSUFFICIENT_ACCESS", ""), Is::Person),
        (403, Json::Null, Is::Again),
        (400, error("INVALID_FIELD", "No such column 'Foo__c' on sobject of type Contact"), Is::Person),
        (404, error("NOT_FOUND", "Provided external ID field does not exist or is not accessible: X"), Is::Person),
        (400, error("MALFORMED_QUERY", ""), Is::Bug),
        (414, Json::Null, Is::Bug),
        (410, error("UNSUPPORTED_API_VERSION", ""), Is::Person),
        (400, error("UNABLE_TO_LOCK_ROW", ""), Is::Again),
        (500, error("UNKNOWN_EXCEPTION", ""), Is::Again),
        (503, Json::Null, Is::Again),
    ];
    for (status, body, expected) in table {
        assert_eq!(is(of_call(&answer(*status, body.clone())).as_ref()), *expected, "{status} {body}");
    }
}

#[test]
fn a_person_hears_which_field_and_nobody_hears_a_value() {
    let refused = of_call(&answer(400, error("INVALID_FIELD", "No such column 'Foo__c' on ada@example.com"))).unwrap();
    assert_eq!(
        refused.to_string(),
        Error::Config { reason: "Salesforce answered 400 INVALID_FIELD Foo__c".to_owned() }.to_string()
    );
}

fn write(remote: Option<&str>) -> Write {
    let record = "01JD0000000000000000000000".parse().unwrap();
    Write { record, remote: remote.map(|remote| remote.parse().unwrap()), changes: Vec::new() }
}

fn row(remote: Option<&str>, row: &Json) -> Outcome {
    let write = write(remote);
    outcomes(&answer(200, json!([row])), &crate::provider::of_people(crate::provider::Crm::Salesforce), &[&write])
        .unwrap()
        .pop()
        .unwrap()
}

fn failed(code: &str, message: &str, fields: &[&str]) -> Json {
    json!({"success": false, "errors": [{"statusCode": code, "message": message, "fields": fields}]})
}

const LEAD: &str = "00Qxx0000004TmiEAE";

#[test]
fn http_200_with_every_row_failed_is_a_failure() {
    let refused =
        row(None, &failed("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", &["LastName"]));
    let message = "Required fields are missing: [LastName]".to_owned();
    let expected =
        Outcome::Refused { code: "REQUIRED_FIELD_MISSING".to_owned(), field: Some("LastName".to_owned()), message };
    assert_eq!(refused, expected);
    // An innocent row of a rolled-back collection carries an id, and is none.
    let innocent = json!({"id": LEAD, "success": false, "errors": [{"statusCode": "UNKNOWN_EXCEPTION"}]});
    assert_eq!(row(None, &innocent), Outcome::Later);
}

#[test]
fn each_row_error_says_what_becomes_of_the_record() {
    for code in MOVED {
        assert_eq!(row(Some(LEAD), &failed(code, "", &[])), Outcome::Missing, "{code}");
        assert!(matches!(row(None, &failed(code, "", &[])), Outcome::Refused { .. }), "{code}");
    }
    for code in PASSING {
        assert_eq!(row(Some(LEAD), &failed(code, "", &[])), Outcome::Later, "{code}");
    }
    let ours = format!("duplicate value found: CRM_Sync_Id__c duplicates value on record with id: {LEAD}");
    assert_eq!(row(None, &failed("DUPLICATE_VALUE", &ours, &[])), Outcome::Exists { remote: LEAD.parse().unwrap() });
    let short = ours.replace(LEAD, &LEAD[..15]);
    assert_eq!(row(None, &failed("DUPLICATE_VALUE", &short, &[])), Outcome::Exists { remote: LEAD.parse().unwrap() });
    let lookup = failed("MALFORMED_ID", "Owner ID: id value of incorrect type: john", &["OwnerId"]);
    assert!(matches!(row(Some(LEAD), &lookup), Outcome::Refused { field: Some(field), .. } if field == "OwnerId"));
    let stranger = format!("duplicate value found: Tax_No__c duplicates value on record with id: {LEAD}");
    assert!(matches!(row(None, &failed("DUPLICATE_VALUE", &stranger, &[])), Outcome::Refused { .. }), "no identity");
    assert!(matches!(
        row(None, &failed("DUPLICATES_DETECTED", "Use one of these records?", &[])),
        Outcome::Refused { .. }
    ));
    let column = failed("INVALID_FIELD", "No such column 'Last_Call__c' on entity 'Lead'", &[]);
    assert!(matches!(row(Some(LEAD), &column), Outcome::Refused { field: Some(field), .. } if field == "Last_Call__c"));
    let done = json!({"id": LEAD, "success": true, "errors": [], "created": true});
    assert_eq!(row(None, &done), Outcome::Written { remote: LEAD.parse().unwrap(), modified: None, seen: None });
}

#[test]
fn fewer_rows_than_writes_are_asked_for_again() {
    let (one, two) = (write(None), write(None));
    let told = outcomes(
        &answer(200, json!([{"id": LEAD, "success": true}])),
        &crate::provider::of_people(crate::provider::Crm::Salesforce),
        &[&one, &two],
    );
    assert!(matches!(told, Err(Error::Retryable { .. })));
}

proptest! {
    #[test]
    fn no_message_makes_a_stranger_of_somebody(message in ".{0,80}") {
        let told = row(None, &failed("DUPLICATE_VALUE", &message, &[]));
        prop_assert!(matches!(told, Outcome::Refused { .. }), "{told:?}");
    }
}
