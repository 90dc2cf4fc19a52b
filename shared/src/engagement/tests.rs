//! Each event counts once, whatever the order; a score is the sum of what its events added.

use super::*;
use crate::{
    cause::{By, Cause},
    id::Source,
    record::{Object, Record, Value},
    settings::Settings,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn workflow() -> Source {
    "workflow".parse().unwrap()
}

fn nobody() -> Record {
    let by = By::Request { id: "r1".parse().unwrap(), source: workflow() };
    let cause = Cause::new(by, "r1", at(0));
    Record::empty("demo".parse().unwrap(), Object::Person, "p1".parse().unwrap(), cause)
}

fn event(id: &str, kind: &str, second: i64, attributes: impl Into<serde_json::Value>) -> Event {
    let event = json!({"id": id, "type": kind, "at": at(second), "attributes": attributes.into()});
    serde_json::from_value(event).unwrap()
}

/// Counts events into a record, as requests do one after the other.
fn told(record: &mut Record, known: &mut BTreeSet<Noted>, events: &[Event], scoring: &Scoring) -> Counting {
    let asked = noted(events, scoring);
    let settings = Settings { scoring: scoring.clone(), ..Settings::default() };
    let known_of_these = known.intersection(&asked).cloned().collect();
    let counting = count(record, record.engagement.clone(), events, known_of_these, &settings, &workflow(), at(9_999));
    (record.fields, record.engagement) = (counting.fields.clone(), counting.engagement.clone());
    known.extend(counting.counted.iter().map(|one| one.event.noted()));
    known.extend(counting.scored.iter().cloned());
    counting
}

fn once(events: &[Event], scoring: &Scoring) -> Record {
    let mut record = nobody();
    told(&mut record, &mut BTreeSet::new(), events, scoring);
    record
}

fn number(record: &Record, field: &str) -> Option<Value> {
    record.fields.get(field).cloned()
}

/// Seed 001: "Lead Scoring".
#[test]
fn by_default_events_score_as_the_table_says() {
    for (kind, attributes, points) in [
        ("view", json!({}), 5),
        ("question", json!({"question": "How much is it?"}), 10),
        ("time_spent", json!({"seconds": 301}), 15),
        ("time_spent", json!({"seconds": 300}), 0),
        ("time_spent", json!({"seconds": "301"}), 15),
        ("download", json!({"content_id": "brochure"}), 20),
        ("cta_clicked", json!({"campaign": "spring"}), 30),
        ("email_opened", json!({}), 0),
    ] {
        let record = once(&[event("e1", kind, 1, attributes)], &Scoring::default());
        assert_eq!(record.engagement.score, points, "{kind}");
        assert_eq!(number(&record, "lead_score"), (points != 0).then(|| Value::number(points.into())));
    }
    let questions = [1, 2, 3].map(|n| event(&format!("q{n}"), "question", n, json!({})));
    assert_eq!(once(&questions, &Scoring::default()).engagement.score, 30, "+10 points per question");
}

#[test]
fn what_is_told_of_each_kind_is_a_total() {
    let events = [
        event("1", "view", 1, json!({})),
        event("2", "view", 2, json!({})),
        event("3", "time_spent", 3, json!({"seconds": 61.4})),
        event("4", "time_spent", 4, json!({"seconds": 20})),
        event("5", "email_opened", 5, json!({"campaign": "spring"})),
        event("6", "email_clicked", 6, json!({"campaign": 7})),
        event("7", "sentiment", 8, json!({"sentiment": "negative"})),
        event("8", "sentiment", 7, json!({"sentiment": "positive"})),
        event("9", "unsubscribed", 9, json!({})),
    ];
    let record = once(&events, &Scoring::default());
    for (field, total) in [("views", 2), ("time_spent", 81), ("opens", 1), ("clicks", 1)] {
        assert_eq!(number(&record, field), Some(Value::number(total.into())), "{field}");
    }
    assert_eq!(number(&record, "sentiment"), Value::text("negative"), "the latest");
    assert_eq!(number(&record, "last_campaign_id"), Value::text("7"));
    assert_eq!(number(&record, "last_email_opened"), Value::text(&events[4].at.to_string()));
    assert_eq!(number(&record, "email_opted_out"), Some(Value::Flag(true)));
}

#[test]
fn a_rule_scores_as_often_as_it_says() {
    let rule = |per: &str| json!({"name": per, "on": "view", "points": 1, "per": per});
    let rules = json!([rule("event"), rule("visit"), rule("lead")]);
    let scoring: Scoring = serde_json::from_value(rules).unwrap();
    let (mut record, mut known) = (nobody(), BTreeSet::new());
    let mut tell = |id: &str, visit: serde_json::Value| {
        let counting = told(&mut record, &mut known, &[event(id, "view", 1, visit)], &scoring);
        counting.counted.into_iter().flat_map(|one| one.contributions).map(|one| one.rule).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tell("e1", json!({"visit": "v1"})), "event visit lead");
    assert_eq!(tell("e2", json!({"visit": "v1"})), "event");
    assert_eq!(tell("e3", json!({"visit": "v2"})), "event visit");
    assert_eq!(tell("e4", json!({})), "event visit", "a visit of its own");
    assert_eq!(tell("e4", json!({})), "", "told again");
    assert_eq!(record.engagement.score, 8);
}

#[test]
fn a_condition_may_speak_of_totals() {
    let rules = json!([{"name": "regular", "on": "view", "points": 7, "per": "lead", "when": "views >= 3"}]);
    let scoring: Scoring = serde_json::from_value(rules).unwrap();
    let views = [1, 2, 3, 4].map(|n| event(&format!("v{n}"), "view", n, json!({})));
    assert_eq!(once(&views[..2], &scoring).engagement.score, 0);
    assert_eq!(once(&views, &scoring).engagement.score, 7);
}

#[test]
fn rules_that_make_no_sense_are_refused_with_the_reason() {
    let rule = json!({"name": "a", "on": "view", "points": 1});
    let but = |key: &str, value: serde_json::Value| {
        let mut rule = rule.clone();
        rule[key] = value;
        serde_json::from_value::<Scoring>(json!([rule])).unwrap_err().to_string()
    };
    assert!(but("points", json!(0)).contains("points"));
    assert!(but("name", json!("a b")).contains("letters"));
    assert!(but("on", json!("View")).contains("lower-case"));
    assert!(but("points", json!(i64::MIN)).contains("points"));
    assert!(but("when", json!("seconds >")).contains("cannot be read"));
    assert!(but("when", json!("{{seconds}}")).contains("expression"));
    assert!(but("untill", json!("x")).contains("unknown field"));
    let twice = serde_json::from_value::<Scoring>(json!([rule, rule])).unwrap_err().to_string();
    assert!(twice.contains("another rule has this name"), "{twice}");
}

/// A score that the product tells itself stands until an event scores, and totals that are others' fields are not ours.
#[test]
fn what_nothing_was_added_to_is_not_told_again() {
    let (mut record, mut known) = (once(&[event("e1", "view", 1, json!({}))], &Scoring::default()), BTreeSet::new());
    record.fields.put("lead_score", Some(Value::number(80.into())), at(50), &workflow()).unwrap();
    let mut tell = |events: &[Event]| {
        told(&mut record, &mut known, events, &Scoring::default());
        (number(&record, "lead_score"), number(&record, "opens"))
    };
    let n = |n: i64| Some(Value::number(n.into()));
    assert_eq!(tell(&[]), (n(80), None));
    assert_eq!(tell(&[event("e2", "email_opened", 2, json!({}))]), (n(80), n(1)));
    assert_eq!(tell(&[event("e3", "view", 3, json!({}))]), (n(10), n(1)));
}

#[test]
fn senders_of_mail_have_one_id_for_what_is_sent_and_opened() {
    let mail = ["email_sent", "email_opened", "email_opened"].map(|kind| event("m1", kind, 1, json!({})));
    let record = once(&mail, &Scoring::default());
    assert_eq!((record.engagement.events, record.engagement.totals["opens"]), (2, 1));
}

#[test]
fn an_event_of_no_known_kind_needs_a_rule() {
    let mut record = nobody();
    let odd = [event("e1", "brochure_returned", 1, json!({}))];
    let counting = told(&mut record, &mut BTreeSet::new(), &odd, &Scoring::default());
    assert_eq!((counting.counted.len(), counting.unknown.len()), (0, 1));
    let rules = json!([{"name": "returned", "on": "brochure_returned", "points": -5}]);
    assert_eq!(once(&odd, &serde_json::from_value(rules).unwrap()).engagement.score, -5);
}

#[test]
fn an_event_that_cannot_be_read_is_named() {
    let stay = |seconds| json!({"id": "e3", "type": "time_spent", "at": at(1), "attributes": {"seconds": seconds}});
    let (view, of_no_time) = (json!({"id": "e1", "type": "view", "at": at(1)}), json!({"id": "e2", "type": "view"}));
    let (sound, bad) = read(&[view.clone(), of_no_time, stay(json!("a while")), stay(json!(7))]);
    assert_eq!(sound.len(), 2);
    for odd in [json!({"seconds": 1e300}), json!({"seconds": 1, "": 2}), json!({"seconds": 1, "a": {"b": 1}})] {
        let mut event = stay(json!(1));
        event["attributes"] = odd;
        assert_eq!(read(&[event]).1.len(), 1, "what no table takes");
    }
    let mut blank = view;
    blank["attributes"] = json!({"campaign": null, "subject": " "});
    assert!(read(&[blank]).0[0].attributes.is_empty());
    assert_eq!(bad.iter().map(|bad| bad.place).collect::<Vec<_>>(), [1, 2]);
    assert!(bad[0].reason.contains("`at`") && bad[1].reason.contains("\"seconds\""), "{bad:?}");
}

#[test]
fn two_who_become_one_have_the_events_of_both() {
    let (mut one, other) = (once(&[event("e1", "view", 1, json!({}))], &Scoring::default()), nobody().engagement);
    let before = one.engagement.clone();
    one.engagement.join(&"p2".parse().unwrap(), &other);
    let known = BTreeSet::from(["p2".parse().unwrap()]);
    assert_eq!(
        one.engagement,
        Engagement { merged: known, ..before.clone() },
        "who did nothing adds nothing but that they are one"
    );
    one.engagement.join(&"p2".parse().unwrap(), &before);
    assert_eq!((one.engagement.score, one.engagement.totals["views"], one.engagement.merged.len()), (10, 2, 1));
}

fn anything() -> impl Strategy<Value = Event> {
    const KINDS: &[&str] = &["view", "question", "time_spent", "download", "cta_clicked", "email_opened", "completed"];
    let attributes = (prop::option::of(0..3u8), 0..900i64);
    (0..12u8, prop::sample::select(KINDS), 0..50i64, attributes).prop_map(|(id, kind, second, (visit, seconds))| {
        let visit = visit.map(|visit| format!("visit-{visit}"));
        event(&format!("{kind}-{id}"), kind, second, json!({"visit": visit, "seconds": seconds}))
    })
}

/// Events of one id are one event.
fn happened() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(anything(), 0..20).prop_map(|events| {
        let by_id: BTreeMap<Noted, Event> = events.into_iter().map(|one| (one.noted(), one)).collect();
        by_id.into_values().collect()
    })
}

proptest! {
    #![proptest_config(crate::planner::cases(1000))]

    /// However they are cut into requests, doubled and shuffled.
    #[test]
    fn every_event_counts_once(events in happened().prop_shuffle(), cuts in prop::collection::vec(0..20usize, 0..4), again in any::<prop::sample::Index>()) {
        let scoring = Scoring::default();
        let whole = once(&events, &scoring);
        let (mut record, mut known, mut rest) = (nobody(), BTreeSet::new(), events.clone());
        for cut in cuts {
            let part: Vec<Event> = rest.drain(..cut.min(rest.len())).collect();
            told(&mut record, &mut known, &part, &scoring);
            told(&mut record, &mut known, &part[..again.index(part.len() + 1)], &scoring);
        }
        told(&mut record, &mut known, &rest, &scoring);
        let none = told(&mut record, &mut known, &events, &scoring);
        prop_assert!(none.counted.is_empty());
        prop_assert_eq!(&record.engagement, &whole.engagement);
        let fields = |record: &Record| record.fields.iter().map(|(field, written)| (field.clone(), written.value.clone())).collect::<Vec<_>>();
        prop_assert_eq!(fields(&record), fields(&whole));
    }

    #[test]
    fn a_score_is_the_sum_of_its_contributions(events in happened()) {
        let mut record = nobody();
        let counting = told(&mut record, &mut BTreeSet::new(), &events, &Scoring::default());
        let sum: i64 = counting.counted.iter().flat_map(|one| &one.contributions).map(|one| one.points).sum();
        prop_assert_eq!(sum, record.engagement.score);
        prop_assert_eq!(counting.counted.len(), events.len());
    }
}
