//! From a thousand records of one tenant to a million: what one of them takes.

use super::crm::{CONTACTS, Crm, Limits};
use super::figures::short;
use super::gauge::Built;
use super::law;
use super::machine;
use super::ours::{self, Pulled};
use super::page::Section;
use super::table::Table;
use crate::functions;
use crate::project::Project;
use crate::python::EMULATOR;
use crate::simulator::PACKAGE;
use crate::step::step;
use anyhow::Result;
use serde::Deserialize;

/// The test whose lines tell of tenants.
const TEST: &str = "growth::a_connection_costs_the_schedules_no_more_where_there_are_many";
const TENANTS: &str = "10000";

const RECORDS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// What the others are compared with.
const COMPARED: usize = 10_000;

/// What is told of each.
type Column = (&'static str, fn(&First) -> f64);

/// What one connection takes of a schedule.
#[derive(Deserialize)]
struct Each {
    calls: f64,
    reads: f64,
    writes: f64,
}

/// Where there are so many tenants of one connection each.
#[derive(Deserialize)]
struct Tenants {
    tenants: f64,
    ticks: u32,
    tick: Each,
    look: Each,
}

/// The first pull of so many records.
struct First {
    records: usize,
    pulled: Pulled,
}

pub(super) fn measure(project: &Project, built: &Built) -> Result<Section> {
    functions::quick(project, PACKAGE)?;
    let mut firsts = Vec::new();
    for records in RECORDS {
        let crm = Crm::with(project, CONTACTS, records, Limits::Lifted)?;
        let folder = project.dev.join("bench/growth");
        let _ = std::fs::remove_dir_all(&folder);
        let pulled = step("Records pulled", |progress| {
            Ok((ours::pull(project, built, &crm, &folder, progress)?, short(records as f64)))
        })?;
        firsts.push(First { records, pulled });
    }
    let table = table(&firsts);
    table.print();
    let tenants = of_tenants(&tenants(project)?);
    tenants.print();
    let text = format!(
        "## Growth\n\n{}\n\nThe first pull of so many contacts of one tenant, by `delta-pull` as in the chapter about pulls: mapped, decided about and stored in a stub of DynamoDB that answers at once. \
         In brackets, how much of what {} take.\n\n{}\n\
         So many tenants with one connection each, all of which are due: what one of them takes of the schedule's ticks until nobody is due, and of a look of the watchdog that finds all as it was. Calls to AWS, and units of DynamoDB; counted in the tests' world.\n\n{}",
        machine::sentence(project),
        short(COMPARED as f64),
        table.markdown(),
        tenants.markdown()
    );
    Ok(Section { text, plots: Vec::new() })
}

fn table(firsts: &[First]) -> Table {
    let columns: [Column; 7] = [
        ("records per second", |first| first.pulled.figures.records as f64 / first.pulled.figures.seconds),
        ("CPU for one, microseconds", |first| each(first, first.pulled.figures.cpu_s * 1e6)),
        ("peak RSS, MB", |first| first.pulled.figures.peak_kb as f64 / 1024.0),
        ("calls to the CRM for a thousand", |first| 1e3 * each(first, crm_calls(first))),
        ("calls to AWS for a thousand", |first| 1e3 * each(first, first.pulled.asked.calls as f64)),
        ("items written for one", |first| each(first, first.pulled.asked.items as f64)),
        ("bytes sent to AWS for one", |first| each(first, first.pulled.asked.bytes as f64)),
    ];
    let mut table = Table::new(&["records"]);
    table.head.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
    let compared = firsts.iter().find(|first| first.records == COMPARED);
    for first in firsts {
        let cells = columns.iter().map(|(_, figure)| {
            let share = compared.map(|compared| figure(first) / figure(compared));
            let share = share.filter(|_| first.records != COMPARED).map(|share| format!(" ({:.0} %)", share * 100.0));
            short(figure(first)) + &share.unwrap_or_default()
        });
        table.rows.push([short(first.records as f64)].into_iter().chain(cells).collect());
    }
    table
}

fn tenants(project: &Project) -> Result<Vec<Tenants>> {
    EMULATOR.install(project)?;
    step("Tenants counted", |progress| {
        Ok((law::told::<Tenants>(project, TEST, &[("TENANTS", TENANTS)], progress)?, format!("up to {TENANTS}")))
    })
}

fn of_tenants(counted: &[Tenants]) -> Table {
    let head = ["tenants", "ticks", "of a tick: calls", "reads", "writes", "of a look: calls", "reads", "writes"];
    let mut table = Table::new(&head);
    for Tenants { tenants, ticks, tick, look } in counted {
        let figures = [tick, look].into_iter().flat_map(|each| [each.calls, each.reads, each.writes]);
        let cells = [short(*tenants), ticks.to_string()].into_iter().chain(figures.map(|figure| short(figure.abs())));
        table.rows.push(cells.collect());
    }
    table
}

fn crm_calls(first: &First) -> f64 {
    first.pulled.figures.calls.values().sum::<u64>() as f64
}

fn each(first: &First, all: f64) -> f64 {
    all / first.records as f64
}
