//! What `cargo dev bench` measures, chapter by chapter.

mod figures;
mod functions;
mod gauge;
mod instructions;
mod machine;
mod page;
mod pages;
mod peers;
mod planner;
mod plot;
mod table;
mod webhook;

use crate::project::Project;
use crate::step::step;
use anyhow::Result;

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub(crate) enum Chapter {
    /// The webhook function beside the same work in Python and Node.js, and every function on its sample event
    Lambda,
    /// The dashboard's pages, of the function alone
    Pages,
    /// Decisions about ten thousand records, beside a program with Jinja2
    Planner,
}

/// Measures, shows, and writes the chapters into BENCHMARKS.md; what was not measured stays as it is there.
pub(crate) fn run(project: &Project, chapters: &[Chapter], rounds: usize) -> Result<()> {
    let mut sections = Vec::new();
    let has = |chapter: Chapter| chapters.is_empty() || chapters.contains(&chapter);
    let functions = if has(Chapter::Lambda) { gauge::all() } else { &["control"] };
    let measures_functions = has(Chapter::Lambda) || has(Chapter::Pages);
    let built = measures_functions.then(|| gauge::build(project, functions)).transpose()?;
    if let Some(built) = built.as_ref().filter(|_| has(Chapter::Lambda)) {
        sections.push(("webhook", webhook::measure(project, built, rounds)?));
        sections.push(("functions", functions::measure(project, built, rounds)?));
    }
    if let Some(built) = built.as_ref().filter(|_| has(Chapter::Pages)) {
        sections.push(("pages", pages::measure(project, built, rounds)?));
    }
    if has(Chapter::Planner) {
        sections.push(("planner", planner::measure(project, rounds)?));
    }
    step("Results written", |_| Ok(((), page::write(project, &sections)?)))
}
