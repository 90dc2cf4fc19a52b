//! Instructions per event, counted by callgrind: the difference of two runs, so that starting counts for nothing.

use super::gauge::{self, Built, Contender};
use crate::prerequisites::runs;
use crate::project::Project;
use crate::step::Progress;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// What to do where it is absent.
pub(super) const ABSENT: &str =
    "Instructions were not counted: valgrind is not installed (https://valgrind.org, or apt install valgrind).";

pub(super) fn is_there() -> bool {
    runs("valgrind", &["--version"])
}

/// What an event takes, by a run of few events and one of many.
pub(super) fn per_event(
    project: &Project,
    built: &Built,
    of: &Contender,
    [few, many]: [usize; 2],
    progress: &Progress,
) -> Result<f64> {
    let more = total(project, built, of, many, progress)? - total(project, built, of, few, progress)?;
    Ok(more / (many - few) as f64)
}

fn total(project: &Project, built: &Built, of: &Contender, warm: usize, progress: &Progress) -> Result<f64> {
    let file: PathBuf = project.dev.join("bench/callgrind.out");
    let out = format!("--callgrind-out-file={}", file.display());
    // Code that is made while it runs is looked at again where it changes.
    let valgrind = ["/usr/bin/env", "valgrind", "--tool=callgrind", "--smc-check=all-non-file", &out];
    let command = valgrind.iter().map(|part| (*part).to_owned()).chain(of.command.clone()).collect();
    built.run(&[Contender { command, warm, ..of.clone() }], &gauge::tables(project), 1, progress)?;
    let text = std::fs::read_to_string(&file)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(total.context("callgrind counted nothing")?.trim().parse()?)
}
