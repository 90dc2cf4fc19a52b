//! How many changes arrive by themselves where one call in twenty fails, and how long they take.

use super::{
    Lambda,
    latency::{Edit, Path, edits, percentiles},
};
use crate::world::tenant;
use serde_json::json;
use shared::{context::until, provider::Crm};
use std::time::Duration;

/// `RELIABLE=100` for a share that means something.
fn size() -> usize {
    #[expect(clippy::disallowed_methods, reason = "a test asks how large it is to be")]
    std::env::var("RELIABLE").map_or(4, |size| size.parse().unwrap())
}

/// Of the calls to a CRM so many are answered by an error before anything was done, and as many after all of it was.
const FAILS: f64 = 0.025;
/// No change takes longer while webhooks work.
const LONGEST: Duration = Duration::from_secs(300);
/// So many arrive without a person, of a thousand.
const GOAL: usize = 995;

#[tokio::test]
async fn what_fails_for_a_moment_arrives_by_itself() {
    tokio::task::LocalSet::new().run_until(suffer(size())).await;
}

async fn suffer(size: usize) {
    let lambda = Lambda::of(&Crm::ALL).await;
    let told: Vec<Path> = Path::all().into_iter().filter(|path| !matches!(path, Path::Pull(_))).collect();
    let webhooks = json!({"double_rate": 0.05, "shuffle": true});
    let faults = json!({"fail_rate": FAILS, "fail_after_commit_rate": FAILS, "webhooks": webhooks});
    let made = edits(&lambda, &told, size, &faults).await;
    let (failed, calls) = {
        let sim = lambda.world.sim.shared.lock();
        (sim.calls.log().filter(|call| call.fault.is_some()).count(), sim.calls.log().len())
    };
    let exceptions = lambda.world.app.store.exceptions(&tenant()).await.unwrap();
    let is_settled = |edit: &&Edit| Crm::ALL.into_iter().all(|crm| edit.is_shown_by(crm));
    let settled: Vec<&Edit> = made.iter().filter(is_settled).collect();
    // Until the last CRM shows it.
    let took: Vec<Duration> =
        settled.iter().filter_map(|edit| Some(until(edit.made, *edit.shown.values().max()?))).collect();
    let [p50, p95, p99] = percentiles(took.clone());
    let told = json!({"changes": made.len(), "settled": settled.len(), "waiting": exceptions.len(), "calls": calls, "failed": failed, "p50": p50, "p95": p95, "p99": p99});
    println!("\n{told}");
    assert!(failed > 0, "nothing went wrong");
    assert!(made.len() - settled.len() <= exceptions.len(), "some are lost: {exceptions:?}");
    assert!(settled.len() * 1000 >= made.len() * GOAL, "{} of {}: {exceptions:?}", settled.len(), made.len());
    assert!(took.iter().all(|took| *took < LONGEST), "{:?}", took.iter().max());
}
