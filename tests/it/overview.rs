//! The overview: how each connection did in the last two days.

use crate::{control::Desk, dashboard::a_world, engine::ada, visitor::Visitor};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use shared::provider::Crm;

#[tokio::test]
async fn a_connection_shows_how_it_did_by_the_hour() {
    let world = a_world().await;
    let id = world.only(Crm::HubSpot).await.id;
    // Less than the hour that a session has.
    for edit in 0..2 {
        world.wait(SignedDuration::from_mins(20)).await;
        world.edit_silently(Crm::HubSpot, &id, &[("last_call", &format!("edit {edit}"))]).await;
        world.wait(SignedDuration::from_mins(4)).await;
        world.tick().await;
        world.settle().await;
    }
    world.sim("faults", &json!({"zoho": {"refuse_values": [{"field": "Company", "contains": "poison"}]}})).await;
    let mut asked = ada("r2");
    (asked["occurred_at"], asked["lead"]["company"]) = (json!(world.now()), json!("poison"));
    world.send(&[asked]).await;
    world.settle().await;

    world.app.flush().await;
    let vera = Desk::of(&world, "vera");
    let of_hubspot = vera.get("/connections/hubspot/pulse").await;
    let hours = of_hubspot["hours"].as_array().unwrap();
    assert_eq!(hours.len(), 48);
    let last: Timestamp = serde_json::from_value(hours[47]["at"].clone()).unwrap();
    assert!((0..3_600).contains(&world.now().duration_since(last).as_secs()), "{last}");
    let lags: Vec<u64> = hours.iter().filter_map(|hour| hour["lag_ms"].as_u64()).collect();
    assert!(lags.iter().all(|lag| (240_000..300_000).contains(lag)), "edited four minutes before: {lags:?}");
    assert!(!lags.is_empty());
    let of_zoho = vera.get("/connections/zoho/pulse").await;
    let all = |of: &Json, what: &str| {
        of["hours"].as_array().unwrap().iter().filter_map(|hour| hour[what].as_u64()).sum::<u64>()
    };
    assert_eq!(
        (all(&of_hubspot, "moved"), all(&of_hubspot, "refused")),
        (4, 0),
        "made, edited twice, changed by the request"
    );
    assert_eq!((all(&of_zoho, "moved"), all(&of_zoho, "refused")), (3, 1), "made, and changed twice");

    let mut vera = Visitor::at_home(&world, "vera").await;
    let page = vera.open("/tenants/demo").await;
    page.shows(&["moved in 24 h", ", 1 refused", "100 %", "worst 4 min", r#"class="refused""#, "Records by the hour"]);
    assert!(page.text.len() < 50_000, "{}", page.text.len());
}
