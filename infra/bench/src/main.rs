//! Functions as Lambda would see them: each is started under a bare Runtime API, with stubs of AWS that answer at once, and timed.
//!
//! A plan in JSON comes on standard input, the runs go to standard output, and progress to standard error.

mod event;
mod plan;
mod process;
mod run;
mod runtime;
mod stub;

use anyhow::{Context, Result};
use plan::Plan;
use std::io::{self, Write};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    process::keep_to(process::Core::Ours)?;
    let plan: Plan = serde_json::from_reader(io::stdin().lock()).context("no plan on standard input")?;
    let runs = run::all(&plan).await?;
    serde_json::to_writer(io::stdout().lock(), &runs)?;
    Ok(io::stdout().flush()?)
}
