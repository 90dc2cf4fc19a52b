use super::*;
use crate::{
    cause::{By, Cause},
    planner::cases,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

fn nobody() -> Record {
    let cause = Cause::new(By::Rules { what: "a test".to_owned() }, "t", at(0));
    Record::empty("demo".parse().unwrap(), Object::Person, "rec-1".parse().unwrap(), cause)
}

fn parsed(rules: Json) -> Result<Triggers, String> {
    serde_json::from_value(rules).map_err(|error| error.to_string())
}

fn hot() -> Triggers {
    let task = json!({"object": "task", "fields": {"subject": "Call {{first_name}}", "due_date": "at"}});
    let set = json!({"lifecycle_stage": "'sales_qualified_lead'"});
    parsed(json!([{"name": "hot", "when": "lead_score >= 75", "set": set, "make": task}])).unwrap()
}

/// The record after a field is another, and what began by that.
fn change(rules: &Triggers, before: &Record, field: &str, value: Value, now: Timestamp) -> (Record, Vec<Fired>) {
    let mut after = before.clone();
    after.cause = nobody().cause;
    after.fields.put(field, Some(value), now, &"workflow".parse().unwrap()).unwrap();
    rules.fire(Some(before), &mut after, &Ownership::default(), now);
    let fired = after.cause.fired.clone();
    (after, fired)
}

fn score(points: i64) -> Value {
    Value::number(points.into())
}

#[test]
fn what_comes_to_hold_begins_once_and_again_after_it_did_not() {
    let (rules, mut record, mut began) = (hot(), nobody(), Vec::new());
    for (hour, points) in [10, 75, 80, 74, 90].into_iter().enumerate() {
        let (after, fired) = change(&rules, &record, "lead_score", score(points), at(hour as i64 * 60));
        began.push(fired.iter().map(|fired| fired.times).collect::<Vec<_>>());
        record = after;
    }
    assert_eq!(began, [vec![], vec![1], vec![], vec![], vec![2]]);
    assert_eq!(record.fields.get("lifecycle_stage"), Value::text("sales_qualified_lead").as_ref());
}

#[test]
fn what_is_made_says_what_the_rule_says_and_is_another_each_time() {
    let rules = hot();
    let (named, _) = change(&rules, &nobody(), "first_name", Value::text("Ada").unwrap(), at(0));
    let (first, fired) = change(&rules, &named, "lead_score", score(75), at(1));
    let made = fired[0].made.clone().unwrap();
    let says = json!({"subject": "Call Ada", "due_date": at(1).to_string(), "contact_id": "rec-1", "id": made.id});
    assert_eq!((made.object.clone(), json!(made.lead)), (Object::Task, says));
    let (cold, _) = change(&rules, &first, "lead_score", score(0), at(2));
    let (_, again) = change(&rules, &cold, "lead_score", score(75), at(3));
    assert_ne!(again[0].made.clone().unwrap().id, made.id);
    let (_, repeated) = change(&rules, &named, "lead_score", score(75), at(9));
    assert_eq!(repeated[0].made.clone().unwrap().id, made.id, "the same crossing, tried again");
}

#[test]
fn whom_it_held_for_before_there_was_the_rule_begins_nothing() {
    let (warm, _) = change(&Triggers::default(), &nobody(), "lead_score", score(80), at(0));
    let (warmer, fired) = change(&hot(), &warm, "lead_score", score(90), at(1));
    assert!(fired.is_empty());
    let (cold, _) = change(&hot(), &warmer, "lead_score", score(10), at(2));
    assert_eq!(change(&hot(), &cold, "lead_score", score(80), at(3)).1.len(), 1);
}

#[test]
fn who_is_new_and_told_of_begins_at_once() {
    let mut new = nobody();
    new.fields.put("lead_score", Some(score(80)), at(0), &"workflow".parse().unwrap()).unwrap();
    hot().fire(None, &mut new, &Ownership::default(), at(0));
    assert_eq!(new.cause.fired.len(), 1);
}

#[test]
fn who_may_not_write_a_field_does_not() {
    let rules = parsed(json!([{"name": "vip", "when": "lead_score >= 75", "set": {"ltv": "1", "tier": "'gold'"}}]));
    let (after, fired) = change(&rules.unwrap(), &nobody(), "lead_score", score(80), at(0));
    assert_eq!((after.fields.get("ltv"), after.fields.get("tier")), (None, Value::text("gold").as_ref()));
    assert_eq!(fired.len(), 1);
}

#[test]
fn one_may_begin_another_and_a_chain_of_them_ends() {
    let next =
        |n: u32| json!({"name": format!("t{n}"), "when": format!("step == {n}"), "set": {"step": (n + 1).to_string()}});
    let rules = parsed(json!((0..9).map(next).collect::<Vec<_>>())).unwrap();
    let (after, fired) = change(&rules, &nobody(), "step", score(0), at(0));
    assert_eq!(fired.iter().map(|fired| fired.trigger.as_str()).collect::<Vec<_>>(), ["t0", "t1", "t2"]);
    assert_eq!(after.fields.get("step"), Some(&score(3)));
}

#[test]
fn what_undoes_its_own_condition_is_stopped() {
    let rules = parsed(json!([{"name": "reset", "when": "flag", "set": {"flag": "false"}}])).unwrap();
    let (mut record, mut stopped) = (nobody(), Vec::new());
    for minute in 0..7 {
        let (after, fired) = change(&rules, &record, "flag", Value::Flag(true), at(minute));
        stopped.push(fired[0].stopped);
        // Whatever undid it, within the record or in a CRM.
        (record, _) = change(&rules, &after, "flag", Value::Flag(false), at(minute));
    }
    assert_eq!(stopped, [false, false, false, false, true, true, true]);
    assert!(!change(&rules, &record, "flag", Value::Flag(true), at(90)).1[0].stopped, "an hour later it may");
}

#[test]
fn rules_that_cannot_be_had_say_why() {
    for (rule, why) in [
        (json!({"name": "a b", "when": "x"}), "letters, digits"),
        (json!({"name": "a", "when": "{{x}}"}), "is an expression"),
        (json!({"name": "a", "when": "x >"}), "cannot be read"),
        (json!({"name": "a", "when": "x", "make": {"object": "person", "fields": {}}}), "told by requests"),
        (
            json!({"name": "a", "when": "x", "object": "deal", "make": {"object": "task", "fields": {}}}),
            "only what people",
        ),
        (json!({"name": "a", "whne": "x"}), "unknown field"),
    ] {
        let told = parsed(json!([rule])).unwrap_err();
        assert!(told.contains(why), "{rule}: {told}");
    }
    let twice = json!({"name": "a", "when": "x"});
    assert!(parsed(json!([twice, twice])).unwrap_err().contains("another trigger"));
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Whatever the scores, in whatever changes they come.
    #[test]
    fn it_begins_as_often_as_the_condition_comes_to_hold(scores in prop::collection::vec(60_i64..90, 1..20)) {
        let (rules, mut record, mut began) = (hot(), nobody(), 0);
        for (hour, points) in scores.iter().enumerate() {
            let now = at(hour as i64 * 61);
            let (after, fired) = change(&rules, &record, "lead_score", score(*points), now);
            // What is handled again finds nothing to begin.
            let (again, none) = change(&rules, &after, "lead_score", score(*points), now);
            prop_assert!(none.is_empty());
            began += fired.len();
            record = again;
        }
        let rises = scores.iter().zip([0].iter().chain(&scores)).filter(|(now, before)| **now >= 75 && **before < 75);
        prop_assert_eq!(began, rises.count());
    }
}

/// "New capsule view", "High engagement detected (time > threshold)", "Negative sentiment detected", "Capsule completed", "Notify manager of
/// hot lead", "CTA clicked", `high_engagement: lead_score >= 75 → sales_qualified_lead`: what each is a condition of, and what begins.
#[test]
fn the_workflows_that_were_asked_for() {
    let set = |what: &str| json!({"workflow": format!("'{what}'")});
    let rule = |name: &str, when: &str, what: &str| json!({"name": name, "when": when, "set": set(what)});
    let rules = parsed(json!([
        rule("viewed", "views >= 1", "follow_up"),
        rule("engaged", "time_spent > 600", "assign_to_sales"),
        rule("negative", "sentiment == 'negative'", "call_back"),
        rule("completed", "completions >= 1", "thank"),
        rule("clicked", "cta_clicks >= 1", "task_for_sales"),
        rule("high_engagement", "lead_score >= 75", "sales_qualified_lead"),
    ]));
    for (field, below, above, what) in [
        ("views", score(0), score(1), "follow_up"),
        ("time_spent", score(600), score(601), "assign_to_sales"),
        ("sentiment", Value::text("positive").unwrap(), Value::text("negative").unwrap(), "call_back"),
        ("completions", score(0), score(1), "thank"),
        ("cta_clicks", score(0), score(1), "task_for_sales"),
        ("lead_score", score(74), score(75), "sales_qualified_lead"),
    ] {
        let rules = rules.clone().unwrap();
        let (before, fired) = change(&rules, &nobody(), field, below, at(0));
        assert_eq!((fired.len(), before.fields.get("workflow")), (0, None), "{field}");
        let (after, fired) = change(&rules, &before, field, above, at(1));
        assert_eq!((fired.len(), after.fields.get("workflow")), (1, Value::text(what).as_ref()), "{field}");
    }
}

/// "Add to nurture campaign if low engagement", after so many days.
#[test]
fn what_time_alone_makes_hold_begins_once() {
    const DAY: i64 = 24 * 60;
    let rules =
        parsed(json!([{"name": "nurture", "when": "quiet_days >= 14", "set": {"campaign": "'nurture'"}}])).unwrap();
    assert!(rules.wait() && !hot().wait());
    let (mut record, fired) = change(&rules, &nobody(), "first_name", Value::text("Ada").unwrap(), at(0));
    assert!(fired.is_empty());
    let mut look = |then: i64, now: i64, last: Option<i64>| {
        record.engagement.last = last.map(at).or(record.engagement.last);
        let mut after = Record { cause: nobody().cause, ..record.clone() };
        rules.fire_between((&record, at(then)), &mut after, &Ownership::default(), at(now));
        record = after;
        record.cause.fired.len()
    };
    assert_eq!(look(0, 13 * DAY, None), 0);
    assert_eq!(look(13 * DAY, 14 * DAY, None), 1, "since the hub knows them");
    assert_eq!(look(13 * DAY, 14 * DAY, None), 0, "looked through again");
    assert_eq!(look(14 * DAY, 20 * DAY, Some(15 * DAY)), 0, "something happened");
    assert_eq!(look(20 * DAY, 29 * DAY, None), 1);
    let mut old = nobody();
    old.engagement.last = Some(at(0));
    rules.fire_between((&old.clone(), at(99 * DAY)), &mut old, &Ownership::default(), at(100 * DAY));
    assert!(old.cause.fired.is_empty(), "for whom it held before anybody looked");
}

/// Names of fields that others use are the hub's own here as well.
#[test]
fn a_trigger_may_speak_of_fields_by_other_names() {
    let rules = parsed(json!([{"name": "a", "when": "jobtitle == 'CTO'", "set": {"organization": "'Ours'"}}])).unwrap();
    let (_, fired) = change(&rules, &nobody(), "job_title", Value::text("CTO").unwrap(), at(0));
    assert_eq!(fired.len(), 1);
    let Triggers(rules) = rules;
    assert_eq!(rules[0].set.keys().collect::<Vec<_>>(), ["company"]);
}

#[test]
fn what_cannot_be_told_clears_nothing_and_who_a_record_is_is_not_for_triggers_to_say() {
    let rules = parsed(json!([{"name": "a", "when": "lead_score >= 75", "set": {"tier": "region_tier"}}])).unwrap();
    let (kept, _) = change(&rules, &nobody(), "tier", Value::text("gold").unwrap(), at(0));
    let (after, fired) = change(&rules, &kept, "lead_score", score(80), at(1));
    assert_eq!((fired.len(), after.fields.get("tier")), (1, Value::text("gold").as_ref()));
    for field in ["email", "id", "company_id"] {
        let told = parsed(json!([{"name": "a", "when": "x", "set": {field: "'x'"}}])).unwrap_err();
        assert!(told.contains("not for triggers"), "{field}: {told}");
    }
}
