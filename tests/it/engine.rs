//! The finer points of the way of a change.

use crate::{
    audit::the_history_is_the_difference,
    story::request,
    world::{TENANT, World, connection, tenant},
};
use serde_json::{Value as Json, json};
use shared::{
    connection::State,
    provider::Crm,
    record::{Email, Key, Record},
};

pub(crate) async fn hub(world: &World, email: &str) -> Record {
    let key = Key::Email(Email::parse(email).unwrap());
    let holders =
        world.app.store.holders(&tenant(), &shared::record::Object::Person, std::slice::from_ref(&key)).await.unwrap();
    world.app.store.record(&tenant(), &holders[&key][0]).await.unwrap().unwrap()
}

pub(crate) async fn codes(world: &World) -> Vec<String> {
    world.app.store.exceptions(&tenant()).await.unwrap().into_iter().map(|e| e.code).collect()
}

pub(crate) fn ada(id: &str) -> Json {
    request(
        id,
        json!({"id": "lead-7", "email": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "company": "Before"}),
    )
}

pub(crate) async fn silently(world: &World, route: &str, fields: Json) -> Json {
    world.sim(route, &json!({"fields": fields, "silent": true})).await
}

#[tokio::test]
async fn people_that_a_crm_knows_already_are_found_and_not_made_again() {
    let world = World::new().await;
    world.settle().await;
    silently(&world, "hubspot/contacts", json!({"email": "ada@example.com", "firstname": "A."})).await;
    silently(&world, "zoho/leads", json!({"Last_Name": "Byron", "Company": "Old", "Phone": "(415) 555-0100"})).await;
    let mut asked = ada("r1");
    asked["lead"]["phone"] = json!("+14155550100");
    world.send(&[asked]).await;
    world.settle().await;
    let (contacts, leads) = (world.shown("hubspot/contacts").await, world.shown("zoho/leads").await);
    assert_eq!((contacts.as_array().unwrap().len(), leads.as_array().unwrap().len()), (1, 1), "{contacts} {leads}");
    assert_eq!(contacts[0]["properties"]["firstname"], "Ada");
    assert_eq!(leads[0]["fields"]["Email"], "ada@example.com");
}

#[tokio::test]
async fn edits_of_different_fields_in_both_crms_both_survive() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let (contact, lead) =
        (world.shown("hubspot/contacts").await[0]["id"].clone(), world.shown("zoho/leads").await[0]["id"].clone());
    world.sim("hubspot/contacts", &json!({"id": contact, "fields": {"phone": "+14155550123"}})).await;
    world.sim("zoho/leads", &json!({"id": lead, "fields": {"Company": "After"}})).await;
    world.settle().await;
    let (contacts, leads) = (world.shown("hubspot/contacts").await, world.shown("zoho/leads").await);
    assert_eq!(
        (&contacts[0]["properties"]["company"], &contacts[0]["properties"]["phone"]),
        (&json!("After"), &json!("+14155550123"))
    );
    assert_eq!(
        (&leads[0]["fields"]["Company"], &leads[0]["fields"]["Phone"]),
        (&json!("After"), &json!("+14155550123"))
    );
}

#[tokio::test]
async fn an_edit_whose_webhook_is_lost_comes_with_the_next_pull() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.wait(jiff::SignedDuration::from_secs(5)).await;
    let lead = world.shown("zoho/leads").await[0]["id"].clone();
    world.sim("zoho/leads", &json!({"id": lead, "fields": {"Company": "After"}, "silent": true})).await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await[0]["properties"]["company"], "Before");
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await[0]["properties"]["company"], "After");
}

#[tokio::test]
async fn an_empty_pull_is_one_call() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    for _ in 0..2 {
        world.wait(jiff::SignedDuration::from_mins(30)).await;
        world.tick().await;
        world.settle().await;
    }
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.shown("calls?reset=1").await;
    world.tick().await;
    world.settle().await;
    for (crm, calls) in world.shown("calls").await.as_object().unwrap() {
        let made: u64 = calls
            .as_object()
            .unwrap()
            .iter()
            .filter(|(route, _)| !route.contains("oauth"))
            .filter_map(|(_, n)| n.as_u64())
            .sum();
        assert!(made <= 1, "{crm}: {calls}");
    }
}

#[tokio::test]
async fn a_request_is_done_once_and_another_body_under_its_id_is_told_apart() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1"), ada("r1")]).await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 1);
    assert!(codes(&world).await.is_empty());
    let mut other = ada("r1");
    other["lead"]["company"] = json!("Other");
    world.send(&[other]).await;
    world.settle().await;
    assert_eq!(codes(&world).await, ["id_reused"]);
    assert_eq!(world.shown("hubspot/contacts").await[0]["properties"]["company"], "Before");
}

#[tokio::test]
async fn requests_out_of_order_leave_the_latest() {
    let world = World::new().await;
    world.settle().await;
    let at = |id: &str, at: &str, company: &str| {
        let mut asked = ada(id);
        asked["occurred_at"] = json!(at);
        asked["lead"]["company"] = json!(company);
        asked
    };
    world.send(&[at("late", "2026-11-21T09:00:02Z", "Latest"), at("early", "2026-11-21T09:00:01Z", "Earlier")]).await;
    world.settle().await;
    world.send(&[at("earliest", "2026-11-21T09:00:00Z", "Earliest")]).await;
    world.settle().await;
    assert_eq!(world.shown("zoho/leads").await[0]["fields"]["Company"], "Latest");
    world.send(&[at("late-b", "2026-11-21T09:00:02Z", "Last by id")]).await;
    world.settle().await;
    world.send(&[at("late-a", "2026-11-21T09:00:02Z", "Before it by id")]).await;
    world.settle().await;
    assert_eq!(
        world.shown("zoho/leads").await[0]["fields"]["Company"],
        "Last by id",
        "equal times are told apart by id"
    );
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_without_calling() {
    let world = World::new().await;
    world.settle().await;
    world.sim("faults", &json!({"hubspot": {"rate_limit_for_ms": 3000}})).await;
    world.shown("calls?reset=1").await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 1);
    let calls = world.shown("calls").await["hubspot"].clone();
    let made: u64 = calls.as_object().unwrap().values().filter_map(Json::as_u64).sum();
    assert!(made <= 12, "it spins: {calls}");
    let record = hub(&world, "ada@example.com").await;
    assert!(record.links.values().all(|link| link.awaiting.is_empty()), "the request heard its end");
}

#[tokio::test]
async fn a_request_that_has_to_wait_hears_so_once() {
    let world = World::new().await;
    world.settle().await;
    world.sim("faults", &json!({"hubspot": {"rate_limit_for_ms": 60_000}})).await;
    world.send(&[ada("r1")]).await;
    while !world.turn("sync-requests").await {}
    for _ in 0..4 {
        world.turn("pushes").await;
    }
    let record = hub(&world, "ada@example.com").await;
    let awaiting = &record.links[&connection(Crm::HubSpot)].awaiting;
    assert_eq!(awaiting.len(), 1);
    assert!(awaiting[0].told, "{awaiting:?}");
    assert!(record.links[&connection(Crm::Zoho)].awaiting.is_empty(), "the other CRM does not wait");
}

/// A record that kills its function comes to a person; the rest of its connection goes on.
#[tokio::test]
async fn a_record_that_kills_twice_becomes_an_exception() {
    let world = World::new().await;
    world.settle().await;
    world
        .send(&[ada("r1"), request("r2", json!({"id": "lead-8", "email": "grace@example.com", "last_name": "Hopper"}))])
        .await;
    while !world.turn("sync-requests").await {}
    let killer = hub(&world, "ada@example.com").await.id;
    let scope = format!("{TENANT}.hubspot");
    for _ in 0..2 {
        // Lambda ends the function in the middle: nobody is left to note an end.
        world.app.store.begin_suspect(&scope, killer.as_str(), world.now()).await.unwrap();
    }
    for _ in 0..2 {
        let mut event = world.receive("pushes").await;
        for message in &mut event.records {
            message.attributes.insert("ApproximateReceiveCount".to_owned(), "3".to_owned());
            let id = message.message_id.clone().unwrap();
            world.app.store.begin_suspect(&world.app.settings.pushes, &id, world.now()).await.unwrap();
        }
        let kept = world.handle("pushes", event).await;
        assert!(kept.batch_item_failures.is_empty());
    }
    world.settle().await;
    let record = hub(&world, "ada@example.com").await;
    assert!(record.links.values().all(|link| link.awaiting.is_empty()), "its request heard its end");
    assert_eq!(codes(&world).await, ["kills_its_function"]);
    let contacts = world.shown("hubspot/contacts").await;
    assert_eq!(contacts.as_array().unwrap().len(), 1);
    assert_eq!(contacts[0]["properties"]["email"], "grace@example.com");
    assert_eq!(world.shown("zoho/leads").await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn one_bad_record_of_a_hundred_is_an_exception_and_the_others_are_written() {
    let world = World::new().await;
    world.settle().await;
    world.sim("faults", &json!({"hubspot": {"refuse_values": [{"field": "company", "contains": "poison"}]}})).await;
    let requests: Vec<Json> = (0..100)
        .map(|n| {
            let company = if n == 41 { "poison Ltd" } else { "Fine Ltd" };
            request(&format!("r{n}"), json!({"id": format!("l{n}"), "email": format!("p{n}@example.com"), "last_name": "X", "company": company}))
        })
        .collect();
    world.send(&requests).await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 99);
    assert_eq!(world.shown("zoho/leads").await.as_array().unwrap().len(), 100);
    assert_eq!(codes(&world).await, ["refused_by_crm"]);
    world.shown("calls?reset=1").await;
    world.send(&[request("again", json!({"id": "l41", "email": "p41@example.com", "last_name": "X"}))]).await;
    world.settle().await;
    assert_eq!(world.shown("calls").await["hubspot"], json!({}), "a refused record rests");
    let mut mended = request("mended", json!({"id": "l41", "company": "Fine Ltd"}));
    mended["id"] = json!("mended-2");
    mended["occurred_at"] = json!("2026-11-21T09:30:00Z");
    world.send(&[mended]).await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn what_the_hub_learns_while_a_connection_is_dead_arrives_after_it() {
    const EDITS: usize = 1000;
    let world = World::new().await;
    world.settle().await;
    world.sim("faults", &json!({"zoho": {"revoke_grant": true, "expire_tokens": true}})).await;
    world.send(&[ada("first")]).await;
    world.settle().await;
    let dead = world.app.store.connection(&tenant(), &connection(Crm::Zoho)).await.unwrap().unwrap();
    assert!(matches!(dead.state, State::NeedsReauth { .. }), "{:?}", dead.state);
    let requests: Vec<Json> = (0..EDITS)
        .map(|n| {
            request(
                &format!("r{n}"),
                json!({"id": format!("l{n}"), "email": format!("p{n}@example.com"), "last_name": "X"}),
            )
        })
        .collect();
    world.send(&requests).await;
    world.settle().await;
    assert_eq!(world.shown("zoho/leads").await.as_array().unwrap().len(), 0);
    world.sim("faults", &json!({})).await;
    world.sim("accounts", &json!({"crm": "zoho", "account_id": "900000001", "client_id": "client-zoho", "client_secret": "secret-of-the-zoho-app", "refresh_token": "another"})).await;
    let grant = json!({"access_token": "none", "refresh_token": "another", "expires_at": "2026-01-01T00:00:00Z", "webhook_token": "token-of-the-channel"});
    let secrets = aws_sdk_secretsmanager::Client::new(&world.aws);
    secrets
        .put_secret_value()
        .secret_id(format!("crm-sync/connection/{TENANT}/zoho"))
        .secret_string(grant.to_string())
        .send()
        .await
        .unwrap();
    world.app.secrets.current_grant(&tenant(), &connection(Crm::Zoho)).await.unwrap();
    world.app.activate(&world.cx("reconnect"), &tenant(), &connection(Crm::Zoho)).await.unwrap();
    world.settle().await;
    assert_eq!(world.shown("zoho/leads").await.as_array().unwrap().len(), EDITS + 1);
}

#[tokio::test]
async fn a_page_held_back_while_a_push_settles_reverts_nothing() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.sim("faults", &json!({"zoho": {"hold_next": "GET /crm/v8/Leads"}})).await;
    let zoho = world.app.store.connection(&tenant(), &connection(Crm::Zoho)).await.unwrap().unwrap();
    world.app.read(&world.cx("pull"), &zoho).await.unwrap();
    let event = world.receive("pulls").await;
    let pull = world.handle("pulls", event);
    let meanwhile = async {
        while world.shown("held").await.as_array().unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let mut newer = ada("r2");
        newer["occurred_at"] = json!("2026-11-21T10:00:00Z");
        newer["lead"]["company"] = json!("After");
        world.send(&[newer]).await;
        while !world.turn("sync-requests").await {}
        while world.shown("zoho/leads").await[0]["fields"]["Company"] != "After" {
            world.turn("pushes").await;
        }
        world.sim("release", &json!({})).await;
    };
    futures::future::join(pull, meanwhile).await;
    world.settle().await;
    assert_eq!(
        hub(&world, "ada@example.com").await.fields.get("company").map(ToString::to_string).as_deref(),
        Some("After")
    );
    assert_eq!(world.shown("zoho/leads").await[0]["fields"]["Company"], "After");
    assert_eq!(world.shown("hubspot/contacts").await[0]["properties"]["company"], "After");
}

#[tokio::test]
async fn a_deletion_in_one_crm_is_not_undone_by_a_push_and_not_copied_to_the_other() {
    let world = World::new().await;
    world.settle().await;
    world.send(&[ada("r1")]).await;
    world.settle().await;
    let contact = world.shown("hubspot/contacts").await[0]["id"].clone();
    world.sim("hubspot/contacts", &json!({"id": contact, "delete": true})).await;
    world.settle().await;
    let mut newer = ada("r2");
    newer["occurred_at"] = json!("2026-11-21T10:00:00Z");
    newer["lead"]["company"] = json!("After");
    world.send(&[newer]).await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 0, "a push resurrected it");
    assert_eq!(world.shown("zoho/leads").await[0]["fields"]["Company"], "After");
    let record = hub(&world, "ada@example.com").await;
    assert!(record.links[&connection(Crm::HubSpot)].gone.is_some());
}

#[tokio::test]
async fn two_contacts_merged_in_hubspot_become_one_record() {
    let world = World::new().await;
    world.settle().await;
    let second = request(
        "r2",
        json!({"id": "lead-8", "email": "countess@example.com", "last_name": "Lovelace", "phone": "+14155550177"}),
    );
    world.send(&[ada("r1"), second]).await;
    world.settle().await;
    let contacts = world.shown("hubspot/contacts").await;
    let id = |email: &str| {
        contacts.as_array().unwrap().iter().find(|c| c["properties"]["email"] == email).unwrap()["id"].clone()
    };
    world.sim("hubspot/contacts", &json!({"merge": [id("ada@example.com"), id("countess@example.com")]})).await;
    world.settle().await;
    assert_eq!(world.shown("hubspot/contacts").await.as_array().unwrap().len(), 1);
    let survivor = hub(&world, "ada@example.com").await;
    assert_eq!(
        survivor.fields.get("phone").map(ToString::to_string).as_deref(),
        Some("+14155550177"),
        "its blanks are filled"
    );
    assert_eq!(codes(&world).await, ["duplicate_in_crm"], "Zoho still has two, and a person hears of it");
    the_history_is_the_difference(&world.app).await;
}
