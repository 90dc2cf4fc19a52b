use super::*;
use crate::{provider::Write, provider::zoho::records::tests::any_json};
use proptest::prelude::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::json;

fn answer(status: u16, body: Json) -> Answer {
    Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body }
}

fn bare(code: &str, details: &Json) -> Json {
    json!({"code": code, "details": details, "message": "ada@example.com is the culprit", "status": "error"})
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Good,
    Reauth,
    Person,
    Wait,
    Again,
    Bug,
}

fn is(error: Option<&Error>) -> Is {
    match error {
        None => Is::Good,
        Some(Error::AuthExpired { .. }) => Is::Reauth,
        Some(Error::Config { .. }) => Is::Person,
        Some(Error::RateLimited { .. }) => Is::Wait,
        Some(Error::Retryable { .. }) => Is::Again,
        Some(Error::Bug { .. }) => Is::Bug,
    }
}

#[test]
fn each_error_body_says_what_to_do_next() {
    let table: &[(u16, Json, Is)] = &[
        (200, json!({"data": []}), Is::Good),
        (204, Json::Null, Is::Good),
        (304, Json::Null, Is::Good),
        (200, bare("INTERNAL_ERROR", &json!({})), Is::Again),
        (401, bare("INVALID_TOKEN", &json!({})), Is::Reauth),
        (401, bare("AUTHENTICATION_FAILURE", &json!({})), Is::Reauth),
        (401, Json::Null, Is::Reauth),
        (401, bare("OAUTH_SCOPE_MISMATCH", &json!({})), Is::Person),
        (403, bare("OAUTH_SCOPE_MISMATCH", &json!({})), Is::Person),
        (403, bare("NO_PERMISSION", &json!({"permissions": ["Crm_Implied_View_Leads"]})), Is::Person),
        (400, bare("AUTHENTICATION_FAILURE", &json!({})), Is::Reauth),
        (400, bare("INVALID_MODULE", &json!({})), Is::Person),
        (400, bare("INVALID_QUERY", &json!({"column_name": "Mobile"})), Is::Person),
        (400, bare("INVALID_DATA", &json!({"api_name": "duplicate_check_fields"})), Is::Person),
        (400, bare("SYNTAX_ERROR", &json!({})), Is::Bug),
        (400, bare("REQUIRED_PARAM_MISSING", &json!({"param_name": "fields"})), Is::Bug),
        (404, bare("INVALID_URL_PATTERN", &json!({})), Is::Bug),
        (404, Json::Null, Is::Again),
        (400, bare("SOMETHING_NEW", &json!({})), Is::Again),
        (423, Json::Null, Is::Again),
        (429, bare("TOO_MANY_REQUESTS", &json!({})), Is::Wait),
        (429, Json::Null, Is::Wait),
        (500, bare("INTERNAL_ERROR", &json!({})), Is::Again),
        (502, Json::Null, Is::Again),
    ];
    for (status, body, expected) in table {
        let error = of_call(&answer(*status, body.clone()));
        assert_eq!(is(error.as_ref()), *expected, "{status} {body}");
        assert!(!format!("{error:?}").contains("ada@"), "personal data: {error:?}");
    }
}

#[test]
fn spent_credits_are_waited_for_longer_than_a_crowd() {
    let mut spent = answer(429, bare("TOO_MANY_REQUESTS", &json!({})));
    let Some(Error::RateLimited { after: crowd }) = of_call(&spent) else { panic!() };
    spent.headers.insert("X-API-CREDITS-REMAINING", "0".parse().unwrap());
    let Some(Error::RateLimited { after: credits }) = of_call(&spent) else { panic!() };
    assert!(crowd < Duration::from_secs(10) && credits > Duration::from_secs(600));
}

#[test]
fn rows_are_rows_with_http_400_too() {
    let rows = json!({"data": [bare("INVALID_DATA", &json!({}))]});
    for status in [200, 201, 202, 207, 400] {
        assert_eq!(is(of_rows(&answer(status, rows.clone())).as_ref()), Is::Good);
    }
    assert_eq!(is(of_rows(&answer(401, rows.clone())).as_ref()), Is::Reauth);
    assert_eq!(is(of_rows(&answer(500, rows)).as_ref()), Is::Again);
    assert_eq!(is(of_rows(&answer(400, bare("INVALID_DATA", &json!({})))).as_ref()), Is::Person);
}

#[test]
fn a_lost_place_is_no_failure() {
    for (code, details) in [
        ("EXPIRED_VALUE", json!({"param_name": "page_token"})),
        ("TOKEN_BOUND_DATA_MISMATCH", json!({})),
        ("PAGINATION_LIMIT_EXCEEDED", json!({"limit": 100_000})),
        ("INVALID_DATA", json!({"param_name": "page_token"})),
    ] {
        let lost = answer(400, bare(code, &details));
        assert!(place_lost(&lost) && of_page(&lost).is_none(), "{code}");
    }
    assert!(of_page(&answer(400, bare("INVALID_DATA", &json!({"param_name": "fields"})))).is_some());
}

fn mapping() -> Mapping {
    crate::provider::of_people(crate::provider::Crm::Zoho)
}

fn write(remote: Option<&str>) -> Write {
    Write { record: "r".parse().unwrap(), remote: remote.map(|id| id.parse().unwrap()), changes: Vec::new() }
}

fn fate(row: &Json, remote: Option<&str>) -> String {
    match outcome(row, &mapping(), &write(remote)) {
        Ok(Outcome::Written { remote, modified, seen: None }) => {
            format!("written {remote} {}", modified.map(|m| m.to_string()).unwrap_or_default())
        }
        Ok(Outcome::Written { .. }) => "seen".to_owned(),
        Ok(Outcome::Refused { code, field, message }) => {
            format!("refused {code} {} {message}", field.unwrap_or_default())
        }
        Ok(Outcome::Exists { remote }) => format!("exists {remote}"),
        Ok(Outcome::Missing) => "missing".to_owned(),
        Ok(Outcome::Later) => "later".to_owned(),
        Err(error) => format!("{:?}", is(Some(&error))),
    }
}

#[test]
fn each_row_has_its_own_fate() {
    let row = |code: &str, message: &str, details: Json| json!({"code": code, "details": details, "message": message, "status": "error"});
    let duplicate = json!({"api_name": "Email", "duplicate_record": {"id": "77", "module": {"api_name": "Leads"}}});
    let table: &[(Json, Option<&str>, &str)] = &[
        (
            row(
                "SUCCESS",
                "record added",
                json!({"id": "4150868000003194003", "Modified_Time": "2020-10-14T10:31:43+05:30"}),
            ),
            None,
            "written 4150868000003194003 2020-10-14T05:01:43Z",
        ),
        (row("SUCCESS", "record updated", json!({"id": "1"})), Some("1"), "written 1 "),
        (row("SUCCESS", "?", json!({})), None, "Again"),
        (row("DUPLICATE_DATA", "duplicate data", duplicate.clone()), None, "exists 77"),
        (row("DUPLICATE_DATA", "duplicate data", json!({"api_name": "Email", "id": "78"})), None, "exists 78"),
        // A field that this account keeps unique says nothing of who somebody is.
        (
            row("DUPLICATE_DATA", "duplicate data", json!({"api_name": "Phone", "duplicate_record": {"id": "79"}})),
            None,
            "refused DUPLICATE_DATA Phone duplicate data",
        ),
        (
            row("DUPLICATE_DATA", "duplicate data", json!({"api_name": "Email"})),
            None,
            "refused DUPLICATE_DATA Email duplicate data",
        ),
        // Another record has the value: that is this record's trouble, not its identity.
        (row("DUPLICATE_DATA", "duplicate data", duplicate), Some("1"), "refused DUPLICATE_DATA Email duplicate data"),
        (
            row("INVALID_DATA", "invalid data", json!({"api_name": "Email", "expected_data_type": "email"})),
            None,
            "refused INVALID_DATA Email invalid data: email",
        ),
        (
            row("MANDATORY_NOT_FOUND", "required field not found", json!({"api_name": "Last_Name"})),
            Some("1"),
            "refused MANDATORY_NOT_FOUND Last_Name required field not found",
        ),
        (row("INVALID_DATA", "the id given seems to be invalid", json!({"id": "1"})), Some("1"), "missing"),
        (
            row(
                "INVALID_DATA",
                "the id given seems to be invalid",
                json!({"api_name": "id", "json_path": "$.data[0].id"}),
            ),
            Some("1"),
            "missing",
        ),
        (row("RECORD_LOCKED", "locked", json!({})), Some("1"), "refused RECORD_LOCKED  locked"),
        (row("DEPENDENT_SERVICE_ERROR", "later", json!({})), Some("1"), "Again"),
        (json!(null), None, "refused no code  "),
    ];
    for (row, remote, expected) in table {
        assert_eq!(fate(row, *remote), *expected, "{row}");
    }
}

#[test]
fn an_answer_without_a_row_for_each_write_is_asked_again() {
    let writes = [write(None), write(None)];
    assert_eq!(
        is(outcomes(&answer(200, json!({"data": [bare("SUCCESS", &json!({"id": "1"}))]})), &mapping(), &writes)
            .as_ref()
            .err()),
        Is::Again
    );
    assert_eq!(is(outcomes(&answer(200, Json::Null), &mapping(), &writes).as_ref().err()), Is::Again);
}

proptest! {
    #[test]
    fn no_answer_panics(status in 200u16..600, body in any_json()) {
        let answer = answer(status, body);
        for judge in [of_call, of_rows, of_page, of_watch] {
            let _ = judge(&answer);
        }
        let _ = (outcomes(&answer, &mapping(), &[write(None)]), outcome(&answer.body, &mapping(), &write(Some("1"))));
    }
}
