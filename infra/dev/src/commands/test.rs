//! `cargo dev test`: every test, then every mutant, which a test must notice.

use crate::browser::{self, Browser};
use crate::mutants;
use crate::prerequisites::runs;
use crate::process;
use crate::project::Project;
use crate::python;
use crate::step::Progress;
use crate::tally::Tally;
use anyhow::{Context, Result};
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the tests, not the mutants
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let mut tally = Tally::default();
    all(project, &mut tally)?;
    if !args.quick {
        mutants(project, &mut tally)?;
    }
    Ok(tally.finish())
}

/// Every test; those of the whole system need the emulator and a browser.
pub(crate) fn all(project: &Project, tally: &mut Tally) -> Result<()> {
    python::EMULATOR.install(project)?;
    python::CONTRACT.install(project)?;
    python::AXE.install(project)?;
    let browser = browser::install(project)?;
    let laws = project.target.join("tmp/laws.txt");
    // Of an earlier run; that it is not there is as well.
    drop(std::fs::remove_file(&laws));
    tally.check("Tests", |progress| {
        let passed = tests(project, &browser, progress)?;
        Ok((passed, format!("{passed} passed")))
    });
    print!("{}", laws_table(&std::fs::read_to_string(&laws).unwrap_or_default()));
    Ok(())
}

/// Laws × CRMs, from lines such as `a_law hubspot=true zoho=false`.
fn laws_table(noted: &str) -> String {
    let mut lines: Vec<Vec<&str>> = noted.lines().map(|line| line.split(' ').collect()).collect();
    lines.sort();
    let Some(crms) = lines.first().map(|line| line.iter().skip(1).filter_map(|mark| mark.split('=').next())) else {
        return String::new();
    };
    let mut table =
        format!("  {:<70}{}\n", "What holds for every CRM", crms.map(|crm| format!("{crm:<12}")).collect::<String>());
    for line in &lines {
        let law = line.first().copied().unwrap_or_default().replace('_', " ");
        let mark = |mark: &&str| format!("{:<12}", if mark.ends_with("=true") { "✓" } else { "✗" });
        table += &format!("  {law:<70}{}\n", line.iter().skip(1).map(mark).collect::<String>());
    }
    table
}

pub(crate) fn mutants(project: &Project, tally: &mut Tally) -> Result<()> {
    for mutant in mutants::every(project)? {
        tally.check(&format!("Noticed by {}: {}", mutant.package, mutant.name), |progress| {
            Ok((1, mutants::is_noticed(project, &mutant, progress)?))
        });
    }
    Ok(())
}

/// Runs every test and answers how many passed.
fn tests(project: &Project, browser: &Browser, progress: &Progress) -> Result<usize> {
    let mut passed = 0;
    let runs: &[&[&str]] = if runs("cargo", &["nextest", "--version"]) {
        &[&["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests", "pass"], &["test", "--workspace", "--doc"]]
    } else {
        &[&["test", "--workspace", "--no-fail-fast"]]
    };
    for (number, arguments) in runs.iter().enumerate() {
        let log = project.log(&format!("tests-{}", number + 1));
        let mut cargo = project.cargo();
        cargo.args(*arguments).envs(browser.environment());
        process::logged(&mut cargo, &log, progress).context("tests failed")?;
        passed += passed_in(&std::fs::read_to_string(&log)?);
    }
    Ok(passed)
}

/// Sums up what the test runners say: `… 12 passed …` on lines of cargo test and of nextest.
fn passed_in(log: &str) -> usize {
    log.lines()
        .filter(|line| line.starts_with("test result:") || line.trim_start().starts_with("Summary"))
        .filter_map(|line| line.split(" passed").next()?.split_whitespace().next_back()?.parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{laws_table, passed_in};

    #[test]
    fn laws_are_shown_by_crm() {
        let table = laws_table("b_law hubspot=true zoho=false\na_law hubspot=true zoho=true\n");
        let lines: Vec<&str> = table.lines().map(str::trim).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].ends_with("zoho") && lines[1].starts_with("a law") && lines[2].ends_with('✗'), "{table}");
        assert_eq!(laws_table(""), "");
    }

    #[test]
    fn both_runners_are_understood() {
        assert_eq!(
            passed_in("test result: ok. 12 passed; 0 failed; 1 ignored\ntest result: ok. 3 passed; 0 failed"),
            15
        );
        assert_eq!(passed_in("     Summary [   0.004s] 5 tests run: 5 passed, 0 skipped"), 5);
        assert_eq!(passed_in("test a_law_about_what_was passed ... ok"), 0);
    }
}
