//! How long it takes to bring many people from the queue to every CRM, and how long the CRMs' own limits make it take.

use super::Lambda;
use crate::story::request;
use jiff::Timestamp;
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

/// `TO=hubspot` for one of the CRMs by itself.
fn to() -> Vec<Crm> {
    #[expect(clippy::disallowed_methods, reason = "a test asks whom it is to be about")]
    let wanted = std::env::var("TO");
    Crm::ALL
        .into_iter()
        .filter(|crm| wanted.as_ref().is_ok_and(|wanted| wanted == crm.name()) || wanted.is_err())
        .collect()
}

/// The time between the first and the last of so many calls, where none is made later than a window allows that has room for so many.
fn takes(window: &Window, room: u32, calls: u64) -> Duration {
    window.per * u32::try_from(calls.saturating_sub(1) / u64::from(room)).unwrap()
}

#[tokio::test]
async fn a_rush_takes_hardly_longer_than_the_limits_of_the_crms() {
    tokio::task::LocalSet::new().run_until(rush(size(), &to())).await;
}

async fn rush(size: usize, crms: &[Crm]) {
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
    println!();
    let (mut longest, mut allowed) = (Duration::ZERO, Duration::ZERO);
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
        let seconds = [limits, lent, took].map(|time| (time.as_secs_f64() * 10.0).round() / 10.0);
        let told = json!({"crm": crm, "people": size, "calls": all, "searches": searches, "limits": seconds[0], "lent": seconds[1], "took": seconds[2]});
        println!("{told}");
        (longest, allowed) = (longest.max(took), allowed.max(limits));
        let people = world.people(crm).await;
        let mailboxes: BTreeSet<&str> = people.iter().map(|one| one.get("email")).collect();
        assert_eq!((people.len(), mailboxes.len()), (size, size), "{crm}");
    }
    if allowed.is_zero() {
        return println!("{size} people: no limit that these calls could reach");
    }
    let ratio = longest.as_secs_f64() / allowed.as_secs_f64();
    println!("{size} people: {ratio:.3} of the time that the limits make it take");
    // One by itself is measured: where it lets so many through at once, the first and the last steps are most of the time.
    assert!(ratio <= 1.2 || crms.len() == 1, "{ratio}");
}
