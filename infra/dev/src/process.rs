//! Child processes: those that are waited for, and those that run beside us.

use crate::step::Progress;
use crate::stop;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Runs a command to its end. Its output goes to the log, its newest line to the screen; a failure shows the log's end.
pub(crate) fn logged(command: &mut Command, log: &Path, progress: &Progress) -> Result<()> {
    let (reader, writer) = std::io::pipe()?;
    let mut file = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
    let mut child = command
        .env("CARGO_TERM_COLOR", "never")
        .env("NO_COLOR", "1")
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("{} could not be started", command.get_program().display()))?;
    // The command keeps the pipe's other ends open until it goes.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        BufReader::new(reader).split(b'\n').map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => {
                let line = String::from_utf8_lossy(&line);
                writeln!(file, "{line}")?;
                progress.say(&line);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if stop::asked() {
            end(&mut child);
            return stop::check();
        }
    }
    if child.wait()?.success() {
        return Ok(());
    }
    bail!("{}\nThe whole log: {}", last_lines(log, 15)?, log.display())
}

/// What a command prints; an error tells what it said of its failure.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("{} could not be started", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Ends one process politely: cargo then ends what it started.
fn end(child: &mut Child) {
    if let Some(id) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(id, Signal::TERM);
    }
    let _ = child.wait();
}

fn last_lines(log: &Path, count: usize) -> Result<String> {
    let text = std::fs::read_to_string(log)?;
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    Ok(lines[lines.len().saturating_sub(count)..].iter().map(|line| format!("    {line}\n")).collect())
}

/// A process that runs beside us, with all its children; it ends when this value goes.
pub(crate) struct Beside {
    pub(crate) child: Child,
}

impl Beside {
    /// Starts it in a process group of its own, so that Ctrl-C reaches us first and everything it starts ends with it.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("{} could not be started", command.get_program().display()))?;
        Ok(Self { child })
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let child = &mut self.child;
        end_group(child.id(), || !matches!(child.try_wait(), Ok(None)));
    }
}

/// Ends a process group: its leader politely, for three seconds at most; then whatever is left, for good.
pub(crate) fn end_group(leader: u32, mut has_ended: impl FnMut() -> bool) {
    let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    let asked = Instant::now();
    let _ = kill_process_group(group, Signal::TERM);
    while !has_ended() && asked.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(30));
    }
    let _ = kill_process_group(group, Signal::KILL);
    has_ended();
}
