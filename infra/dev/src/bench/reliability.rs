//! What arrives by itself where one call in twenty fails, and when.

use super::figures::short;
use super::law;
use super::machine;
use super::page::Section;
use super::table::Table;
use crate::project::Project;
use crate::python::EMULATOR;
use crate::step::step;
use anyhow::{Context, Result};
use serde::Deserialize;

const TEST: &str = "timed::reliable::what_fails_for_a_moment_arrives_by_itself";
/// Of each kind of edit.
const EDITS: &str = "100";

#[derive(Deserialize)]
struct Reliable {
    changes: f64,
    /// In all CRMs, and nobody was asked.
    settled: f64,
    waiting: f64,
    calls: f64,
    failed: f64,
    /// Seconds until the last CRM shows it.
    p50: f64,
    p95: f64,
    p99: f64,
}

pub(super) fn measure(project: &Project) -> Result<Section> {
    EMULATOR.install(project)?;
    let told = step("Calls that fail survived", |progress| {
        let told = law::told::<Reliable>(project, TEST, &[("RELIABLE", EDITS)], progress)?.pop();
        let told = told.context("nothing is told")?;
        let said = format!("{} changes", told.changes);
        Ok((told, said))
    })?;
    let Reliable { changes, settled, waiting, calls, failed, p50, p95, p99 } = told;
    let mut table = Table::new(&[
        "changes",
        "arrive by themselves",
        "wait for a person",
        "calls that fail",
        "p50, s",
        "p95, s",
        "p99, s",
    ]);
    let share = |part: f64, of: f64| format!("{} ({:.2} %)", short(part), 100.0 * part / of);
    let cells = [short(changes), share(settled, changes), short(waiting), share(failed, calls)];
    table.rows.push(cells.into_iter().chain([p50, p95, p99].map(short)).collect());
    table.print();
    let text = format!(
        "## Where calls fail\n\n{}\n\nThe law `timed::reliable` in simulated time: people edit in four CRMs and the product sends requests, one call in twenty to a CRM is answered by an error (half of them after all was done), \
         and webhooks come twice and out of order. A change has arrived when the last CRM shows it; the five seconds that hints wait for an echo are most of that time. Calls are the last that the simulator remembers.\n\n{}",
        machine::sentence(project),
        table.markdown()
    );
    Ok(Section { text, plots: Vec::new() })
}
