//! `cargo dev logs [function]`: new log lines of the running stack, until Ctrl-C.

use crate::project::Project;
use crate::{python, stack};
use anyhow::Result;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this function
    function: Option<String>,
}

pub(crate) fn run(project: &Project, args: Args) -> Result<ExitCode> {
    stack::read(project)?;
    // The script takes our place, so that Ctrl-C ends it.
    Err(python::script(project, "logs.py").arg("follow").args(args.function).exec().into())
}
