//! What one of the laws of the tests' world comes to: it tells in lines of JSON.

use crate::process;
use crate::project::Project;
use crate::step::Progress;
use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

const LOG: &str = "bench-law";

/// Runs a test of `tests/it`, told its size by the environment: what it prints.
pub(super) fn run(project: &Project, test: &str, environment: &[(&str, &str)], progress: &Progress) -> Result<String> {
    let log = project.log(LOG);
    let mut cargo = project.cargo();
    cargo.args(["test", "--workspace", "--test", "it", "--", test, "--exact", "--include-ignored", "--nocapture"]);
    cargo.envs(environment.iter().copied());
    process::logged(&mut cargo, &log, progress).with_context(|| format!("{test} failed: {}", project.shown(&log)))?;
    Ok(std::fs::read_to_string(&log)?)
}

/// The same: its lines of this kind.
pub(super) fn told<T: DeserializeOwned>(
    project: &Project,
    test: &str,
    environment: &[(&str, &str)],
    progress: &Progress,
) -> Result<Vec<T>> {
    let lines = run(project, test, environment, progress)?;
    let told: Vec<T> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    ensure!(!told.is_empty(), "{test} tells nothing of its figures: {}", project.shown(&project.log(LOG)));
    Ok(told)
}
