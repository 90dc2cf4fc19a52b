//! The doctor names what is wrong, and how to mend it; and finds nothing wrong where nothing is.

use super::tenant_of;
use crate::{
    connect::{Browser, a_world, link},
    engine::codes,
    face::field,
    world::{World, connection, tenant},
};
use serde_json::json;
use shared::{
    connection::{Connection, State},
    doctor::{Finding, Mark},
    provider::{Crm, Webhooks},
};

crate::laws::laws_of! {
    nothing_is_wrong_with_a_connection_that_works
    the_doctor_names_a_hidden_field
    the_doctor_names_a_missing_scope
    the_doctor_names_a_missing_webhook_and_to_connect_again_mends_it
    the_doctor_names_a_dead_grant_and_changes_nothing
    the_doctor_names_a_clock_that_is_wrong
}

async fn stored(world: &World, crm: Crm) -> Connection {
    world.app.store.connection(&tenant(), &connection(crm)).await.unwrap().unwrap()
}

async fn examined(world: &World, crm: Crm) -> Vec<Finding> {
    let found = world.app.examine(&world.cx("doctor"), &stored(world, crm).await).await.unwrap();
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
    for about in ["state", "access", "token", "scopes", "fields", "record ids", "webhooks", "our URL", "clock"] {
        assert!(found.iter().any(|one| one.about == about), "{about}: {found:?}");
    }
    assert!(codes(&world).await.is_empty(), "and nobody is told anything");
}

async fn the_doctor_names_a_hidden_field(crm: Crm) {
    let world = tenant_of(crm).await;
    let account = stored(&world, crm).await.account;
    let hidden = json!({"crm": crm.name(), "account_id": account, "hidden_fields": [field(crm, "last_call")]});
    world.sim("accounts", &hidden).await;
    let finding = only(&world, crm, "field_gone").await;
    assert!(finding.what.contains(field(crm, "last_call")), "{finding:?}");
    assert!(finding.todo.contains("give the connected user access"), "{finding:?}");
}

async fn the_doctor_names_a_missing_scope(crm: Crm) {
    let world = a_world(crm).await;
    let scope = *crm.capabilities().scopes.last().unwrap();
    world.sim("accounts", &json!({"crm": crm.name(), "withheld_scopes": [scope]})).await;
    let (status, page) = Browser::new().connects(&link(&world, crm).await).await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains(scope), "whoever connects is told at once: {page}");
    let finding = only(&world, crm, "scope_missing").await;
    assert!(finding.what.contains(scope) && finding.todo.contains("Grant the scope"), "{finding:?}");
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
    let before = stored(&world, crm).await;
    match crm.capabilities().webhooks {
        Webhooks::PerConnection { lives: Some(_) } => {
            let watch = before.watch.clone().unwrap();
            let cx = world.cx("an admin");
            world.app.with_session(&before, &cx, async |session| crm.unwatch(session, &watch).await).await.unwrap();
            only(&world, crm, "webhook_missing").await;
            Browser::new().connects(&link(&world, crm).await).await;
            assert!(wrong(&world, crm).await.is_empty());
        }
        // No API shows them: an admin is told what to look for.
        Webhooks::PerConnection { lives: None } => {
            let found = examined(&world, crm).await;
            let webhooks = found.iter().find(|one| one.about == "webhooks").unwrap();
            let door = format!("/webhooks/{crm}/{}", before.id);
            assert!(webhooks.mark == Mark::Look && webhooks.todo.contains(&door), "{webhooks:?}");
        }
        Webhooks::PerApp => assert!(wrong(&world, crm).await.is_empty()),
    }
}

async fn the_doctor_names_a_dead_grant_and_changes_nothing(crm: Crm) {
    let world = tenant_of(crm).await;
    world.sim("faults", &json!({crm.name(): {"revoke_grant": true, "expire_tokens": true}})).await;
    let finding = only(&world, crm, "needs_reauth").await;
    assert!(finding.todo.contains("operator link"), "{finding:?}");
    assert_eq!(stored(&world, crm).await.state, State::Active);
}

async fn the_doctor_names_a_clock_that_is_wrong(crm: Crm) {
    let world = tenant_of(crm).await;
    world.sim("clock", &json!({"advance_ms": 300_000})).await;
    only(&world, crm, "clock_off").await;
}
