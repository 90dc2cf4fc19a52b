use super::*;
use http::{HeaderMap, StatusCode};
use serde_json::json;

fn answer(status: u16, body: Json) -> Answer {
    Answer { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body }
}

fn with_retry_after(status: u16, seconds: &'static str) -> Answer {
    let mut answer = answer(status, json!({}));
    answer.headers.insert("retry-after", http::HeaderValue::from_static(seconds));
    answer
}

/// What is to be done, in one word and the seconds to wait.
fn remedy(answer: &Answer) -> (&'static str, Option<u64>) {
    match of_call(answer) {
        None => ("fine", None),
        Some(Error::RateLimited { after }) => ("pause", Some(after.as_secs())),
        Some(Error::Retryable { after, .. }) => ("again", after.map(|after| after.as_secs())),
        Some(Error::AuthExpired { .. }) => ("refresh", None),
        Some(Error::Config { .. }) => ("person", None),
        Some(Error::Bug { .. }) => ("bug", None),
    }
}

#[test]
fn each_status_has_its_remedy() {
    let limited = |policy: &str| json!({"status": "error", "message": "You have reached your limit.", "errorType": "RATE_LIMIT", "policyName": policy});
    let scopes = json!({"status": "error", "category": "MISSING_SCOPES", "errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}}]});
    let table = [
        (answer(200, json!({})), ("fine", None)),
        (answer(207, json!({})), ("fine", None)),
        (answer(400, json!({"category": "VALIDATION_ERROR"})), ("person", None)),
        (answer(401, json!({"category": "EXPIRED_AUTHENTICATION"})), ("refresh", None)),
        (answer(401, Json::Null), ("refresh", None)),
        (answer(403, scopes), ("person", None)),
        (answer(403, Json::Null), ("again", None)),
        (answer(404, json!({})), ("person", None)),
        (answer(414, Json::Null), ("person", None)),
        (answer(408, Json::Null), ("again", None)),
        (answer(423, json!({"category": "LOCKED"})), ("again", Some(2))),
        (answer(429, limited("TEN_SECONDLY_ROLLING")), ("pause", Some(10))),
        (answer(429, limited("SECONDLY")), ("pause", Some(1))),
        (answer(429, limited("DAILY")), ("pause", Some(3600))),
        (answer(429, Json::Null), ("pause", Some(10))),
        (with_retry_after(429, "7"), ("pause", Some(7))),
        (with_retry_after(477, "3"), ("pause", Some(3))),
        (with_retry_after(477, "999999999"), ("pause", Some(86_400))),
        (with_retry_after(503, "5"), ("again", Some(5))),
        (with_retry_after(503, "Wed, 21 Oct"), ("again", None)),
        (answer(500, Json::Null), ("again", None)),
        (answer(502, Json::Null), ("again", None)),
        (answer(504, Json::Null), ("again", None)),
        (answer(521, Json::Null), ("again", None)),
        (answer(525, Json::Null), ("again", None)),
        (answer(302, Json::Null), ("again", None)),
    ];
    for (answer, expected) in table {
        assert_eq!(remedy(&answer), expected, "{}", answer.status);
    }
    assert!(of_record(&answer(404, Json::Null)).is_none());
    assert!(of_rows(&answer(409, Json::Null)).is_none());
}

#[test]
fn errors_carry_codes_and_no_personal_data() {
    let body = json!({"message": "Email ada@example.com is invalid", "category": "VALIDATION_ERROR", "correlationId": "c-1", "errors": [{"message": "ada@example.com", "code": "INVALID_EMAIL"}]});
    let said = of_call(&answer(400, body)).unwrap().to_string();
    assert!(said.contains("VALIDATION_ERROR c-1 INVALID_EMAIL") && !said.contains("ada"), "{said}");
    let body = json!({"category": "MISSING_SCOPES", "errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}}]});
    assert!(of_call(&answer(403, body)).unwrap().to_string().contains("crm.objects.contacts.write"));
}

fn refused(code: &str, field: Option<&str>, message: &str) -> Outcome {
    Outcome::Refused { code: code.to_owned(), field: field.map(str::to_owned), message: message.to_owned() }
}

#[test]
fn refusals_are_read_from_every_body() {
    let listed = r#"Property values were not valid: [{"isValid":false,"message":"Property \"foo\" does not exist","error":"PROPERTY_DOESNT_EXIST","name":"foo"}]"#;
    let cut = r#"Property values were not valid: [{"isValid":fal"#;
    let table = [
        (
            json!({"message": listed, "category": "VALIDATION_ERROR"}),
            refused("PROPERTY_DOESNT_EXIST", Some("foo"), "Property \"foo\" does not exist"),
        ),
        (
            json!({"message": "…", "errors": [{"message": "discount was not a valid number", "code": "INVALID_INTEGER", "context": {"propertyName": ["discount"]}}], "category": "VALIDATION_ERROR"}),
            refused("INVALID_INTEGER", Some("discount"), "discount was not a valid number"),
        ),
        (json!({"message": cut, "category": "VALIDATION_ERROR"}), refused("VALIDATION_ERROR", None, cut)),
        (json!({"message": "no", "category": "OTHER"}), refused("OTHER", None, "no")),
        (json!({}), refused("REFUSED", None, "")),
        (Json::Null, refused("REFUSED", None, "")),
        (json!([1, {"message": 5}]), refused("REFUSED", None, "")),
    ];
    for (body, expected) in table {
        assert_eq!(Refusal::of(&body).created("crm_sync_id"), expected, "{body}");
        assert_eq!(Refusal::of(&body).updated(), expected, "{body}");
    }
}

#[test]
fn a_conflict_is_someone_else_only_where_a_record_was_to_be_made() {
    let taken =
        json!({"status": "error", "message": "Contact already exists. Existing ID: 12345", "category": "CONFLICT"});
    assert_eq!(Refusal::of(&taken).created("crm_sync_id"), Outcome::Exists { remote: "12345".parse().unwrap() });
    assert_eq!(
        Refusal::of(&taken).updated(),
        refused("CONFLICT", Some("email"), "Contact already exists. Existing ID: 12345")
    );
    let value = |name: &str| {
        let message =
            format!("Cannot set PropertyValueCoordinates{{propertyName={name}, value=9}}. 777 already has that value.");
        json!({"message": format!("Property values were not valid: {}", json!([{"message": message, "error": TAKEN, "name": name}])), "category": "VALIDATION_ERROR"})
    };
    assert_eq!(
        Refusal::of(&value("crm_sync_id")).created("crm_sync_id"),
        Outcome::Exists { remote: "777".parse().unwrap() }
    );
    assert!(
        matches!(Refusal::of(&value("badge")).created("crm_sync_id"), Outcome::Refused { field: Some(field), .. } if field == "badge")
    );
    let unknown = json!({"message": "Contact already exists.", "category": "CONFLICT"});
    assert!(
        matches!(Refusal::of(&unknown).created("crm_sync_id"), Outcome::Refused { code, .. } if code == "CONFLICT")
    );
}

#[test]
fn a_row_that_is_not_there_is_missing() {
    assert_eq!(
        Refusal::of(&json!({"category": "OBJECT_NOT_FOUND", "message": "resource not found"})).updated(),
        Outcome::Missing
    );
    assert_eq!(Refusal::of_answer(&answer(404, Json::Null)).updated(), Outcome::Missing);
}

#[test]
fn a_missing_unique_property_is_no_rows_fault() {
    let no_such = json!({"message": r#"Property values were not valid: [{"message":"no","error":"PROPERTY_DOESNT_EXIST","name":"crm_sync_id"}]"#});
    assert!(Refusal::of(&no_such).blames_account("crm_sync_id"));
    assert!(
        Refusal::of(&json!({"message": "Property crm_sync_id is not a unique identifier of contacts"}))
            .blames_account("crm_sync_id")
    );
    assert!(
        !Refusal::of(&json!({"message": "Contact already exists. Existing ID: 1 (crm_sync_id)"}))
            .blames_account("crm_sync_id")
    );
    assert!(
        !Refusal::of(
            &json!({"message": r#"Property values were not valid: [{"message":"no","error":"X","name":"foo"}]"#})
        )
        .blames_account("crm_sync_id")
    );
}
