//! A CRM's limits are kept, by all functions together, and what has to wait is not lost.

use super::{brought::connects, tenant_of};
use crate::{
    engine::codes,
    story::request,
    world::{QUEUES, World, connection, tenant},
};
use futures::future::join_all;
use serde_json::{Value as Json, json};
use shared::{
    App,
    brought::Brought,
    connection::{Allowance, Connection},
    error::{Error, Result},
    id::RemoteId,
    provider::{By, Capabilities, Crm, Query, Secret, Way},
    record::{Email, Object},
};
use std::time::{Duration, Instant};

crate::laws::laws_of! {
    functions_that_call_at_once_meet_no_limit
    the_share_of_a_day_that_is_left_to_others_stays
    a_day_that_is_spent_is_waited_for_and_nothing_is_lost
}

/// Calls that the CRM refused because there were too many.
async fn refused(world: &World, crm: Crm) -> Vec<Json> {
    let log = world.shown("log?last=5000").await;
    let log = log.as_array().unwrap().iter().filter(|call| call["crm"] == crm.name()).cloned();
    log.filter(|call| call["status"] == 429 || call["status"] == 403).collect()
}

async fn look(app: &App, world: &World, connection: &Connection, remote: &RemoteId) -> Result<()> {
    let (crm, mapping) = (connection.crm, connection.mapping(&Object::Person).unwrap());
    let ids = std::slice::from_ref(remote);
    app.with_session(connection, &world.cx("look"), async |session| crm.fetch(session, mapping, ids).await)
        .await
        .map(drop)
}

async fn find(app: &App, world: &World, connection: &Connection, n: usize) -> Result<()> {
    let (crm, mapping) = (connection.crm, connection.mapping(&Object::Person).unwrap());
    let phone = shared::record::Phone::parse(&format!("+1415555{n:04}"), &connection.region);
    let query = Query { email: Email::parse(&format!("p{n}@example.com")), phone, ..Query::default() };
    let queries = std::slice::from_ref(&query);
    app.with_session(connection, &world.cx("find"), async |session| crm.find(session, mapping, queries).await)
        .await
        .map(drop)
}

/// Two instances, each with several calls under way, as fast as they are let. The simulator counts as the vendor does.
async fn functions_that_call_at_once_meet_no_limit(crm: Crm) {
    const LASTS: Duration = Duration::from_secs(5);
    const AT_ONCE: usize = 4;
    let world = tenant_of(crm).await;
    world.type_in(crm, &[vec![("last_name", "Byron"), ("email", "ada@example.com")]]).await;
    let remote: RemoteId = world.only(crm).await.id.parse().unwrap();
    let (stored, twin, begun) = (world.stored(crm).await, world.twin(), Instant::now());
    let caller = async |app: &App, nth: usize| {
        let mut made = 0;
        while begun.elapsed() < LASTS {
            let done = match nth % 2 {
                0 => look(app, &world, &stored, &remote).await,
                _ => find(app, &world, &stored, nth).await,
            };
            match done {
                Ok(()) => made += 1,
                // Its message would be hidden for so long.
                Err(Error::RateLimited { after }) => tokio::time::sleep(after.min(LASTS)).await,
                Err(error) => panic!("{error}"),
            }
        }
        made
    };
    let callers = [&*world.app, &twin].into_iter().flat_map(|app| (0..AT_ONCE).map(move |nth| (app, nth)));
    let made: Vec<i32> = join_all(callers.map(|(app, nth)| caller(app, nth))).await;
    println!("{crm}: {made:?}");
    assert_eq!(refused(&world, crm).await, [Json::Null; 0], "{made:?}");
    assert!(made.chunks(AT_ONCE).all(|of_one| of_one.iter().sum::<i32>() > 4), "both get some: {made:?}");
    let paused = world.app.store.paused_until(&tenant(), &connection(crm), world.now()).await.unwrap();
    assert_eq!(paused, None, "a full window stops nobody else");
}

/// A tenant whose calls the CRM counts by the day, which some do for apps of the account's own alone.
async fn counted(crm: Crm) -> World {
    let world = tenant_of(crm).await;
    let Capabilities { ways, limits, .. } = crm.capabilities();
    let bearer = |way: &Way| way.by == By::Token && way.header.is_none();
    if limits.day.is_some_and(|day| !day.metered) && ways.iter().any(bearer) {
        let secret = "of-a-private-app";
        world.sim("accounts", &json!({"crm": crm.name(), "private_app_token": secret})).await;
        let secret = Secret::new(secret);
        let brought = Brought { by: By::Token, secret, client_id: None, subject: None, webhook_secret: None };
        connects(&world, crm, brought).await.unwrap().unwrap();
        world.settle().await;
    }
    world
}

/// The account's budget for a day, and how much of it the connection leaves to others.
async fn a_day_of(world: &World, crm: Crm, budget: u64, left_to_others: u8) {
    let account = json!({"crm": crm.name(), "credits": budget});
    world.sim("accounts", &account).await;
    let stored = world.stored(crm).await;
    let allowance = Allowance { left_to_others, per_day: Some(budget) };
    assert!(world.app.store.update_connection(&stored, &Connection { allowance, ..stored.clone() }).await.unwrap());
}

async fn used(world: &World, crm: Crm) -> u64 {
    world.shown("counters").await[crm.name()][0]["day_used"].as_u64().unwrap()
}

async fn the_share_of_a_day_that_is_left_to_others_stays(crm: Crm) {
    let world = counted(crm).await;
    world.type_in(crm, &[vec![("last_name", "Byron"), ("email", "ada@example.com")]]).await;
    let remote: RemoteId = world.only(crm).await.id.parse().unwrap();
    a_day_of(&world, crm, 1_000_000, 40).await;
    let stored = world.stored(crm).await;
    let before = used(&world, crm).await;
    look(&world.app, &world, &stored, &remote).await.unwrap();
    let one = used(&world, crm).await - before;
    // Forty looks are a day, of which the customer's other apps are to keep sixteen.
    let (budget, kept) = (before + 40 * one, (before + 40 * one) * 40 / 100);
    a_day_of(&world, crm, budget, 40).await;
    let (stored, twin) = (world.stored(crm).await, world.twin());
    let mut ends = Vec::new();
    for app in [&*world.app, &twin] {
        for _ in 0..60 {
            if let Err(error) = look(app, &world, &stored, &remote).await {
                ends.push(error);
                break;
            }
        }
    }
    let left = budget - used(&world, crm).await;
    // An instance that was told nothing yet makes a call to hear of it.
    assert!(left + 2 * one >= kept && left <= kept + 4 * one, "{crm}: {left} of {budget} are left, not {kept}");
    assert!(matches!(ends.as_slice(), [Error::RateLimited { .. }, Error::RateLimited { .. }]), "{ends:?}");
    assert_eq!(refused(&world, crm).await, [Json::Null; 0]);
    let paused = world.app.store.paused_until(&tenant(), &connection(crm), world.now()).await.unwrap();
    assert!(paused.is_some(), "nobody calls until then");
}

async fn a_day_that_is_spent_is_waited_for_and_nothing_is_lost(crm: Crm) {
    const PEOPLE: usize = 12;
    let world = counted(crm).await;
    let person = |n: usize| json!({"id": format!("l{n}"), "email": format!("p{n:02}@example.com"), "last_name": "X"});
    a_day_of(&world, crm, used(&world, crm).await + 1, 0).await;
    world.send(&(0..PEOPLE).map(|n| request(&format!("r{n}"), person(n))).collect::<Vec<_>>()).await;
    for _ in 0..20 {
        for queue in QUEUES {
            world.turn(queue).await;
        }
    }
    assert!(world.people(crm).await.len() < PEOPLE, "{crm} had no budget for them");
    a_day_of(&world, crm, 1_000_000, 20).await;
    world.wait(jiff::SignedDuration::from_mins(20)).await;
    world.reappear().await;
    world.settle().await;
    let people = world.people(crm).await;
    let mailboxes: std::collections::BTreeSet<&str> = people.iter().map(|one| one.get("email")).collect();
    assert_eq!((people.len(), mailboxes.len()), (PEOPLE, PEOPLE));
    assert!(codes(&world).await.is_empty());
}
