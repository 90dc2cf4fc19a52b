//! How long the planner takes to decide about ten thousand records, beside a program that does it with Jinja2.

use super::figures::Spread;
use super::machine;
use super::page::Section;
use super::plot::Plot;
use super::table::Table;
use crate::process;
use crate::project::Project;
use crate::python::BENCH;
use crate::step::step;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Command;

/// What one of them told.
#[derive(Deserialize)]
struct Told {
    records: u32,
    /// Of each round.
    seconds: Vec<f64>,
    /// Per record; Python does not count them.
    allocations: Option<f64>,
    bytes: Option<f64>,
    lacking: u32,
    taken: u32,
}

const NAMES: [&str; 2] = ["Rust, the planner", "Python, with Jinja2"];

pub(super) fn measure(project: &Project, rounds: usize) -> Result<Section> {
    BENCH.install(project)?;
    let (binary, file) = built(project)?;
    let mut told: [Vec<Told>; 2] = [Vec::new(), Vec::new()];
    // One after the other, again and again, so that a busy machine is as busy for both.
    step("Decided about", |progress| {
        for round in 1..=rounds {
            progress.say(&format!("round {round} of {rounds}"));
            told[0].push(read(Command::new(&binary).arg("run").arg(&file).arg("1"))?);
            let mut python = Command::new(BENCH.program(project, "python"));
            told[1].push(read(python.arg(project.source("bench/plan.py")).arg(&file).arg("1"))?);
        }
        Ok(((), format!("{rounds} rounds each")))
    })?;
    let counts = |told: &Told| (told.records, told.lacking, told.taken);
    let (records, lacking, taken) = told[0].first().map(counts).context("no round was run")?;
    if told.iter().flatten().any(|told| counts(told) != (records, lacking, taken)) {
        bail!("the two do not decide alike: {:?}", told.iter().flatten().map(counts).collect::<Vec<_>>());
    }
    let speeds = told.each_ref().map(|told| speeds(told));
    let mut table = Table::new(&["", "records per second", "memory, per record"]);
    for ((name, told), speed) in NAMES.iter().zip(&told).zip(&speeds) {
        let speed = speed.map(|speed| speed.to_string()).unwrap_or_default();
        table.rows.push(vec![(*name).to_owned(), speed, memory(told)]);
    }
    table.print();
    let text = format!(
        "## The planner\n\n{}\n\n{records} records by the same rules: each is rendered, compared with what was agreed and with what the CRM shows. Both decide alike: {lacking} changes to be sent, \
         {taken} to be taken over. {rounds} rounds.\n\n{}",
        machine::sentence(project),
        table.markdown()
    );
    let bars = NAMES.into_iter().zip(speeds).filter_map(|(name, speed)| Some((name, speed?)));
    let plot = Plot { title: "Records decided about", unit: "per second", bars: bars.collect() };
    Ok(Section { text, plots: vec![("planner".to_owned(), plot.svg())] })
}

/// The program, and the file of records that it decides about.
pub(super) fn built(project: &Project) -> Result<(PathBuf, PathBuf)> {
    let binary = step("Benchmark built", |progress| {
        let mut cargo = project.cargo();
        cargo.args(["build", "--release", "--package", "bench"]);
        process::logged(&mut cargo, &project.log("bench-build"), progress)?;
        let binary = project.target.join("release/bench");
        Ok((binary.clone(), project.shown(&binary)))
    })?;
    let file = project.dev.join("bench.json");
    process::output_of(Command::new(&binary).arg("data").arg(&file))?;
    Ok((binary, file))
}

fn speeds(told: &[Told]) -> Option<Spread> {
    Spread::of(told.iter().flat_map(|told| told.seconds.iter().map(|seconds| f64::from(told.records) / seconds)))
}

fn memory(told: &[Told]) -> String {
    let memory = told.first().and_then(|told| Some((told.allocations?, told.bytes?)));
    memory.map_or_else(|| "–".to_owned(), |(count, bytes)| format!("{count:.0} allocations, {bytes:.0} bytes"))
}

fn read(command: &mut Command) -> Result<Told> {
    Ok(serde_json::from_str(&process::output_of(command)?)?)
}
