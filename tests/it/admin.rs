//! What an admin does in the dashboard: changes rules, undoes a bad run, forgets a person.

use crate::{dashboard::a_world, engine::hub, story::request, visitor::Visitor, world::World};
use serde_json::{Value as Json, json};
use shared::{connection::State, provider::Crm, record::Object};

#[tokio::test]
async fn rules_are_tried_and_given() {
    let world = a_world().await;
    let mut admin = Visitor::at_home(&world, "ada").await;
    let at = "/tenants/demo/connections/hubspot/mappings/person";
    let page = admin.open(at).await;
    page.shows(&["Person of HubSpot", "firstname", "crm-fields", "lifecyclestage"]);
    assert!(page.text.len() < 50_000, "{}", page.text.len());
    let rules = world.stored(Crm::HubSpot).await.mappings[&Object::Person].rules.len();
    let new = [
        (format!("hub.{rules}"), "city"),
        (format!("remote.{rules}"), "nonsense"),
        (format!("direction.{rules}"), "both"),
    ];
    let new: Vec<(&str, &str)> = new.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let tried = [("do", "try")].into_iter().chain(new.clone()).collect::<Vec<_>>();
    admin.press("Try it on a record", &tried).await.shows(&["What would become of a record", "nonsense"]);
    admin.open(at).await;
    let given = [("do", "give")].into_iter().chain(new).collect::<Vec<_>>();
    let refused = admin.press("Give it these rules", &given).await;
    assert_eq!(refused.status, 422);
    refused.shows(&["nonsense"]);
    admin.open(at).await;
    let city = [("do", "give"), ("version", "0")];
    assert_eq!(admin.press("Give it these rules", &city).await.status, 412, "they have not seen what it is");
    assert_eq!(world.stored(Crm::HubSpot).await.state, State::Active);
    let mut vera = Visitor::at_home(&world, "vera").await;
    let page = vera.open(at).await;
    page.shows(&["firstname"]);
    assert!(!page.text.contains("Give it these rules"), "that takes an admin");
}

/// What a bad run writes.
const BAD: &str = "+14155559999";

fn lead(n: usize, run: &str, phone: &str, at: &str) -> Json {
    let mut asked = request(
        &format!("{run}-{n}"),
        json!({"id": format!("lead-{n}"), "email": format!("p{n}@example.com"), "last_name": format!("Nr {n}"), "phone": phone}),
    );
    (asked["workflow"], asked["occurred_at"]) = (json!({"id": "wf-1", "run_id": run, "step_id": "s1"}), json!(at));
    asked
}

/// People whom a run has given a wrong number; how many it does not matter.
async fn a_bad_run(world: &World, people: usize) {
    for (run, at, phone) in [("good", "2026-11-21T09:30:00Z", None), ("bad", "2026-11-21T10:30:00Z", Some(BAD))] {
        let number = |n: usize| phone.map_or_else(|| format!("+1415555{n:04}"), str::to_owned);
        let asked: Vec<Json> = (0..people).map(|n| lead(n, run, &number(n), at)).collect();
        world.send(&asked).await;
        world.settle().await;
    }
}

async fn with_number(world: &World, crm: Crm, number: &str) -> usize {
    world.people(crm).await.iter().filter(|person| person.get("phone").ends_with(number)).count()
}

#[tokio::test]
async fn a_run_is_undone_and_what_stays_is_told() {
    let world = a_world().await;
    a_bad_run(&world, 5).await;
    let edited =
        world.people(Crm::Zoho).await.into_iter().find(|person| person.get("email") == "p3@example.com").unwrap();
    world.edit(Crm::Zoho, &edited.id, &[("phone", "+14155551234")]).await;
    world.settle().await;
    let mut admin = Visitor::at_home(&world, "ada").await;
    admin.open("/tenants/demo/undo").await.shows(&["See what it comes to"]);
    let page = admin.open("/tenants/demo/undo?since=2026-11-01T00%3A00%3A00Z&run=bad").await;
    page.shows(&["4 values of 5 records would go back", "1 value would stay", "somebody has written it since"]);
    admin.press("Undo that", &[]).await.shows(&["It is being taken back"]);
    world.settle().await;
    admin.open("/tenants/demo/undo?since=2026-11-01T00%3A00%3A00Z&run=bad").await.shows(&["nothing to take back"]);
    assert_eq!(with_number(&world, Crm::HubSpot, "9999").await, 0);
    let record = hub(&world, "p1@example.com").await;
    let at = format!("/tenants/demo/records/{}", record.id);
    admin.open(&at).await.shows(&["Undone", " · asked for by person-ada", "/tenants/demo/undo?since="]);
    let mut oscar = Visitor::at_home(&world, "oscar").await;
    assert!(!oscar.open(&at).await.text.contains("/undo?since="), "that takes an admin");
    assert_eq!(oscar.open("/tenants/demo/undo?since=2026-11-01T00%3A00%3A00Z").await.status, 403);
}

#[tokio::test]
async fn a_person_is_forgotten_and_that_is_read_back() {
    let world = a_world().await;
    let record = hub(&world, "ada@example.com").await;
    let at = format!("/tenants/demo/records/{}/erase", record.id);
    let mut admin = Visitor::at_home(&world, "ada").await;
    admin.open(&format!("/tenants/demo/records/{}", record.id)).await.shows(&["Forget this person…"]);
    admin.open(&at).await.shows(&["What there is", "HubSpot", "Zoho CRM", "there", "cannot be brought back"]);
    admin.press("Forget this person for good", &[("in_crms", "true")]).await.shows(&["They are forgotten here"]);
    world.settle().await;
    admin.open(&at).await.shows(&["read back: nothing is left, here or in a CRM", "gone"]);
    admin.open(&format!("/tenants/demo/records/{}", record.id)).await.shows(&[
        "was forgotten",
        " · asked for by person-ada",
        "its values were erased",
    ]);
    assert!(!admin.page.text.contains("Byron"), "{}", admin.page.text);
    let mut oscar = Visitor::at_home(&world, "oscar").await;
    assert!(!oscar.open(&at).await.text.contains("Erase again"), "that takes an admin");
}
