//! How long it takes to bring many people from the queue to every CRM, and how long the CRMs' own limits make it take.

use super::Lambda;
use crate::story::request;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use shared::{
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
    calls: u64,
    searches: u64,
    /// That the CRM's windows make so many calls take.
    limits: f64,
    /// The same without the calls that are left to the account's other apps.
    lent: f64,
    took: f64,
}

/// The time between the first and the last of so many calls, where none is made later than a window allows that has room for so many.
fn takes(window: &Window, room: u32, calls: u64) -> Duration {
    window.per * u32::try_from(calls.saturating_sub(1) / u64::from(room)).unwrap()
}

#[tokio::test]
async fn a_rush_takes_hardly_longer_than_the_limits_of_the_crms() {
    let rushes = tokio::task::LocalSet::new().run_until(rush(size(), &Crm::ALL)).await;
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
        tokio::task::LocalSet::new().run_until(rush(size(), &[crm])).await;
    }
}

async fn rush(size: usize, crms: &[Crm]) -> Vec<Rush> {
    let lambda = Lambda::of(crms).await;
    let world = &lambda.world;
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
        let windows = || crm.capabilities().limits.windows.iter();
        let limits = windows().map(|window| takes(window, window.calls, counted(window))).max().unwrap_or_default();
        let lent = windows().map(|window| takes(window, window.calls - window.spare, counted(window))).max();
        let lent = lent.unwrap_or_default();
        let took = until(begun, called[&crm].1);
        let [limits, lent, took] = [limits, lent, took].map(|time| time.as_secs_f64());
        let rush = Rush { crm, people: size, calls: all, searches, limits, lent, took };
        println!("{}", json!(rush));
        rushes.push(rush);
        let people = world.people(crm).await;
        let mailboxes: BTreeSet<&str> = people.iter().map(|one| one.get("email")).collect();
        assert_eq!((people.len(), mailboxes.len()), (size, size), "{crm}");
    }
    rushes
}
