//! What `cargo dev bench` measures, chapter by chapter.

mod connectors;
mod core;
mod cost;
mod crm;
mod figures;
mod functions;
mod gauge;
mod growth;
mod instructions;
mod law;
mod machine;
mod ours;
mod page;
mod pages;
mod peers;
mod planner;
mod plot;
mod pulls;
mod pushes;
mod reliability;
mod rush;
mod table;
mod webhook;

use crate::project::Project;
use anyhow::Result;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub(crate) enum Chapter {
    /// The webhook function beside the same work in Python and Node.js, under a bare Runtime API
    Webhook,
    /// Every function on its sample event
    Functions,
    /// The dashboard's pages, of the function alone
    Pages,
    /// The core's steps, each by itself
    Core,
    /// Decisions about ten thousand records, beside a program with Jinja2
    Planner,
    /// What each kind of event is billed, and a month's bill; needs the emulator
    Cost,
    /// What others use to pull a CRM's contacts, against the simulator
    Pulls,
    /// From a thousand records of one tenant to a million
    Growth,
    /// Ten thousand people brought to each CRM within its limits, and what others use; needs the emulator
    Pushes,
    /// What arrives by itself where calls fail, and when; needs the emulator
    Reliability,
}

impl Chapter {
    /// The functions that it starts.
    fn functions(self) -> &'static [&'static str] {
        match self {
            Chapter::Webhook => &["webhook"],
            Chapter::Functions => gauge::all(),
            Chapter::Pages => &["control"],
            Chapter::Pulls | Chapter::Growth => &["delta-pull"],
            Chapter::Core | Chapter::Planner | Chapter::Pushes | Chapter::Reliability | Chapter::Cost => &[],
        }
    }
}

const ALL: [Chapter; 10] = [
    Chapter::Webhook,
    Chapter::Functions,
    Chapter::Pages,
    Chapter::Core,
    Chapter::Planner,
    Chapter::Pulls,
    Chapter::Growth,
    Chapter::Pushes,
    Chapter::Reliability,
    Chapter::Cost,
];

/// Measures, shows, and writes the chapters into BENCHMARKS.md; what was not measured stays as it is there.
pub(crate) fn run(project: &Project, chapters: &[Chapter], rounds: usize) -> Result<()> {
    let chapters = if chapters.is_empty() { &ALL } else { chapters };
    let functions: BTreeSet<&str> = chapters.iter().flat_map(|chapter| chapter.functions()).copied().collect();
    let functions: Vec<&str> = functions.into_iter().collect();
    let built = || gauge::build(project, &functions);
    for chapter in chapters {
        let (name, section) = match chapter {
            Chapter::Webhook => ("webhook", webhook::measure(project, &built()?, rounds)?),
            Chapter::Functions => ("functions", functions::measure(project, &built()?, rounds)?),
            Chapter::Pages => ("pages", pages::measure(project, &built()?, rounds)?),
            Chapter::Core => ("core", core::measure(project, rounds)?),
            Chapter::Planner => ("planner", planner::measure(project, rounds)?),
            Chapter::Cost => ("cost", cost::measure(project)?),
            Chapter::Pulls => ("pulls", pulls::measure(project, &built()?, rounds)?),
            Chapter::Growth => ("growth", growth::measure(project, &built()?)?),
            Chapter::Pushes => ("pushes", pushes::measure(project)?),
            Chapter::Reliability => ("reliability", reliability::measure(project)?),
        };
        page::write(project, name, &section)?;
    }
    Ok(())
}
