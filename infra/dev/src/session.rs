//! Who is up: a lock that dies with its holder, and the processes to clear away should the holder have been killed.

use crate::process;
use crate::project::Project;
use crate::stack;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Held by `up` for as long as it is up.
pub(crate) struct Session {
    _lock: File,
    folder: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
struct Processes {
    up: u32,
    /// Leaders of the process groups that `up` started.
    beside: Vec<u32>,
}

impl Session {
    /// None if another `up` holds it. What a killed one left running is ended first.
    pub(crate) fn begin(project: &Project) -> Result<Option<Self>> {
        let Some(lock) = lock(project)? else { return Ok(None) };
        end_leftovers(project);
        let session = Self { _lock: lock, folder: project.dev.clone() };
        session.started(&[])?;
        Ok(Some(session))
    }

    /// Remembers what runs beside us.
    pub(crate) fn started(&self, beside: &[u32]) -> Result<()> {
        let processes = Processes { up: std::process::id(), beside: beside.to_vec() };
        Ok(std::fs::write(self.folder.join("processes.json"), serde_json::to_vec(&processes)?)?)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for file in ["stack.json", "processes.json", "emulator.json"] {
            let _ = std::fs::remove_file(self.folder.join(file));
        }
    }
}

/// The lock that says who is up. None if it is held.
fn lock(project: &Project) -> Result<Option<File>> {
    let file = File::options().create(true).truncate(false).write(true).open(project.dev.join("up.lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).context("up.lock cannot be locked"),
    }
}

pub(crate) fn is_up(project: &Project) -> Result<bool> {
    Ok(lock(project)?.is_none())
}

/// Ends the `up` that holds the lock, and waits until it is gone. False if there was none.
pub(crate) fn end(project: &Project) -> Result<bool> {
    if Session::begin(project)?.is_some() {
        return Ok(false);
    }
    let up = i32::try_from(processes(project).up)
        .ok()
        .and_then(Pid::from_raw)
        .context("processes.json does not say who is up")?;
    kill_process(up, Signal::TERM).context("the running `cargo dev up` could not be told to stop")?;
    let asked = Instant::now();
    while Session::begin(project)?.is_none() {
        if asked.elapsed() > Duration::from_secs(15) {
            bail!("`cargo dev up` (process {}) did not stop within 15 seconds", up.as_raw_nonzero());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(true)
}

fn processes(project: &Project) -> Processes {
    std::fs::read(project.dev.join("processes.json"))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

/// Ends the groups of an `up` that was killed, if they are still what they were: ids are reused.
fn end_leftovers(project: &Project) {
    for leader in processes(project).beside {
        if is_ours(project, leader) {
            process::end_group(leader, || !is_ours(project, leader));
        }
    }
    let _ = std::fs::remove_file(stack::path(project));
}

/// True while the process lives and runs from below our target directory.
fn is_ours(project: &Project, id: u32) -> bool {
    Command::new("ps")
        .args(["-ww", "-o", "args=", "-p", &id.to_string()])
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&*project.target.to_string_lossy()))
}
