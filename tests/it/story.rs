//! The main job, from end to end.

use crate::world::{TENANT, World, tenant};
use serde_json::{Value as Json, json};
use shared::{
    id::RequestId,
    record::{Key, Region},
};

/// A request as the workflow service sends it.
pub(crate) fn request(id: &str, lead: Json) -> Json {
    json!({
        "version": 1, "id": id, "tenant_id": TENANT, "connection_id": null, "object": "lead", "direction": "send", "source": "workflow",
        "occurred_at": "2026-11-21T09:00:00Z", "lead": lead, "workflow": {"id": "wf-1", "run_id": "run-9", "step_id": "step-3"},
    })
}

fn ada() -> Json {
    json!({"id": "lead-7", "first_name": "Ada", "last_name": "Byron", "email": "ada@example.com", "phone": "+14155550100",
           "company": "Analytical Ltd", "callStatus": "completed", "duration": 184, "successEvaluation": "true"})
}

#[tokio::test]
async fn a_request_creates_a_lead_in_both_crms_with_its_fields_filled_in() {
    let world = World::new().await;
    world.settle().await;
    let mut asked = request("01J-1", ada());
    asked["sync_fields"] = json!({"hs_lead_status": "{{successEvaluation}}", "last_call": "{{callStatus}} ({{duration}} s)", "Last_Call": "{{name}}"});
    world.send(&[asked]).await;
    world.settle().await;
    let hubspot = world.shown("hubspot/contacts").await;
    let zoho = world.shown("zoho/leads").await;
    assert_eq!(hubspot.as_array().unwrap().len(), 1, "{hubspot}");
    assert_eq!(zoho.as_array().unwrap().len(), 1, "{zoho}");
    let contact = &hubspot[0]["properties"];
    assert_eq!(contact["email"], "ada@example.com");
    assert_eq!(contact["last_call"], "completed (184 s)");
    assert_eq!(contact["hs_lead_status"], "true");
    let lead = &zoho[0]["fields"];
    assert_eq!((lead["Last_Name"].as_str(), lead["Last_Call"].as_str()), (Some("Byron"), Some("Ada Byron")));
    let exceptions = world.app.store.exceptions(&tenant()).await.unwrap();
    assert!(exceptions.is_empty(), "{exceptions:?}");
}

#[tokio::test]
async fn a_phone_changed_in_hubspot_reaches_zoho_and_its_echo_changes_nothing() {
    let world = World::new().await;
    world.send(&[request("01J-1", ada())]).await;
    world.settle().await;
    let contact = world.shown("hubspot/contacts").await[0]["id"].clone();
    world.sim("hubspot/contacts", &json!({"id": contact, "fields": {"phone": "+14155550199"}})).await;
    world.settle().await;
    assert_eq!(world.shown("zoho/leads").await[0]["fields"]["Phone"], "+14155550199");
    let email = Key::Email(shared::record::Email::parse("ada@example.com").unwrap());
    let holders = world
        .app
        .store
        .holders(&tenant(), &shared::record::Object::Person, std::slice::from_ref(&email))
        .await
        .unwrap();
    let record = world.app.store.record(&tenant(), &holders[&email][0]).await.unwrap().unwrap();
    world.settle().await;
    let later = world.app.store.record(&tenant(), &record.id).await.unwrap().unwrap();
    assert_eq!(later.version, record.version, "an echo was written");
    assert!(record.keys(&Region::default()).len() >= 4);
    let _: RequestId = "x".parse().unwrap();
}
