//! The functions' logs: kept in a file, and searched for what must never be in them.

use super::scene::Scene;
use crate::project::Project;
use crate::{http, python};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::process::Stdio;

/// Keeps the functions' logs, and in `calls.json` the newest calls to the CRMs; the emulator and the simulator keep their own.
pub(super) fn keep_all(scene: &Scene<'_>) -> Result<()> {
    keep(scene.project)?;
    let calls = http::get(&format!("{}/_sim/log?last=5000", scene.stack.simulator))?;
    Ok(std::fs::write(scene.project.log("calls").with_extension("json"), calls)?)
}

/// Copies every line of every function into `functions.log`; the emulator's own are in `emulator.log` already.
fn keep(project: &Project) -> Result<()> {
    let file = File::create(project.log("functions"))?;
    let status = python::script(project, "logs.py").arg("keep").stdin(Stdio::null()).stdout(file).status()?;
    if status.success() { Ok(()) } else { bail!("the functions' logs cannot be read") }
}

/// No function was denied anything by its policies.
pub(super) fn tell_of_no_denial(scene: &Scene<'_>) -> Result<String> {
    keep(scene.project)?;
    let log = scene.project.log("functions");
    let text = std::fs::read_to_string(&log)?;
    match text.lines().find(|line| line.contains(DENIED)) {
        Some(line) => {
            bail!("expected  no call to AWS that is denied\n  found     {line}\n  logs      {}", log.display())
        }
        None => Ok(format!("{} lines", text.lines().count())),
    }
}

/// What every service calls it, with or without `Exception` behind it.
pub(crate) const DENIED: &str = "AccessDenied";

/// No secret, no e-mail address, no phone and no name of this story is in any line. Answers how many lines there are.
pub(super) fn tell_no_secret(scene: &Scene<'_>) -> Result<usize> {
    keep(scene.project)?;
    let log = scene.project.log("functions");
    let text = std::fs::read_to_string(&log)?;
    let mut canaries = vec![
        "@example.com",
        "+14155",
        "4155550",
        "Hopper",
        "Byron",
        "access_token\":\"",
        "refresh-token",
        "client-secret",
    ];
    canaries.extend(scene.stack.connections.iter().map(|connection| connection.webhook_secret.as_str()));
    for (number, line) in text.lines().enumerate() {
        if let Some(canary) = canaries.iter().find(|canary| line.contains(**canary)) {
            bail!(
                "expected  no personal data and no secret in any log\n  found     {canary:?} in line {} of {}",
                number + 1,
                log.display()
            );
        }
    }
    let lines = text.lines().count();
    (lines > 0).then_some(lines).context("the functions have logged nothing at all")
}
