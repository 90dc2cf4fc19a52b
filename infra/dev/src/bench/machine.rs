//! What it was measured on, and with.

use crate::clock;
use crate::project::Project;
use std::process::Command;

/// One sentence: date, processor, system, compiler, commit.
pub(super) fn sentence(project: &Project) -> String {
    let date = clock::rfc3339(clock::now_ms());
    let date = date.split('T').next().unwrap_or_default().to_owned();
    let commit = said("git", &["-C", &project.root.display().to_string(), "rev-parse", "--short", "HEAD"]);
    let system = said("uname", &["-srm"]);
    let rust = said("rustc", &["--version"]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("Measured on {date} at commit {commit}: {}, {cores} cores, {system}, {rust}.", processor())
}

/// The first line that a command prints; `?` where it is not there.
pub(super) fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).unwrap_or("?").to_owned()
}

/// Its name, as Linux or macOS tells it.
fn processor() -> String {
    let linux = std::fs::read_to_string("/proc/cpuinfo").ok();
    let name = linux.as_deref().and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("model name")).and_then(|line| line.split_once(": "))
    });
    name.map_or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]), |(_, name)| name.to_owned())
}
