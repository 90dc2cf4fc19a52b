use super::*;
use http::HeaderMap;
use proptest::prelude::*;

const TOKEN: &str = "token-of-the-connection";

/// The sample of Salesforce's SOAP API guide, "Outbound Messaging", with two notifications.
const MESSAGE: &str = include_str!("golden/outbound.xml");

fn delivery(url: &str, body: &str) -> Delivery {
    let (method, headers) = (http::Method::POST, HeaderMap::new());
    Delivery { method, url: url.to_owned(), headers, body: body.as_bytes().to_vec() }
}

fn genuine(body: &str) -> Delivery {
    delivery(&format!("https://hooks.example/webhooks/salesforce/c1?token={TOKEN}"), body)
}

fn secrets() -> Vec<Secret> {
    vec![Secret::new(TOKEN)]
}

fn read(body: &str) -> Result<Vec<Hint>, Unreadable> {
    let delivery = genuine(body);
    hints(&verify(&delivery, &secrets()).unwrap())
}

#[test]
fn each_record_of_a_message_is_a_hint_from_its_org() {
    let hints = read(MESSAGE).unwrap();
    let ids: Vec<&str> = hints.iter().map(|hint| hint.of.remote.as_str()).collect();
    assert_eq!(ids, ["00Qxx0000004TmiEAE", "003xx000004TmiQAAS"]);
    assert!(hints.iter().all(|hint| hint.account.as_ref().unwrap().as_str() == "00Dxx0000001gPLEAY"));
    let first = &hints[0].of;
    assert_eq!(first.as_of, "2026-11-21T09:00:00Z".parse().ok());
    let digest = |text: &str| crate::record::Agreed::digest(Value::text(text).as_ref());
    let told = &first.tells.as_ref().unwrap().0;
    assert_eq!((&told["Email"], &told["LastName"]), (&digest("ada@example.com"), &digest("O'Byron & Co")));
    assert!(!told.contains_key("Phone"), "a blank is left out, and so says nothing");
    assert_eq!(hints[0].by.as_deref(), Some("005xx000001SwiUAAS"));
    assert_eq!(hints[1].of.tells, None, "of what does not say how old it is nothing is believed");
}

#[test]
fn without_its_token_a_message_is_forged() {
    for (url, forged) in [
        ("https://hooks.example/webhooks/salesforce/c1", Forged::Missing),
        ("https://hooks.example/webhooks/salesforce/c1?token=", Forged::Mismatch),
        ("https://hooks.example/webhooks/salesforce/c1?token=wrong", Forged::Mismatch),
        ("https://hooks.example/webhooks/salesforce/c1?token=token-of-the-connection&token=x", Forged::Missing),
        ("https://hooks.example/webhooks/salesforce/c1?x=token=token-of-the-connection", Forged::Missing),
    ] {
        assert_eq!(verify(&delivery(url, MESSAGE), &secrets()).err(), Some(forged), "{url}");
    }
    let unset = delivery("https://hooks.example/webhooks/salesforce/c1?token=", MESSAGE);
    assert!(verify(&unset, &[Secret::new("")]).is_err(), "an empty secret proves nothing");
}

#[test]
fn entities_and_document_types_are_not_resolved() {
    let bomb = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{MESSAGE}");
    assert!(read(&bomb).is_err());
    assert!(read("<a><b></a>").is_err());
    assert!(read("").is_err(), "no org");
    assert!(read(&MESSAGE.replace("OrganizationId", "Other")).is_err());
}

#[test]
fn an_id_elsewhere_in_the_message_is_no_records() {
    let sneaky = MESSAGE.replace("<sf:Email>", "<sf:Account><sf:Id>003xx000004TmiQAAA</sf:Id></sf:Account><sf:Email>");
    assert_eq!(read(&sneaky).unwrap().len(), 2);
}

proptest! {
    #[test]
    fn no_body_is_a_panic(body in ".{0,200}") {
        let _ = read(&body);
    }
}
