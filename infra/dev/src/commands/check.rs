//! `cargo dev check`: what CI runs. Every check is done, even after one has failed.

use super::test;
use crate::mutants;
use crate::process;
use crate::project::Project;
use crate::python::LINT;
use crate::step::{Progress, failure, step};
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Without the mutants, the licences and the advisories
    #[arg(long)]
    quick: bool,
}

/// How many passed and failed; tests and mutants count one by one.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Does one check, which answers how much passed and what is worth saying.
    fn check(&mut self, name: &str, work: impl FnOnce(&Progress) -> Result<(usize, String)>) {
        match step(name, work) {
            Ok(passed) => self.passed += passed,
            Err(error) => {
                failure(&error);
                eprintln!();
                self.failed += 1;
            }
        }
    }
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    LINT.install(project)?;
    let mut tally = Tally::default();
    tally.check("Formatting", |progress| {
        let what_to_do = "run: cargo fmt --all";
        cargo(project, &["fmt", "--all", "--check"], "fmt", progress).context(what_to_do)
    });
    tally.check("Clippy", |progress| {
        let arguments = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
        cargo(project, &arguments, "clippy", progress)
    });
    tally.check("Tests", |progress| {
        let passed = test::tests(project, progress)?;
        Ok((passed, format!("{passed} passed")))
    });
    tally.check("Template", |progress| template(project, progress));
    if !args.quick {
        for mutant in mutants::every(project)? {
            tally.check(&format!("Noticed: {}", mutant.feature), |progress| {
                Ok((1, mutants::is_noticed(project, &mutant, progress)?))
            });
        }
        tally.check("Licences, sources, bans", |progress| deny(project, &["licenses", "sources", "bans"], progress));
    }
    println!("\n{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cargo(project: &Project, arguments: &[&str], log: &str, progress: &Progress) -> Result<(usize, String)> {
    process::logged(project.cargo().args(arguments), &project.log(log), progress)?;
    Ok((1, String::new()))
}

fn template(project: &Project, progress: &Progress) -> Result<(usize, String)> {
    let mut lint = Command::new(LINT.program(project, "cfn-lint"));
    lint.arg(project.root.join("template.yaml"));
    process::logged(&mut lint, &project.log("cfn-lint"), progress)?;
    Ok((1, "cfn-lint".to_owned()))
}

/// Runs some of cargo-deny's checks. Advisories are not among them: they come from the network and change by the day,
/// and a check of a commit must not.
fn deny(project: &Project, checks: &[&str], progress: &Progress) -> Result<(usize, String)> {
    let mut deny = Command::new(LINT.program(project, "cargo-deny"));
    deny.args(["--all-features", "--locked", "check"]).args(checks).current_dir(&project.root);
    process::logged(&mut deny, &project.log("cargo-deny"), progress)?;
    Ok((1, "cargo-deny".to_owned()))
}
