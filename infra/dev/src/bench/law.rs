//! What one of the laws of the tests' world comes to: it tells in lines of JSON.

use crate::process;
use crate::project::Project;
use crate::step::Progress;
use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

/// Runs a test of `tests/it`, told its size by the environment, and reads what it prints.
pub(super) fn run<T>(
    project: &Project,
    test: &str,
    environment: &[(&str, &str)],
    progress: &Progress,
    read: impl FnOnce(&str) -> Vec<T>,
) -> Result<Vec<T>> {
    let log = project.log("bench-law");
    let mut cargo = project.cargo();
    cargo.args(["test", "--workspace", "--test", "it", "--", test, "--exact", "--include-ignored", "--nocapture"]);
    cargo.envs(environment.iter().copied());
    process::logged(&mut cargo, &log, progress).with_context(|| format!("{test} failed: {}", project.shown(&log)))?;
    let told = read(&std::fs::read_to_string(&log)?);
    ensure!(!told.is_empty(), "{test} tells nothing: {}", project.shown(&log));
    Ok(told)
}

/// The same: its lines of this kind.
pub(super) fn told<T: DeserializeOwned>(
    project: &Project,
    test: &str,
    environment: &[(&str, &str)],
    progress: &Progress,
) -> Result<Vec<T>> {
    let of_kind = |lines: &str| lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    run(project, test, environment, progress, of_kind)
}
