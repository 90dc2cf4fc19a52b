//! The functions' binaries for this machine, laid out as Lambda wants them: `<target>/dev/dist/<function>/bootstrap`.

use crate::process;
use crate::project::Project;
use crate::step::step;
use anyhow::{Context, Result};
use std::path::PathBuf;

pub(crate) const FUNCTIONS: &[&str] = &["webhook", "reconcile", "outbound", "delta-pull", "token-refresh", "journal"];

/// The cargo profile of everything that `up` builds.
const PROFILE: &str = "quick";

/// Builds the functions, and further packages that run beside them, in one go.
pub(crate) fn build(project: &Project, beside: &[&str]) -> Result<()> {
    step("Functions built", |progress| {
        let mut cargo = project.cargo();
        cargo.args(["build", "--profile", PROFILE]);
        for package in FUNCTIONS.iter().chain(beside) {
            cargo.args(["--package", package]);
        }
        let log = project.log("build");
        process::logged(&mut cargo, &log, progress).context("the build failed")?;
        let mut bytes = 0;
        for function in FUNCTIONS {
            let folder = dist(project).join(function);
            std::fs::create_dir_all(&folder)?;
            bytes += std::fs::copy(binary(project, function), folder.join("bootstrap"))?;
        }
        Ok(((), format!("{} binaries, {} MB", FUNCTIONS.len(), bytes / 1_000_000)))
    })
}

pub(crate) fn dist(project: &Project) -> PathBuf {
    project.dev.join("dist")
}

pub(crate) fn binary(project: &Project, name: &str) -> PathBuf {
    project.target.join(PROFILE).join(name)
}
