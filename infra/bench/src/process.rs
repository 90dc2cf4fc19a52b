//! A function's process: on a core of its own, and what the system says of it.

use crate::plan::Contender;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    fs::File,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Which core a thread keeps to, so that the one who is measured and the one who measures do not disturb each other.
#[derive(Clone, Copy)]
pub enum Core {
    Ours,
    Theirs,
}

/// Keeps this thread, and what it starts, to a core. Where there is only one, or the system knows no such thing, nothing happens.
#[cfg(target_os = "linux")]
pub fn keep_to(core: Core) -> Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let cores = std::thread::available_parallelism().map_or(1, usize::from).max(cores());
    if cores > 1 {
        let mut set = CpuSet::new();
        set.set(match core {
            Core::Ours => 0,
            Core::Theirs => cores - 1,
        });
        sched_setaffinity(None, &set)?;
    }
    Ok(())
}

/// All there are: what this thread may use is fewer, once it keeps to one.
#[cfg(target_os = "linux")]
fn cores() -> usize {
    std::fs::read_to_string("/proc/cpuinfo").map_or(1, |text| text.matches("\nprocessor").count() + 1)
}

#[cfg(not(target_os = "linux"))]
pub fn keep_to(_: Core) -> Result<()> {
    Ok(())
}

/// A started function; it ends when this value goes.
pub struct Function {
    child: Child,
    log: PathBuf,
    pub started: Instant,
}

impl Function {
    pub fn start(contender: &Contender, environment: &BTreeMap<String, String>) -> Result<Function> {
        let log =
            File::create(&contender.log).with_context(|| format!("{} cannot be written", contender.log.display()))?;
        let (program, arguments) = contender.command.split_first().context("a contender without a command")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&contender.folder).env_clear().envs(environment);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        keep_to(Core::Theirs)?;
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("{program} could not be started"));
        keep_to(Core::Ours)?;
        Ok(Function { child: child?, log: contender.log.clone(), started })
    }

    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Seconds of processor time so far.
    pub fn cpu_s(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // proc(5): after the name in brackets, utime and stime are the 12th and 13th.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
        let mut ticks = || fields.next()?.parse::<f64>().ok();
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        Some((ticks()? + ticks()?) / per_second)
    }

    /// What it wrote to its log so far.
    pub fn log_bytes(&self) -> u64 {
        self.log.metadata().map_or(0, |log| log.len())
    }

    /// Kilobytes that were resident at the most.
    pub fn peak_kb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Asks it to end: what counts its instructions then writes them down.
    pub fn end(&mut self) {
        let asked = Instant::now();
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::TERM);
        }
        while !self.has_ended() && asked.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.end();
    }
}
