//! Records that a workflow asks for come back, each once by its id, however often they are told.

use super::{peer, tenant_of};
use crate::{
    ear::{Ear, Heard},
    engine::{ada, codes, hub},
    world::{World, connection, tenant},
};
use aws_lambda_events::sqs::SqsEvent;
use serde_json::{Value as Json, json};
use shared::{
    connection::State,
    context::Context,
    handler::{self, PullEvent},
    profile::Known,
    provider::Crm,
    record::{Object, Region},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

crate::laws::laws_of! {
    all_of_an_object_are_fetched_a_page_to_a_call
    a_list_of_the_crms_own_is_fetched
    what_a_filter_holds_for_is_fetched
    a_worker_that_dies_between_pages_and_answers_that_are_lost_leave_no_trace
    a_fetch_that_cannot_be_done_says_so_and_stops_nothing
    a_page_is_shown_and_the_next_one_begins_where_it_ended
}

const VIP: &str = "vip";

fn mailbox(n: usize) -> String {
    format!("p{n:04}@example.com")
}

/// So many people are typed in, and every `nth` of them is important.
async fn type_in(world: &World, crm: Crm, people: usize, nth: usize) -> BTreeSet<String> {
    let mailboxes: Vec<String> = (0..people).map(mailbox).collect();
    let said = |n: usize| if n.is_multiple_of(nth) { VIP } else { "no" };
    let typed = mailboxes.iter().enumerate();
    let typed =
        typed.map(|(n, mailbox)| vec![("last_name", "Typed"), ("email", mailbox.as_str()), ("last_call", said(n))]);
    world.type_in(crm, &typed.collect::<Vec<_>>()).await;
    (0..people).filter(|n| n.is_multiple_of(nth)).map(mailbox).collect()
}

/// A list of the people who are important, as a user of the CRM makes it.
async fn list(world: &World, crm: Crm, object: &str) -> String {
    let field = crate::face::field(crm, "last_call");
    let wish = json!({"crm": crm.name(), "object": object, "field": field, "value": VIP});
    world.sim("lists", &wish).await["id"].as_str().unwrap().to_owned()
}

/// What the CRM's API calls people.
fn people(crm: Crm) -> String {
    crm.default_mapping(&Object::Person).unwrap().object
}

fn fetch(crm: Crm, with: Json) -> Json {
    let workflow = json!({"id": "wf-1", "run_id": "run-9", "step_id": "step-3"});
    let mut fetch = json!({
        "version": 1, "id": "f1", "tenant_id": "demo", "connection_id": crm.name(), "object": "lead", "direction": "fetch",
        "workflow": workflow,
    });
    fetch.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    fetch
}

/// A tenant with this CRM alone, which has been read.
async fn alone(crm: Crm) -> World {
    let world = World::of(&[crm]).await;
    world.settle().await;
    world
}

async fn ear(world: &World) -> Ear {
    world.listen(&["record.fetched", "fetch.done", "fetch.failed"]).await
}

/// By mailbox, what a workflow knows that tells events apart by their ids; and the end.
fn known(heard: &[Heard]) -> (BTreeMap<String, Json>, Json) {
    let distinct: BTreeMap<&str, &Heard> = heard.iter().map(|one| (one.text("id"), one)).collect();
    let (mut people, mut ends) = (BTreeMap::new(), Vec::new());
    for one in distinct.into_values() {
        assert_eq!((one.text("fetch_id"), one.text("tenant_id")), ("f1", "demo"), "{one:?}");
        assert_eq!(one.detail["workflow"], json!({"id": "wf-1", "run_id": "run-9", "step_id": "step-3"}));
        match one.kind.as_str() {
            "record.fetched" => {
                let mailbox = one.detail["profile"]["fields"]["email"].as_str().unwrap().to_owned();
                assert!(people.insert(mailbox, one.detail.clone()).is_none(), "under another id: {one:?}");
            }
            _ => ends.push(one.detail.clone()),
        }
    }
    assert_eq!(ends.len(), 1, "{ends:?}");
    (people, ends.remove(0))
}

fn mailboxes(people: &BTreeMap<String, Json>) -> BTreeSet<String> {
    people.keys().cloned().collect()
}

/// HubSpot lists a hundred to a call and Pipedrive five hundred; a query of Zoho's or Salesforce's tells two thousand.
async fn all_of_an_object_are_fetched_a_page_to_a_call(crm: Crm) {
    const PEOPLE: usize = 520;
    let world = alone(crm).await;
    type_in(&world, crm, PEOPLE, 2).await;
    let ear = ear(&world).await;
    world.calls(crm).await;
    world.send(&[fetch(crm, json!({}))]).await;
    while !world.turn("sync-requests").await {}
    while world.turn("pulls").await {}
    let made: u64 = world.calls(crm).await.values().sum();
    let (people, end) = known(&ear.heard().await);
    assert_eq!(mailboxes(&people), (0..PEOPLE).map(mailbox).collect());
    let page = match crm {
        Crm::HubSpot => 100,
        Crm::Pipedrive => 500,
        Crm::Zoho | Crm::Salesforce => 2000,
    };
    let pages = PEOPLE.div_ceil(page) as u64;
    assert_eq!(made, pages, "calls");
    let numbers = ["pages", "read", "fetched", "filtered", "left_out"].map(|name| end[name].as_u64().unwrap());
    assert_eq!(numbers, [pages, PEOPLE as u64, PEOPLE as u64, 0, 0]);
    let one = &people[&mailbox(7)];
    assert_eq!(one["profile"]["crms"][crm.name()], one["remote_id"], "{one}");
    assert_eq!(one["record_id"], json!(hub(&world, &mailbox(7)).await.id));
    assert!(codes(&world).await.is_empty());
}

async fn a_list_of_the_crms_own_is_fetched(crm: Crm) {
    let world = alone(crm).await;
    let important = type_in(&world, crm, 360, 3).await;
    let list = list(&world, crm, &people(crm)).await;
    let ear = ear(&world).await;
    world.calls(crm).await;
    world.send(&[fetch(crm, json!({"list": list}))]).await;
    world.turn("sync-requests").await;
    while world.turn("pulls").await {}
    let calls = world.calls(crm).await;
    let (people, end) = known(&ear.heard().await);
    assert_eq!(mailboxes(&people), important);
    assert_eq!((&end["read"], &end["left_out"]), (&json!(120), &json!(0)));
    // HubSpot says first what the list is of, Salesforce what it asks for; HubSpot tells ids alone, a hundred at a time.
    let least = match crm {
        Crm::HubSpot => 1 + 2 * 2,
        Crm::Salesforce => 1 + 1,
        Crm::Zoho | Crm::Pipedrive => 1,
    };
    assert_eq!(calls.values().sum::<u64>(), least, "{calls:?}");
}

async fn what_a_filter_holds_for_is_fetched(crm: Crm) {
    let world = tenant_of(crm).await;
    let important = type_in(&world, crm, 30, 3).await;
    let ear = ear(&world).await;
    let with = json!({"where": "last_call == 'vip' and email != 'p0003@example.com' and not email_opted_out"});
    world.send(&[fetch(crm, with)]).await;
    world.settle().await;
    let (people, end) = known(&ear.heard().await);
    assert_eq!(people.len(), important.len() - 1);
    assert!(mailboxes(&people).is_subset(&important) && !people.contains_key(&mailbox(3)));
    let numbers = ["read", "fetched", "filtered", "left_out"].map(|name| end[name].as_u64().unwrap());
    assert_eq!(numbers, [30, 9, 21, 0]);
    // What was read is in the hub, and goes on from there as what is pulled does.
    assert_eq!(world.people(peer(crm)).await.len(), 30);
    assert_eq!(world.people(crm).await.len(), 30, "none was made twice");
}

/// The function has time for one page; every message is handled twice, and its worker dies before it can say that it is done.
async fn a_worker_that_dies_between_pages_and_answers_that_are_lost_leave_no_trace(crm: Crm) {
    let world = alone(crm).await;
    let important = type_in(&world, crm, 520, 1).await;
    let account = world.stored(crm).await.account;
    if crm == Crm::Salesforce {
        world.sim("accounts", &json!({"crm": "salesforce", "account_id": account.as_str(), "batch_size": 200})).await;
    }
    let list = list(&world, crm, &people(crm)).await;
    let ear = ear(&world).await;
    world.send(&[fetch(crm, json!({"list": list})), fetch(crm, json!({"list": list}))]).await;
    world.turn("sync-requests").await;
    world.sim("faults", &json!({"seed": 7, crm.name(): {"fail_rate": 0.2, "fail_after_commit_rate": 0.1}})).await;
    let mut heard: Vec<Heard> = Vec::new();
    for _ in 0..60 {
        let event = world.receive("pulls").await;
        pulled(&world, event.clone()).await;
        pulled(&world, event.clone()).await;
        world.reappear().await;
        world.turn("pulls").await;
        world.wait(jiff::SignedDuration::from_secs(5)).await;
        heard.extend(ear.heard().await);
        if heard.iter().any(|one| one.kind == "fetch.done") {
            break;
        }
    }
    world.sim("faults", &json!({})).await;
    world.settle().await;
    heard.extend(ear.heard().await);
    let (people, end) = known(&heard);
    assert_eq!(mailboxes(&people), important);
    let pages: BTreeSet<u64> = people.values().map(|one| one["page"].as_u64().unwrap()).collect();
    assert!(pages.len() > 1 && end["pages"] == json!(pages.len()), "{pages:?} {end}");
    assert!(heard.len() > people.len() + 1, "nothing was told twice");
    let records: BTreeSet<&str> = people.values().map(|one| one["record_id"].as_str().unwrap()).collect();
    assert_eq!(records.len(), 520, "nobody is in the hub twice");
}

/// An invocation that has time for one page.
async fn pulled(world: &World, event: SqsEvent) {
    let cx = Context::new(world.now(), Duration::from_secs(22), "short");
    handler::delta_pull(&world.app, &cx, PullEvent::Messages(event)).await.unwrap();
}

async fn a_fetch_that_cannot_be_done_says_so_and_stops_nothing(crm: Crm) {
    let world = World::of_objects(&[crm], &[Object::Company, Object::Person, Object::Task]).await;
    world.settle().await;
    let nobodys = match crm {
        Crm::Salesforce => "00BD0000005WcBeMAK",
        _ => "4711",
    };
    let companies = list(&world, crm, &crm.default_mapping(&Object::Company).unwrap().object).await;
    let ear = ear(&world).await;
    let asked = [
        ("no-list", json!({"list": nobodys}), "no_such_list"),
        ("no-id", json!({"list": "../../contacts"}), "no_such_list"),
        ("other-list", json!({"list": companies}), "no_such_list"),
        ("filter", json!({"where": "lead_score >"}), "bad_filter"),
        ("nobody", json!({"connection_id": "closed"}), "unknown_connection"),
        ("object", json!({"object": "invoice"}), "not_read"),
        ("version", json!({"version": 2}), "unknown_version"),
    ];
    let requests = asked.iter().map(|(id, with, _)| {
        let mut asked = fetch(crm, with.clone());
        asked["id"] = json!(id);
        asked
    });
    let requests: Vec<Json> = requests.collect();
    for _ in 0..2 {
        world.send(&requests).await;
        world.settle().await;
    }
    let heard = ear.heard().await;
    let told: BTreeMap<&str, &str> = heard.iter().map(|one| (one.text("fetch_id"), one.text("code"))).collect();
    assert_eq!(told, asked.iter().map(|(id, _, code)| (*id, *code)).collect());
    assert_eq!(heard.len(), asked.len(), "each is told once");
    let said_all = |one: &Heard| {
        one.kind == "fetch.failed" && one.detail["workflow"]["run_id"] == "run-9" && one.text("remedy").len() > 10
    };
    assert!(heard.iter().all(said_all), "{heard:?}");
    assert_eq!(world.stored(crm).await.state, State::Active, "{:?}", codes(&world).await);

    let paused = world.stored(crm).await;
    world.app.store.set_state(&paused, &State::Paused { reason: "by hand".to_owned() }).await.unwrap();
    let mut asked = fetch(crm, json!({}));
    asked["id"] = json!("paused");
    world.send(&[asked]).await;
    world.settle().await;
    let heard = ear.heard().await;
    assert_eq!(
        heard.iter().map(|one| (one.text("fetch_id"), one.text("code"))).collect::<Vec<_>>(),
        [("paused", "not_working")]
    );
}

/// As a person reads it at the terminal; and a single one as the product does.
async fn a_page_is_shown_and_the_next_one_begins_where_it_ended(crm: Crm) {
    let world = alone(crm).await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let important = type_in(&world, crm, 520, 1).await;
    let account = world.stored(crm).await.account;
    if crm == Crm::Salesforce {
        world.sim("accounts", &json!({"crm": "salesforce", "account_id": account.as_str(), "batch_size": 200})).await;
    }
    let list = list(&world, crm, &people(crm)).await;
    let asked: shared::request::Fetch = serde_json::from_value(fetch(crm, json!({"list": list}))).unwrap();
    let this = world.stored(crm).await;
    let (mut after, mut shown, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = world.app.fetch_page(&world.cx("shown"), &this, &asked, after.as_deref()).await.unwrap().unwrap();
        shown.extend(page.records.iter().map(|(_, record)| record.fields.get("email").unwrap().to_string()));
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            break;
        }
    }
    assert!(pages > 1);
    assert_eq!(shown.len(), 520, "each once");
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), important);

    let there = world.people(crm).await.into_iter().find(|one| one.get("email") == "ada@example.com").unwrap();
    let record = hub(&world, "ada@example.com").await;
    let own = format!("{crm}_id");
    for (field, value) in
        [("id", "lead-7"), ("email", "Ada@Example.com"), (&own, &there.id), ("record", record.id.as_str())]
    {
        let known = Known::read(&Object::Person, field, value, &Region::default()).unwrap();
        let profile = world.app.profile(&tenant(), &Object::Person, &known).await.unwrap().unwrap();
        assert_eq!(profile.product_id.map(|id| id.to_string()).as_deref(), Some("lead-7"), "{field}");
        assert_eq!(profile.crms[&connection(crm)].as_str(), there.id);
        assert_eq!(profile.email_opted_out, None, "nobody said so");
    }
    let nobody = Known::read(&Object::Person, "email", "nobody@example.com", &Region::default()).unwrap();
    assert_eq!(world.app.profile(&tenant(), &Object::Person, &nobody).await.unwrap(), None);
}
