//! The `/_sim` routes, faults and webhooks.

use crate::client::{Client, Delivery, OBJECTS, Result, Subscriber, id};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn calls_are_counted_by_route_and_traced() -> Result {
    let c = Client::start().await?;
    let id = c.contact(json!({"email": "a@example.com"})).await?;
    let one = c.request("GET", &format!("/hubspot{OBJECTS}/{id}"), Value::Null)?.header("x-correlation-id", "trace-1");
    one.header("authorization", format!("Bearer {}", c.hubspot)).send().await?;
    let (_, calls) = c.sim("GET", "calls?reset=1", Value::Null).await?;
    assert_eq!(calls["hubspot"]["GET /crm/objects/2026-09/contacts/{id}"], 1);
    assert_eq!(calls["hubspot"]["POST /crm/objects/2026-09/contacts"], 1);
    assert_eq!(calls["zoho"]["POST /oauth/v2/token"], 1);
    assert_eq!(
        c.sim("GET", "calls", Value::Null).await?.1,
        json!({"hubspot": {}, "pipedrive": {}, "salesforce": {}, "zoho": {}})
    );
    c.hubspot("GET", OBJECTS, Value::Null).await?;
    let (_, log) = c.sim("GET", "log", Value::Null).await?;
    assert_eq!((log.as_array().map(Vec::len), &log[0]["status"]), (Some(1), &json!(200)));
    Ok(())
}

#[tokio::test]
async fn a_user_edits_merges_and_deletes() -> Result {
    let c = Client::start().await?;
    let (status, made) =
        c.sim("POST", "hubspot/contacts", json!({"fields": {"email": "A@b.example", "phone": "1"}})).await?;
    assert_eq!((status, &made["properties"]["email"]), (200, &json!("a@b.example")));
    let edit = json!([{"id": id(&made)?, "fields": {"phone": "2"}}, {"fields": {"firstname": "B"}}]);
    let (_, both) = c.sim("POST", "hubspot/contacts", edit).await?;
    assert_eq!(both[0]["properties"]["phone"], "2");
    let (_, merged) = c.sim("POST", "hubspot/contacts", json!({"merge": [both[0]["id"], both[1]["id"]]})).await?;
    assert_eq!((&merged["properties"]["phone"], &merged["properties"]["firstname"]), (&json!("2"), &json!("B")));
    let (_, gone) = c.sim("POST", "hubspot/contacts", json!({"id": id(&merged)?, "delete": true})).await?;
    assert_eq!(gone["archived"], true);
    assert_eq!(c.sim("POST", "hubspot/contacts", json!({"id": "5", "fields": {}})).await?.0, 400);
    let ids = c.leads(2).await?;
    let (_, kept) = c.sim("POST", "zoho/leads", json!({"merge": ids})).await?;
    assert_eq!(id(&kept)?, ids[0]);
    assert_eq!(c.sim("GET", "zoho/leads", Value::Null).await?.1.as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn hubspot_delivers_signed_arrays_and_tries_again() -> Result {
    let c = Client::start().await?;
    let s = Subscriber::start(vec![500]).await?;
    c.sim("POST", "accounts", json!({"crm": "hubspot", "webhook_url": s.url})).await?;
    c.sim("POST", "hubspot/contacts", json!({"fields": {"email": "a@b.example", "phone": "1"}})).await?;
    let got = s.wait(2).await;
    assert_eq!(got.len(), 2, "a failed delivery comes again");
    let (first, again) = (got[0].json()?, got[1].json()?);
    assert_eq!((&first[0]["attemptNumber"], &again[0]["attemptNumber"]), (&json!(0), &json!(1)));
    let kinds: Vec<_> = again.as_array().into_iter().flatten().map(|e| e["subscriptionType"].clone()).collect();
    assert_eq!(kinds, ["contact.creation", "contact.propertyChange", "contact.propertyChange"]);
    assert_eq!((&again[0]["portalId"], &again[0]["changeSource"]), (&json!(62515), &json!("CRM_UI")));
    assert!(again[0]["objectId"].is_u64(), "a number in webhooks, a string in the API");
    let at = got[1].header("x-hubspot-request-timestamp").parse()?;
    let signed =
        simulator::webhooks::hubspot_signatures("sim-hubspot-secret-not-real", "POST", &s.url, &got[1].body, at);
    for (name, value) in signed {
        assert_eq!(got[1].header(&name), value);
    }
    c.contact(json!({"email": "echo@b.example"})).await?;
    let got = s.wait(3).await;
    assert_eq!(got[2].json()?[0]["changeSource"], "INTEGRATION", "our own writes come back too");
    Ok(())
}

#[tokio::test]
async fn zoho_tells_live_channels_and_a_silent_edit_tells_nobody() -> Result {
    let c = Client::start().await?;
    let s = Subscriber::start(Vec::new()).await?;
    let watch = json!({"watch": [{"channel_id": "42", "events": ["Leads.all"], "notify_url": s.url, "token": "secret", "return_affected_field_values": true}]});
    assert_eq!(c.zoho("POST", "/crm/v8/actions/watch", watch).await?.0, 201);
    let ids = c.leads(2).await?;
    c.sim("POST", "zoho/leads", json!({"id": ids[0], "fields": {"Phone": "0"}, "silent": true})).await?;
    c.zoho("PUT", "/crm/v8/Leads", json!({"data": [{"id": ids[1], "Phone": "7"}], "trigger": []})).await?;
    c.sim("POST", "zoho/leads", json!({"id": ids[1], "delete": true})).await?;
    let got = s.wait(3).await;
    let bodies: Vec<Value> = got.iter().map(Delivery::json).collect::<Result<_>>()?;
    let operations: Vec<_> = bodies.iter().map(|b| b["operation"].clone()).collect();
    assert_eq!(operations, ["insert", "update", "delete"]);
    assert_eq!(
        (&bodies[0]["ids"], &bodies[0]["token"], &bodies[0]["channel_id"]),
        (&json!(ids), &json!("secret"), &json!("42"))
    );
    assert_eq!(bodies[0]["query_params"], json!({"app": "a/b"}));
    assert_eq!(bodies[1]["affected_fields"], json!([{(ids[1].as_str()): ["Phone"]}]));
    assert_eq!(bodies[1]["affected_values"][0]["values"], json!({"Phone": "7"}));
    Ok(())
}

#[tokio::test]
async fn a_write_may_commit_and_never_answer() -> Result {
    let c = Client::start().await?;
    c.sim("POST", "faults", json!({"hubspot": {"timeout_after_commit_next": 1}})).await?;
    let lost = c.hubspot("POST", OBJECTS, json!({"properties": {"email": "a@b.example"}})).await;
    assert!(lost.is_err(), "no answer");
    assert_eq!(c.sim("GET", "hubspot/contacts", Value::Null).await?.1[0]["properties"]["email"], "a@b.example");
    assert_eq!(c.hubspot("POST", OBJECTS, json!({"properties": {"email": "a@b.example"}})).await?.0, 409);
    Ok(())
}

#[tokio::test]
async fn a_page_can_be_held_while_something_else_happens() -> Result {
    let c = std::sync::Arc::new(Client::start().await?);
    let ids = c.leads(1).await?;
    c.sim("POST", "faults", json!({"zoho": {"hold_next": "GET /crm/v8/Leads"}})).await?;
    let other = c.clone();
    let page = tokio::spawn(async move { other.zoho("GET", "/crm/v8/Leads?fields=Phone", Value::Null).await });
    while c.sim("GET", "held", Value::Null).await?.1 == json!([]) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    c.zoho("PUT", "/crm/v8/Leads", json!({"data": [{"id": ids[0], "Phone": "new"}]})).await?;
    assert!(!page.is_finished());
    assert_eq!(c.sim("POST", "release", Value::Null).await?.1["released"], 1);
    assert_eq!(page.await??.1["data"][0]["Phone"], Value::Null, "the page is as old as it was fetched");
    Ok(())
}

#[tokio::test]
async fn faults_refuse_limit_fail_and_rewrite() -> Result {
    let c = Client::start().await?;
    let faults = json!({
        "hubspot": {"rate_limit_next": 1, "refuse_values": [{"field": "firstname", "contains": "bad", "code": "NOPE"}]},
        "zoho": {"rewrite_phones": "national", "truncate": {"First_Name": 3}},
    });
    c.sim("POST", "faults", faults).await?;
    assert_eq!(c.hubspot("GET", OBJECTS, Value::Null).await?.0, 429);
    let (status, body) = c.hubspot("POST", OBJECTS, json!({"properties": {"firstname": "so bad"}})).await?;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().unwrap_or_default().contains("NOPE"));
    let lead = json!({"data": [{"Last_Name": "L", "Company": "C", "First_Name": "Abcdef", "Phone": "+1 415 555 0100"}], "trigger": []});
    c.zoho("POST", "/crm/v8/Leads", lead).await?;
    let shown = &c.sim("GET", "zoho/leads", Value::Null).await?.1[0]["fields"];
    assert_eq!((&shown["Phone"], &shown["First_Name"]), (&json!("(415) 555-0100"), &json!("Abc")));
    c.sim("POST", "faults", json!({"seed": 3, "hubspot": {"fail_rate": 0.5}})).await?;
    let mut failed = 0;
    for _ in 0..40 {
        failed += u32::from(c.hubspot("GET", OBJECTS, Value::Null).await?.0 >= 500);
    }
    assert!((8..32).contains(&failed), "{failed} of 40 failed");
    assert_eq!(c.sim("POST", "faults", json!({"hubspot": {"no_such": 1}})).await?.0, 400);
    c.sim("POST", "reset", Value::Null).await?;
    assert_eq!(c.sim("GET", "zoho/leads", Value::Null).await?.1, json!([]));
    assert_eq!(c.hubspot("GET", OBJECTS, Value::Null).await?.0, 200, "tokens outlive a reset");
    Ok(())
}

#[tokio::test]
async fn ten_thousand_edits_are_told_in_arrays_of_a_hundred() -> Result {
    let c = Client::start().await?;
    let s = Subscriber::start(Vec::new()).await?;
    c.sim("POST", "accounts", json!({"crm": "hubspot", "webhook_url": s.url, "subscriptions": []})).await?;
    let edits: Vec<_> = (0..10_000).map(|n| json!({"fields": {"email": format!("n{n}@example.com")}})).collect();
    assert_eq!(c.sim("POST", "hubspot/contacts", json!(edits)).await?.0, 200);
    let got = s.wait(100).await;
    assert_eq!(got.len(), 100);
    let ids: Vec<u64> = got
        .iter()
        .flat_map(|d| d.json().ok())
        .flat_map(|b| b.as_array().cloned())
        .flatten()
        .filter_map(|e| e["objectId"].as_u64())
        .collect();
    assert!(ids.len() == 10_000 && ids.is_sorted(), "in the order in which they happened");
    let (_, sent) = c.sim("GET", "deliveries", Value::Null).await?;
    assert_eq!((&sent["pending"], &sent["lost"]), (&json!(0), &json!(0)));
    Ok(())
}

#[tokio::test]
async fn webhooks_may_be_lost_or_doubled() -> Result {
    let c = Client::start().await?;
    let s = Subscriber::start(Vec::new()).await?;
    c.sim("POST", "accounts", json!({"crm": "hubspot", "webhook_url": s.url, "subscriptions": []})).await?;
    c.sim("POST", "faults", json!({"hubspot": {"webhooks": {"lose_rate": 1.0}}})).await?;
    c.contact(json!({"email": "lost@b.example"})).await?;
    c.sim("POST", "faults", json!({"hubspot": {"webhooks": {"double_rate": 1.0, "delay_ms": 50}}})).await?;
    c.contact(json!({"email": "twice@b.example"})).await?;
    let got = s.wait(1).await;
    let events = got[0].json()?;
    assert_eq!((events.as_array().map(Vec::len), &events[0]), (Some(2), &events[1]));
    assert_eq!(c.sim("GET", "deliveries", Value::Null).await?.1["lost"], 1);
    Ok(())
}

#[tokio::test]
async fn a_server_error_may_come_after_the_commit() -> Result {
    let c = Client::start().await?;
    c.sim("POST", "faults", json!({"zoho": {"fail_after_commit_rate": 1.0}})).await?;
    let lead = json!({"data": [{"Last_Name": "L", "Company": "C"}], "trigger": []});
    assert!(c.zoho("POST", "/crm/v8/Leads", lead).await?.0 >= 500);
    assert_eq!(c.sim("GET", "zoho/leads", Value::Null).await?.1.as_array().map(Vec::len), Some(1));
    Ok(())
}
