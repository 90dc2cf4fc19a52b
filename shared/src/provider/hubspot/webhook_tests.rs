use super::*;
use http::{HeaderMap, HeaderValue, Method};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

const S: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
const U: &str = "https://www.example.com/webhook_uri";
const EVENTS: &str = r#"[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]"#;
const QUOTED: &str = "{'example_field':'example_value'}";

fn delivery(method: Method, url: &str, body: &str, headers: &[(&'static str, &str)]) -> Delivery {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect();
    Delivery { method, url: url.to_owned(), headers, body: body.as_bytes().to_vec() }
}

fn old(version: &str, method: Method, body: &str, signature: &str) -> Delivery {
    delivery(method, U, body, &[(OLDER, signature), (OLDER_VERSION, version)])
}

fn new(url: &str, body: &str, timestamp: &str, signature: &str) -> Delivery {
    delivery(Method::POST, url, body, &[(V3, signature), (TIMESTAMP, timestamp)])
}

fn at(milliseconds: &str) -> Timestamp {
    Timestamp::from_millisecond(milliseconds.parse().unwrap()).unwrap()
}

fn legacy(delivery: &Delivery) -> Result<(), Forged> {
    verify(delivery, &[Secret::new(S)], Schemes::Legacy, at("1700000000000")).map(|_| ())
}

fn timestamped(delivery: &Delivery, secret: &str, now: Timestamp) -> Result<(), Forged> {
    verify(delivery, &[Secret::new(secret)], Schemes::Timestamped, now).map(|_| ())
}

#[test]
fn vector_1_v1_of_the_documentation() {
    assert_eq!(
        legacy(&old("v1", Method::POST, EVENTS, "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de")),
        Ok(())
    );
}

#[test]
fn vector_2_v2_of_a_get() {
    assert_eq!(
        legacy(&old("v2", Method::GET, "", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e")),
        Ok(())
    );
}

#[test]
fn vector_3_v2_of_a_post() {
    let body = r#"{"example_field":"example_value"}"#;
    assert_eq!(
        legacy(&old("v2", Method::POST, body, "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900")),
        Ok(())
    );
}

#[test]
fn vector_4_v1_of_the_python_sdk() {
    assert_eq!(
        legacy(&old("v1", Method::POST, QUOTED, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750")),
        Ok(())
    );
}

#[test]
fn vector_5_v2_of_the_python_sdk() {
    assert_eq!(
        legacy(&old("v2", Method::POST, QUOTED, "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383")),
        Ok(())
    );
}

#[test]
fn vector_6_v3_of_the_python_sdk() {
    let delivery = new(U, QUOTED, "1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=");
    assert_eq!(timestamped(&delivery, S, at("1693657560000")), Ok(()));
}

#[test]
fn vector_7_v3_of_the_ruby_sdk() {
    let delivery = new(U, QUOTED, "1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=");
    assert_eq!(timestamped(&delivery, S, at("1700000300000")), Ok(()));
}

#[test]
fn vector_8_v3_signs_the_decoded_url() {
    let (secret, url) =
        ("autopilot-test-client-secret-0001", "https://example.com/api/hubspot/webhooks?src=hs%3Aapp%2Fv3&x=%28a%29");
    let signed = |signature| timestamped(&new(url, "[]", "1790000004000", signature), secret, at("1790000004000"));
    assert_eq!(signed("G8ddQlikFQ0ScZOZn+MHQ0E3WCV7vOJTzKlvrkvbvuk="), Ok(()));
    assert_eq!(
        signed("KKwrtu49d26FrUsDQdYcfAcwFssKn+cmyppOAUwOO/Q="),
        Err(Forged::Mismatch),
        "that of the URL as it stands"
    );
}

#[test]
fn only_the_listed_escapes_are_undone_and_only_once() {
    assert_eq!(decoded("/%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B?"), "/:/?@!$'()*,;?");
    assert_eq!(decoded("%20%26%3D%25%3a%253A%%3A%2"), "%20%26%3D%25%3a%253A%:%2");
    assert_eq!(decoded("ü%C3%BC%3A"), "ü%C3%BC:");
}

const NOW: &str = "1700000300000";

fn good() -> Delivery {
    new(U, QUOTED, NOW, "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=")
}

#[test]
fn five_minutes_are_tolerated_both_ways_and_no_more() {
    let after = |milliseconds| timestamped(&good(), S, at(NOW) + SignedDuration::from_millis(milliseconds));
    assert_eq!([after(300_000), after(-300_000)], [Ok(()), Ok(())]);
    assert_eq!([after(300_001), after(-300_001)], [Err(Forged::Stale), Err(Forged::Stale)]);
}

#[test]
fn a_timestamp_is_thirteen_digits() {
    for timestamp in [
        "",
        "170000030000",
        "17000003000000",
        "+700000300000",
        " 1700000300000",
        "1700000300000 ",
        "17000003000e0",
        "NaN",
        "-700000300000",
    ] {
        let mut delivery = good();
        delivery.headers.insert(TIMESTAMP, HeaderValue::from_str(timestamp).unwrap());
        assert_eq!(timestamped(&delivery, S, at(NOW)), Err(Forged::Mismatch), "{timestamp}");
    }
}

#[test]
fn a_delivery_without_v3_is_refused_unless_older_schemes_are_asked_for() {
    let v1 = old("v1", Method::POST, QUOTED, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750");
    assert_eq!(timestamped(&v1, S, at(NOW)), Err(Forged::Missing));
    assert_eq!(legacy(&v1), Ok(()));
    assert_eq!(legacy(&old("v4", Method::POST, QUOTED, "69fc")), Err(Forged::Missing));
    assert_eq!(
        legacy(&delivery(
            Method::POST,
            U,
            QUOTED,
            &[(OLDER, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750")]
        )),
        Err(Forged::Missing)
    );
}

#[test]
fn where_there_is_anything_of_v3_it_decides() {
    let v1 = [(OLDER, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"), (OLDER_VERSION, "v1")];
    let with = |header: (&'static str, &str)| legacy(&delivery(Method::POST, U, QUOTED, &[v1[0], v1[1], header]));
    assert_eq!(with((V3, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=")), Err(Forged::Missing));
    assert_eq!(with((TIMESTAMP, NOW)), Err(Forged::Missing));
    let mut both = good();
    both.headers.insert(V3, HeaderValue::from_static("K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="));
    both.headers.extend(delivery(Method::POST, U, QUOTED, &v1).headers);
    assert_eq!(verify(&both, &[Secret::new(S)], Schemes::Legacy, at(NOW)).map(|_| ()), Err(Forged::Mismatch));
}

#[test]
fn both_secrets_of_a_rotation_are_good_and_an_empty_one_is_none() {
    let with = |secrets: &[&str]| {
        verify(&good(), &secrets.iter().map(|s| Secret::new(*s)).collect::<Vec<_>>(), Schemes::Timestamped, at(NOW))
            .map(|_| ())
    };
    assert_eq!([with(&["new", S]), with(&[S, "old"])], [Ok(()), Ok(())]);
    assert_eq!([with(&[]), with(&["new"])], [Err(Forged::Mismatch), Err(Forged::Mismatch)]);
    let mac = Hmac::<Sha256>::new_from_slice(b"").unwrap().chain_update(format!("POST{U}{QUOTED}{NOW}")).finalize();
    let empty = new(U, QUOTED, NOW, &BASE64_STANDARD.encode(mac.into_bytes()));
    assert_eq!(timestamped(&empty, "", at(NOW)), Err(Forged::Mismatch));
}

#[test]
fn a_header_that_is_sent_twice_proves_nothing() {
    let mut twice = good();
    twice.headers.append(V3, HeaderValue::from_static("RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="));
    assert_eq!(timestamped(&twice, S, at(NOW)), Err(Forged::Missing));
}

/// A scheme, and what it covers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scheme {
    V1,
    V2,
    V3,
}

fn signed(scheme: Scheme, secret: &str, url: &str, body: &[u8], timestamp: &str) -> Delivery {
    let hex = |parts: &[&[u8]]| {
        parts
            .iter()
            .fold(Sha256::new(), |hash, part| hash.chain_update(part))
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let headers: Vec<(&'static str, String)> = match scheme {
        Scheme::V1 => vec![(OLDER, hex(&[secret.as_bytes(), body])), (OLDER_VERSION, "v1".to_owned())],
        Scheme::V2 => {
            vec![(OLDER, hex(&[secret.as_bytes(), b"POST", url.as_bytes(), body])), (OLDER_VERSION, "v2".to_owned())]
        }
        Scheme::V3 => {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            let mac = mac
                .chain_update(b"POST")
                .chain_update(decoded(url))
                .chain_update(body)
                .chain_update(timestamp)
                .finalize();
            vec![(V3, BASE64_STANDARD.encode(mac.into_bytes())), (TIMESTAMP, timestamp.to_owned())]
        }
    };
    let headers: Vec<(&'static str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Delivery { body: body.to_vec(), ..delivery(Method::POST, url, "", &headers) }
}

fn flipped(text: &mut Vec<u8>, place: usize, by: u8) {
    match text.len() {
        0 => text.push(by),
        length => text[place % length] ^= by,
    }
}

proptest! {
    #[test]
    fn any_change_to_what_a_scheme_covers_is_refused(
        scheme in prop_oneof![Just(Scheme::V1), Just(Scheme::V2), Just(Scheme::V3)],
        secret in "[a-z0-9-]{1,40}", path in "[a-z%2F3A?=&]{1,30}", body in prop::collection::vec(any::<u8>(), 0..200),
        place in 0usize..1000, by in 1u8..=255, letter in 0u8..26, digit in 1u64..10, which in 0usize..6,
    ) {
        let url = format!("https://example.com/{path}");
        let genuine = signed(scheme, &secret, &url, &body, NOW);
        let accepts = |delivery: &Delivery, secret: &str| verify(delivery, &[Secret::new(secret)], Schemes::Legacy, at(NOW)).is_ok();
        prop_assert!(accepts(&genuine, &secret));
        let mut changed = signed(scheme, &secret, &url, &body, NOW);
        let header = if scheme == Scheme::V3 { V3 } else { OLDER };
        let mut other = secret.clone();
        let covered = match which {
            0 => { flipped(&mut changed.body, place, by); true }
            1 => { changed.url.push((b'a' + letter) as char); scheme != Scheme::V1 }
            2 => { changed.method = Method::PUT; scheme != Scheme::V1 }
            3 => { other.push((b'a' + letter) as char); true }
            4 => {
                let mut signature = changed.headers[header].as_bytes().to_vec();
                let place = place % signature.len();
                signature[place] = if signature[place] == b'A' { b'B' } else { b'A' };
                changed.headers.insert(header, HeaderValue::from_bytes(&signature).unwrap());
                true
            }
            _ => {
                let moved = NOW.parse::<u64>().unwrap() + digit;
                if scheme == Scheme::V3 { changed.headers.insert(TIMESTAMP, HeaderValue::from_str(&moved.to_string()).unwrap()); }
                scheme == Scheme::V3
            }
        };
        prop_assert_eq!(accepts(&changed, &other), !covered, "{:?} {}", scheme, which);
    }

    #[test]
    fn what_no_scheme_covers_is_no_matter(name in "x-[a-z]{1,10}", value in "[a-z0-9]{0,20}", scheme in prop_oneof![Just(Scheme::V1), Just(Scheme::V2), Just(Scheme::V3)]) {
        let mut delivery = signed(scheme, S, U, b"[]", NOW);
        prop_assume!(!name.starts_with("x-hubspot"));
        delivery.headers.insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(&value).unwrap());
        prop_assert!(verify(&delivery, &[Secret::new(S)], Schemes::Legacy, at(NOW)).is_ok());
    }

    #[test]
    fn no_body_whatever_makes_it_panic(text in "[\\[\\]{}\":,a-zA-Z0-9. -]{0,200}", kind in "(contact|object)\\.(merge|associationChange|creation)", id in -5i64..5) {
        let _ = said(&text);
        let odd = json!([{"subscriptionType": kind, "portalId": id, "objectId": [id], "mergedObjectIds": {"a": id}, "fromObjectId": id as f64 / 2.0}, id, null, [[]]]);
        prop_assert!(said(&odd.to_string()).is_ok());
    }
}

fn read(body: &str) -> Result<Vec<Hint>, Unreadable> {
    let delivery = signed(Scheme::V3, S, U, body.as_bytes(), NOW);
    let verified = verify(&delivery, &[Secret::new(S)], Schemes::Timestamped, at(NOW)).unwrap();
    hints(&verified)
}

fn said(body: &str) -> Result<Vec<(String, String, bool)>, Unreadable> {
    Ok(read(body)?
        .into_iter()
        .map(|hint| (hint.account.map(String::from).unwrap_or_default(), hint.of.remote.to_string(), hint.of.erased))
        .collect())
}

fn remotes(events: &Json) -> Vec<String> {
    said(&events.to_string()).unwrap().into_iter().map(|(_, remote, _)| remote).collect()
}

#[test]
fn every_event_about_a_contact_is_a_hint() {
    for action in ["creation", "deletion", "restore", "propertyChange"] {
        assert_eq!(
            remotes(&json!([{"subscriptionType": format!("contact.{action}"), "portalId": 33, "objectId": 5}])),
            ["5"],
            "{action}"
        );
        assert_eq!(
            remotes(&json!([{"eventType": format!("contact.{action}"), "portalId": "33", "objectId": "5"}])),
            ["5"],
            "{action}"
        );
        assert_eq!(
            remotes(&json!([{"subscriptionType": format!("object.{action}"), "objectTypeId": "0-1", "objectId": 5}])),
            ["5"],
            "{action}"
        );
    }
}

#[test]
fn a_merge_is_a_hint_about_all_of_its_records() {
    let merge = json!({"subscriptionType": "contact.merge", "objectId": 10, "primaryObjectId": 10, "mergedObjectIds": [11, "13"], "newObjectId": 12, "numberOfPropertiesMoved": 4});
    assert_eq!(remotes(&json!([merge])), ["10", "12", "11", "13"]);
}

#[test]
fn an_association_is_a_hint_about_both_of_its_ends() {
    let event = |kind: &str| json!([{"subscriptionType": "contact.associationChange", "associationType": kind, "fromObjectId": 1, "toObjectId": 2}]);
    assert_eq!(filed(&event("CONTACT_TO_COMPANY")), ["contacts 1", "companies 2"]);
    assert_eq!(filed(&event("DEAL_TO_CONTACT")), ["deals 1", "contacts 2"]);
    assert_eq!(filed(&event("CONTACT_TO_CONTACT")), ["contacts 1", "contacts 2"]);
    assert_eq!(filed(&event("CONTACT_TO_TICKET")), ["contacts 1"]);
}

#[test]
fn a_hint_says_what_its_record_is() {
    let of_type =
        |kind: &str, of_type: &str| json!([{"subscriptionType": kind, "objectId": 5, "objectTypeId": of_type}]);
    assert_eq!(filed(&of_type("company.creation", "0-2")), ["companies 5"]);
    assert_eq!(filed(&of_type("object.propertyChange", "0-3")), ["deals 5"]);
    assert_eq!(filed(&of_type("object.propertyChange", "2-5551234")), ["2-5551234 5"]);
}

fn filed(events: &Json) -> Vec<String> {
    let hints = read(&events.to_string()).unwrap();
    hints.into_iter().map(|hint| format!("{} {}", hint.filed, hint.of.remote)).collect()
}

#[test]
fn unknown_objects_and_events_are_ignored() {
    let kinds = [
        "ticket.merge",
        "line_item.deletion",
        "product.restore",
        "conversation.newMessage",
        "event.completed",
        "contact.somethingNew",
        "contact",
        "",
    ];
    for kind in kinds {
        assert!(
            remotes(&json!([{"subscriptionType": kind, "portalId": 33, "objectId": 5, "objectTypeId": "0-2"}]))
                .is_empty(),
            "{kind}"
        );
    }
    assert!(remotes(&json!([{"subscriptionType": "object.creation", "objectId": 5}])).is_empty());
    assert!(remotes(&json!([{"subscriptionType": "contact.creation", "objectId": "a/b"}, {"subscriptionType": "contact.creation"}, 7, null])).is_empty());
}

#[test]
fn there_is_one_hint_per_account_and_contact_and_an_erasure_is_not_forgotten() {
    let event =
        |kind: &str, portal: u64, id: u64| json!({"subscriptionType": kind, "portalId": portal, "objectId": id});
    let events = json!([
        event("contact.propertyChange", 33, 5),
        event("contact.privacyDeletion", 33, 5),
        event("contact.deletion", 33, 5),
        event("contact.creation", 34, 5),
    ]);
    let said = said(&events.to_string()).unwrap();
    assert_eq!(said, [("33".to_owned(), "5".to_owned(), true), ("34".to_owned(), "5".to_owned(), false)]);
}

#[test]
fn what_is_no_list_of_events_is_unreadable() {
    for body in ["", "{}", "{\"subscriptionType\":\"contact.creation\"}", "[", "\u{0}"] {
        assert!(said(body).is_err(), "{body}");
    }
    assert_eq!(said("[]"), Ok(Vec::new()));
}
