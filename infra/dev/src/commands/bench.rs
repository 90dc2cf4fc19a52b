//! `cargo dev bench`: how long the planner takes to decide about ten thousand records, beside a program that does it with Jinja2.

use crate::process;
use crate::project::Project;
use crate::python::BENCH;
use crate::step::step;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often each of the two decides about all records
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

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

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    BENCH.install(project)?;
    let binary = step("Benchmark built", |progress| {
        let mut cargo = project.cargo();
        cargo.args(["build", "--release", "--package", "bench"]);
        process::logged(&mut cargo, &project.log("bench-build"), progress)?;
        let binary = project.target.join("release/bench");
        Ok((binary.clone(), project.shown(&binary)))
    })?;
    let file = project.dev.join("bench.json");
    ask(Command::new(&binary).arg("data").arg(&file))?;
    let mut told: [Vec<Told>; 2] = [Vec::new(), Vec::new()];
    // One after the other, again and again, so that a busy machine is as busy for both.
    step("Decided about", |progress| {
        for round in 1..=args.rounds {
            progress.say(&format!("round {round} of {}", args.rounds));
            told[0].push(read(Command::new(&binary).arg("run").arg(&file).arg("1"))?);
            let mut python = Command::new(BENCH.program(project, "python"));
            told[1].push(read(python.arg(project.source("bench/plan.py")).arg(&file).arg("1"))?);
        }
        Ok(((), format!("{} rounds each", args.rounds)))
    })?;
    let counts = |told: &Told| (told.records, told.lacking, told.taken);
    let first = told[0].first().map(counts).context("no round was run")?;
    if told.iter().flatten().any(|told| counts(told) != first) {
        bail!("the two do not decide alike: {:?}", told.iter().flatten().map(counts).collect::<Vec<_>>());
    }
    let (records, lacking, taken) = first;
    println!("\n  {records} records: {lacking} changes to be sent, {taken} to be taken over, by both\n");
    println!("  {:<28}{:>14}{:>14}{:>14}{:>18}", "records per second", "slowest", "median", "fastest", "per record");
    for (name, told) in ["Rust, the planner", "Python, with Jinja2"].iter().zip(&told) {
        println!("  {name:<28}{}", line(told));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(told: &[Told]) -> String {
    let mut speeds: Vec<f64> =
        told.iter().flat_map(|told| told.seconds.iter().map(|seconds| f64::from(told.records) / seconds)).collect();
    speeds.sort_by(f64::total_cmp);
    let at = |place: usize| speeds.get(place).copied().unwrap_or_default();
    let memory = told.first().and_then(|told| Some((told.allocations?, told.bytes?)));
    let memory = memory.map_or_else(String::new, |(count, bytes)| format!("{count:.0} allocations, {bytes:.0} bytes"));
    let figures = [at(0), at(speeds.len() / 2), at(speeds.len().saturating_sub(1))];
    let figures: String = figures.iter().map(|speed| format!("{speed:>14.0}")).collect();
    format!("{figures}    {memory}")
}

fn ask(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("{} could not be started", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn read(command: &mut Command) -> Result<Told> {
    Ok(serde_json::from_str(&ask(command)?)?)
}
