//! Several checks in a row, each done even after one has failed.

use crate::step::{Progress, failure, step};
use anyhow::Result;
use std::process::ExitCode;

/// How many passed and failed; tests and mutants count one by one.
#[derive(Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Does one check, which answers how much passed and what is worth saying.
    pub(crate) fn check(&mut self, name: &str, work: impl FnOnce(&Progress) -> Result<(usize, String)>) {
        match step(name, work) {
            Ok(passed) => self.passed += passed,
            Err(error) => {
                failure(&error);
                eprintln!();
                self.failed += 1;
            }
        }
    }

    /// Prints the last line.
    pub(crate) fn finish(self) -> ExitCode {
        println!("\n{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
