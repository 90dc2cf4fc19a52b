//! Two databases that have never met: counted first, and nothing written before a person approves.

use crate::world::{World, connection, tenant};
use shared::{
    connection::{Connection, State},
    preview::Preview,
    provider::Crm,
};

/// So many are in each CRM, so many of them in both, and so many of those with another phone.
/// `JOINING=5000,3000,500` for the size of a real account.
fn sizes() -> [usize; 3] {
    #[expect(clippy::disallowed_methods, reason = "a test asks how large it is to be")]
    let asked = std::env::var("JOINING").unwrap_or_else(|_| "150,90,15".to_owned());
    let mut sizes = asked.split(',').map(|n| n.parse().unwrap());
    [(); 3].map(|()| sizes.next().unwrap())
}

async fn set(world: &World, crm: Crm, state: State) -> Connection {
    let stored = world.app.store.connection(&tenant(), &connection(crm)).await.unwrap().unwrap();
    world.app.store.set_state(&stored, &state).await.unwrap();
    Connection { state, ..stored }
}

#[tokio::test]
async fn what_is_counted_is_what_is_written_and_nobody_is_doubled() {
    let [each, common, differing] = sizes();
    let (here, there) = (Crm::HubSpot, Crm::Salesforce);
    let world = World::of(&[here, there]).await;
    for crm in [here, there] {
        set(&world, crm, State::Joining).await;
    }
    let email = |n: usize| format!("p{n:05}@example.com");
    let phone = |n: usize, side: usize| format!("+1415{:07}", if n < differing { 2 * n + side } else { 9_000_000 + n });
    for (crm, first, side) in [(here, 0, 0), (there, each - common, 1)] {
        // Those in both come first, so that both count them alike.
        let number = |n: usize| if n < common { n } else { n + first };
        let people: Vec<(String, String)> = (0..each).map(|n| (email(number(n)), phone(number(n), side))).collect();
        let typed: Vec<Vec<(&str, &str)>> = people
            .iter()
            .map(|(email, phone)| vec![("last_name", "Typed"), ("email", email), ("phone", phone)])
            .collect();
        world.type_in(crm, &typed).await;
        world.wait(jiff::SignedDuration::from_secs(5)).await;
    }
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    world.tick().await;
    world.settle().await;
    world.calls(here).await;
    world.calls(there).await;
    let preview = async |crm: Crm| {
        let stored = world.app.store.connection(&tenant(), &connection(crm)).await.unwrap().unwrap();
        world.app.preview(&stored).await.unwrap()[&shared::record::Object::Person]
    };
    let expected = Preview { matched: common, only_there: each - common, create: each - common, ..Preview::default() };
    // Both typed their companies in Salesforce alone; of two phones the later one is right.
    let (ours, theirs) = (preview(here).await, preview(there).await);
    assert_eq!((ours.matched, ours.only_there, ours.create), (expected.matched, expected.only_there, expected.create));
    assert_eq!(
        (theirs.matched, theirs.only_there, theirs.create),
        (expected.matched, expected.only_there, expected.create)
    );
    assert_eq!(
        (ours.overwrite + theirs.overwrite, ours.fill, theirs.fill),
        (differing, common, 0),
        "{ours:?} {theirs:?}"
    );
    for crm in [here, there] {
        assert_eq!(world.people(crm).await.len(), each, "nothing is written before it is approved");
        let writes = world
            .calls(crm)
            .await
            .keys()
            .filter(|route| route.contains("upsert") || route.starts_with("PATCH"))
            .count();
        assert_eq!(writes, 0);
    }
    for crm in [here, there] {
        world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    }
    world.settle().await;
    for crm in [here, there] {
        let people = world.people(crm).await;
        assert_eq!(people.len(), 2 * each - common, "{crm}");
        let mailboxes: std::collections::BTreeSet<&str> = people.iter().map(|one| one.get("email")).collect();
        assert_eq!(mailboxes.len(), people.len());
    }
    let done = preview(here).await;
    assert_eq!((done.create, done.fill, done.overwrite), (0, 0, 0));
}
