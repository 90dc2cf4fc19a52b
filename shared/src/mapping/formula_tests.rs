use super::*;
use crate::record::Written;
use proptest::prelude::*;
use serde_json::json;

fn lead() -> Fields {
    let mut fields = Fields::default();
    let source = "workflow".parse().unwrap();
    for (field, value) in [
        ("first_name", json!("Grace")),
        ("last_name", json!("Hopper")),
        ("lead_score", json!(80)),
        ("opens", json!(12)),
        ("clicks", json!(3)),
        ("rate", json!(0.5)),
        ("bought", json!(true)),
        ("visits", json!("10")),
        ("version", json!("3.10")),
    ] {
        fields.put(field, Value::from_json(&value).unwrap(), jiff::Timestamp::UNIX_EPOCH, &source).unwrap();
    }
    fields
}

fn of(formula: &str) -> Option<String> {
    Formula::parse(formula).unwrap().of(&lead()).map(|value| value.to_string())
}

fn check(formula: &str, expected: impl Into<Option<&'static str>>) {
    assert_eq!(of(formula).as_deref(), expected.into(), "{formula}");
}

#[test]
fn a_condition_holds_of_what_is_there() {
    let at = jiff::Timestamp::UNIX_EPOCH;
    let said = |value: Option<Value>| Written::new(value, at, &"workflow".parse().unwrap());
    let known = [
        ("company", said(Value::text("Acme"))),
        ("views", said(Some(Value::number(0.into())))),
        ("email_opted_out", said(Some(Value::Flag(false)))),
    ];
    let fields: Fields = known.map(|(field, written)| (field.to_owned(), written)).into_iter().collect();
    for (condition, holds) in [
        ("not email_opted_out and company", true),
        ("company", true),
        ("views", false),
        ("nobody", false),
        ("not nobody", true),
        ("email_opted_out or views > 0", false),
        ("1 / views", false),
        ("{{company}}", false),
    ] {
        assert_eq!(Formula::parse(condition).unwrap().holds(&fields), holds, "{condition}");
    }
}

/// Campaigns and versions are texts that look like numbers.
#[test]
fn a_text_is_inserted_as_it_is_written() {
    check("version", "3.10");
    check("nobody or version", "3.10");
    check("'Campaign ' ~ (nobody or version)", "Campaign 3.10");
    check("'yes' if visits == 10 else 'no'", "yes");
    check("version + 1", "4.1");
    check("SUM(version, 1)", "4.1");
}

#[test]
fn a_template_puts_fields_together() {
    check("{{first_name}} {{last_name}}", "Grace Hopper");
    check("{{first_name}} {{middle_name}} {{last_name}}", "Grace Hopper");
    check("Score: {{lead_score}}", "Score: 80");
    check("{{middle_name}} ({{title}})", None);
}

#[test]
fn a_condition_chooses() {
    check(r#""Hot" if lead_score >= 75 else "Warm""#, "Hot");
    check(r#""Hot" if lead_score >= 90 else "Warm" if lead_score >= 75 else "Cold""#, "Warm");
    check(r#""Customer" if bought and rate < 1 else "Lead""#, "Customer");
    check(r#""Navy" if last_name == "Hopper" else "Other""#, "Navy");
    check(r#""Hot" if nobody_says >= 75 else "Warm""#, "Warm");
    check(r#""Hot" if lead_score >= 90"#, None);
    check("lead_score >= 75", "true");
    check(r#""Hot" if visits >= 75 else "Warm""#, "Warm");
    check(r#""Cold" if nobody_says < 25 else "Warm""#, "Cold");
    check(r#""Cold" if COUNT(nobody_says) and nobody_says < 25"#, None);
    check(r#""Dear " ~ full_name"#, "Dear Grace Hopper");
}

#[test]
fn counts_are_put_together() {
    check("opens + clicks", "15");
    check("SUM(opens + clicks)", "15");
    check("SUM(opens, clicks, replies)", "15");
    check("COUNT(opens, clicks, replies)", "2");
    check("MAX(opens, clicks, rate)", "12");
    check("MIN(opens, clicks, rate)", "0.5");
    check("SUM(replies)", None);
    check("SUM(opens, visits)", "22");
    check("opens * rate", "6");
    check("opens * rate if bought else 0", "6");
    check("opens * rate if last_name else 0", None);
    check("opens / 0", None);
    check("opens // 0", None);
    check("opens + replies", None);
}

#[test]
fn what_cannot_be_read_says_where() {
    let wrong = |formula: &str| Formula::parse(formula).unwrap_err().to_string();
    assert!(wrong("lead_score >= ").contains("unexpected end of input"), "{}", wrong("lead_score >= "));
    assert!(wrong("{{first_name").contains("not closed"));
    assert!(wrong(&"a + ".repeat(300)).contains("1000 characters"));
    for program in ["{% set a = 1 %}", "range(10)", "opens | string", "first_name.upper()", "lipsum()", "self"] {
        let ends = Formula::parse(program).ok().and_then(|formula| formula.of(&lead()));
        assert_eq!(ends, None, "{program}");
    }
    let stored: Result<Formula, _> = serde_json::from_value(json!("lead_score >="));
    assert!(stored.unwrap_err().to_string().contains("lead_score >="));
}

#[test]
fn what_would_be_huge_is_nothing() {
    for repeated in ["\"x\" * 99999999", "(1 ~ 1) * 99999999", "[1] * 99999999", "(1,) * 99999999"] {
        assert!(Formula::parse(repeated).is_err(), "{repeated}");
    }
    check("last_name * 99999999", None);
    let doubled = vec!["last_name"; 20].join(" ~ ");
    assert!(of(&doubled).is_some());
    let mut fields = lead();
    let long = Value::text(&"x".repeat(60_000));
    fields.put("last_name", long, jiff::Timestamp::UNIX_EPOCH, &"workflow".parse().unwrap()).unwrap();
    assert_eq!(Formula::parse(&doubled).unwrap().of(&fields), None);
    assert!(Formula::parse(&format!("{}1{}", "(".repeat(400), ")".repeat(400))).is_err());
    for long in [
        "-".repeat(999) + "1",
        "not ".repeat(249) + "1",
        "opens+".repeat(160) + "1",
        "opens if 1 else ".repeat(60) + "1",
    ] {
        Formula::parse(&long).map(|formula| formula.of(&fields)).ok();
    }
}

/// The engine panics at both.
#[test]
fn nothing_is_cut_into_slices() {
    for cut in ["first_name[3:][::-1]", "\"\"[::-1]", "1 }}"] {
        assert!(Formula::parse(cut).is_err(), "{cut}");
    }
}

fn token() -> impl Strategy<Value = String> {
    let words = [
        "lead_score",
        "opens",
        "last_name",
        "nobody",
        "1",
        "0",
        "-7",
        "2.5",
        "9223372036854775807",
        "\"a\"",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "~",
        "==",
        "!=",
        ">=",
        "<",
        "and",
        "or",
        "not",
        "in",
        "is",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "if",
        "else",
        ",",
        ":",
        ".",
        "|",
        "SUM",
        "COUNT",
        "MIN",
        "MAX",
        "{{",
        "}}",
        "{%",
        "true",
        "none",
        "upper",
        "99999999",
    ];
    prop_oneof![4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"]
}

proptest! {
    #![proptest_config(crate::planner::cases(3_000))]

    /// Whatever is written, and whatever it is fed with, it ends and nothing panics.
    #[test]
    fn formulas_are_total(tokens in prop::collection::vec(token(), 0..24), glue in prop_oneof![Just(" "), Just("")]) {
        if let Ok(formula) = Formula::parse(&tokens.join(glue)) {
            let fields = lead();
            prop_assert_eq!(formula.of(&fields), formula.of(&fields));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,120}") {
        if let Ok(formula) = Formula::parse(&text) {
            formula.of(&lead());
            let stored: Formula = serde_json::from_value(serde_json::to_value(&formula).unwrap()).unwrap();
            prop_assert_eq!(stored, formula);
        }
    }
}
