use super::*;
use crate::{
    cause::{By, Cause},
    record::{Object, Record, Written},
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn event(kind: &str, attributes: &Json) -> Event {
    let event = json!({"id": "ev-1", "type": kind, "at": "2026-11-21T08:59:00Z", "attributes": attributes});
    serde_json::from_value(event).unwrap()
}

fn ada() -> Record {
    let cause = Cause::new(By::Rules { what: "a test".to_owned() }, "t", Timestamp::UNIX_EPOCH);
    let mut ada = Record::empty("demo".parse().unwrap(), Object::Person, "rec-1".parse().unwrap(), cause);
    let source = "workflow".parse().unwrap();
    let said = [("id", "lead-7"), ("first_name", "Ada"), ("last_name", "Byron")];
    let said =
        said.map(|(name, value)| (name.to_owned(), Written::new(Value::text(value), Timestamp::UNIX_EPOCH, &source)));
    ada.fields = said.into_iter().collect();
    ada
}

/// What the rules make of an event: each object, and its fields.
fn made(rules: &Effects, event: &Event) -> Vec<(String, Json)> {
    let (ada, all) = (ada(), rules.on(&event.kind));
    let all = all.filter_map(|rule| rule.request(event, &ada));
    all.map(|request| (request.object.to_string(), json!(request.lead))).collect()
}

/// "Capsule view → Activity log", "Questions asked → Notes", "Time spent → Custom field", "Content accessed → Activity log",
/// "Conversion events → Opportunity/Deal", "Conversation summaries added to notes". and a completed task `Email: {campaign_name}` whose
/// description is `Email {action} by {contact_name}`, with the contact, of the day of the event.
#[test]
fn what_is_made_of_events_by_default() {
    let rules = Effects::default();
    let only = |kind, attributes| {
        let made = made(&rules, &event(kind, &attributes));
        assert_eq!(made.len(), 1, "{kind}: {made:?}");
        made.into_iter().next().unwrap()
    };
    for (kind, attributes, object, field, says) in [
        ("view", json!({"content_id": "brochure"}), "task", "subject", "Viewed brochure"),
        ("view", json!({}), "task", "subject", "Viewed the page"),
        ("content_accessed", json!({"content_id": "prices"}), "task", "subject", "Opened prices"),
        ("question", json!({"question": "How much?"}), "note", "body", "Asked: How much?"),
        ("conversation", json!({"summary": "She wants two."}), "note", "body", "She wants two."),
        ("conversion", json!({"subject": "An engine"}), "deal", "name", "An engine"),
        ("email_sent", json!({"campaign": "Spring"}), "task", "subject", "Email: Spring"),
        ("email_clicked", json!({"campaign": "Spring"}), "task", "body", "Email clicked by Ada Byron"),
        ("email_replied", json!({}), "task", "body", "Email replied by Ada Byron"),
        ("email_bounced", json!({"subject": "Hello"}), "task", "subject", "Email: Hello"),
    ] {
        let (made, fields) = only(kind, attributes);
        assert_eq!((made.as_str(), &fields[field]), (object, &json!(says)), "{kind}");
        assert_eq!(fields["contact_id"], "lead-7");
        assert!(object != "task" || fields["status"] == "done" && fields["due_date"] == "2026-11-21T08:59:00Z");
    }
    let (_, deal) = only("conversion", json!({"amount": 1200, "stage": "won"}));
    assert_eq!((&deal["amount"], &deal["stage"], &deal["name"]), (&json!(1200), &json!("won"), &json!("Conversion")));
    assert_eq!(only("conversion", json!({})).1["stage"], "open");
    for kind in ["time_spent", "email_opened", "unsubscribed", "sentiment", "cta_clicked", "download", "completed"] {
        assert_eq!(made(&rules, &event(kind, &json!({"seconds": 400}))), [], "{kind} is told by fields alone");
    }
}

fn parsed(rules: Json) -> Result<Effects, String> {
    serde_json::from_value(rules).map_err(|error| error.to_string())
}

#[test]
fn rules_that_cannot_be_had_say_why() {
    let rule = |change: Json| {
        let mut rule = json!({"name": "a", "on": "view", "make": "note", "fields": {"body": "'Seen'"}});
        rule.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        rule
    };
    let alike: Vec<Json> = (0..4).map(|n| rule(json!({"name": n.to_string()}))).collect();
    for (rules, why) in [
        (json!([rule(json!({"name": "a b"}))]), "letters, digits"),
        (json!([rule(json!({})), rule(json!({}))]), "another rule has this name"),
        (json!([rule(json!({"when": "{{seconds}}"}))]), "its condition is an expression"),
        (json!([rule(json!({"make": "person"}))]), "told by requests"),
        (json!([rule(json!({"fields": {"contact_id": "'x'"}}))]), "set already"),
        (json!([rule(json!({"fields": {"body": "1 +"}}))]), "cannot be read"),
        (json!([rule(json!({"whne": "seconds > 1"}))]), "unknown field"),
        (json!(alike), "at most three rules"),
    ] {
        let told = parsed(rules.clone()).unwrap_err();
        assert!(told.contains(why), "{rules}: {told}");
    }
    assert!(parsed(json!(Effects::default())).is_ok_and(|again| again == Effects::default()));
}

proptest! {
    #![proptest_config(crate::planner::cases(1000))]

    /// Whatever else the event says: its type, its id and who did it tell what is made from anything else.
    #[test]
    fn what_is_made_has_an_id_of_its_own(
        a in ("[a-z]{1,8}", "[a-z0-9-]{1,128}", "[a-z0-9]{1,26}"),
        b in ("[a-z]{1,8}", "[a-z0-9-]{1,128}", "[a-z0-9]{1,26}"),
        question in "\\PC{0,20}",
    ) {
        let rule = rule("rule", "view", Object::Note, &[("body", "'Seen'")]).unwrap();
        let id = |(kind, id, holder): &(String, String, String), attributes: Json| {
            let event = Event { id: id.parse().unwrap(), ..event(kind, &attributes) };
            rule.request(&event, &Record { id: holder.parse().unwrap(), ..ada() }).unwrap().id
        };
        prop_assert_eq!(id(&a, json!({})), id(&a, json!({"question": question})));
        prop_assert_eq!(a == b, id(&a, json!({})) == id(&b, json!({})));
    }
}

/// "Specific question asked", "Create task for sales rep after CTA click".
#[test]
fn a_rule_may_wait_for_one_question_and_make_a_task_of_a_click() {
    let rules = parsed(json!([
        {"name": "price", "on": "question", "when": "'price' in question", "make": "task", "fields": {"subject": "'Send prices'"}},
        {"name": "click", "on": "cta_clicked", "make": "task", "fields": {"subject": "Call {{full_name}} about {{campaign}}"}},
    ]))
    .unwrap();
    let subjects = |kind, attributes| {
        made(&rules, &event(kind, &attributes)).into_iter().map(|(_, task)| task["subject"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(subjects("question", json!({"question": "What is the price?"})), ["Send prices"]);
    assert!(subjects("question", json!({"question": "Who are you?"})).is_empty());
    assert_eq!(subjects("cta_clicked", json!({"campaign": "Spring"})), ["Call Ada Byron about Spring"]);
}
