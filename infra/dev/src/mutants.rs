//! The mutants: each breaks one of the planner's laws, or the protocol, on purpose. The tests of its package must notice every one.

use crate::process;
use crate::project::Project;
use crate::step::Progress;
use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use std::process::Command;

pub(crate) struct Mutant {
    pub(crate) package: String,
    pub(crate) name: String,
    /// Which tests are to notice it: what is not decided there is proved elsewhere, and takes longer.
    noticed_by: String,
}

/// Every mutant of the workspace, from the manifests of the packages whose tests are to notice them.
pub(crate) fn every(project: &Project) -> Result<Vec<Mutant>> {
    let packages = project.metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let mut mutants = Vec::new();
    for package in packages {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let listed = &package["metadata"]["mutants"];
        let (package, noticed_by) = (text(&package["name"]), text(&listed["noticed_by"]));
        let one = |name| Mutant { package: package.clone(), name: text(name), noticed_by: noticed_by.clone() };
        mutants.extend(listed["names"].as_array().into_iter().flatten().map(one));
    }
    Ok(mutants)
}

/// The tests that are to notice it. They are those of the whole workspace, so that nothing is compiled for it.
fn tests(project: &Project, mutant: &Mutant) -> Command {
    let mut cargo = project.cargo();
    // What a mutant breaks is no regression to remember.
    cargo.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true").env("MUTANT", &mutant.name);
    cargo.args(["test", "--workspace", "--lib", "--no-fail-fast", &mutant.noticed_by]);
    cargo
}

/// Succeeds if at least one of the tests fails while the mutant lives. Says how many did, and what the model found broken.
pub(crate) fn is_noticed(project: &Project, mutant: &Mutant, progress: &Progress) -> Result<String> {
    let Mutant { package, name, .. } = mutant;
    let log = project.log(&format!("{package}-mutant-{name}"));
    if process::logged(&mut tests(project, mutant), &log, progress).is_ok() {
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
