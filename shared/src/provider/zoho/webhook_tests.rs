use super::*;
use http::HeaderMap;
use proptest::prelude::*;

const TOKEN: &str = "tenant-secret-max-50";

fn delivery(body: impl Into<Vec<u8>>) -> Delivery {
    Delivery {
        method: http::Method::POST,
        url: "https://hooks.example/webhooks/zoho/c1".to_owned(),
        headers: HeaderMap::new(),
        body: body.into(),
    }
}

fn notice(operation: &str, ids: &Json) -> Json {
    json!({
        "server_time": 1_718_117_126_473_i64, "query_params": {}, "module": "Leads", "resource_uri": "https://www.zohoapis.com/crm/v2/Leads",
        "ids": ids, "affected_fields": [{"5725767000003000064": ["Mobile"]}], "operation": operation, "channel_id": "1000000068001", "token": TOKEN,
    })
}

fn secrets() -> Vec<Secret> {
    vec![Secret::new(TOKEN), Secret::new("the one before")]
}

fn read(body: &Json) -> Result<Vec<String>, Unreadable> {
    let delivery = delivery(body.to_string());
    let hints = hints(&verify(&delivery, &secrets()).unwrap())?;
    Ok(hints.into_iter().map(|hint| hint.of.remote.to_string()).collect())
}

#[test]
fn a_genuine_delivery_is_read() {
    for operation in ["insert", "update", "delete"] {
        assert_eq!(
            read(&notice(operation, &json!(["5725767000003000064", "5725767000003000065"]))).unwrap(),
            ["5725767000003000064", "5725767000003000065"]
        );
    }
    assert_eq!(
        read(&notice("update", &json!([5_725_767_000_003_000_064_u64, "not an id", "7&fields=x"]))).unwrap(),
        ["5725767000003000064"]
    );
    assert_eq!(read(&notice("approve", &json!(["1"]))).unwrap(), [""; 0]);
    assert_eq!(read(&notice("update", &json!([]))).unwrap(), [""; 0]);
}

#[test]
fn a_genuine_delivery_may_be_unreadable() {
    for ids in [json!(null), json!("1"), json!([{}]), json!([null, "x"])] {
        assert!(read(&notice("update", &ids)).is_err(), "{ids}");
    }
    assert!(read(&json!({"token": TOKEN})).is_err());
}

#[test]
fn the_token_before_a_rotation_is_still_good() {
    let delivery = delivery(json!({"token": "the one before"}).to_string());
    assert!(verify(&delivery, &secrets()).is_ok());
}

#[test]
fn a_missing_or_odd_token_is_refused() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"token":null}"#,
        r#"{"token":["tenant-secret-max-50"]}"#,
        r#"{"token":1}"#,
        r#"{"token":"a","token":"tenant-secret-max-50"}"#,
        r#"{"token":"tenant-secret-max-50""#,
    ] {
        assert_eq!(verify(&delivery(body), &secrets()).err(), Some(Forged::Missing), "{body}");
    }
    let genuine = notice("update", &json!(["1"])).to_string();
    assert_eq!(verify(&delivery(genuine.clone()), &[]).err(), Some(Forged::Mismatch));
    assert_eq!(verify(&delivery(genuine), &[Secret::new("other")]).err(), Some(Forged::Mismatch));
    assert_eq!(verify(&delivery(r#"{"token":""}"#), &[Secret::new("")]).err(), Some(Forged::Mismatch));
}

proptest! {
    /// The scheme covers the token, and nothing else.
    #[test]
    fn any_other_token_is_refused(token in "\\PC{0,60}", cut in 0usize..20, at in 0usize..20, letter in "[ -~]") {
        let mut near = TOKEN.to_owned();
        near.replace_range(at..=at, &letter);
        for other in [token, TOKEN[..cut].to_owned(), format!("{TOKEN}{letter}"), near, TOKEN.to_uppercase()] {
            let mut body = notice("update", &json!(["1"]));
            body["token"] = json!(other);
            let refused = verify(&delivery(body.to_string()), &secrets()).is_err();
            prop_assert_eq!(refused, other != TOKEN);
        }
    }

    #[test]
    fn what_is_not_covered_does_not_matter(ids in prop::collection::vec(any::<u64>(), 0..5), operation in "[a-z]{0,9}", extra in "\\PC{0,20}", url in "\\PC{0,20}") {
        let mut body = notice(&operation, &json!(ids));
        body["server_time"] = json!(0);
        body["more"] = json!(extra);
        let mut delivery = delivery(serde_json::to_vec_pretty(&body).unwrap());
        delivery.url = url;
        delivery.method = http::Method::PUT;
        prop_assert!(verify(&delivery, &secrets()).is_ok());
    }

    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(verify(&delivery(body), &secrets()).is_err());
    }
}

#[test]
fn an_expiry_that_zoho_did_not_keep_is_noticed() {
    let wanted: Timestamp = "2026-11-28T08:00:00Z".parse().unwrap();
    let row = |expiry: &str| json!({"code": "SUCCESS", "details": {"events": [{"channel_expiry": expiry, "channel_id": "7"}]}});
    for kept in ["2026-11-28T08:00:00+00:00", "2026-11-27T21:00:00-11:00", "2026-11-28T13:29:59+05:30"] {
        assert!(opened(&row(kept), wanted).is_ok(), "{kept}");
    }
    for lost in ["2026-11-21T10:00:00+00:00", "2026-11-28T08:00:00-11:00", "tomorrow", ""] {
        assert!(matches!(opened(&row(lost), wanted), Err(Error::Config { .. })), "{lost}");
    }
    assert!(opened(&json!({"code": "SUCCESS"}), wanted).is_err());
}
