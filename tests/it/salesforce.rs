//! What only Salesforce has: two objects for people, conversion, refresh tokens that work once.

use crate::{
    engine::{ada, codes, hub},
    laws::tenant_of,
    story::request,
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{connection::State, provider::Crm};

const CRM: Crm = Crm::Salesforce;

async fn contacts(world: &World) -> Vec<Json> {
    world.shown("salesforce/contact").await.as_array().unwrap().clone()
}

fn newer(fields: Json) -> Json {
    let mut newer = request("r2", fields);
    newer["occurred_at"] = json!("2026-11-21T10:00:00Z");
    newer
}

#[tokio::test]
async fn a_converted_lead_is_followed_to_its_contact() {
    let world = tenant_of(CRM).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let lead = world.only(CRM).await.id;
    world.sim("salesforce/lead", &json!({"id": lead, "convert": true})).await;
    world.settle().await;
    world.send(&[newer(json!({"id": "lead-7", "phone": "+14155550177", "company": "Elsewhere"}))]).await;
    world.settle().await;
    let contacts = contacts(&world).await;
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0]["fields"]["Phone"], "+14155550177");
    assert_eq!(world.people(CRM).await.len(), 1, "no lead is made beside the converted one");
    let link = hub(&world, "ada@example.com").await.links[&connection(CRM)].clone();
    assert_eq!(link.remote.unwrap().as_str(), contacts[0]["id"].as_str().unwrap());
    assert!(codes(&world).await.is_empty(), "a contact is not sent a company");
}

#[tokio::test]
async fn a_conversion_that_nobody_told_of_is_found_by_the_push() {
    let world = tenant_of(CRM).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let lead = world.only(CRM).await.id;
    world.sim("salesforce/lead", &json!({"id": lead, "convert": true, "silent": true})).await;
    world.send(&[newer(json!({"id": "lead-7", "phone": "+14155550177"}))]).await;
    world.settle().await;
    let contacts = contacts(&world).await;
    assert_eq!((contacts.len(), contacts[0]["fields"]["Phone"].as_str()), (1, Some("+14155550177")));
}

#[tokio::test]
async fn whoever_is_a_contact_is_not_made_a_lead() {
    let world = tenant_of(CRM).await;
    let typed = json!({"fields": {"LastName": "Aaron", "Email": "ada@example.com"}, "silent": true});
    world.sim("salesforce/contact", &typed).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert!(world.people(CRM).await.is_empty());
    let contacts = contacts(&world).await;
    assert_eq!(contacts[0]["fields"]["FirstName"], "Ada");
    assert!(contacts[0]["fields"]["CRM_Sync_Id__c"].is_string());
    world.sim("salesforce/contact", &json!({"id": contacts[0]["id"], "fields": {"Phone": "+14155550199"}})).await;
    world.settle().await;
    assert_eq!(hub(&world, "ada@example.com").await.fields.get("phone").unwrap().to_string(), "+14155550199");
}

#[tokio::test]
async fn whoever_is_both_is_the_lead_that_people_are_made_as() {
    let world = tenant_of(CRM).await;
    for (object, fields) in [
        ("salesforce/contact", json!({"LastName": "Aaron", "Email": "ada@example.com"})),
        ("salesforce/lead", json!({"LastName": "Aaron", "Company": "Old", "Email": "ada@example.com"})),
    ] {
        world.sim(object, &json!({"fields": fields, "silent": true})).await;
    }
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(world.only(CRM).await.name(), "Ada Byron");
    assert_eq!(contacts(&world).await[0]["fields"]["LastName"], "Aaron");
}

#[tokio::test]
async fn two_leads_that_were_merged_are_one_record() {
    let world = tenant_of(CRM).await;
    let second = request(
        "r2",
        json!({"id": "lead-8", "email": "countess@example.com", "last_name": "Lovelace", "company": "C"}),
    );
    world.send(&[ada("r1"), second]).await;
    world.settle().await;
    let people = world.people(CRM).await;
    world.sim("salesforce/lead", &json!({"merge": [people[0].id, people[1].id]})).await;
    world.settle().await;
    world.wait(jiff::SignedDuration::from_mins(90)).await;
    world.tick().await;
    world.settle().await;
    let survivor = hub(&world, "ada@example.com").await;
    assert_eq!(survivor.links[&connection(CRM)].remote.as_ref().unwrap().as_str(), people[0].id);
    let merged = hub(&world, "countess@example.com").await;
    assert!(merged.id == survivor.id || merged.merged_into == Some(survivor.id), "{merged:?}");
}

/// The answer with the next refresh token is lost: nobody can know it. It is said, and nothing else is lost.
#[tokio::test]
async fn a_rotated_token_whose_answer_is_lost_needs_a_person_and_forgets_nothing() {
    let world = tenant_of(CRM).await;
    let account = world.shown("accounts").await;
    let account = account.as_array().unwrap().iter().find(|one| one["crm"] == "salesforce").unwrap().clone();
    world.sim("accounts", &json!({"crm": "salesforce", "account_id": account["account_id"], "rotates": true})).await;
    world.sim("faults", &json!({"salesforce": {"expire_tokens": true, "fail_after_commit_rate": 1.0}})).await;
    let this = world.app.store.connection(&tenant(), &connection(CRM)).await.unwrap().unwrap();
    let held = world.app.secrets.current_grant(&tenant(), &this.id).await.unwrap();
    assert!(world.app.refresh(&this, &held, &world.cx("lost")).await.is_err());
    world.sim("faults", &json!({})).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let dead = world.app.store.connection(&tenant(), &connection(CRM)).await.unwrap().unwrap();
    assert!(matches!(dead.state, State::NeedsReauth { .. }), "{:?}", dead.state);
    assert_eq!(
        world.app.secrets.current_grant(&tenant(), &this.id).await.unwrap().grant,
        held.grant,
        "nothing is deleted"
    );
}
