//! The core's steps, each by itself: how long one takes, and what memory it asks for.

use super::figures::{Spread, short};
use super::machine;
use super::page::Section;
use super::planner;
use super::table::Table;
use crate::process;
use crate::project::Project;
use crate::step::step;
use anyhow::Result;
use serde::Deserialize;
use std::process::Command;

/// What one step came to.
#[derive(Deserialize)]
struct Step {
    step: String,
    of: String,
    /// Seconds for one, in each round.
    seconds: Vec<f64>,
    allocations: f64,
    bytes: f64,
}

pub(super) fn measure(project: &Project, rounds: usize) -> Result<Section> {
    let (binary, file) = planner::built(project)?;
    let steps: Vec<Step> = step("Steps timed", |_| {
        let mut command = Command::new(&binary);
        command.arg("core").arg(&file).arg(project.root.join("events")).arg(rounds.to_string());
        let told = serde_json::from_str(&process::output_of(&mut command)?)?;
        Ok((told, format!("{rounds} rounds")))
    })?;
    let mut table = Table::new(&["", "of", "microseconds", "allocations", "bytes"]);
    for Step { step, of, seconds, allocations, bytes } in steps {
        let spread = Spread::of(seconds.iter().map(|seconds| seconds * 1e6));
        let took = spread.map(|spread| spread.to_string()).unwrap_or_default();
        table.rows.push(vec![step, of, took, format!("{allocations:.0}"), short(bytes)]);
    }
    table.print();
    let text = format!(
        "## The core, step by step\n\n{}\n\nEach step ten thousand times in a round, {rounds} rounds, on one core, by the release profile that is deployed; the samples are those of `events`, the records those of the chapter `planner`. \
         Bytes are all that was asked for, not what was held at a time. What is decoded is a copy of the item, which is counted too.\n\n{}",
        machine::sentence(project),
        table.markdown()
    );
    Ok(Section { text, plots: Vec::new() })
}
