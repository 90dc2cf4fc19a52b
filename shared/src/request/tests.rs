//! What the systems that came before ours send, as they send it.

use super::*;
use crate::{
    planner::Ownership,
    record::{Fields, Region, Value},
};
use serde_json::{Value as Json, json};

fn parsed(lead: &Json, sync_fields: &Json, source: &str, minute: u8) -> SyncRequest {
    let body = json!({
        "version": 1, "id": format!("r-{minute}"), "tenant_id": "demo", "direction": "send", "source": source,
        "occurred_at": format!("2026-11-21T09:{minute:02}:00Z"), "lead": lead, "syncFields": sync_fields,
    });
    SyncRequest::parse(&body.to_string()).unwrap()
}

fn applied(request: &SyncRequest, fields: &Fields) -> Applied {
    let later = "2026-11-22T00:00:00Z".parse().unwrap();
    apply(request, fields, &Region::default(), &Ownership::default(), later)
}

fn known(fields: &Fields) -> Vec<(&str, String)> {
    fields.iter().filter_map(|(name, _)| Some((name.as_str(), fields.get(name)?.to_string()))).collect()
}

/// Seed 000: name, e-mail, phone, call status, duration and evaluation are put into a CRM's own fields.
#[test]
fn placeholders_of_a_call_become_a_crms_fields() {
    let lead = json!({
        "name": "Grace Hopper", "email": "grace@example.com", "phone": "+14155550100",
        "callStatus": "completed", "duration": 184, "successEvaluation": "true",
    });
    let fields = json!({
        "full": "{{name}}", "mailbox": "{{email}}", "line": "{{phone}}", "hs_lead_status": "{{successEvaluation}}",
        "last_call": "{{callStatus}} ({{duration}} s)", "legacy": "{{firstName}}, {{call_status}}", "blank": "{{company}}",
    });
    let applied = applied(&parsed(&lead, &fields, "workflow", 0), &Fields::default());
    let of = |field: &str| applied.overrides.get(field).map(ToString::to_string);
    assert_eq!(of("full").as_deref(), Some("Grace Hopper"));
    assert_eq!(of("mailbox").as_deref(), Some("grace@example.com"));
    assert_eq!(of("line").as_deref(), Some("+14155550100"));
    assert_eq!(of("hs_lead_status").as_deref(), Some("true"));
    assert_eq!(of("last_call").as_deref(), Some("completed (184 s)"));
    assert_eq!(of("legacy").as_deref(), Some("Grace, completed"));
    assert_eq!((of("blank"), applied.bad.as_slice()), (None, [].as_slice()));
}

/// Seed 002: what a CRM does not know is null there, and clears nobody's data.
#[test]
fn null_clears_nothing() {
    let billing =
        parsed(&json!({"email": "jane@example.com", "subscription_status": "active"}), &json!({}), "billing", 0);
    let fields = applied(&billing, &Fields::default()).fields;
    let wrong = json!({"email": "jane@example.com", "first_name": "Jane", "subscription_status": null, "phone": "", "company": null});
    let applied = applied(&parsed(&wrong, &json!({}), "workflow", 1), &fields);
    let expected = [("email", "jane@example.com"), ("first_name", "Jane"), ("subscription_status", "active")];
    assert_eq!(known(&applied.fields), expected.map(|(name, value)| (name, value.to_owned())));
    assert!(applied.bad.is_empty() && applied.denied.is_empty());
}

/// Seed 002's FIELD_MAP and its list for Salesforce, and seed 003's objects in code: their names are the hub's own here.
#[test]
fn fields_of_other_names_are_the_hubs_own() {
    for lead in [
        json!({"email": "a@b.co", "firstname": "Ada", "lastname": "Byron", "company_name": "Navy", "jobtitle": "Countess"}),
        json!({"Email": "a@b.co", "FirstName": "Ada", "LastName": "Byron", "Company": "Navy", "Title": "Countess"}),
        json!({"email": "a@b.co", "firstName": "Ada", "lastName": "Byron", "organization": "Navy", "job_title": "Countess"}),
    ] {
        let fields = applied(&parsed(&lead, &json!({}), "workflow", 0), &Fields::default()).fields;
        let expected = [
            ("company", "Navy"),
            ("email", "a@b.co"),
            ("first_name", "Ada"),
            ("job_title", "Countess"),
            ("last_name", "Byron"),
        ];
        assert_eq!(known(&fields), expected.map(|(name, value)| (name, value.to_owned())), "{lead}");
    }
    let engaged = json!({"leadScore": 80, "totalOpens": 12, "total_clicks": 3, "unsubscribed": true});
    let fields = applied(&parsed(&engaged, &json!({}), "email_platform", 0), &Fields::default()).fields;
    assert_eq!(fields.get("lead_score"), Some(&Value::number(80.into())));
    assert_eq!(fields.get("opens"), Some(&Value::number(12.into())));
    assert_eq!(fields.get("email_opted_out"), Some(&Value::Flag(true)));
}

#[test]
fn two_names_of_one_field_lose_nothing() {
    let request = parsed(&json!({"first_name": "Ada", "firstname": "Augusta"}), &json!({}), "workflow", 0);
    assert_eq!(request.lead, serde_json::from_value(json!({"first_name": "Ada", "firstname": "Augusta"})).unwrap());
}
