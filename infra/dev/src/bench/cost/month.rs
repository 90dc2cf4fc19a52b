//! A month of one stack: what comes, what is there, and what both are billed.

use super::counted::Counted;
use super::prices::{Amounts, plus, times};
use super::stack::Stack;
use super::{amounts, floor};
use anyhow::{Context, Result};
use std::collections::BTreeSet;

const MINUTES: f64 = 30.44 * 24.0 * 60.0;
const SECONDS: f64 = MINUTES * 60.0;
/// Of the schedules of pulls' own interval, tokens and looks.
const FIVES: f64 = MINUTES / 5.0;

/// Half of the events are webhooks, half sync requests; one person in ten of those is new.
pub(super) const MIX: [(&str, f64); 3] = [
    ("webhook, changed, into the other CRM", 0.5),
    ("request, changed, two CRMs", 0.45),
    ("request, new, two CRMs", 0.05),
];

/// So many events and connections, and how the events come.
pub(super) struct Volume {
    pub(super) name: &'static str,
    pub(super) events: f64,
    pub(super) connections: f64,
    pub(super) regime: &'static str,
    pub(super) at_once: f64,
}

pub(super) const VOLUMES: [Volume; 3] = [
    Volume { name: "10 thousand", events: 1e4, connections: 2.0, regime: "minutes apart", at_once: 1.0 },
    Volume { name: "1 million", events: 1e6, connections: 20.0, regime: "one by one", at_once: 1.0 },
    Volume { name: "100 million", events: 1e8, connections: 200.0, regime: "together", at_once: 20.0 },
];

pub(super) fn find<'a>(counted: &'a [Counted], kind: &str, regime: &str) -> Result<&'a Counted> {
    let found = counted.iter().find(|one| one.kind == kind && one.regime == regime);
    found.with_context(|| format!("nobody counted: {kind}, {regime}"))
}

pub(super) fn ours(counted: &[Counted], stack: &Stack, volume: &Volume) -> Result<Amounts> {
    let mut all = plus(at_rest(counted, stack)?, &times(&connection(counted, stack)?, volume.connections));
    let mut invoked = vec![("delta-pull", MINUTES), ("token-refresh", FIVES), ("watchdog", FIVES)];
    for (kind, share) in MIX {
        let one = find(counted, kind, volume.regime)?;
        all = plus(all, &times(&amounts::of_one(one, stack), share * volume.events));
        invoked.extend(
            one.invoked.iter().map(|(name, work)| (name.as_str(), work.times / one.events * share * volume.events)),
        );
    }
    if stack.is_traced {
        all.insert("X-Ray traces", traces(&invoked));
    }
    Ok(all)
}

/// The first of each second of each function, and one of twenty of the others (AWS X-Ray docs: configuring sampling rules).
fn traces(invoked: &[(&str, f64)]) -> f64 {
    let names: BTreeSet<&str> = invoked.iter().map(|(name, _)| *name).collect();
    let of = |name: &str| invoked.iter().filter(|(other, _)| *other == name).map(|(_, times)| times).sum::<f64>();
    names.into_iter().map(of).map(|times| times.min(SECONDS) + 0.05 * (times - SECONDS).max(0.0)).sum()
}

/// A stack to which nobody has connected anything.
pub(super) fn at_rest(counted: &[Counted], stack: &Stack) -> Result<Amounts> {
    let tick = amounts::of_one(find(counted, "a tick of pulls", "at rest")?, stack);
    let metrics: BTreeSet<&String> =
        counted.iter().filter(|one| one.regime != "at rest").flat_map(|one| &one.metrics).collect();
    let [standard, fifo] = stack.polled.map(|sources| sources * polls(5.0));
    let fixed: Amounts = [
        ("CloudWatch alarms", stack.alarms),
        ("CloudWatch dashboards", stack.dashboards),
        ("CloudWatch metrics", metrics.len() as f64),
        // One for each CRM's app.
        ("Secrets Manager secrets", 2.0),
        ("SQS standard requests", standard),
        ("SQS FIFO requests", fifo),
        ("EventBridge Scheduler", MINUTES + 2.0 * FIVES),
        // Of the three functions that always run, once in five minutes each (Amazon DynamoDB docs: encryption at rest, usage notes).
        ("KMS requests", 3.0 * FIVES),
    ]
    .into();
    Ok(plus(fixed, &times(&tick, MINUTES)))
}

/// What a queue is asked while nothing is in it: so many pollers, each for 20 seconds at a time (AWS Lambda docs: SQS event source mappings,
/// scaling: five, or two where no maximum concurrency is set; that they wait as long as SQS lets them is assumed).
fn polls(pollers: f64) -> f64 {
    pollers * SECONDS / 20.0
}

/// One connection to which nothing happens. Two connections share what a tick takes where it was counted.
pub(super) fn connection(counted: &[Counted], stack: &Stack) -> Result<Amounts> {
    let of = |kind: &str| Ok::<_, anyhow::Error>(amounts::of_one(find(counted, kind, "at rest")?, stack));
    let every = plus(plus(of("pulls")?, &of("tokens")?), &of("a look")?);
    let every = plus(every, &times(&of("a tick of pulls")?, -0.5));
    Ok(plus(times(&every, FIVES), &[("Secrets Manager secrets", 1.0)].into()))
}

pub(super) fn least_connection() -> Amounts {
    plus(times(&floor::of_a_pull(), FIVES), &[("Secrets Manager secrets", 1.0)].into())
}

/// The same events and connections, at the least, and queues with two pollers each.
pub(super) fn least(stack: &Stack, volume: &Volume) -> Result<Amounts> {
    let queues = (stack.polled[0] + stack.polled[1]) * polls(2.0);
    let mut all = plus(times(&least_connection(), volume.connections), &[("SQS standard requests", queues)].into());
    for (kind, share) in MIX {
        let one = floor::of_one(kind, volume.at_once).with_context(|| format!("no floor of {kind}"))?;
        all = plus(all, &times(&one, share * volume.events));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::{SECONDS, traces};

    #[test]
    fn one_invocation_in_a_second_is_traced_and_a_twentieth_of_the_rest() {
        assert!((traces(&[("a", 10.0), ("a", 5.0), ("b", 1.0)]) - 16.0).abs() < 1e-9);
        assert!((traces(&[("a", 2.0 * SECONDS)]) - 1.05 * SECONDS).abs() < 1e-3);
    }
}
