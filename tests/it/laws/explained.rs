//! What an operator is told of a field, and of what would be written, is so.

use super::{peer, tenant_of};
use crate::{
    engine::{ada, hub},
    story::request,
    world::{World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    explain::{Explanation, Stands, Telling, What, explain, telling},
    provider::Crm,
    record::Value,
};

crate::laws::laws_of! {
    what_is_told_beforehand_is_what_is_written
    a_field_explains_itself
}

async fn would(world: &World, crm: Crm) -> Telling {
    telling(&hub(world, "ada@example.com").await, &world.stored(crm).await).unwrap()
}

/// Pushes what is pending, in so many calls.
async fn pushes_by(world: &World, crm: Crm, told: &Telling) {
    world.shown("calls?reset=1").await;
    while world.turn("pushes").await {}
    let calls = world.calls(crm).await;
    let made: u64 = calls.iter().filter(|(route, _)| !route.contains("oauth")).map(|(_, n)| n).sum();
    assert_eq!(made, u64::from(told.calls), "{crm}: {calls:?}");
}

fn lead(id: &str, at: &str, fields: Json) -> Json {
    let mut asked = request(id, fields);
    (asked["lead"]["id"], asked["occurred_at"]) = (json!("lead-7"), json!(at));
    asked
}

/// Field for field, and call for call.
async fn what_is_told_beforehand_is_what_is_written(crm: Crm) {
    let world = tenant_of(crm).await;
    let mut asked = ada("r1");
    asked["lead"]["phone"] = json!("+14155550100");
    world.send(&[asked]).await;
    world.turn("sync-requests").await;
    let told = would(&world, crm).await;
    assert_eq!(told.would, "create");
    assert!(told.changes.iter().all(|one| one.rule.is_some() && one.before.is_none()), "{told:?}");
    pushes_by(&world, crm, &told).await;
    world.settle().await;
    assert_eq!(would(&world, crm).await, Telling { would: "nothing", changes: Vec::new(), calls: 0 });
    let newer = json!({"email": "ada@example.com", "company": "Before", "last_call": "today"});
    world.send(&[lead("r2", "2026-11-21T10:00:00Z", newer)]).await;
    world.turn("sync-requests").await;
    let told = would(&world, crm).await;
    let [one] = told.changes.as_slice() else { panic!("{crm}: {told:?}") };
    let (rule, texts) = (one.rule.as_ref().unwrap(), (&one.before, one.after.as_ref().map(ToString::to_string)));
    assert_eq!((told.would, rule.hub.as_str(), &rule.remote), ("update", "last_call", &one.field));
    assert_eq!(texts, (&None, Some("today".to_owned())));
    pushes_by(&world, crm, &told).await;
    assert_eq!(world.only(crm).await.get("last_call"), "today");
}

async fn explained(world: &World, field: &str) -> Explanation {
    let record = hub(world, "ada@example.com").await;
    let history = world.app.history.of(&tenant(), &record.id).await.unwrap();
    let (settings, connections) = world.app.store.tenant(&tenant()).await.unwrap();
    explain(&record, field, &history, &settings, &connections)
}

async fn a_field_explains_itself(crm: Crm) {
    let world = tenant_of(crm).await;
    let mut asked = ada("r1");
    asked["lead"]["phone"] = json!("+14155550100");
    world.send(&[asked]).await;
    world.settle().await;
    world.edit(crm, &world.only(crm).await.id, &[("phone", "+14155550199")]).await;
    world.settle().await;
    let mut billing = lead("r2", "2027-01-01T00:00:00Z", json!({"phone": "+14155550111"}));
    billing["source"] = json!("billing");
    world.send(&[billing]).await;
    world.settle().await;
    let told = explained(&world, "phone").await;
    let written = told.written.unwrap();
    assert_eq!((written.value, written.source.as_str()), (Value::text("+14155550199"), connection(crm).as_str()));
    assert!(told.owners.unwrap().iter().any(|owner| owner.as_str() == "crm"));
    let texts = |what: &What| match what {
        What::Changed { before, after } => format!("{} to {}", text(before.as_ref()), text(after.as_ref())),
        What::Denied(denied) => format!("not {} by {}", text(denied.value.as_ref()), denied.source),
        What::Overruled(overruled) => format!("not {}", text(overruled.value.as_ref())),
    };
    let said: Vec<String> = told.said.iter().map(|said| texts(&said.what)).collect();
    assert_eq!(said, ["not +14155550111 by billing", "+14155550100 to +14155550199", "nothing to +14155550100"]);
    for one in [crm, peer(crm)] {
        let there = told.crms.iter().find(|there| there.connection == connection(one)).unwrap();
        assert_eq!((there.stands, there.rule.hub.as_str()), (Stands::Agreed, "phone"), "{one}");
    }
    assert_eq!(explained(&world, "shoe_size").await.written, None);
}

fn text(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), ToString::to_string)
}
