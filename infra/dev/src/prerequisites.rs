//! What must be on the machine before anything is installed or built; asked first, so that nobody waits to hear it.

use crate::project::Project;
use crate::python;
use anyhow::{Result, bail};
use std::process::Command;

/// Gigabytes that the build and the emulator take below the target directory.
const DISK_GB: u64 = 4;

/// Checks everything at once and names all that is missing.
pub(crate) fn check(project: &Project) -> Result<String> {
    let python = python::interpreter();
    let compiler = runs("cc", &["--version"]);
    let free = free_gigabytes(project);
    let mut missing = Vec::new();
    if python.is_none() {
        missing.push("Python 3.10 or newer with venv. Debian, Ubuntu: sudo apt install python3-venv (40 MB, a minute); macOS: xcode-select --install, or brew install python");
    }
    if !compiler {
        missing.push("a C compiler called cc. Debian, Ubuntu: sudo apt install gcc libc6-dev (150 MB, two minutes); Fedora: sudo dnf install gcc; macOS: xcode-select --install");
    }
    let disk;
    if let Some(free) = free.filter(|free| *free < DISK_GB) {
        disk = format!(
            "{DISK_GB} GB of free disk: {} has {free} GB. CARGO_TARGET_DIR may point elsewhere",
            project.target.display()
        );
        missing.push(&disk);
    }
    if !missing.is_empty() {
        bail!("this machine still needs:\n  - {}\nThen run the same command again.", missing.join("\n  - "));
    }
    let disk = free.map(|free| format!(", {free} GB free")).unwrap_or_default();
    Ok(format!("Python {}, cc{disk}", python.map(|found| found.version).unwrap_or_default()))
}

pub(crate) fn runs(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

/// Free space where the target directory lies, as POSIX `df -Pk` tells it; none if it cannot be asked.
fn free_gigabytes(project: &Project) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(&project.dev).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let kilobytes: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kilobytes / 1_048_576)
}
