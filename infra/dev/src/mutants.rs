//! The mutants: features called `mutant_…`, each of which breaks one of the planner's laws on purpose. Its tests must notice every one.

use crate::process;
use crate::project::Project;
use crate::step::Progress;
use anyhow::{Context, Result, bail};

pub(crate) struct Mutant {
    package: String,
    pub(crate) feature: String,
}

/// Every mutant of the workspace, read from the manifests so that none is forgotten.
pub(crate) fn every(project: &Project) -> Result<Vec<Mutant>> {
    let packages = project.metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let mut mutants = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        for feature in package["features"].as_object().into_iter().flat_map(|features| features.keys()) {
            if feature.starts_with("mutant_") {
                mutants.push(Mutant { package: name.to_owned(), feature: feature.clone() });
            }
        }
    }
    Ok(mutants)
}

/// Succeeds if the package's tests compile with the mutant, and at least one of them fails. Says how many did.
pub(crate) fn is_noticed(project: &Project, mutant: &Mutant, progress: &Progress) -> Result<String> {
    let Mutant { package, feature } = mutant;
    let tests = |extra: &[&str]| {
        let mut cargo = project.cargo();
        // What a mutant breaks is no regression to remember.
        cargo.env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
        cargo.args(["test", "--package", package, "--lib", "--features", feature, "--no-fail-fast"]).args(extra);
        // Whatever is not decided by the planner is proved elsewhere, and takes longer.
        cargo.arg("planner::");
        cargo
    };
    let log = project.log(feature);
    process::logged(&mut tests(&["--no-run"]), &log, progress).context("the mutant does not compile")?;
    if process::logged(&mut tests(&[]), &log, progress).is_ok() {
        bail!("no test noticed {feature}. The log: {}", log.display());
    }
    let text = std::fs::read_to_string(&log)?;
    match text.lines().filter(|line| line.starts_with("test ") && line.ends_with("FAILED")).count() {
        0 => bail!("{feature} failed otherwise than in a test. The log: {}", log.display()),
        1 => Ok("noticed by 1 test".to_owned()),
        many => Ok(format!("noticed by {many} tests")),
    }
}
