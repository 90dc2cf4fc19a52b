//! Every function on its sample event.

use super::figures::{Spread, short};
use super::gauge::{self, Built, Contender, Run, contender, zipped_binary};
use super::page::Section;
use super::peers::of_webhook;
use super::plot::Plot;
use super::table::Table;
use super::{instructions, machine};
use crate::project::Project;
use crate::step::step;
use anyhow::Result;

/// The event that each function is given; signed anew where it must be.
const EVENTS: [(&str, &str); 11] = [
    ("webhook", "webhook/hubspot.json"),
    ("connect", "connect/link.json"),
    ("control", "control/connections.json"),
    ("reconcile", "reconcile/sync-requests.json"),
    ("outbound", "outbound/pushes.json"),
    ("delta-pull", "delta-pull/delta.json"),
    ("token-refresh", "token-refresh/tick.json"),
    ("import", "import/uploaded.json"),
    ("journal", "journal/record.json"),
    ("watchdog", "watchdog/tick.json"),
    ("alert", "alert/raised.json"),
];

/// What the bill reads of this chapter.
pub(super) const WARM_TIME: &str = "warm, p50, ms";
pub(super) const CALLS: &str = "AWS calls";
pub(super) const COLUMNS: [&str; 10] = [
    "function/event",
    "init, ms",
    "first event, ms",
    WARM_TIME,
    "p99, ms",
    "events per second of CPU",
    "instructions",
    "peak RSS, MB",
    "zip, MB",
    CALLS,
];

/// Events after the first.
const WARM: usize = 100;
/// The events whose instructions are counted: the difference of two runs. A page of a pull is a hundred million.
const COUNTED: [usize; 2] = [5, 25];

pub(super) fn measure(project: &Project, built: &Built, rounds: usize) -> Result<Section> {
    let contenders: Vec<Contender> = gauge::all().iter().map(|name| asked(project, built, name)).collect();
    let zips = gauge::all().iter().map(|name| zipped_binary(project, &built.function(name), name));
    let zips = zips.collect::<Result<Vec<u64>>>()?;
    let runs = step("Functions started", |progress| {
        let runs = built.run(&contenders, &gauge::tables(project), rounds, progress)?;
        Ok((runs, format!("{rounds} starts of {} functions", contenders.len())))
    })?;
    let counted = counted(project, built, &contenders)?;
    let mut table = Table::new(&COLUMNS);
    for (((contender, zip), counted), (_, event)) in contenders.iter().zip(&zips).zip(counted).zip(EVENTS) {
        table.rows.push(row(contender, *zip, counted, event, &runs));
    }
    table.print();
    let text = format!(
        "## Every function on its sample event\n\n{}\n\nThe same Runtime API and the same stubs; {rounds} starts of each, and {WARM} more of the same event after the first. The table \
         of the stub holds two connections and no records, and what is written there is forgotten, so each pull meets the CRM's page of a hundred contacts for the first time and stores them all. Of a hundred pages in one second one waits for HubSpot's own limit of calls: that is the p99 of `delta-pull`. Instructions{}.\n\n{}",
        machine::sentence(project),
        if instructions::is_there() {
            " and calls to AWS are those of a warm event; callgrind knows no instructions for SHA-256, which it counts as if it were computed"
        } else {
            " were not counted, without valgrind"
        },
        table.markdown()
    );
    Ok(Section { text, plots: plots(&contenders, &runs) })
}

fn asked(project: &Project, built: &Built, name: &str) -> Contender {
    let event = EVENTS.iter().find(|(function, _)| *function == name).map_or("", |(_, event)| event);
    let (binary, folder) = (built.function(name), project.dev.join("bench").join(name));
    let one = match name {
        "webhook" => of_webhook(project, name, &[&binary], &folder),
        _ => contender(project, name, &[&binary], &folder, event),
    };
    Contender { warm: WARM, ..one }
}

/// Instructions per event of each, where they can be counted.
fn counted(project: &Project, built: &Built, all: &[Contender]) -> Result<Vec<Option<f64>>> {
    if !instructions::is_there() {
        println!("{}", instructions::ABSENT);
        return Ok(vec![None; all.len()]);
    }
    step("Instructions counted", |progress| {
        let of = |one| instructions::per_event(project, built, one, COUNTED, progress).map(Some);
        Ok((all.iter().map(of).collect::<Result<_>>()?, "callgrind".to_owned()))
    })
}

fn row(of: &Contender, zip: u64, counted: Option<f64>, event: &str, runs: &[Run]) -> Vec<String> {
    let mine: Vec<&Run> = runs.iter().filter(|run| run.contender == of.name).collect();
    let spread = |figure: &dyn Fn(&Run) -> Option<f64>| {
        let spread = Spread::of(mine.iter().filter_map(|run| figure(run)));
        spread.map_or_else(|| "–".to_owned(), |spread| spread.to_string())
    };
    let calls = mine.first().map_or(0, |run| run.calls.values().sum::<u64>());
    vec![
        event.trim_end_matches(".json").to_owned(),
        spread(&|run| Some(run.init_ms)),
        spread(&|run| Some(run.first_ms)),
        spread(&|run| run.warm(0.5)),
        spread(&|run| run.warm(0.99)),
        spread(&Run::per_core),
        counted.map_or_else(|| "–".to_owned(), short),
        spread(&|run| Some(run.peak_kb? as f64 / 1024.0)),
        format!("{:.2}", zip as f64 / 1e6),
        format!("{:.1}", calls as f64 / WARM as f64),
    ]
}

fn plots(contenders: &[Contender], runs: &[Run]) -> Vec<(String, String)> {
    let bars = contenders.iter().filter_map(|of| {
        let peaks = runs.iter().filter(|run| run.contender == of.name).filter_map(|run| run.peak_kb);
        Some((of.name.as_str(), Spread::of(peaks.map(|kb| kb as f64 / 1024.0))?))
    });
    let plot = Plot { title: "Peak RSS on the sample event", unit: "MB", bars: bars.collect() };
    vec![("functions-memory".to_owned(), plot.svg())]
}
