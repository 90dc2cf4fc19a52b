//! Tasks and notes: what is to be done, and what was said. They are kept in step where a CRM can be told our own id of one; where
//! it cannot, they are only made: see `effects`.

use crate::{
    card::{Card, done},
    engine::codes,
    story::request,
    world::{World, tenant},
};
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use shared::{
    connecting::{Invitation, Turned},
    provider::Crm,
    record::{Key, Object, Record, Region},
};

crate::laws::laws_of! {
    a_note_is_made_once_and_its_edit_comes_back
    a_note_is_of_when_it_says
    a_note_stands_with_its_contact
    a_task_done_in_a_crm_is_done_elsewhere
    a_task_is_made_once_and_its_edit_comes_back
    a_task_of_no_day_is_of_no_day_elsewhere
    a_task_stands_with_its_contact
    a_task_waits_for_its_contact
    what_a_crm_lacks_is_not_connected
    what_happens_to_a_task_unheard_is_pulled
}

const TASK: Object = Object::Task;
const NOTE: Object = Object::Note;

/// Another CRM that has such an object too.
fn beside(crm: Crm, object: &Object) -> Option<Crm> {
    Crm::ALL.into_iter().find(|other| *other != crm && keeps(*other, object))
}

/// Whether a CRM keeps such an object in step.
fn keeps(crm: Crm, object: &Object) -> bool {
    crm.default_mapping(object).is_some_and(|mapping| mapping.has_room())
}

/// A tenant with this CRM, and another that has the object, if there is one; nothing where this one has none.
async fn tenant_of(crm: Crm, object: &Object) -> Option<World> {
    keeps(crm, object).then_some(())?;
    let crms: Vec<Crm> = [crm].into_iter().chain(beside(crm, object)).collect();
    let world = World::of_objects(&crms, &[Object::Company, Object::Person, Object::Deal, object.clone()]).await;
    world.settle().await;
    Some(world)
}

fn asked(id: &str, object: &Object, record: Json) -> Json {
    let mut asked = request(id, record);
    asked["object"] = json!(object.as_str());
    asked
}

fn call_ada() -> Json {
    let task = json!({"id": "task-1", "subject": "Call Ada", "body": "About the engine.", "due_date": "2026-12-01", "status": "open", "priority": "high", "contact_id": "lead-7"});
    asked("t1", &TASK, task)
}

fn a_copy() -> Json {
    asked("n1", &NOTE, json!({"id": "note-1", "body": "She asked for a copy:\n\"R&D <2026>\"", "contact_id": "lead-7"}))
}

fn ada() -> Json {
    request("p1", json!({"id": "lead-7", "email": "ada@example.com", "first_name": "Ada", "last_name": "Byron"}))
}

async fn hub(world: &World, object: &Object, id: &str) -> Record {
    let key = Key::Own(id.to_owned());
    let holders = world.app.store.holders(&tenant(), object, std::slice::from_ref(&key)).await.unwrap();
    world.app.store.record(&tenant(), &holders[&key][0]).await.unwrap().unwrap()
}

/// A field in the hub.
async fn told(world: &World, object: &Object, id: &str, field: &str) -> String {
    hub(world, object, id).await.fields.get(field).map(ToString::to_string).unwrap_or_default()
}

/// The record in the other CRM, where there is one.
async fn there(world: &World, crm: Crm, object: &Object) -> Option<Card> {
    match beside(crm, object) {
        Some(other) => Some(world.card(other, object).await),
        None => None,
    }
}

async fn a_task_is_made_once_and_its_edit_comes_back(crm: Crm) {
    let Some(world) = tenant_of(crm, &TASK).await else { return };
    world.send(&[call_ada(), call_ada()]).await;
    world.settle().await;
    assert!(codes(&world).await.is_empty());
    let here = world.card(crm, &TASK).await;
    assert_eq!((here.get("subject"), here.get("body")), ("Call Ada", "About the engine."));
    assert!(here.get("due_date").starts_with("2026-12-01"), "{here:?}");
    assert_eq!(here.get("priority").to_lowercase(), "high");
    world.fill_in(crm, &TASK, Some(&here.id), &[("subject", "Call Ada soon"), ("due_date", "2026-11-28")], false).await;
    world.settle().await;
    assert_eq!(told(&world, &TASK, "task-1", "subject").await, "Call Ada soon");
    assert_eq!(told(&world, &TASK, "task-1", "due_date").await, "2026-11-28");
    if let Some(there) = there(&world, crm, &TASK).await {
        assert_eq!(there.get("subject"), "Call Ada soon");
        assert!(there.get("due_date").starts_with("2026-11-28"), "{there:?}");
    }
    assert!(codes(&world).await.is_empty());
}

async fn a_task_of_no_day_is_of_no_day_elsewhere(crm: Crm) {
    let Some(world) = tenant_of(crm, &TASK).await else { return };
    world.send(&[asked("t1", &TASK, json!({"id": "task-1", "subject": "Call Ada"}))]).await;
    world.settle().await;
    let id = world.card(crm, &TASK).await.id;
    world.fill_in(crm, &TASK, Some(&id), &[("body", "Some day.")], false).await;
    world.settle().await;
    assert_eq!(told(&world, &TASK, "task-1", "body").await, "Some day.");
    assert_eq!(told(&world, &TASK, "task-1", "due_date").await, "", "a CRM's insisting on a day is nobody's deadline");
    assert!(codes(&world).await.is_empty());
}

/// Whether a CRM's record of the object leads to a contact.
fn leads_to_contacts(crm: Crm, object: &Object) -> bool {
    crm.default_mapping(object).is_some_and(|mapping| mapping.remote_of("contact_id").is_some())
}

async fn a_task_stands_with_its_contact(crm: Crm) {
    let Some(world) = tenant_of(crm, &TASK).await else { return };
    world.send(&[call_ada(), ada()]).await;
    world.settle().await;
    for crm in [crm].into_iter().chain(beside(crm, &TASK)).filter(|crm| leads_to_contacts(*crm, &TASK)) {
        let contact = world.only(crm).await.id;
        assert_eq!(world.card(crm, &TASK).await.get("contact_id"), contact, "{crm}");
    }
    assert!(codes(&world).await.is_empty());
}

async fn a_task_waits_for_its_contact(crm: Crm) {
    let Some(world) = tenant_of(crm, &TASK).await.filter(|_| leads_to_contacts(crm, &TASK)) else { return };
    world.send(&[call_ada()]).await;
    world.settle().await;
    assert_eq!(world.card(crm, &TASK).await.get("contact_id"), "");
    world.send(&[ada()]).await;
    world.settle().await;
    let contact = world.only(crm).await.id;
    assert_eq!(world.card(crm, &TASK).await.get("contact_id"), contact);
}

async fn a_task_done_in_a_crm_is_done_elsewhere(crm: Crm) {
    let Some(world) = tenant_of(crm, &TASK).await else { return };
    world.send(&[ada(), call_ada()]).await;
    world.settle().await;
    let id = world.card(crm, &TASK).await.id;
    world.fill_in(crm, &TASK, Some(&id), &[("status", done(crm))], false).await;
    world.settle().await;
    assert_eq!(told(&world, &TASK, "task-1", "status").await, "done");
    if let Some(other) = beside(crm, &TASK) {
        assert_eq!(world.card(other, &TASK).await.get("status"), done(other));
    }
}

async fn what_happens_to_a_task_unheard_is_pulled(crm: Crm) {
    let Some(world) = tenant_of(crm, &TASK).await else { return };
    world.send(&[call_ada()]).await;
    world.settle().await;
    world.wait(SignedDuration::from_secs(5)).await;
    let id = world.card(crm, &TASK).await.id;
    world.fill_in(crm, &TASK, Some(&id), &[("subject", "Write to Ada")], true).await;
    world.wait(SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    assert_eq!(told(&world, &TASK, "task-1", "subject").await, "Write to Ada");
    assert!(there(&world, crm, &TASK).await.is_none_or(|there| there.get("subject") == "Write to Ada"));
}

async fn a_note_is_made_once_and_its_edit_comes_back(crm: Crm) {
    let Some(world) = tenant_of(crm, &NOTE).await else { return };
    world.send(&[a_copy(), a_copy()]).await;
    world.settle().await;
    assert!(codes(&world).await.is_empty());
    let here = world.card(crm, &NOTE).await;
    assert!(here.get("body").starts_with("She asked for a copy:"), "{here:?}");
    assert_eq!(told(&world, &NOTE, "note-1", "body").await, "She asked for a copy:\n\"R&D <2026>\"", "as it was said");
    assert!(here.get("happened_at").starts_with("2026-11-21T09:00:00"), "when it was said: {here:?}");
    world.fill_in(crm, &NOTE, Some(&here.id), &[("body", "She asked for two.")], false).await;
    world.settle().await;
    assert_eq!(told(&world, &NOTE, "note-1", "body").await, "She asked for two.");
    assert_eq!(told(&world, &NOTE, "note-1", "happened_at").await, "2026-11-21T09:00:00Z");
    assert!(there(&world, crm, &NOTE).await.is_none_or(|there| there.get("body") == "She asked for two."));
}

async fn a_note_is_of_when_it_says(crm: Crm) {
    let Some(world) = tenant_of(crm, &NOTE).await else { return };
    let mut noted = a_copy();
    noted["lead"]["happened_at"] = json!("2026-11-20T18:30:00.250+02:00");
    world.send(&[noted]).await;
    world.settle().await;
    assert!(world.card(crm, &NOTE).await.get("happened_at").starts_with("2026-11-20T16:30:00"));
    assert_eq!(told(&world, &NOTE, "note-1", "happened_at").await, "2026-11-20T16:30:00Z");
}

async fn a_note_stands_with_its_contact(crm: Crm) {
    let Some(world) = tenant_of(crm, &NOTE).await.filter(|_| leads_to_contacts(crm, &NOTE)) else { return };
    world.send(&[a_copy(), ada()]).await;
    world.settle().await;
    let contact = world.only(crm).await.id;
    assert_eq!(world.card(crm, &NOTE).await.get("contact_id"), contact);
}

async fn what_a_crm_lacks_is_not_connected(crm: Crm) {
    let world = World::of(&[]).await;
    for object in Object::known().chain([Object::Custom("vehicle".to_owned())]) {
        let invitation = Invitation {
            tenant: tenant(),
            connection: crm.name().parse().unwrap(),
            crm,
            region: Region::default(),
            objects: vec![Object::Person, object.clone()],
            pull_every: 300,
            login_host: None,
        };
        match world.app.invite(&world.cx("invite"), &invitation).await.unwrap() {
            Ok(_) => assert!(crm.default_mapping(&object).is_some(), "{object}"),
            Err(turned) => {
                assert_eq!(turned, Turned::NoSuchObject { crm, object: object.clone() });
                let has = crm.objects().iter().map(Object::as_str).collect::<Vec<_>>().join(", ");
                let told = turned.to_string();
                assert!(told.starts_with(object.as_str()) && told.contains(&has), "{told}");
            }
        }
    }
}
