//! Two databases that have never met: counted first, and nothing written before a person approves.

use crate::{
    engine::hub,
    world::{World, connection, tenant},
};
use shared::{
    connection::{Connection, State},
    planner::{Joining, Policy, Take},
    preview::Preview,
    provider::Crm,
    store::{Exception, Open},
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
    let stored = world.stored(crm).await;
    world.app.store.set_state(&stored, &state).await.unwrap();
    Connection { state, ..stored }
}

const HERE: Crm = Crm::HubSpot;
const THERE: Crm = Crm::Salesforce;

fn email(n: usize) -> String {
    format!("p{n:05}@example.com")
}

/// Two CRMs that have both been read, and not approved: so many people in each, so many in both, so many of those with
/// another phone.
async fn met([each, common, differing]: [usize; 3], joining: Joining) -> World {
    let world = World::of(&[HERE, THERE]).await;
    for crm in [HERE, THERE] {
        let connection = set(&world, crm, State::Joining).await;
        let policy = Policy { joining, ..connection.policy };
        world.app.set_policy(&tenant(), &connection.id, policy).await.unwrap();
    }
    let phone = |n: usize, side: usize| format!("+1415{:07}", if n < differing { 2 * n + side } else { 9_000_000 + n });
    for (crm, first, side) in [(HERE, 0, 0), (THERE, each - common, 1)] {
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
    world
}

async fn preview(world: &World, crm: Crm) -> Preview {
    let stored = world.stored(crm).await;
    world.app.preview(&stored).await.unwrap().remove(&shared::record::Object::Person).unwrap()
}

async fn conflicts(world: &World) -> Vec<Exception> {
    let mut open = world.app.store.exceptions(&tenant()).await.unwrap();
    open.retain(|one| one.state == Open::Open);
    assert!(open.iter().all(|one| one.code == "conflict"), "{open:?}");
    open
}

async fn approve(world: &World) {
    for crm in [HERE, THERE] {
        world.app.activate(&world.cx("approve"), &tenant(), &connection(crm)).await.unwrap();
    }
    world.settle().await;
}

/// How many people have another phone in the one CRM than in the other.
async fn apart(world: &World) -> usize {
    let (here, there) = (world.people(HERE).await, world.people(THERE).await);
    assert_eq!(here.len(), there.len());
    here.iter()
        .zip(&there)
        .filter(|(a, b)| (a.get("email"), a.get("phone")) != (b.get("email"), b.get("phone")))
        .count()
}

#[tokio::test]
async fn what_is_counted_is_what_is_written_and_nobody_is_doubled() {
    let [each, common, differing] = sizes();
    let world = met([each, common, differing], Joining::Conflict).await;
    for crm in [HERE, THERE] {
        world.calls(crm).await;
    }
    let expected = Preview { matched: common, only_there: each - common, create: each - common, ..Preview::default() };
    let (ours, theirs) = (preview(&world, HERE).await, preview(&world, THERE).await);
    for counted in [&ours, &theirs] {
        let only = Preview { fill: 0, waits: 0, ..*counted };
        assert_eq!(only, expected, "nothing is overwritten");
    }
    // Both typed their companies in Salesforce alone; which of two phones is right a person decides.
    assert_eq!((ours.fill, theirs.fill, ours.waits + theirs.waits), (common, 0, differing), "{ours:?} {theirs:?}");
    assert_eq!(conflicts(&world).await.len(), differing);
    for crm in [HERE, THERE] {
        assert_eq!(world.people(crm).await.len(), each, "nothing is written before it is approved");
        let calls = world.calls(crm).await;
        let writes = calls.keys().filter(|route| route.contains("upsert") || route.starts_with("PATCH"));
        assert_eq!(writes.count(), 0);
    }
    approve(&world).await;
    for crm in [HERE, THERE] {
        let people = world.people(crm).await;
        assert_eq!(people.len(), 2 * each - common, "{crm}");
        let mailboxes: std::collections::BTreeSet<&str> = people.iter().map(|one| one.get("email")).collect();
        assert_eq!(mailboxes.len(), people.len());
    }
    let done = preview(&world, HERE).await;
    assert_eq!((done.create, done.fill, done.overwrite), (0, 0, 0));
    assert_eq!(apart(&world).await, differing, "nobody has decided yet");
    decided(&world, differing).await;
}

/// One conflict is ended with the CRM's phone, all others with the hub's.
async fn decided(world: &World, differing: usize) {
    let open = conflicts(world).await;
    let crm = if open[0].connection == Some(connection(HERE)) { HERE } else { THERE };
    let asked = world.stored(crm).await;
    let phone = |people: Vec<crate::face::Person>, mailbox: &str| {
        people.into_iter().find(|one| one.get("email") == mailbox).unwrap().get("phone").to_owned()
    };
    let first = open[0].record.clone().unwrap();
    let record = world.app.store.record(&tenant(), &first).await.unwrap().unwrap();
    let mailbox = record.fields.get("email").unwrap().to_string();
    let theirs = phone(world.people(crm).await, &mailbox);
    for (some, take, ended) in [(&open[..1], Take::Theirs, 1), (&open[1..], Take::Ours, differing - 1)] {
        let done = world.app.resolve(&world.cx("decide"), &asked, some, take).await.unwrap();
        assert_eq!((done.ended, done.unseen), (ended, 0));
        world.settle().await;
    }
    assert_eq!(hub(world, &mailbox).await.fields.get("phone").unwrap().to_string(), theirs);
    assert_eq!(conflicts(world).await.len(), 0);
    assert_eq!(apart(world).await, 0);
}

#[tokio::test]
async fn a_policy_may_say_which_side_is_right_when_two_databases_meet() {
    for joining in [Joining::HubWins, Joining::CrmWins, Joining::NewestWins] {
        let world = met([6, 4, 3], joining).await;
        let (ours, theirs) = (preview(&world, HERE).await, preview(&world, THERE).await);
        assert_eq!((ours.overwrite + theirs.overwrite, ours.waits + theirs.waits), (3, 0), "{joining:?}");
        approve(&world).await;
        assert_eq!(conflicts(&world).await.len(), 0);
        assert_eq!(apart(&world).await, 0, "{joining:?}");
        let phone = world.people(HERE).await.remove(0).get("phone").to_owned();
        match joining {
            // Both were typed in at known times, the ones there later.
            Joining::NewestWins => assert_eq!(phone, "+14150000001"),
            Joining::HubWins | Joining::CrmWins | Joining::Conflict => {}
        }
    }
}
