use super::*;
use crate::record::Agreed;
use proptest::prelude::*;
use serde_json::json;

/// One change of two leads, by ourselves (Salesforce docs: Change Data Capture, Change Event Message Structure, Compound Fields; Event Relay).
const EVENT: &str = include_str!("golden/change_event.json");
const ORG: &str = "aws.partner/salesforce.com/00Dxx0000001gPLEAY/0YLxx000000CabWGAS";

fn detail() -> Json {
    serde_json::from_str::<Json>(EVENT).unwrap()["detail"].take()
}

/// The sample with its header changed.
fn with(header: &Json) -> Json {
    let mut detail = detail();
    for (name, value) in header.as_object().unwrap() {
        detail["payload"][HEADER][name] = value.clone();
    }
    detail
}

fn said(detail: &Json) -> Says {
    heard(ORG, detail).unwrap().says
}

fn hints(detail: &Json) -> Vec<Hint> {
    match said(detail) {
        Says::Changed(hints) => hints,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_record_of_an_event_is_a_hint_from_its_org() {
    let hints = hints(&detail());
    let ids: Vec<&str> = hints.iter().map(|hint| hint.of.remote.as_str()).collect();
    assert_eq!(ids, ["00Qxx0000004TmiEAE", "00Qxx0000004TmjEAE"]);
    assert!(hints.iter().all(|hint| hint.account.as_ref().unwrap().as_str() == "00Dxx0000001gPLEAY"));
    assert!(hints.iter().all(|hint| hint.filed == "Lead" && hint.by.as_deref() == Some("005xx000001SwiUAAS")));
}

#[test]
fn our_own_change_tells_every_field_as_records_call_it() {
    let told = hints(&detail()).remove(0).of.tells.unwrap().0;
    let digest = |text: &str| Agreed::digest(Value::text(text).as_ref());
    let names: Vec<&str> = told.keys().map(String::as_str).collect();
    assert_eq!(names, ["FirstName", "LastModifiedDate", "LastName", "MailingCity", "Phone"]);
    assert_eq!((&told["LastName"], &told["MailingCity"]), (&digest("Byron"), &digest("London")));
    assert_eq!((&told["Phone"], &told["FirstName"]), (&Agreed::digest(None), &Agreed::digest(None)), "cleared");
}

/// Each would be taken for an echo if it were believed.
#[test]
fn what_is_not_wholly_told_by_ourselves_is_looked_at() {
    for (why, detail) in [
        ("another client", with(&json!({"changeOrigin": "com/salesforce/api/rest/66.0;client=crm-sync-2"}))),
        ("a person", with(&json!({"changeOrigin": "com/salesforce/api/soap/67.0;client=SfdcInternalAPI/"}))),
        ("nobody", with(&json!({"changeOrigin": ""}))),
        ("our name elsewhere", with(&json!({"changeOrigin": "client=x;our client=crm-sync"}))),
        ("no user", with(&json!({"commitUser": null}))),
        ("a deletion", with(&json!({"changeType": "DELETE"}))),
        ("a record that is back", with(&json!({"changeType": "UNDELETE"}))),
        ("a gap", with(&json!({"changeType": "GAP_UPDATE"}))),
        ("something new", with(&json!({"changeType": "MERGE"}))),
        ("a field without its value", with(&json!({"changedFields": ["Email"]}))),
        ("a bitmap instead of names", with(&json!({"changedFields": ["0x0610"]}))),
        ("a compound that is not known", with(&json!({"changedFields": ["Geo__c.Latitude"]}))),
        ("no names", with(&json!({"changedFields": [7]}))),
    ] {
        let hints = hints(&detail);
        assert_eq!(hints.len(), 2, "{why}");
        assert!(hints.iter().all(|hint| hint.of.tells.is_none() && hint.by.is_none()), "{why}");
    }
    let mut nested = detail();
    nested["payload"]["Geo__c"] = json!({"Latitude": 1});
    assert!(hints(&nested)[0].of.tells.is_none());
    let bare = json!({"payload": {HEADER: detail()["payload"][HEADER]}});
    assert!(hints(&bare)[0].of.tells.is_none(), "an event that shows nothing");
}

#[test]
fn a_client_is_named_with_or_without_what_follows_it() {
    for origin in ["com/salesforce/api/rest/66.0;client=crm-sync/", "com/salesforce/api/rest/66.0; client=crm-sync;x"] {
        assert!(hints(&with(&json!({"changeOrigin": origin})))[0].of.tells.is_some(), "{origin}");
    }
}

#[test]
fn a_new_record_names_no_field_and_shows_all_that_it_has() {
    let mut made = with(&json!({"changeType": "CREATE", "changedFields": [], "nulledFields": []}));
    made["payload"].as_object_mut().unwrap().remove("Phone");
    let told = hints(&made).remove(0).of.tells.unwrap().0;
    assert!(told.contains_key("LastName") && !told.contains_key("Phone"));
}

#[test]
fn where_ids_are_left_out_there_is_more_than_is_told() {
    for ids in
        [json!(["00Q*"]), json!(["00Qxx0000004TmiEAE"]), json!(["00Qxx0000004TmiEAE", "00Q*"]), json!([7]), json!([""])]
    {
        let detail = with(&json!({"changeType": "GAP_OVERFLOW", "recordIds": ids}));
        assert_eq!(said(&detail), Says::More("Lead".to_owned()), "{detail}");
    }
    let odd = with(&json!({"recordIds": ["00Qxx0000004TmiEAE", "elsewhere"]}));
    assert_eq!(said(&odd), Says::More("Lead".to_owned()), "what is no id is somebody all the same");
}

#[test]
fn ids_are_whole() {
    let short = with(&json!({"recordIds": ["00Qxx0000004Tmi"]}));
    assert_eq!(hints(&short)[0].of.remote.as_str(), whole("00Qxx0000004Tmi"));
    let source = "aws.partner/salesforce.com/00Dxx0000001gPL/0YLxx000000CabWGAS";
    assert_eq!(heard(source, &detail()).unwrap().account.as_str(), "00Dxx0000001gPLEAY");
}

#[test]
fn an_event_that_cannot_be_read_says_so_for_its_org() {
    for detail in [
        json!(null),
        json!({"payload": {"Order__c": "a platform event"}}),
        with(&json!({"entityName": ""})),
        with(&json!({"recordIds": []})),
        with(&json!({"recordIds": "00Qxx0000004TmiEAE"})),
    ] {
        let heard = heard(ORG, &detail).unwrap();
        assert!(matches!(heard.says, Says::Unreadable(_)), "{detail}");
        assert_eq!(heard.account.as_str(), "00Dxx0000001gPLEAY");
    }
}

#[test]
fn a_source_that_names_no_org_is_nobodys() {
    for source in [
        "",
        "aws.partner/salesforce.com",
        "aws.partner/salesforce.com/",
        "aws.partner/salesforce.com/0YLxx000000CabWGAS/x",
        "aws.partner/salesforce.com.example/00Dxx0000001gPLEAY/x",
        "my.aws.partner/salesforce.com/00Dxx0000001gPLEAY/x",
    ] {
        assert_eq!(heard(source, &detail()), None, "{source}");
    }
}

fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,20}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[A-Za-z.*]{0,9}", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_event_is_a_panic(
        source in "(aws\\.partner/salesforce\\.com/)?.{0,20}",
        names in prop::sample::subsequence(vec!["entityName", "recordIds", "changeType", "changeOrigin", "commitUser", "nulledFields", "changedFields"], 0..7),
        odd in anything(),
        field in "[A-Za-z.]{0,12}",
    ) {
        let mut detail = detail();
        for name in names {
            detail["payload"][HEADER][name] = odd.clone();
        }
        detail["payload"][field] = odd.clone();
        for source in [source.as_str(), ORG] {
            let _ = heard(source, &detail);
            let _ = heard(source, &odd);
        }
    }
}
