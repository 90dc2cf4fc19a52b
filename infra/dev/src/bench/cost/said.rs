//! The chapter as it is read: three tables and what they stand on.

use super::amounts::{self, AWS_MS, CRM_MS};
use super::counted::Counted;
use super::floor;
use super::month::{self, MIX, VOLUMES};
use super::prices::{Amounts, FILE, Prices};
use super::stack::Stack;
use crate::bench::figures::{Spread, short};
use crate::bench::machine;
use crate::bench::plot::Plot;
use crate::bench::table::Table;
use crate::project::Project;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Bill {
    pub(super) table: Table,
    pub(super) plot: String,
}

/// Each kind, by event.
pub(super) fn events(counted: &[Counted], stack: &Stack, prices: &Prices) -> Result<Table> {
    let mut table = Table::new(&[
        "one event",
        "they come",
        "writes: state",
        "history",
        "reads",
        "SQS",
        "events",
        "Lambda",
        "GB-ms",
        "secret calls",
        "log, bytes",
        "calls to CRMs",
        "$ for a million",
        "floor",
    ]);
    for one in counted.iter().filter(|one| !one.kind.contains("warming") && one.kind != "connecting") {
        let amounts = amounts::of_one(one, stack);
        let of = |item: &str| short(amounts.get(item).copied().unwrap_or_default());
        let each = |sum: f64| short(sum / one.events);
        let sqs =
            ["SQS standard requests", "SQS FIFO requests"].iter().filter_map(|item| amounts.get(item)).sum::<f64>();
        let at_once = if one.regime == "together" { 20.0 } else { 1.0 };
        let least = floor::of_one(&one.kind, at_once).map(|least| prices.total(&least)).transpose()?;
        table.rows.push(vec![
            one.kind.clone(),
            one.regime.clone(),
            each(one.item("state writes")),
            each(one.item("history writes")),
            of("DynamoDB reads"),
            short(sqs),
            of("EventBridge events"),
            of("Lambda requests"),
            short(amounts.get("Lambda duration").copied().unwrap_or_default() * 1000.0),
            of("Secrets Manager calls"),
            of("CloudWatch logs, taken in"),
            each(one.crm_calls),
            short(prices.total(&amounts)? * 1e6),
            least.map_or_else(|| "–".to_owned(), |least| short(least * 1e6)),
        ]);
    }
    Ok(table)
}

/// A month by item, for each volume, and the floor beneath.
pub(super) fn bill(counted: &[Counted], stack: &Stack, prices: &Prices) -> Result<Bill> {
    let months = VOLUMES.iter().map(|volume| {
        let ours = prices.bill(&month::ours(counted, stack, volume)?)?;
        Ok((ours, prices.bill(&month::least(stack, volume)?)?))
    });
    let months: Vec<(Dollars, Dollars)> = months.collect::<Result<_>>()?;
    let mut table = Table::new(&["dollars a month"]);
    for volume in &VOLUMES {
        table.head.extend([format!("{} events", volume.name), "share".to_owned(), "floor".to_owned()]);
    }
    let items: BTreeSet<&str> =
        months.iter().flat_map(|(ours, least)| ours.keys().chain(least.keys()).copied()).collect();
    let mut items: Vec<&str> = items.into_iter().collect();
    let last = |item: &str| months.last().and_then(|(ours, _)| ours.get(item)).copied().unwrap_or_default();
    items.sort_by(|one, other| last(other).total_cmp(&last(one)));
    for item in &items {
        let mut row = vec![(*item).to_owned()];
        for (ours, least) in &months {
            let dollars = |bill: &Dollars| bill.get(item).map_or_else(|| "–".to_owned(), |dollars| short(*dollars));
            let share = 100.0 * ours.get(item).copied().unwrap_or_default() / sum(ours);
            row.extend([dollars(ours), format!("{share:.0} %"), dollars(least)]);
        }
        table.rows.push(row);
    }
    let mut all = vec!["all".to_owned()];
    for (ours, least) in &months {
        all.extend([short(sum(ours)), format!("{} ×", short(sum(ours) / sum(least))), short(sum(least))]);
    }
    table.rows.push(all);
    let bars = items.iter().take(12).filter_map(|item| Some((*item, Spread::of([last(item)])?)));
    let plot = Plot { title: "A month of 100 million events", unit: "dollars", bars: bars.collect() };
    Ok(Bill { plot: plot.svg(), table })
}

type Dollars = BTreeMap<&'static str, f64>;

fn sum(bill: &Dollars) -> f64 {
    bill.values().sum()
}

/// One connection to which nothing happens, and a stack without any.
pub(super) fn connection(counted: &[Counted], stack: &Stack, prices: &Prices) -> Result<Table> {
    let columns: [Amounts; 3] =
        [month::connection(counted, stack)?, month::least_connection(), month::at_rest(counted, stack)?];
    let bills = columns.iter().map(|amounts| prices.bill(amounts)).collect::<Result<Vec<Dollars>>>()?;
    let mut table = Table::new(&["dollars a month, at rest", "one connection", "its floor", "the stack itself"]);
    let items: BTreeSet<&str> = bills.iter().flat_map(|bill| bill.keys().copied()).collect();
    let cell = |dollars: f64| if dollars.abs() < 0.0005 { "–".to_owned() } else { format!("{dollars:.3}") };
    for item in items {
        let cells: Vec<String> = bills.iter().map(|bill| cell(bill.get(item).copied().unwrap_or_default())).collect();
        if cells.iter().any(|cell| cell != "–") {
            table.rows.push([&[item.to_owned()][..], &cells].concat());
        }
    }
    let all: Vec<String> = bills.iter().map(|bill| cell(sum(bill))).collect();
    table.rows.push([&["all".to_owned()][..], &all].concat());
    Ok(table)
}

pub(super) fn text(
    project: &Project,
    prices: &Prices,
    stack: &Stack,
    [events, bill, connection]: [&Table; 3],
) -> String {
    let mix: Vec<String> = MIX.iter().map(|(kind, share)| format!("{:.0} % “{kind}”", share * 100.0)).collect();
    let volumes = VOLUMES
        .iter()
        .map(|volume| format!("{} with {} connections, {}", volume.name, volume.connections, volume.regime));
    format!(
        "## What it costs\n\n{sentence}\n\n\
         Counted: the functions' own stories in the tests' world, whose calls to AWS pass a proxy (`kinds` in tests/it). Writes are as the emulator tells them, reads by the length of \
         what was read; each kind is counted with all that follows from it, echoes included. “Minutes apart”: one event, every instance starts anew and remembers nothing. “One by one”: one event, \
         instances remember. “Together”: twenty within a batch window. A pulled record is one of a page of a hundred.\n\n\
         Assumed: a CRM answers in {CRM_MS:.0} ms and AWS in {AWS_MS:.0} ms, one call after the other; the processor takes {busy:.2} ms of a whole core for each call to AWS, which is the most \
         that any function takes in the chapter above; history is as old as it gets (400 days), and people who came in as long a time are kept. Not counted: data that leaves AWS for the CRMs, and free tiers.\n\n\
         Prices of {region}, {architecture}, on demand, as of {date}: `{FILE}`, where each has its source.\n\n{events}\n\
         The floor is what any design would pay with one record per person and an entry of its history per change: `floor.rs` beside the chapter.\n\n\
         A month: {mix}. {volumes}.\n\n{bill}\n\
         A connection at rest is pulled every five minutes, its token is kept fresh, and it is looked at:\n\n{connection}",
        sentence = machine::sentence(project),
        busy = stack.busy_ms,
        region = prices.region,
        architecture = prices.architecture,
        date = prices.looked_up,
        events = events.markdown(),
        mix = mix.join(", "),
        volumes = volumes.collect::<Vec<_>>().join("; "),
        bill = bill.markdown(),
        connection = connection.markdown(),
    )
}
