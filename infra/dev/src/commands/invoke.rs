//! `cargo dev invoke <function> <event file>`: one invocation, its log and its answer.

use crate::project::Project;
use crate::{python, stack};
use anyhow::{Context, Result};
use console::style;
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// webhook, connect, control, reconcile, outbound, delta-pull, token-refresh, import, journal, watchdog or alert
    function: String,
    /// A JSON file, such as one of events/
    event: PathBuf,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let stack = stack::read(project)?;
    let deployed = stack.functions.get(&args.function).with_context(|| {
        let names: Vec<_> = stack.functions.keys().map(String::as_str).collect();
        format!("no function is called {}: there are {}", args.function, names.join(", "))
    })?;
    let event = args.event.canonicalize().with_context(|| format!("{} cannot be read", args.event.display()))?;
    let answer = python::ask(python::script(project, "invoke.py").arg(deployed).arg(event), &Value::Null, None)?;
    for line in answer["log"].as_str().unwrap_or_default().lines() {
        eprintln!("{}", style(line).dim());
    }
    println!("{:#}", answer["payload"]);
    Ok(if answer["failed"] == true { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
