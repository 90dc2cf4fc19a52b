//! `cargo dev bench`: how fast and how small it is, beside what people would use instead.

use crate::bench::{self, Chapter};
use crate::project::Project;
use anyhow::Result;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these chapters; the others stay in BENCHMARKS.md as they are
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Chapter>,
    /// How often each contender takes its turn
    #[arg(long, default_value_t = 9)]
    rounds: usize,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    bench::run(project, &args.only, args.rounds)?;
    Ok(ExitCode::SUCCESS)
}
