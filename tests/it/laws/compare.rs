//! A full comparison finds what neither a webhook nor a pull has told, and mends it where that is meant.

use super::{peer, tenant_of};
use crate::{
    engine::codes,
    story::request,
    world::{World, tenant},
};
use serde_json::json;
use shared::{change::Differences, provider::Crm, record::Object};

crate::laws::laws_of! {
    a_comparison_finds_what_nobody_told_and_mends_it
}

const PEOPLE: u32 = 6;

async fn compare(world: &World, crm: Crm, mends: bool) -> Differences {
    let connection = world.stored(crm).await;
    world.app.compare(&world.cx("compare"), &connection, &Object::Person, mends).await.unwrap();
    world.settle().await;
    let compared = world.app.store.compared(&connection).await.unwrap();
    assert_eq!((compared.len(), compared[0].mended), (1, mends));
    compared[0].differences
}

async fn a_comparison_finds_what_nobody_told_and_mends_it(crm: Crm) {
    let world = tenant_of(crm).await;
    let asked: Vec<_> = (0..PEOPLE)
        .map(|n| request(&format!("r{n}"), json!({"id": format!("lead-{n}"), "email": format!("p{n}@example.com"), "last_name": format!("Nr {n}")})))
        .collect();
    world.send(&asked).await;
    world.settle().await;
    let calm = compare(&world, crm, false).await;
    let counted = crm.capabilities().counts.then_some(PEOPLE);
    let all = Differences { shown: PEOPLE, known: PEOPLE, linked: PEOPLE, counted, ..Differences::default() };
    assert_eq!(calm, all, "nothing differs");
    assert!(codes(&world).await.is_empty());

    world.wait(jiff::SignedDuration::from_secs(10)).await;
    let people = world.people(crm).await;
    let of = |mailbox: &str| people.iter().find(|person| person.get("email") == mailbox).unwrap().id.clone();
    world.edit_silently(crm, &of("p1@example.com"), &[("phone", "+14155550155")]).await;
    world.delete_silently(crm, &of("p2@example.com")).await;
    world.type_in(crm, &[vec![("last_name", "New"), ("email", "new@example.com")]]).await;
    let early = Differences { known: PEOPLE - 1, missing: 1, ..all };
    assert_eq!(compare(&world, crm, false).await, early, "what changed a moment ago may be on its way");
    world
        .app
        .store
        .resolve(&tenant(), &world.app.store.exceptions(&tenant()).await.unwrap()[0].id, world.now())
        .await
        .unwrap();
    world.wait(jiff::SignedDuration::from_mins(11)).await;
    let found = compare(&world, crm, false).await;
    let differ = Differences { known: PEOPLE - 1, extra: 1, different: 1, missing: 1, ..all };
    assert_eq!(found, differ);
    assert_eq!(codes(&world).await, ["out_of_step"], "a person is asked, and nothing was changed");
    assert!(!world.people(peer(crm)).await.iter().any(|person| person.get("phone").ends_with("0155")));

    // Whoever was new is known by the time that the hub is walked.
    assert_eq!(compare(&world, crm, true).await, Differences { linked: PEOPLE + 1, ..differ });
    let others = world.people(peer(crm)).await;
    assert!(others.iter().any(|person| person.get("phone").ends_with("0155")), "the edit is everywhere");
    assert!(others.iter().any(|person| person.get("email") == "new@example.com"), "whoever is new is too");
    let open = world.app.store.exceptions(&tenant()).await.unwrap();
    assert!(open.iter().all(|one| one.state == shared::store::Open::Resolved), "{open:?}");
    let after = compare(&world, crm, false).await;
    assert_eq!(after, all);
}

/// A search of HubSpot's knows what its index knows.
#[tokio::test]
async fn what_a_crm_counts_otherwise_than_it_shows_is_told() {
    let crm = Crm::HubSpot;
    let world = tenant_of(crm).await;
    let asked: Vec<_> = (0..PEOPLE)
        .map(|n| request(&format!("r{n}"), json!({"email": format!("p{n}@example.com"), "last_name": "Counted"})))
        .collect();
    world.send(&asked).await;
    world.settle().await;
    world.sim("faults", &json!({"hubspot": {"search_lag_ms": 7_200_000}})).await;
    let young = compare(&world, crm, false).await;
    assert_eq!((young.counted, young.miscounted), (Some(0), 0), "what was made a moment ago is not counted yet");
    world.wait(jiff::SignedDuration::from_mins(11)).await;
    let found = compare(&world, crm, false).await;
    assert_eq!((found.shown, found.counted, found.miscounted), (PEOPLE, Some(0), PEOPLE));
    let open = world.app.store.exceptions(&tenant()).await.unwrap();
    assert!(open[0].code == "out_of_step" && open[0].reason.ends_with("its own count is 0"), "{open:?}");
    world.sim("faults", &json!({})).await;
    assert_eq!(compare(&world, crm, false).await.all(), 0);
    assert!(
        world
            .app
            .store
            .exceptions(&tenant())
            .await
            .unwrap()
            .iter()
            .all(|one| one.state == shared::store::Open::Resolved)
    );
}
