use super::*;
use crate::{
    mapping::{Mapping, Rule},
    record::{Fields, Value},
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const ALL: [Form; 11] = [
    Form::Text,
    Form::Number,
    Form::Flag,
    Form::Date,
    Form::Time,
    Form::Phone,
    Form::Lower,
    Form::Upper,
    Form::TitleCase,
    Form::FirstWord,
    Form::LastWord,
];

#[expect(clippy::needless_pass_by_value, reason = "literals")]
fn check(form: Form, value: Json, expected: Json) {
    let formed = form.of(&Value::from_json(&value).unwrap().unwrap(), &Region::default());
    assert_eq!(Value::plain(formed.as_ref()), expected, "{form:?} of {value}");
}

#[test]
fn a_value_is_spelt_as_asked() {
    check(Form::Text, json!(184), json!("184"));
    check(Form::Text, json!(true), json!("true"));
    check(Form::Text, json!(["a", "b"]), json!("a;b"));
    check(Form::Number, json!(" 184.50 "), json!(184.5));
    check(Form::Flag, json!("Yes"), json!(true));
    check(Form::Flag, json!(0), json!(false));
    check(Form::Date, json!("2026-11-21T23:30:00-05:00"), json!("2026-11-21"));
    check(Form::Time, json!("2026-11-21T09:00:00.250+02:00"), json!("2026-11-21T07:00:00Z"));
    check(Form::Time, json!("2026-11-21"), json!("2026-11-21T00:00:00Z"));
    check(Form::Phone, json!("(415) 555-0100"), json!("+14155550100"));
    check(Form::Lower, json!("ADA"), json!("ada"));
    check(Form::Upper, json!("ca"), json!("CA"));
    check(Form::TitleCase, json!("mary  ann KING"), json!("Mary Ann King"));
    check(Form::FirstWord, json!("Mary Ann King"), json!("Mary"));
    check(Form::LastWord, json!("Mary Ann King"), json!("King"));
}

#[test]
fn what_cannot_be_had_is_nothing() {
    check(Form::Number, json!("long"), json!(null));
    check(Form::Number, json!(true), json!(null));
    check(Form::Flag, json!("perhaps"), json!(null));
    check(Form::Date, json!("soon"), json!(null));
    check(Form::Time, json!(7), json!(null));
    check(Form::Phone, json!("none"), json!(null));
}

fn rule(form: Form) -> Rule {
    Rule { form: Some(form), ..Rule::both("theirs", "Theirs") }
}

#[test]
fn it_does_not_go_out_and_no_number_is_made_of_a_text() {
    let mapping = Mapping::new("people", "Our_Id", vec![rule(Form::Number)]);
    let mut hub = Fields::default();
    let source = "workflow".parse().unwrap();
    hub.put("theirs", Value::text("long"), jiff::Timestamp::UNIX_EPOCH, &source).unwrap();
    let remote = "r-1".parse().unwrap();
    assert!(mapping.render(&hub, Some(&remote)).is_empty());
    let heard =
        |shown: &str| rule(Form::Number).heard(&Value::text(shown).unwrap(), &Fields::default(), &mapping.region);
    assert_eq!(heard("184"), (Some(Value::number(184.into())), None));
    assert!(heard("long").1.is_some(), "a person is told");
}

#[test]
fn what_goes_one_way_only_does_so_either_way() {
    let mary = Value::text("Mary Ann King").unwrap();
    let rule = rule(Form::FirstWord);
    let (region, first) = (Region::default(), Value::text("Mary"));
    assert_eq!((rule.spelt(&mary, &region), rule.heard(&mary, &Fields::default(), &region).0), (first.clone(), first));
}

/// A table says what is meant, the form how it is spelt: options of some CRMs are numbers.
#[test]
fn a_table_and_a_form_go_together() {
    let rule = rule(Form::Number).values([("hot", "12"), ("cold", "13")]);
    let (hot, twelve) = (Value::text("hot").unwrap(), Value::number(12.into()));
    assert_eq!(rule.spelt(&hot, &Region::default()), Some(twelve.clone()));
    assert_eq!(rule.invert(&twelve, &Region::default()), Some(hot));
    assert_eq!(rule.spelt(&Value::text("warm").unwrap(), &Region::default()), None);
}

#[test]
fn a_form_is_stored_as_it_is_written() {
    let written = json!({"hub": "duration", "remote": "Duration__c", "as": "text"});
    let rule: Rule = serde_json::from_value(written).unwrap();
    assert_eq!(rule.form, Some(Form::Text));
    assert_eq!(serde_json::to_value(&rule).unwrap()["as"], "text");
    assert!(serde_json::from_value::<Rule>(json!({"hub": "a", "remote": "b", "as": "roman"})).is_err());
}

fn value() -> impl Strategy<Value = Value> {
    let json = prop_oneof![
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        any::<i32>().prop_map(|n| Json::from(f64::from(n) / 1000.0)),
        (0..10_000i64).prop_map(|n| Json::from(n.to_string())),
        "(\\+1|\\+49 )?[2-9][0-9]{2}[ -]?[2-9][0-9]{2}[ -]?[0-9]{4}".prop_map(Json::from),
        "20[0-9]{2}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{3})?(Z|\\+0[0-9]:00))?"
            .prop_map(Json::from),
        prop::sample::select(&["yes", "No", "TRUE", "off", "0", "1"][..]).prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        prop::collection::vec("[ab;]{1,3}", 0..3).prop_map(Json::from),
    ];
    json.prop_filter_map("blank", |json| Value::from_json(&json).ok().flatten())
}

proptest! {
    #![proptest_config(crate::planner::cases(3_000))]

    /// What was read and is written and read again is what was read; what was written and is read and written again is what was
    /// written: so two that are kept in step by it come to rest.
    #[test]
    fn an_invertible_rule_is_its_own_way_back(form in prop::sample::select(&ALL[..]), value in value(), filler in any::<bool>()) {
        prop_assume!(form.is_invertible());
        let (region, hub) = (Region::default(), Fields::default());
        let rule = if filler { rule(form).or("-") } else { rule(form) };
        let read = |shown: &Value| rule.heard(shown, &hub, &region).0;
        let write = |said: &Value| rule.spelt(said, &region);
        if let Some(read_once) = read(&value) && let Some(written) = write(&read_once) {
            prop_assert_eq!(read(&written), Some(read_once), "read, written, read");
        }
        // The filler itself is heard as nothing; who says just that goes on saying it, because the CRM shows what it was told.
        if let Some(written) = write(&value) && !(filler && Value::text("-") == Some(written.clone())) {
            let again = read(&written).and_then(|read| write(&read));
            prop_assert_eq!(again, Some(written), "written, read, written");
        }
    }

    /// Also of tables: what they know goes there and back.
    #[test]
    fn a_table_is_its_own_way_back(theirs in prop::collection::btree_set("[a-z0-9]{1,3}", 1..5), form in prop::option::of(Just(Form::Upper)), shown in "[a-z0-9]{1,3}") {
        let values = theirs.iter().enumerate().map(|(n, theirs)| (format!("hub {n}"), theirs.clone()));
        let rule = Rule { values: values.collect(), form, ..Rule::both("stage", "Stage") };
        let region = Region::default();
        for hub in rule.values.keys().map(|hub| Value::text(hub).unwrap()) {
            let spelt = rule.spelt(&hub, &region).unwrap();
            prop_assert_eq!(rule.invert(&spelt, &region), Some(hub));
        }
        if let Some(read) = rule.invert(&Value::text(&shown).unwrap(), &region) {
            prop_assert_eq!(rule.spelt(&read, &region).map(|spelt| spelt.to_string()), Some(shown));
        }
    }

    #[test]
    fn forms_are_total(form in prop::sample::select(&ALL[..]), value in value()) {
        if let Some(formed) = form.of(&value, &Region::default()) {
            prop_assert_eq!(formed.kind(), form.sort().kind());
        }
    }
}
