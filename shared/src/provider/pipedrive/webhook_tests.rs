use super::*;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

const PASSWORD: &str = "password-of-the-connection";

fn delivery(authorization: Option<&str>, body: String) -> Delivery {
    let mut headers = HeaderMap::new();
    if let Some(value) = authorization {
        headers.insert("authorization", HeaderValue::from_str(value).unwrap());
    }
    let url = "https://hooks.example/webhooks/pipedrive/c1".to_owned();
    Delivery { method: http::Method::POST, url, headers, body: body.into_bytes() }
}

fn secrets() -> Vec<Secret> {
    vec![Secret::new(PASSWORD)]
}

fn genuine(body: &Json) -> Delivery {
    delivery(Some(&String::from_utf8(basic(PASSWORD)).unwrap()), body.to_string())
}

fn read(body: &Json) -> Result<Vec<Hint>, Unreadable> {
    let delivery = genuine(body);
    hints(&verify(&delivery, &secrets()).unwrap())
}

fn change() -> Json {
    json!({
        "meta": {"action": "change", "entity": "person", "company_id": "6083095", "entity_id": "17", "id": "a5b0d5ce-0000-4000-8000-000000000001", "version": "2.0", "webhook_id": "1828448", "attempt": 1},
        "data": {"id": 17, "name": "Ada Byron", "first_name": "Ada", "last_name": "Byron", "emails": [{"label": "work", "value": "ada@example.com", "primary": true}], "phones": [],
                 "custom_fields": {"b2c3d4e5f60718293a4b5c6d7e8f900112233445": {"type": "varchar", "value": "done"}, "c2c3d4e5f60718293a4b5c6d7e8f900112233445": null,
                                   "d2c3d4e5f60718293a4b5c6d7e8f900112233445": {"type": "monetary", "value": 13, "currency": "BRL"}}},
        "previous": {"first_name": "A."},
    })
}

#[test]
fn a_change_names_its_person_and_company_and_tells_every_plain_field() {
    let hint = read(&change()).unwrap().pop().unwrap();
    assert_eq!((hint.of.remote.as_str(), hint.account.unwrap().as_str()), ("17", "6083095"));
    let told = hint.of.tells.unwrap();
    let expect = |field: &str, value: Option<&str>| {
        let digest = crate::record::Agreed::digest(value.and_then(Value::text).as_ref());
        assert_eq!(told.0.get(field), Some(&digest), "{field}");
    };
    expect("name", Some("Ada Byron"));
    expect("email", Some("ada@example.com"));
    expect("phone", None);
    expect("b2c3d4e5f60718293a4b5c6d7e8f900112233445", Some("done"));
    expect("c2c3d4e5f60718293a4b5c6d7e8f900112233445", None);
    assert!(!told.0.contains_key("d2c3d4e5f60718293a4b5c6d7e8f900112233445"));
}

#[test]
fn deletions_merges_and_version_one_are_read_and_other_things_say_nothing() {
    let ids =
        |body: &Json| -> Vec<String> { read(body).unwrap().into_iter().map(|h| h.of.remote.to_string()).collect() };
    let mut deleted = change();
    deleted["meta"]["action"] = json!("delete");
    deleted["data"] = Json::Null;
    assert_eq!(ids(&deleted), ["17"]);
    assert_eq!(read(&deleted).unwrap()[0].of.tells, None);
    deleted["meta"]["merged_to_id"] = json!("18");
    assert_eq!(ids(&deleted), ["17", "18"]);
    assert_eq!(read(&deleted).unwrap()[0].of.merged_into.as_ref().unwrap().as_str(), "18");
    let old = json!({"v": 1, "meta": {"v": 1, "action": "updated", "object": "person", "id": 19, "company_id": 6083095}, "current": {}, "previous": {}});
    assert_eq!(ids(&old), ["19"]);
    let mut deal = change();
    deal["meta"]["entity"] = json!("deal");
    assert_eq!(read(&deal).unwrap()[0].filed, "deals");
    deal["meta"]["entity"] = json!("pipeline");
    assert_eq!(ids(&deal), Vec::<String>::new());
}

#[test]
fn without_the_password_a_delivery_is_forged() {
    for wrong in [None, Some("Basic "), Some("Basic Y3JtLXN5bmM6"), Some("Bearer password-of-the-connection")] {
        assert!(verify(&delivery(wrong, change().to_string()), &secrets()).is_err(), "{wrong:?}");
    }
    let unset = String::from_utf8(basic("")).unwrap();
    assert!(
        verify(&delivery(Some(&unset), change().to_string()), &[Secret::new("")]).is_err(),
        "an empty secret proves nothing"
    );
}

proptest! {
    #[test]
    fn no_body_is_a_panic(body in ".{0,200}") {
        let delivery = delivery(Some(&String::from_utf8(basic(PASSWORD)).unwrap()), body);
        let _ = hints(&verify(&delivery, &secrets()).unwrap());
    }
}
