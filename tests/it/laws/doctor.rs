//! The doctor names what is wrong, and how to mend it; and finds nothing wrong where nothing is.

use super::{
    brought::{account, connects, copied, in_every_way},
    tenant_of,
};
use crate::{
    connect::{Browser, a_world, link},
    engine::codes,
    face::field,
    world::{World, connection, tenant},
};
use serde_json::json;
use shared::{
    brought::Brought,
    connection::State,
    doctor::{Finding, Mark},
    mapping::Rule,
    provider::{Crm, Webhooks},
    record::Object,
};

crate::laws::laws_of! {
    nothing_is_wrong_with_a_connection_that_works
    nothing_is_wrong_with_a_connection_that_no_browser_made
    the_doctor_names_a_hidden_field
    the_doctor_names_a_field_that_we_may_not_write
    the_doctor_names_a_missing_scope
    the_doctor_names_a_missing_webhook_and_to_connect_again_mends_it
    the_doctor_names_a_dead_grant_and_changes_nothing
    the_doctor_names_a_clock_that_is_wrong
    the_doctor_names_a_quota_before_it_is_used_up
    the_doctor_says_that_a_crm_asks_us_to_wait
    the_doctor_names_a_url_that_no_delivery_reaches
}

async fn examined(world: &World, crm: Crm) -> Vec<Finding> {
    let found = world.app.examine(&world.cx("doctor"), &world.stored(crm).await).await.unwrap();
    assert!(found.iter().all(|one| (one.mark == Mark::Good) == one.todo.is_empty()), "{found:?}");
    found
}

async fn wrong(world: &World, crm: Crm) -> Vec<Finding> {
    examined(world, crm).await.into_iter().filter(|one| one.mark == Mark::Bad).collect()
}

/// The only thing that is wrong.
async fn only(world: &World, crm: Crm, code: &str) -> Finding {
    let mut wrong = wrong(world, crm).await;
    assert_eq!(wrong.iter().map(|one| one.code).collect::<Vec<_>>(), [Some(code)], "{crm}: {wrong:?}");
    wrong.remove(0)
}

async fn nothing_is_wrong_with_a_connection_that_works(crm: Crm) {
    let world = tenant_of(crm).await;
    let found = examined(&world, crm).await;
    assert!(found.iter().all(|one| one.mark != Mark::Bad), "{found:?}");
    for about in ["state", "access", "token", "scopes", "fields", "record ids", "webhooks", "our URL", "quota", "clock"]
    {
        assert!(found.iter().any(|one| one.about == about), "{about}: {found:?}");
    }
    assert!(codes(&world).await.is_empty(), "and nobody is told anything");
}

async fn nothing_is_wrong_with_a_connection_that_no_browser_made(crm: Crm) {
    in_every_way(crm, async |world, crm, by| {
        let brought = copied(&world, crm, by).await;
        let signed = brought.webhook_secret.is_some();
        for webhook_secret in [None, brought.webhook_secret.clone()] {
            // Without what signs deliveries it is only pulled.
            let unproved = signed && webhook_secret.is_none();
            connects(&world, crm, Brought { webhook_secret, ..brought.clone() }).await.unwrap().unwrap();
            let found = examined(&world, crm).await;
            assert!(found.iter().all(|one| one.mark != Mark::Bad), "{by}: {found:?}");
            let told = found.iter().any(|one| one.code == Some("webhook_unproved"));
            assert_eq!(told, unproved, "{by}: {found:?}");
        }
    })
    .await;
}

async fn the_doctor_names_a_hidden_field(crm: Crm) {
    let world = tenant_of(crm).await;
    let account = world.stored(crm).await.account;
    let hidden = json!({"crm": crm.name(), "account_id": account, "hidden_fields": [field(crm, "last_call")]});
    world.sim("accounts", &hidden).await;
    let finding = only(&world, crm, "field_gone").await;
    assert!(finding.what.contains(field(crm, "last_call")), "{finding:?}");
    assert!(finding.todo.contains("give the connected user access"), "{finding:?}");
}

async fn the_doctor_names_a_field_that_we_may_not_write(crm: Crm) {
    let world = tenant_of(crm).await;
    let before = world.stored(crm).await;
    let mapping = before.mapping(&Object::Person).unwrap().clone();
    let asks = async |session: &_| crm.schema(session, &mapping).await;
    let schema = world.app.with_session(&before, &world.cx("schema"), asks).await.unwrap();
    // Not every CRM tells of such fields.
    let Some(locked) = schema.into_iter().find(|field| !field.writable) else { return };
    let mut next = before.clone();
    let people = next.mappings.values_mut().find(|one| **one == mapping).unwrap();
    people.rules.push(Rule::both("note", &locked.name));
    assert!(world.app.store.update_connection(&before, &next).await.unwrap());
    let finding = only(&world, crm, "field_read_only").await;
    assert!(finding.what.contains(&locked.name) && finding.todo.contains("the right to edit"), "{finding:?}");
    world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    assert!(codes(&world).await.contains(&"field_read_only".to_owned()), "whoever approves is told");
}

async fn the_doctor_names_a_missing_scope(crm: Crm) {
    let world = a_world(crm).await;
    let scope = crm.scopes(&[Object::Person]).pop().unwrap();
    world.sim("accounts", &json!({"crm": crm.name(), "withheld_scopes": [scope]})).await;
    let (status, page) = Browser::new().connects(&link(&world, crm).await).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains(&scope), "whoever connects is told at once: {page}");
    let finding = only(&world, crm, "scope_missing").await;
    assert!(finding.what.contains(&scope) && finding.todo.contains("Grant the scope"), "{finding:?}");
    world.settle().await;
    world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    assert!(codes(&world).await.contains(&"scope_missing".to_owned()), "and so is whoever approves");
    world.sim("accounts", &json!({"crm": crm.name(), "withheld_scopes": []})).await;
    Browser::new().connects(&link(&world, crm).await).await;
    assert!(wrong(&world, crm).await.is_empty());
}

async fn the_doctor_names_a_missing_webhook_and_to_connect_again_mends_it(crm: Crm) {
    let world = a_world(crm).await;
    Browser::new().connects(&link(&world, crm).await).await;
    let before = world.stored(crm).await;
    match crm.capabilities().webhooks {
        Webhooks::PerConnection { lives: Some(_) } => {
            let watch = before.watch.clone().unwrap();
            let cx = world.cx("an admin");
            world.app.with_session(&before, &cx, async |session| crm.unwatch(session, &watch).await).await.unwrap();
            only(&world, crm, "webhook_missing").await;
            Browser::new().connects(&link(&world, crm).await).await;
            assert!(wrong(&world, crm).await.is_empty());
        }
        // No API shows them: an admin is told where to look, and nothing that proves deliveries.
        Webhooks::PerConnection { lives: None } => {
            let found = examined(&world, crm).await;
            let webhooks = found.iter().find(|one| one.about == "webhooks").unwrap();
            let plain = webhooks.todo.contains("To connect again") && !webhooks.todo.contains("token");
            assert!(webhooks.mark == Mark::Look && plain, "{webhooks:?}: {}", webhooks.todo);
        }
        Webhooks::PerApp => assert!(wrong(&world, crm).await.is_empty()),
    }
}

async fn the_doctor_names_a_dead_grant_and_changes_nothing(crm: Crm) {
    let world = tenant_of(crm).await;
    world.sim("faults", &json!({crm.name(): {"revoke_grant": true, "expire_tokens": true}})).await;
    let finding = only(&world, crm, "needs_reauth").await;
    assert!(finding.todo.contains("operator link"), "{finding:?}");
    assert_eq!(world.stored(crm).await.state, State::Active);
}

async fn the_doctor_names_a_clock_that_is_wrong(crm: Crm) {
    let world = tenant_of(crm).await;
    world.sim("clock", &json!({"advance_ms": 300_000})).await;
    only(&world, crm, "clock_off").await;
}

/// A day of few calls: it is said while some are left, wherever the CRM tells how many.
async fn the_doctor_names_a_quota_before_it_is_used_up(crm: Crm) {
    in_every_way(crm, async |world, crm, by| {
        let brought = copied(&world, crm, by).await;
        connects(&world, crm, brought).await.unwrap().unwrap();
        let id = account(&world, crm).await["account_id"].clone();
        world.sim("accounts", &json!({"crm": crm.name(), "account_id": id, "credits": 60})).await;
        let mut told = false;
        for _ in 0..60 {
            let found = examined(&world, crm).await;
            let Some(quota) = found.iter().find(|one| one.about == "quota") else {
                assert!(!told, "{by}: it is used up before anybody is told: {found:?}");
                return assert!(found.iter().any(|one| one.code == Some("waiting_for_crm")), "{by}: {found:?}");
            };
            match quota.code {
                Some(code) => return assert_eq!(code, "quota_low", "{by}: {quota:?}"),
                None => told |= !quota.what.contains("not told"),
            }
        }
        panic!("{by}: it is never used up");
    })
    .await;
}

async fn the_doctor_says_that_a_crm_asks_us_to_wait(crm: Crm) {
    let world = tenant_of(crm).await;
    world.sim("faults", &json!({crm.name(): {"rate_limit_for_ms": 60_000}})).await;
    let waits = async || {
        let found = examined(&world, crm).await;
        found.into_iter().filter(|one| one.code == Some("waiting_for_crm")).map(|one| (one.mark, one.about)).collect()
    };
    let told: Vec<_> = waits().await;
    assert_eq!(told, [(Mark::Look, "access")], "{crm}");
    let before = world.stored(crm).await;
    let asks = async |session: &_| crm.schema(session, before.mapping(&Object::Person).unwrap()).await;
    world.app.with_session(&before, &world.cx("work"), asks).await.unwrap_err();
    let told: Vec<_> = waits().await;
    assert_eq!(told, [(Mark::Look, "access"), (Mark::Look, "quota")], "{crm}: work waits for it");
    assert_eq!(world.stored(crm).await.state, State::Active);
}

async fn the_doctor_names_a_url_that_no_delivery_reaches(crm: Crm) {
    let world = tenant_of(crm).await;
    let nowhere =
        shared::app::Settings { public_url: Some("http://127.0.0.1:9".to_owned()), ..world.app.settings.clone() };
    let app = shared::App::new(&world.aws, nowhere).unwrap();
    let found = app.examine(&world.cx("doctor"), &world.stored(crm).await).await.unwrap();
    let url = found.iter().find(|one| one.about == "our URL").unwrap();
    assert_eq!((url.mark, url.code), (Mark::Bad, Some("webhook_unreachable")), "{found:?}");
    // Where nobody said what our URL is, nothing is made up about it.
    let unsaid = shared::app::Settings { public_url: None, ..world.app.settings.clone() };
    let app = shared::App::new(&world.aws, unsaid).unwrap();
    let found = app.examine(&world.cx("doctor"), &world.stored(crm).await).await.unwrap();
    assert!(
        found.iter().all(|one| one.mark != Mark::Bad && !["webhooks", "our URL"].contains(&one.about)),
        "{found:?}"
    );
    app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    assert!(codes(&world).await.is_empty());
}
