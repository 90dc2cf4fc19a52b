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

#[derive(clap::Args)]
pub(crate) struct Replay {
    /// A JSON file in a folder that is called as its function, such as events/webhook/hubspot.json
    event: PathBuf,
}

pub(crate) fn replay(project: &Project, Replay { event }: Replay) -> Result<ExitCode> {
    let folder = event.parent().and_then(|folder| folder.file_name()).and_then(|name| name.to_str());
    let function = folder.context("the file lies in no folder that is called as a function")?.to_owned();
    run(project, &Args { function, event })
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
