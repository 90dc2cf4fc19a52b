//! The `operator` command, in the environment of the running stack.

use crate::project::Project;
use crate::stack::Stack;
use crate::{emulator, functions};
use anyhow::{Context, Result, ensure};
use std::io::Write;
use std::process::{Command, Stdio};

pub(crate) const PACKAGE: &str = "operator";

pub(crate) fn command(project: &Project, stack: &Stack) -> Command {
    let mut command = Command::new(functions::binary(project, PACKAGE));
    command
        .env("AWS_ENDPOINT_URL", &stack.aws.endpoint)
        .env("AWS_REGION", &stack.aws.region)
        .env("AWS_ACCESS_KEY_ID", &stack.aws.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &stack.aws.secret_access_key)
        .env("STATE_TABLE", &stack.tables.state)
        .env("HISTORY_TABLE", &stack.tables.history)
        .env("CHANGES_QUEUE_URL", &stack.queues.changes)
        .env("SYNC_REQUESTS_QUEUE_URL", &stack.queues.sync_requests)
        .env("PUSHES_QUEUE_URL", &stack.queues.pushes)
        .env("PULLS_QUEUE_URL", &stack.queues.pulls)
        .env("IMPORTS_QUEUE_URL", &stack.queues.imports)
        .env("FILES_BUCKET", &stack.files)
        .env("EVENT_BUS", &stack.event_bus)
        .env("SECRET_PREFIX", emulator::STACK)
        .env("PUBLIC_URL", &stack.api)
        .env("CRM_URL", &stack.simulator)
        .env("RUST_LOG", "warn");
    command
}

/// What the command prints.
pub(crate) fn ask(project: &Project, stack: &Stack, arguments: &[&str]) -> Result<String> {
    answer(&mut command(project, stack), arguments, "")
}

/// The same, with something on its standard input.
pub(crate) fn tell(project: &Project, stack: &Stack, arguments: &[&str], input: &str) -> Result<String> {
    answer(&mut command(project, stack), arguments, input)
}

fn answer(command: &mut Command, arguments: &[&str], input: &str) -> Result<String> {
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the operator command cannot be started")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "operator {} failed: {said}", arguments.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}
