//! The functions' binaries for this machine, laid out as Lambda wants them: `<target>/dev/dist/<function>/bootstrap`.

use crate::process;
use crate::project::Project;
use crate::step::step;
use anyhow::{Context, Result};
use std::path::PathBuf;

pub(crate) const FUNCTIONS: &[&str] = &[
    "webhook",
    "connect",
    "control",
    "reconcile",
    "outbound",
    "delta-pull",
    "token-refresh",
    "import",
    "journal",
    "watchdog",
    "alert",
];

/// The cargo profile of everything that `up` builds.
const PROFILE: &str = "quick";

/// Builds the functions, unless SAM did, and further packages that run beside them, in one go.
pub(crate) fn build(project: &Project, beside: &[&str], by_sam: bool) -> Result<()> {
    step("Functions built", |progress| {
        let mut cargo = project.cargo();
        cargo.args(["build", "--profile", PROFILE]);
        let ours = if by_sam { &[] } else { FUNCTIONS };
        for package in ours.iter().chain(beside) {
            cargo.args(["--package", package]);
        }
        let log = project.log("build");
        process::logged(&mut cargo, &log, progress).context("the build failed")?;
        let mut bytes = 0;
        for function in FUNCTIONS {
            let folder = dist(project).join(function);
            std::fs::create_dir_all(&folder)?;
            let built = if by_sam { sams(project, function) } else { binary(project, function) };
            bytes += std::fs::copy(&built, folder.join("bootstrap"))
                .with_context(|| format!("{} is missing", built.display()))?;
        }
        Ok(((), format!("{} binaries, {} MB", FUNCTIONS.len(), bytes / 1_000_000)))
    })
}

/// Builds functions as they are deployed, for this machine, and further packages with them; where all of them are.
pub(crate) fn release(project: &Project, packages: &[&str]) -> Result<PathBuf> {
    step("Functions built for release", |progress| {
        let mut cargo = project.cargo();
        cargo.args(["build", "--release"]);
        for package in packages {
            cargo.args(["--package", package]);
        }
        process::logged(&mut cargo, &project.log("bench-build"), progress).context("the build failed")?;
        let folder = project.target.join("release");
        Ok((folder.clone(), project.shown(&folder)))
    })
}

/// Builds one package that a benchmark runs beside what it measures.
pub(crate) fn quick(project: &Project, package: &str) -> Result<()> {
    step("Simulator built", |progress| {
        let mut cargo = project.cargo();
        cargo.args(["build", "--profile", PROFILE, "--package", package]);
        process::logged(&mut cargo, &project.log("bench-build"), progress).context("the build failed")?;
        Ok(((), project.shown(&binary(project, package))))
    })
}

/// Where `sam build` leaves a function: under its name in template.yaml.
fn sams(project: &Project, function: &str) -> PathBuf {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let logical: String = function.split('-').map(capital).collect();
    project.root.join(".aws-sam/build").join(logical).join("bootstrap")
}

pub(crate) fn dist(project: &Project) -> PathBuf {
    project.dev.join("dist")
}

pub(crate) fn binary(project: &Project, name: &str) -> PathBuf {
    project.target.join(PROFILE).join(name)
}
