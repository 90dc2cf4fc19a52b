//! From one tenant to many: what one of them costs the schedules. `cargo dev bench --only growth` reads the lines of JSON.

use crate::{
    meter::Meter,
    world::{World, connection, tenant},
};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use shared::{connection::Connection, context::Context, handler, id::TenantId, provider::Crm, store::Tenancy};
use std::time::Duration;

/// `TENANTS=10000` for as many as there may be.
fn most() -> usize {
    #[expect(clippy::disallowed_methods, reason = "a test asks how large it is to be")]
    std::env::var("TENANTS").map_or(100, |most| most.parse().unwrap())
}

/// Calls to AWS and units of DynamoDB for one connection.
#[derive(Debug, Serialize)]
struct Each {
    calls: f64,
    reads: f64,
    writes: f64,
}

impl Each {
    /// What was spent since the last time.
    fn of(meter: &Meter, connections: usize) -> Each {
        let (billed, spent) = (meter.items(), meter.spent());
        let units = |kind: &str| billed.iter().filter(|(item, _)| item.ends_with(kind)).map(|(_, units)| units).sum();
        let calls = spent.0.values().map(|cost| cost.calls).sum::<u64>() as f64;
        let each = |all: f64| all / connections as f64;
        Each { calls: each(calls), reads: each(units(" reads")), writes: each(units(" writes")) }
    }
}

#[tokio::test]
async fn a_connection_costs_the_schedules_no_more_where_there_are_many() {
    let (world, meter) = World::metered().await;
    world.settle().await;
    let template = world.app.store.connection(&tenant(), &connection(Crm::HubSpot)).await.unwrap().unwrap();
    // Whatever the test runner wrote is on a line of its own.
    println!();
    let (mut there, mut before): (usize, Option<(usize, Each, Each)>) = (0, None);
    for size in [1, 10, 100, 1_000, 10_000].into_iter().filter(|size| *size <= most()) {
        stream::iter(there..size).for_each_concurrent(16, |n| take_on(&world, &template, n)).await;
        there = size;
        let (tick, ticks) = ticked(&world, &meter, size).await;
        let look = looked(&world, &meter, size).await;
        println!("{}", json!({"tenants": size, "ticks": ticks, "tick": tick, "look": look}));
        if let Some((fewer, tick_before, look_before)) = &before {
            // What one more takes, without what a schedule takes by itself.
            let more = |now: f64, then: f64| (now * size as f64 - then * *fewer as f64) / (size - fewer) as f64;
            let ticks = more(tick.calls, tick_before.calls);
            let looks = more(look.calls, look_before.calls);
            assert!(ticks < 1.5 && looks < 3.2, "{ticks} calls for a tick, {looks} for a look");
            let units = more(tick.writes, tick_before.writes) + more(look.writes, look_before.writes);
            assert!(units < 4.4, "{units} units are written");
        }
        before = Some((size, tick, look));
    }
}

/// A tenant with one connection, which is due.
async fn take_on(world: &World, template: &Connection, n: usize) {
    let tenant: TenantId = format!("t{n:05}").parse().unwrap();
    let tenancy = Tenancy { id: tenant.clone(), name: None, since: world.now(), left: None };
    assert!(world.app.store.take_on(&tenancy).await.unwrap());
    let connection = Connection {
        tenant,
        id: format!("c{n:05}").parse().unwrap(),
        due_at: Timestamp::UNIX_EPOCH,
        ..template.clone()
    };
    world.app.store.put_connection(&connection).await.unwrap();
}

/// As many ticks as it takes until nobody is due.
async fn ticked(world: &World, meter: &Meter, size: usize) -> (Each, usize) {
    world.wait(jiff::SignedDuration::from_mins(6)).await;
    let _ = (meter.items(), meter.spent());
    for ticks in 1.. {
        let tick = serde_json::from_value(json!({"tick": "pulls"})).unwrap();
        handler::delta_pull(&world.app, &world.cx("tick"), tick).await.unwrap();
        if world.app.store.due_pulls(world.now()).await.unwrap().is_empty() {
            return (Each::of(meter, size), ticks);
        }
    }
    unreachable!("who is due is told of at some time")
}

/// A look that finds all as it was at the look before.
async fn looked(world: &World, meter: &Meter, size: usize) -> Each {
    // The emulator needs longer than a table does.
    let cx = |trace| Context::new(world.now(), Duration::from_secs(900), trace);
    world.watch(&cx("first")).await.unwrap();
    let _ = (meter.items(), meter.spent());
    world.watch(&cx("second")).await.unwrap();
    Each::of(meter, size)
}
