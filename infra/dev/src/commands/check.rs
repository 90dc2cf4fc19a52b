//! `cargo dev check`: what CI runs. Every check is done, even after one has failed.

use super::test;
use crate::process;
use crate::project::Project;
use crate::python::LINT;
use crate::step::Progress;
use crate::tally::Tally;
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Without the mutants, the licences and the advisories
    #[arg(long)]
    quick: bool,
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
    test::all(project, &mut tally)?;
    tally.check("Template", |progress| template(project, progress));
    if !args.quick {
        test::mutants(project, &mut tally)?;
        tally.check("Licences, sources, bans", |progress| deny(project, &["licenses", "sources", "bans"], progress));
    }
    Ok(tally.finish())
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
