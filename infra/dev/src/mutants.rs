//! The mutants: each breaks one of the planner's laws, or the protocol, on purpose. The tests of its package must notice every one.

use crate::process;
use crate::project::Project;
use crate::step::Progress;
use anyhow::{Context, Result, bail};
use std::process::Command;

pub(crate) struct Mutant {
    pub(crate) package: String,
    pub(crate) name: String,
}

/// Every mutant of the workspace, from the manifests of the packages whose tests are to notice them.
pub(crate) fn every(project: &Project) -> Result<Vec<Mutant>> {
    let packages = project.metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let mut mutants = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let listed = package["metadata"]["mutants"].as_array().into_iter().flatten();
        let listed = listed.filter_map(|mutant| mutant.as_str());
        mutants.extend(listed.map(|mutant| Mutant { package: name.to_owned(), name: mutant.to_owned() }));
    }
    Ok(mutants)
}

/// The tests of a package that are to notice its mutants.
fn tests(project: &Project, package: &str) -> Command {
    let mut cargo = project.cargo();
    // What a mutant breaks is no regression to remember.
    cargo.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
    cargo.args(["test", "--package", package, "--lib", "--features", "mutants", "--no-fail-fast"]);
    // Whatever is not decided by the planner is proved elsewhere, and takes longer.
    cargo.args((package == "shared").then_some("planner::"));
    cargo
}

/// Compiles them once, for every mutant.
pub(crate) fn compile(project: &Project, package: &str, progress: &Progress) -> Result<()> {
    let log = project.log(&format!("{package}-mutants"));
    process::logged(tests(project, package).arg("--no-run"), &log, progress).context("the mutants do not compile")
}

/// Succeeds if at least one of the tests fails while the mutant lives. Says how many did, and what the model found broken.
pub(crate) fn is_noticed(project: &Project, mutant: &Mutant, progress: &Progress) -> Result<String> {
    let Mutant { package, name } = mutant;
    let log = project.log(&format!("{package}-mutant-{name}"));
    if process::logged(tests(project, package).env("MUTANT", name), &log, progress).is_ok() {
        bail!("no test noticed {name}. The log: {}", log.display());
    }
    let text = std::fs::read_to_string(&log)?;
    match text.lines().filter(|line| line.starts_with("test ") && line.ends_with("FAILED")).count() {
        0 => bail!("{name} failed otherwise than in a test. The log: {}", log.display()),
        1 => {
            let broken = text.lines().find_map(|line| line.strip_prefix("not so, "));
            Ok(broken.map_or_else(|| "noticed by 1 test".to_owned(), |broken| format!("noticed {broken}")))
        }
        many => Ok(format!("noticed by {many} tests")),
    }
}
