//! Whose records are a CRM's business.

use super::{peer, tenant_of};
use crate::{
    engine::{ada, hub},
    verdicts::{end, ends},
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{cause::Status, connection::Connection, mapping::Formula, provider::Crm, record::Object};

crate::laws::laws_of! {
    who_wants_no_mail_is_in_no_crm_that_is_not_to_have_them
    who_is_not_included_is_not_taken_from_the_crm
}

async fn including(crm: Crm, formula: &str) -> World {
    let world = tenant_of(crm).await;
    let include = |stored: &Connection| {
        let mut next = stored.clone();
        next.mappings.get_mut(&Object::Person).unwrap().include = Some(Formula::parse(formula).unwrap());
        Ok(Some(next))
    };
    world.app.store.revise(&tenant(), &connection(crm), include).await.unwrap().unwrap();
    world
}

fn newer(id: &str, lead: Json) -> Json {
    let mut asked = ada(id);
    (asked["occurred_at"], asked["lead"]) = (json!("2026-11-21T10:00:00Z"), lead);
    asked
}

async fn who_wants_no_mail_is_in_no_crm_that_is_not_to_have_them(crm: Crm) {
    let world = including(crm, "not email_opted_out").await;
    let mut asked = ada("r1");
    asked["events"] = json!([{"id": "e1", "type": "unsubscribed", "at": "2026-11-21T08:59:00Z"}]);
    world.send(&[asked]).await;
    world.settle().await;
    assert!(world.people(crm).await.is_empty());
    assert_eq!(world.only(peer(crm)).await.name(), "Ada Byron");
    let record = hub(&world, "ada@example.com").await;
    let told = ends(&world, &record, "r1").await;
    assert!(told.contains(&end(connection(crm).as_str(), Status::Skipped, "not_included")), "{told:?}");
    let mut again = newer("r2", json!({"id": "lead-7", "email_opted_out": false}));
    again["source"] = json!("email_platform");
    world.send(&[again]).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Ada Byron", "she wants it again");
}

async fn who_is_not_included_is_not_taken_from_the_crm(crm: Crm) {
    let world = including(crm, "COUNT(phone) == 1").await;
    let (with, without) = (
        vec![("last_name", "Hopper"), ("email", "grace@example.com"), ("phone", "+14155550100")],
        vec![("last_name", "Byron"), ("email", "ada@example.com")],
    );
    world.type_in(crm, &[with, without]).await;
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    let there: Vec<String> =
        world.people(peer(crm)).await.iter().map(|person| person.get("email").to_owned()).collect();
    assert_eq!(there, ["grace@example.com"]);
    world.edit(crm, &world.people(crm).await[0].id, &[("phone", "+14155550177")]).await;
    world.settle().await;
    assert_eq!(world.people(peer(crm)).await.len(), 2, "now they have a phone");
}
