//! How long it takes to bring many people from the queue to every CRM, and how long the CRMs' own limits make it take.

use super::Lambda;
use crate::story::request;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use shared::{
    connection::{Allowance, Connection},
    context::{Clock, until},
    provider::{
        Crm,
        quota::{Counts, Window},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// `RUSH=10000` for as many people as an account may send at once.
fn size() -> usize {
    #[expect(clippy::disallowed_methods, reason = "a test asks how large it is to be")]
    std::env::var("RUSH").map_or(160, |size| size.parse().unwrap())
}

/// What bringing people to a CRM came to; times in seconds.
#[derive(Serialize)]
struct Rush {
    crm: Crm,
    people: usize,
    /// Percent of what the account's other apps draw on too that its connection leaves to them.
    left_to_others: u8,
    calls: u64,
    searches: u64,
    /// That the CRM's windows make so many calls take.
    limits: f64,
    /// The same, less what is left to others.
    lent: f64,
    took: f64,
}

/// The time between the first and the last of so many calls, where none is made later than a window allows.
fn takes(window: &Window, left_to_others: u8, calls: u64) -> Duration {
    let ours = if window.shared { 100 - u64::from(left_to_others) } else { 100 };
    let room = u64::from(window.calls) * ours / 100;
    window.per * u32::try_from(calls.saturating_sub(1) / room).unwrap()
}

#[tokio::test]
async fn a_rush_takes_hardly_longer_than_the_limits_of_the_crms() {
    let allowance = Allowance::default();
    let rushes = tokio::task::LocalSet::new().run_until(rush(size(), &Crm::ALL, allowance)).await;
    let longest = rushes.iter().map(|rush| rush.took).fold(0.0, f64::max);
    let allowed = rushes.iter().map(|rush| rush.limits).fold(0.0, f64::max);
    let size = size();
    if allowed == 0.0 {
        return println!("{size} people: no limit that these calls could reach");
    }
    let ratio = longest / allowed;
    println!("{size} people: {ratio:.3} of the time that the limits make it take");
    assert!(ratio <= 1.2, "{ratio}");
}

#[tokio::test]
#[ignore = "`cargo dev bench --only pushes` reads what it takes"]
async fn each_crm_by_itself_is_measured() {
    for crm in Crm::ALL {
        let windows = crm.capabilities().limits.windows;
        let all = Allowance { left_to_others: 0, ..Allowance::default() };
        let some = windows.iter().any(|window| window.shared).then(Allowance::default);
        for allowance in [all].into_iter().chain(some) {
            tokio::task::LocalSet::new().run_until(rush(size(), &[crm], allowance)).await;
        }
    }
}

async fn rush(size: usize, crms: &[Crm], allowance: Allowance) -> Vec<Rush> {
    let lambda = Lambda::of(crms).await;
    let world = &lambda.world;
    // A new connection's first pull is none of it.
    lambda.run(None, async || {}).await;
    for &crm in crms {
        let stored = world.stored(crm).await;
        assert!(world.app.store.update_connection(&stored, &Connection { allowance, ..stored.clone() }).await.unwrap());
    }
    let person = |n: usize| json!({"id": format!("l{n}"), "email": format!("p{n:05}@example.com"), "phone": format!("+1415{:07}", 2_000_000 + n), "last_name": format!("Rush {n}")});
    world.shown("calls?reset=1").await;
    let begun = lambda.time.now();
    world.send(&(0..size).map(|n| request(&format!("r{n}"), person(n))).collect::<Vec<_>>()).await;
    let mut called: BTreeMap<Crm, (u64, Timestamp)> = BTreeMap::new();
    let mut told = begun;
    let watch = async || {
        let counts = world.sim.shared.lock().calls.counts();
        for &crm in crms {
            let calls = counts.get(crm.name()).map_or(0, |routes| routes.values().sum());
            let last = called.entry(crm).or_insert((0, begun));
            if last.0 < calls {
                *last = (calls, lambda.time.now());
            }
        }
        if until(told, lambda.time.now()) >= Duration::from_secs(60) {
            told = lambda.time.now();
            let calls: Vec<String> = called.iter().map(|(crm, (calls, _))| format!("{crm} {calls}")).collect();
            println!("{:>6} s: calls {}", until(begun, told).as_secs(), calls.join(", "));
        }
    };
    lambda.run(None, watch).await;
    let calls = world.shown("calls?reset=1").await;
    // Whatever the test runner wrote is on a line of its own.
    println!();
    let mut rushes = Vec::new();
    for &crm in crms {
        let count = |wanted: &dyn Fn(&str) -> bool| -> u64 {
            let routes = calls[crm.name()].as_object().unwrap();
            routes.iter().filter(|(route, _)| wanted(route)).filter_map(|(_, n)| n.as_u64()).sum()
        };
        let all = count(&|route| !route.contains("oauth"));
        let searches = count(&|route| route.ends_with("/search"));
        let counted = |window: &Window| match window.counts {
            Counts::All => all,
            Counts::Searches => searches,
            Counts::AllButSearches => all - searches,
        };
        let left_to_others = allowance.left_to_others;
        let windows = || crm.capabilities().limits.windows.iter();
        let least = |left| windows().map(|window| takes(window, left, counted(window))).max().unwrap_or_default();
        let took = until(begun, called[&crm].1);
        let [limits, lent, took] = [least(0), least(left_to_others), took].map(|time| time.as_secs_f64());
        let rush = Rush { crm, people: size, left_to_others, calls: all, searches, limits, lent, took };
        println!("{}", json!(rush));
        rushes.push(rush);
        let people = world.people(crm).await;
        let mailboxes: BTreeSet<&str> = people.iter().map(|one| one.get("email")).collect();
        assert_eq!((people.len(), mailboxes.len()), (size, size), "{crm}");
    }
    rushes
}
