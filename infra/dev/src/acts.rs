//! What an admin does in a real browser on the stack that is up: a test of `tests/it/acts.rs`, with pictures of each act.

use crate::project::Project;
use crate::step::step;
use crate::{browser, process, python, stack};
use anyhow::{Context, Result};

const TEST: &str = "acts::an_admin_does_it_all_on_the_stack";

pub(crate) fn play(project: &Project) -> Result<()> {
    python::AXE.install(project)?;
    let browser = browser::install(project)?;
    step("   An admin in a browser", |progress| {
        let mut cargo = project.cargo();
        cargo.args(["test", "-p", "tests", "--test", "it", "--", "--ignored", "--exact", TEST]);
        cargo.env("STACK", stack::path(project)).envs(browser.environment());
        process::logged(&mut cargo, &project.log("acts"), progress).context("an act failed")?;
        let pictures = project.shown(&project.dev.join("screens"));
        Ok(((), format!("connected, mapped, tried again, decided, 500 undone, one forgotten; pictures in {pictures}")))
    })
}
