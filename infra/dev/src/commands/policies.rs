//! `cargo dev policies`: every grant of template.yaml is taken away in turn, and the story must miss it.

use crate::project::Project;
use crate::step::Progress;
use crate::tally::Tally;
use crate::{process, python, story};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::json;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only what contains this text, such as webhook or dynamodb:Query
    only: Option<String>,
}

#[derive(Deserialize)]
struct Grant {
    policy: String,
    allows: String,
    /// Whether the emulator checks it.
    enforced: bool,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    python::EMULATOR.install(project)?;
    let template = json!({"template": project.root.join("template.yaml")});
    let every: Vec<Grant> =
        serde_json::from_value(python::ask(&mut python::script(project, "grants.py"), &template, None)?)?;
    let mut tally = Tally::default();
    tally.check("With all of them the story goes well", |progress| {
        process::logged(&mut demo(project, None)?, &project.log("policies"), progress).map(|()| (1, String::new()))
    });
    for (number, grant) in every.iter().enumerate() {
        let name = format!("{}: {}", grant.policy, grant.allows);
        if !args.only.as_ref().is_none_or(|only| name.to_lowercase().contains(&only.to_lowercase())) {
            continue;
        }
        if grant.enforced {
            tally.check(&name, |progress| Ok((1, missed(project, number, progress)?)));
        } else {
            println!("- {name}: not enforced by the emulator; see infra/dev/emulator/grants.py");
        }
    }
    Ok(tally.finish())
}

/// Succeeds if the story fails without the grant. Says where.
fn missed(project: &Project, number: usize, progress: &Progress) -> Result<String> {
    let log = project.log("policies");
    if process::logged(&mut demo(project, Some(number))?, &log, progress).is_ok() {
        bail!("the story does not miss it");
    }
    let told = std::fs::read_to_string(&log)?;
    let steps = told.lines().skip_while(|line| !line.contains("Demo tenant seeded"));
    let failed = steps.filter_map(|line| line.strip_prefix("✗ ")).next();
    let step = failed.with_context(|| format!("the story did not begin. The log: {}", log.display()))?;
    let functions = std::fs::read_to_string(project.log("functions"))?;
    let denied = [&told, &functions].iter().any(|text| text.contains(story::DENIED));
    ensure!(denied, "step {step} failed, and yet no call was denied");
    Ok(format!("missed in step {}", step.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// The story as far as permissions matter to it.
fn demo(project: &Project, without: Option<usize>) -> Result<Command> {
    let mut demo = Command::new(std::env::current_exe()?);
    demo.args(["demo", "--once", "--brief"]).current_dir(&project.root);
    demo.args(without.map(|number| format!("--without={number}")));
    Ok(demo)
}
