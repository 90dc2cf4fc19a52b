//! What is written, once, and only where it lacks.

use super::{peer, tenant_of};
use crate::{
    engine::{ada, codes, hub},
    face::field,
    story::request,
    world::connection,
};
use serde_json::{Value as Json, json};
use shared::{provider::Crm, record::Gone};

crate::laws::laws_of! {
    a_request_makes_one_person_with_every_field
    whoever_is_there_by_mailbox_is_found
    whoever_is_there_by_phone_is_found
    a_newer_request_changes_only_what_it_says
    a_name_is_changed_in_parts
    a_refused_record_rests_and_the_others_go_on
    a_crm_that_respells_is_left_alone
    a_deleted_person_is_not_made_again_by_a_push
    nothing_is_sent_that_is_shown_already
}

async fn a_request_makes_one_person_with_every_field(crm: Crm) {
    let world = tenant_of(crm).await;
    let mut asked = ada("r1");
    asked["lead"]["phone"] = json!("+14155550100");
    world.send(&[asked.clone(), asked]).await;
    world.settle().await;
    let shown = world.only(crm).await;
    let all = (shown.name(), shown.get("email"), shown.get("phone"));
    assert_eq!(all, ("Ada Byron".to_owned(), "ada@example.com", "+14155550100"));
    assert!(codes(&world).await.is_empty());
    assert_eq!(
        hub(&world, "ada@example.com").await.links[&connection(crm)].remote.as_ref().unwrap().as_str(),
        shown.id
    );
}

async fn whoever_is_there_by_mailbox_is_found(crm: Crm) {
    let world = tenant_of(crm).await;
    world.type_in(crm, &[vec![("last_name", "Aaron"), ("email", "Ada@Example.com")]]).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Ada Byron");
}

async fn whoever_is_there_by_phone_is_found(crm: Crm) {
    let world = tenant_of(crm).await;
    world.type_in(crm, &[vec![("last_name", "Aaron"), ("phone", "+14155550100")]]).await;
    world.send(&[request("r1", json!({"id": "lead-7", "phone": "+14155550100", "last_name": "Byron"}))]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Byron");
}

fn newer(id: &str, fields: Json) -> Json {
    let mut newer = request(id, fields);
    newer["occurred_at"] = json!("2026-11-21T10:00:00Z");
    newer
}

async fn a_newer_request_changes_only_what_it_says(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.edit(crm, &world.only(crm).await.id, &[("last_call", "by hand")]).await;
    world.settle().await;
    world.send(&[newer("r2", json!({"id": "lead-7", "phone": "+14155550177"}))]).await;
    world.settle().await;
    let shown = world.only(crm).await;
    let all = ["email", "phone", "last_call"].map(|field| shown.get(field).to_owned());
    assert_eq!(shown.name(), "Ada Byron");
    assert_eq!(all, ["ada@example.com", "+14155550177", "by hand"]);
}

async fn a_name_is_changed_in_parts(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.send(&[newer("r2", json!({"id": "lead-7", "last_name": "King"}))]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Ada King");
    world.edit(peer(crm), &world.only(peer(crm)).await.id, &[("first_name", "Augusta Ada")]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Augusta Ada King");
    let both = [("first_name", "Augusta Ada"), ("last_name", "von Lovelace")];
    world.edit(crm, &world.only(crm).await.id, &both).await;
    world.settle().await;
    let there = world.only(peer(crm)).await;
    let parts = (there.get("first_name"), there.get("last_name"));
    assert_eq!(parts, ("Augusta Ada", "von Lovelace"), "the hub knew the first name");
}

async fn a_refused_record_rests_and_the_others_go_on(crm: Crm) {
    let world = tenant_of(crm).await;
    let refuse = json!([{"field": field(crm, "last_call"), "contains": "forbidden"}]);
    world.sim("faults", &json!({crm.name(): {"refuse_values": refuse}})).await;
    let lead = |n: usize, call: &str| {
        request(
            &format!("r{n}"),
            json!({"id": format!("l{n}"), "email": format!("p{n}@example.com"), "last_name": "X", "last_call": call}),
        )
    };
    world.send(&[lead(1, "fine"), lead(2, "forbidden"), lead(3, "fine")]).await;
    world.settle().await;
    assert_eq!(world.people(crm).await.len(), 2);
    assert_eq!(world.people(peer(crm)).await.len(), 3);
    assert_eq!(codes(&world).await, ["refused_by_crm"]);
    world.calls(crm).await;
    world.app.activate(&world.cx("sweep"), &crate::world::tenant(), &connection(crm)).await.unwrap();
    world.settle().await;
    let writes: u64 =
        world.calls(crm).await.iter().filter(|(route, _)| !route.starts_with("GET")).map(|(_, n)| n).sum();
    let reads = 3;
    assert!(writes <= reads, "what was refused is not sent again");
    assert_eq!(world.people(crm).await.len(), 2);
}

async fn a_crm_that_respells_is_left_alone(crm: Crm) {
    let world = tenant_of(crm).await;
    world.sim("faults", &json!({crm.name(): {"rewrite_phones": "national"}})).await;
    let mut asked = ada("r1");
    asked["lead"]["phone"] = json!("+14155550100");
    world.send(&[asked]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("phone"), "(415) 555-0100");
    let before = hub(&world, "ada@example.com").await;
    assert_eq!(before.fields.get("phone").unwrap().to_string(), "+14155550100");
    world.wait(jiff::SignedDuration::from_mins(30)).await;
    world.tick().await;
    world.settle().await;
    assert_eq!(hub(&world, "ada@example.com").await.version, before.version);
    assert_eq!(world.only(peer(crm)).await.get("phone"), "+14155550100");
}

async fn a_deleted_person_is_not_made_again_by_a_push(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.delete(crm, &world.only(crm).await.id).await;
    world.settle().await;
    world.send(&[newer("r2", json!({"id": "lead-7", "phone": "+14155550177"}))]).await;
    world.settle().await;
    assert!(world.people(crm).await.is_empty(), "a push resurrected it");
    assert_eq!(world.only(peer(crm)).await.get("phone"), "+14155550177");
    let gone = hub(&world, "ada@example.com").await.links[&connection(crm)].gone.clone();
    assert!(matches!(gone, Some(Gone::Deleted { .. })), "{gone:?}");
}

async fn nothing_is_sent_that_is_shown_already(crm: Crm) {
    let world = tenant_of(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.calls(crm).await;
    let version = hub(&world, "ada@example.com").await.version;
    let mut again = ada("r2");
    again["occurred_at"] = json!("2026-11-21T10:00:00Z");
    world.send(&[again]).await;
    world.settle().await;
    let calls = world.calls(crm).await;
    assert!(calls.is_empty(), "{calls:?}");
    assert!(hub(&world, "ada@example.com").await.version > version, "the hub knows that it was said again");
}
