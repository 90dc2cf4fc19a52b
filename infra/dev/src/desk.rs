//! The emulator's front desk: a Python process that sends, listens and counts there for as long as a command runs.

use crate::project::Project;
use crate::python;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

pub(crate) struct Desk {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// An event of the bus.
#[derive(Clone, Deserialize)]
pub(crate) struct Heard {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) detail: Value,
}

impl Desk {
    /// Opens it, and listens to the stack's bus from now on.
    pub(crate) fn open(project: &Project, bus: &str) -> Result<Self> {
        let log = std::fs::File::create(project.log("desk"))?;
        let mut child = python::script(project, "desk.py")
            // Ctrl-C is ours; the process ends when its stdin does.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("desk.py has no stdout")?);
        let mut desk = Self { child, stdin, stdout };
        desk.ask(&json!({"do": "listen", "bus": bus})).context("the event bus cannot be listened to")?;
        Ok(desk)
    }

    pub(crate) fn hear(&mut self) -> Result<Vec<Heard>> {
        Ok(serde_json::from_value(self.ask(&json!({"do": "hear"}))?)?)
    }

    pub(crate) fn send(&mut self, queue: &str, group: &str, messages: &[Value]) -> Result<()> {
        let bodies: Vec<String> = messages.iter().map(Value::to_string).collect();
        let sent = self.ask(&json!({"do": "send", "queue": queue, "group": group, "bodies": bodies}))?;
        if sent != json!(messages.len()) {
            bail!("only {sent} of {} messages were taken by {queue}", messages.len());
        }
        Ok(())
    }

    /// Each queue, and how many messages it holds.
    pub(crate) fn waiting(&mut self) -> Result<BTreeMap<String, u64>> {
        Ok(serde_json::from_value(self.ask(&json!({"do": "waiting"}))?)?)
    }

    /// Lets a function take messages of a queue, or not.
    pub(crate) fn feed(&mut self, function: &str, queue: &str, on: bool) -> Result<()> {
        self.ask(&json!({"do": "feed", "function": function, "queue": queue, "on": on})).map(drop)
    }

    pub(crate) fn record(&mut self, on: bool) -> Result<()> {
        self.ask(&json!({"do": "record", "on": on})).map(drop)
    }

    /// The writes to DynamoDB since recording began, by the name of the call.
    pub(crate) fn writes(&mut self) -> Result<BTreeMap<String, u64>> {
        Ok(serde_json::from_value(self.ask(&json!({"do": "writes"}))?)?)
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        let stdin = self.stdin.as_mut().context("desk.py has no stdin")?;
        writeln!(stdin, "{request}").context("desk.py has ended; its log is desk.log")?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        let mut answer: Value = serde_json::from_str(&line).context("desk.py has ended; its log is desk.log")?;
        match answer.get("failed") {
            Some(failed) => bail!("the emulator: {}", failed.as_str().unwrap_or_default()),
            None => Ok(answer["done"].take()),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
