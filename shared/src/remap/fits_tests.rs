use super::*;
use serde_json::{Value as Json, json};

/// A field that takes this, and of a closed list these.
fn field(takes: &'static [Sort], options: &[&str]) -> Field {
    let options = options.iter().map(|option| (*option).to_owned()).collect();
    Field { name: "Theirs".to_owned(), writable: true, takes, options, ..Field::default() }
}

/// How many faults a rule has, and what the first of them says.
#[expect(clippy::needless_pass_by_value, reason = "literals")]
fn check(rule: Json, field: &Field, faults: usize, says: &str) {
    let mut whole = rule.clone();
    whole["remote"] = json!("Theirs");
    let wrong = misfits(&serde_json::from_value(whole).unwrap(), field);
    assert_eq!(wrong.len(), faults, "{rule}: {wrong:?}");
    assert!(wrong.first().is_none_or(|first| first.contains(says)), "{rule}: {wrong:?}");
}

#[test]
fn what_is_sent_is_what_the_field_takes() {
    let (text, number, flag) = (field(&[Sort::Text], &[]), field(&[Sort::Number], &[]), field(&[Sort::Flag], &[]));
    let (day, time) = (field(&[Sort::Date], &[]), field(&[Sort::Time], &[]));
    let any = field(&[], &[]);
    let to_crm = |hub: &str| json!({"hub": hub, "direction": "to_crm"});
    let as_form = |hub: &str, form: &str| json!({"hub": hub, "direction": "to_crm", "as": form});
    check(to_crm("duration"), &text, 1, r#"say "as": "text""#);
    check(as_form("duration", "text"), &text, 0, "");
    check(to_crm("duration"), &number, 0, "");
    check(to_crm("duration"), &any, 0, "");
    check(to_crm("company"), &number, 1, r#"say "as": "number""#);
    check(as_form("company", "number"), &number, 0, "");
    check(to_crm("company"), &flag, 1, r#"say "as": "flag""#);
    check(to_crm("email_opted_out"), &text, 1, r#"say "as": "text""#);
    check(to_crm("email_opted_out"), &number, 1, "do not fit");
    check(to_crm("company"), &day, 1, r#"say "as": "date""#);
    check(to_crm("last_email_opened"), &day, 1, r#"say "as": "date""#);
    check(to_crm("last_email_opened"), &text, 0, "");
    check(to_crm("close_date"), &time, 1, r#"say "as": "time""#);
    check(to_crm("close_date"), &field(&[Sort::Time, Sort::Date], &[]), 0, "");
    check(to_crm("duration"), &day, 1, "do not fit");
    check(as_form("duration", "date"), &day, 1, "never comes to");
    check(to_crm("colour"), &number, 0, "");
}

#[test]
fn what_is_computed_is_what_the_field_takes() {
    let formula = |formula: &str| json!({"hub": "x", "direction": "to_crm", "formula": formula});
    let (text, number) = (field(&[Sort::Text], &[]), field(&[Sort::Number], &[]));
    check(formula("SUM(opens + clicks)"), &number, 0, "");
    check(formula("SUM(opens + clicks)"), &text, 1, r#"say "as": "text""#);
    check(formula("{{first_name}} {{last_name}}"), &text, 0, "");
    check(formula("{{first_name}} {{last_name}}"), &number, 1, "takes a number");
    check(formula("lead_score >= 75"), &number, 1, "do not fit");
}

#[test]
fn what_is_heard_is_what_the_hub_holds() {
    let (text, number, flag) = (field(&[Sort::Text], &[]), field(&[Sort::Number], &[]), field(&[Sort::Flag], &[]));
    let day = field(&[Sort::Date], &[]);
    let from_crm = |hub: &str| json!({"hub": hub, "direction": "from_crm"});
    check(from_crm("duration"), &text, 0, "");
    check(from_crm("duration"), &flag, 1, "a number cannot be read");
    check(from_crm("email_opted_out"), &number, 1, "true or false cannot be read");
    check(json!({"hub": "email_opted_out", "direction": "from_crm", "as": "flag"}), &number, 0, "");
    check(from_crm("close_date"), &number, 1, "a day cannot be read");
    check(from_crm("close_date"), &day, 0, "");
    check(from_crm("company"), &number, 0, "");
    check(json!({"hub": "duration", "as": "text"}), &text, 0, "");
    check(json!({"hub": "duration"}), &day, 2, "takes a day");
}

#[test]
fn what_a_closed_list_does_not_have_is_refused() {
    let list = field(&[Sort::Text], &["Hot", "Warm", "Cold"]);
    check(
        json!({"hub": "a", "values": {"x": "Hot", "y": "Tepid", "z": "Boiling"}}),
        &list,
        2,
        r#""Boiling" is no option"#,
    );
    check(json!({"hub": "a", "default": "Lukewarm"}), &list, 1, "Hot, Warm, Cold");
    check(json!({"hub": "a", "direction": "to_crm", "formula": "'Completed'"}), &list, 1, "Completed");
    check(json!({"hub": "a", "direction": "to_crm", "formula": "'Hot' if lead_score >= 75 else 'Warm'"}), &list, 0, "");
    check(
        json!({"hub": "a", "direction": "to_crm", "formula": "'Hot' if lead_score >= 75 else 'Wram'"}),
        &list,
        1,
        "Wram",
    );
    let several = field(&[Sort::Text, Sort::List], &["a", "b"]);
    check(json!({"hub": "x", "values": {"both": "a;b", "one": "a"}}), &several, 0, "");
    let ids = field(&[Sort::Number], &["12", "13"]);
    check(json!({"hub": "x", "values": {"hot": "12"}, "as": "number"}), &ids, 0, "");
    check(json!({"hub": "x", "values": {"hot": "12"}}), &ids, 1, r#"say "as": "number""#);
    check(json!({"hub": "x", "values": {"hot": "14"}, "as": "number"}), &ids, 1, "14");
}

#[test]
fn a_filler_is_what_the_field_takes() {
    check(json!({"hub": "amount", "default": "-"}), &field(&[Sort::Number], &[]), 1, "default");
    check(json!({"hub": "amount", "default": 0}), &field(&[Sort::Number], &[]), 0, "");
    check(json!({"hub": "due_date", "default": "2099-12-31"}), &field(&[Sort::Date], &[]), 0, "");
    check(json!({"hub": "due_date", "default": "later"}), &field(&[Sort::Date], &[]), 1, "default");
}
