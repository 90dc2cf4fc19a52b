//! What people ask and decide over the control API is so, in every CRM.

use super::tenant_of;
use crate::{
    connect::{Browser, a_world},
    control::Desk,
    engine::ada,
    world::World,
};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value as Json, json};
use shared::provider::Crm;

crate::laws::laws_of! {
    a_tenant_is_taken_on_connects_and_leaves
    what_is_paused_waits_and_goes_on_when_resumed
    a_person_is_found_by_any_identity_with_all_that_happened
    a_conflict_is_shown_and_decided
    what_stopped_is_tried_once_more
    a_record_is_synced_now
    rules_are_read_tried_changed_and_approved
}

/// A user of the CRM edits the only person; its webhook is lost.
async fn edits(world: &World, crm: Crm, last_call: &str) {
    let id = world.only(crm).await.id;
    world.edit_silently(crm, &id, &[("last_call", last_call)]).await;
}

/// The only person there is.
async fn person(desk: &Desk<'_>) -> Json {
    let found = desk.get("/records?email=ada@example.com").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    found["items"][0].clone()
}

async fn a_tenant_is_taken_on_connects_and_leaves(crm: Crm) {
    let world = a_world(crm).await;
    let (root, ada) = (Desk::of(&world, "root"), Desk::of(&world, "ada"));
    root.post("/v1/tenants", json!({"id": "demo", "name": "Demo Ltd"})).await;
    let link = ada.post("/links", json!({"connection": crm.name(), "crm": crm.name()})).await;
    let (status, page) = Browser::new().connects(link["url"].as_str().unwrap()).await;
    assert_eq!(status, 200, "{page}");
    world.settle().await;
    let shown = ada.get("/connections").await["items"][0].clone();
    let told =
        ["id", "category", "crm", "display_name"].map(|name| shown[name].as_str().unwrap_or_default().to_owned());
    assert_eq!(told, [crm.name(), "crm", crm.name(), crm.title()]);
    assert_eq!((&shown["state"]["is"], &shown["approved"]), (&json!("joining"), &json!(false)));
    let preview = ada.get(&format!("/connections/{crm}/preview")).await;
    assert_eq!((&preview["objects"]["person"]["create"], &preview["next"]), (&json!(0), &Json::Null));
    let resumed = ada.post(&format!("/connections/{crm}/resume"), json!({})).await;
    assert_eq!(resumed["state"]["is"], "active");
    let status = ada.get(&format!("/connections/{crm}/status")).await;
    assert!(
        status["findings"].as_array().unwrap().iter().any(|one| one["about"] == "access" && one["mark"] == "good"),
        "{status}"
    );
    let left = root.call(Method::DELETE, "/v1/tenants/demo", None, None).await;
    assert!(left.status == 200 && left.body["left"].is_string(), "{left:?}");
    assert_eq!(ada.get(&format!("/connections/{crm}")).await["state"]["is"], "closed");
    let late = ada.call(Method::POST, "/links", Some(&json!({"connection": "late", "crm": crm.name()})), None).await;
    assert_eq!((late.status, late.body["code"].as_str()), (422, Some("needs_a_person")), "who left connects nothing");
}

async fn what_is_paused_waits_and_goes_on_when_resumed(crm: Crm) {
    let world = tenant_of(crm).await;
    let (oscar, admin) = (Desk::of(&world, "oscar"), Desk::of(&world, "ada"));
    let paused = oscar.post(&format!("/connections/{crm}/pause"), json!({"reason": "an audit"})).await;
    assert_eq!(paused["state"], json!({"is": "paused", "reason": "an audit"}));
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert!(world.people(crm).await.is_empty());
    let id = person(&oscar).await["id"].as_str().unwrap().to_owned();
    let would = oscar.get(&format!("/records/{id}/preview")).await;
    assert_eq!(would[crm.name()]["would"], "create", "{would}");
    admin.post(&format!("/connections/{crm}/resume"), json!({})).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Ada Byron");
}

async fn a_person_is_found_by_any_identity_with_all_that_happened(crm: Crm) {
    let world = tenant_of(crm).await;
    let vera = Desk::of(&world, "vera");
    let mut asked = ada("r1");
    asked["lead"]["phone"] = json!("+14155550100");
    world.send(&[asked]).await;
    world.settle().await;
    let shown = person(&vera).await;
    let remote = shown["links"][crm.name()]["remote"].as_str().unwrap().to_owned();
    let by_remote = format!("remote={remote}&connection={crm}");
    for query in ["id=lead-7", "phone=%2B14155550100", "phone=(415)%20555-0100", "object=person", &by_remote] {
        let found = vera.get(&format!("/records?{query}")).await;
        assert_eq!(found["items"], json!([shown]), "{query}");
    }
    let at = format!("/records/{}", shown["id"].as_str().unwrap());
    assert_eq!(vera.get(&at).await, shown);
    let history = vera.get(&format!("{at}/history?limit=1")).await;
    let newest = history["items"][0]["version"].as_u64().unwrap();
    assert_eq!(Some(newest), shown["version"].as_u64(), "the latest first");
    let mut versions = vec![newest];
    let mut next = history["next"].as_str().map(str::to_owned);
    while let Some(cursor) = next {
        let page = vera.get(&format!("{at}/history?limit=1&cursor={cursor}")).await;
        versions.extend(page["items"].as_array().unwrap().iter().map(|one| one["version"].as_u64().unwrap()));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert!(versions.is_sorted_by(|a, b| a > b) && versions.last() == Some(&1), "every change, once: {versions:?}");
    let timeline = vera.get(&format!("{at}/timeline")).await;
    let ended = |one: &Json| one["connection"] == crm.name() && one["status"] == "succeeded" && one["request"] == "r1";
    assert!(timeline["items"].as_array().unwrap().iter().any(ended), "{timeline}");
    let told = vera.get(&format!("{at}/explain?field=telephone")).await;
    assert_eq!(
        (told["field"].as_str(), told["written"]["source"].as_str()),
        (Some("phone"), Some("workflow")),
        "{told}"
    );
}

async fn a_conflict_is_shown_and_decided(crm: Crm) {
    let world = tenant_of(crm).await;
    let (oscar, admin) = (Desk::of(&world, "oscar"), Desk::of(&world, "ada"));
    let at = format!("/connections/{crm}/policy");
    let policy = admin.call(Method::GET, &at, None, None).await;
    let mut manual = policy.body.clone();
    manual["conflicts"] = json!("manual");
    let set = admin.call(Method::PUT, &at, Some(&manual), policy.etag.as_deref()).await;
    assert_eq!(set.status, 200, "{}", set.body);
    let late = admin.call(Method::PUT, &at, Some(&policy.body), policy.etag.as_deref()).await;
    assert_eq!((late.status, late.body["code"].as_str()), (412, Some("changed_meanwhile")), "somebody was faster");
    let mut asked = ada("r1");
    asked["lead"]["last_call"] = json!("before");
    world.send(&[asked.clone()]).await;
    world.settle().await;
    edits(&world, crm, "theirs").await;
    (asked["id"], asked["occurred_at"]) = (json!("r2"), json!("2026-11-21T10:00:00Z"));
    asked["lead"]["last_call"] = json!("ours");
    world.send(&[asked]).await;
    world.settle().await;
    let listed = oscar.get("/exceptions?code=conflict").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = oscar.get(&format!("/exceptions/{id}")).await;
    assert_eq!(shown["sides"], json!({"agreed": "before", "ours": "ours", "theirs": "theirs"}), "{shown}");
    let dismissed = oscar.call(Method::POST, &format!("/exceptions/{id}/dismiss"), None, None).await;
    assert_eq!(dismissed.status, 409, "it is a decision");
    let done = oscar.post(&format!("/connections/{crm}/conflicts"), json!({"take": "ours", "exceptions": [id]})).await;
    assert_eq!(done, json!({"ended": 1, "unseen": 0}));
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "ours");
    assert_eq!(oscar.get("/exceptions").await["items"], json!([]));
    assert_eq!(oscar.get("/exceptions?state=resolved").await["items"].as_array().unwrap().len(), 1);
}

/// A scope was missing; somebody has granted it since.
async fn what_stopped_is_tried_once_more(crm: Crm) {
    let world = tenant_of(crm).await;
    let oscar = Desk::of(&world, "oscar");
    world.sim("faults", &json!({crm.name(): {"scope_missing": true}})).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let waits = oscar.get(&format!("/exceptions?connection={crm}")).await;
    assert_eq!(waits["items"][0]["code"], "connection_stopped", "{waits}");
    world.sim("faults", &json!({})).await;
    let tried = oscar.post("/exceptions/retry", json!({"code": "connection_stopped"})).await;
    assert_eq!(tried, json!({"retried": 1, "left": 0, "next": null}));
    world.settle().await;
    assert_eq!(world.only(crm).await.name(), "Ada Byron");
    assert_eq!(oscar.get(&format!("/exceptions?connection={crm}")).await["items"], json!([]));
}

/// Nothing tells of an edit, and no pull is due.
async fn a_record_is_synced_now(crm: Crm) {
    let world = tenant_of(crm).await;
    let oscar = Desk::of(&world, "oscar");
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let at = format!("/connections/{crm}/sync");
    for (word, body) in [("one", json!({"records": [person(&oscar).await["id"]]})), ("all", json!({}))] {
        world.wait(SignedDuration::from_secs(5)).await;
        edits(&world, crm, word).await;
        // A pull leaves the newest seconds alone where times are whole seconds; the next one takes them.
        world.wait(SignedDuration::from_secs(30)).await;
        world.settle().await;
        assert_ne!(person(&oscar).await["fields"]["last_call"]["value"], word);
        oscar.post(&at, body).await;
        world.settle().await;
        assert_eq!(person(&oscar).await["fields"]["last_call"]["value"], word);
    }
    let nobody = oscar.call(Method::POST, &at, Some(&json!({"records": ["nobody"]})), None).await;
    assert_eq!((nobody.status, nobody.body["code"].as_str()), (422, Some("unfit")));
}

async fn rules_are_read_tried_changed_and_approved(crm: Crm) {
    let world = tenant_of(crm).await;
    let admin = Desk::of(&world, "ada");
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let at = format!("/connections/{crm}/mappings/person");
    let read = admin.call(Method::GET, &at, None, None).await;
    let mut rules = read.body["mapping"].clone();
    let place = rules["rules"].as_array().unwrap().iter().position(|rule| rule["hub"] == "last_call").unwrap();
    let remote = rules["rules"][place]["remote"].as_str().unwrap().to_owned();
    let fields = admin.get(&format!("/connections/{crm}/schema/person")).await;
    assert!(fields.as_array().unwrap().iter().any(|field| field["name"] == remote.as_str()), "{fields}");
    rules["rules"][place] =
        json!({"hub": "last_call", "remote": remote, "formula": "{{first_name}} called", "direction": "to_crm"});
    let trial = json!({"mapping": rules, "hub": {"firstname": "Ada"}});
    let tried = admin.post(&format!("{at}/test"), trial).await;
    assert_eq!((&tried["sends"][&remote], &tried["faults"]), (&json!("Ada called"), &json!([])), "{tried}");
    let mut wrong = rules.clone();
    wrong["rules"][place]["remote"] = json!("Not_There");
    wrong["rules"][0]["direction"] = json!("sideways");
    let refused = admin.call(Method::PUT, &at, Some(&wrong), read.etag.as_deref()).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("unfit")), "{}", refused.body);
    assert_eq!(admin.call(Method::PUT, &at, Some(&rules), None).await.status, 428);
    world.wait(SignedDuration::from_secs(15)).await;
    let given = admin.call(Method::PUT, &at, Some(&rules), read.etag.as_deref()).await;
    assert_eq!((given.status, given.body["state"]["is"].as_str()), (200, Some("joining")), "{}", given.body);
    assert_ne!(given.etag, read.etag);
    let late = admin.call(Method::PUT, &at, Some(&rules), read.etag.as_deref()).await;
    assert_eq!(late.status, 412);
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "");
    admin.post(&format!("/connections/{crm}/resume"), json!({})).await;
    world.settle().await;
    assert_eq!(world.only(crm).await.get("last_call"), "Ada called");
}
