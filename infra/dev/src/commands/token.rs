//! `cargo dev token`: logs somebody in, for a call of the control API.

use crate::people::Person;
use crate::project::Project;
use crate::stack;
use anyhow::Result;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// vera (viewer), oscar (operator) or ada (admin) of the tenant demo, eve of another, or root, who runs the stack
    #[arg(default_value = "ada")]
    person: String,
}

/// Prints the token alone, so that a shell can put it into a header.
pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    println!("{}", Person::log_in(&stack::read(project)?, &args.person)?.token);
    Ok(ExitCode::SUCCESS)
}
