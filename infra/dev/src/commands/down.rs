//! `cargo dev down`: stops what `up` started in another terminal.

use crate::project::Project;
use crate::session;
use anyhow::Result;
use std::process::ExitCode;

pub(crate) fn run(project: &Project) -> Result<ExitCode> {
    println!("{}", if session::end(project)? { "The stack is down." } else { "No stack was up." });
    Ok(ExitCode::SUCCESS)
}
