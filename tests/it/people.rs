//! Who is it? What must never be taken for one person, and what must never become two.

use crate::{
    engine::{ada, codes, hub, silently},
    story::request,
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{connection::Connection, provider::Crm, record::Gone};

fn grace(id: &str) -> Json {
    request(id, json!({"id": "lead-8", "email": "grace@example.com", "last_name": "Hopper"}))
}

fn calling(mut asked: Json, phone: &str) -> Json {
    asked["lead"]["phone"] = json!(phone);
    asked
}

/// The first names that HubSpot shows, in order.
async fn first_names(world: &World) -> Vec<String> {
    let contacts = world.shown("hubspot/contacts").await;
    let names = contacts.as_array().unwrap().iter();
    let mut names: Vec<String> =
        names.map(|c| c["properties"]["firstname"].as_str().unwrap_or_default().to_owned()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_phone_of_someone_with_another_mailbox_tells_nobody_apart() {
    let world = World::new().await;
    world.settle().await;
    let carol = json!({"email": "carol@example.com", "firstname": "Carol", "phone": "+14155550100"});
    silently(&world, "hubspot/contacts", carol).await;
    world.send(&[calling(ada("r1"), "+14155550100")]).await;
    world.settle().await;
    assert_eq!(first_names(&world).await, ["Ada", "Carol"]);
}

#[tokio::test]
async fn two_people_who_share_a_phone_do_not_share_a_record_of_the_crm() {
    let world = World::new().await;
    world.settle().await;
    silently(&world, "hubspot/contacts", json!({"firstname": "Desk", "phone": "+14155550100"})).await;
    world.send(&[calling(ada("r1"), "+14155550100"), calling(grace("r2"), "+14155550100")]).await;
    world.settle().await;
    assert_eq!(first_names(&world).await, ["", "Ada", "Desk"]);
    assert!(codes(&world).await.is_empty());
}

#[tokio::test]
async fn a_person_known_by_the_second_phone_is_found() {
    let world = World::new().await;
    world.settle().await;
    silently(&world, "hubspot/contacts", json!({"firstname": "A.", "mobilephone": "+1 (415) 555-0100"})).await;
    silently(&world, "zoho/leads", json!({"Last_Name": "B.", "Company": "Old", "Mobile": "415.555.0100"})).await;
    world.send(&[calling(ada("r1"), "+14155550100")]).await;
    world.settle().await;
    assert_eq!(first_names(&world).await, ["Ada"]);
    assert_eq!(world.shown("zoho/leads").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn two_leads_of_one_mailbox_on_one_page_are_one_person_and_a_question() {
    let world = World::new().await;
    world.settle().await;
    for company in ["One", "Two"] {
        let lead = json!({"Last_Name": "Byron", "Company": company, "Email": "ada@example.com"});
        silently(&world, "zoho/leads", lead).await;
    }
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    assert_eq!(codes(&world).await, ["duplicate_in_crm"]);
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 1);
}

/// A person must decide, and until then nothing goes round in circles: the world comes to rest.
#[tokio::test]
async fn a_mailbox_of_two_leads_is_a_question_that_is_asked_once() {
    let world = World::new().await;
    world.settle().await;
    for company in ["One", "Two"] {
        let lead = json!({"Last_Name": "Byron", "Company": company, "Email": "ada@example.com"});
        silently(&world, "zoho/leads", lead).await;
    }
    world.shown("calls?reset=1").await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(codes(&world).await, ["same_identity"]);
    let calls = world.shown("calls").await["zoho"].clone();
    let made: u64 = calls.as_object().unwrap().values().filter_map(Json::as_u64).sum();
    assert!(made <= 4, "it goes round: {calls}");
    assert!(hub(&world, "ada@example.com").await.links[&connection(Crm::Zoho)].awaiting.is_empty());
}

#[tokio::test]
async fn an_erasure_after_a_deletion_is_heard() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let contact = world.shown("hubspot/contacts").await[0]["id"].clone();
    world.sim("hubspot/contacts", &json!({"id": contact, "delete": true})).await;
    world.settle().await;
    let gone = async || hub(&world, "ada@example.com").await.links[&connection(Crm::HubSpot)].gone.clone();
    assert!(matches!(gone().await, Some(Gone::Deleted { .. })));
    let (tenant, connection) = (tenant(), connection(Crm::HubSpot));
    let remote: shared::id::RemoteId = contact.as_str().unwrap().parse().unwrap();
    let remotes = vec![shared::change::Hinted {
        erased: true,
        ..shared::change::Hinted::plain(&shared::record::Object::Person, remote)
    }];
    let hints = shared::change::Hints { tenant, connection, remotes, trace: "erasure".to_owned() };
    let message = shared::queue::Outgoing::new(&hints, &"demo").unwrap();
    world.app.queue.send(&world.app.settings.changes, &[message]).await.unwrap();
    world.settle().await;
    assert!(matches!(gone().await, Some(Gone::Erased { .. })));
    assert_eq!(codes(&world).await, ["erased_in_crm"]);
}

#[tokio::test]
async fn an_id_of_a_connection_is_no_other_tenants() {
    let world = World::new().await;
    let ours = world.app.store.connection(&tenant(), &connection(Crm::Zoho)).await.unwrap().unwrap();
    let theirs = Connection { tenant: "another".parse().unwrap(), ..ours.clone() };
    assert!(world.app.store.put_connection(&theirs).await.is_err());
    assert!(world.app.store.put_connection(&ours).await.is_err(), "to connect again must not forget the cursor");
    assert_eq!(world.app.store.connection_by_door(&ours.id).await.unwrap().unwrap().tenant, tenant());
}
