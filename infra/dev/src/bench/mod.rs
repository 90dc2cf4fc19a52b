//! What `cargo dev bench` measures, chapter by chapter.

mod figures;
mod functions;
mod gauge;
mod instructions;
mod machine;
mod page;
mod peers;
mod planner;
mod plot;
mod table;
mod webhook;

use crate::project::Project;
use anyhow::Result;

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub(crate) enum Chapter {
    /// The webhook function beside the same work in Python and Node.js, under a bare Runtime API
    Webhook,
    /// Every function on its sample event
    Functions,
    /// Decisions about ten thousand records, beside a program with Jinja2
    Planner,
}

/// Measures, shows, and writes the chapters into BENCHMARKS.md; what was not measured stays as it is there.
pub(crate) fn run(project: &Project, chapters: &[Chapter], rounds: usize) -> Result<()> {
    let has = |chapter: Chapter| chapters.is_empty() || chapters.contains(&chapter);
    if has(Chapter::Webhook) || has(Chapter::Functions) {
        let built = gauge::build(project)?;
        if has(Chapter::Webhook) {
            page::write(project, "webhook", &webhook::measure(project, &built, rounds)?)?;
        }
        if has(Chapter::Functions) {
            page::write(project, "functions", &functions::measure(project, &built, rounds)?)?;
        }
    }
    if has(Chapter::Planner) {
        page::write(project, "planner", &planner::measure(project, rounds)?)?;
    }
    Ok(())
}
