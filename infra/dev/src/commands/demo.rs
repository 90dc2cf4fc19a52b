//! `cargo dev demo`: brings a stack up, plays the story on it, and leaves it to play with.

use super::up::{self, How};
use crate::project::Project;
use crate::{acts, step, stop, story};
use anyhow::{Result, bail};
use console::style;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Take the stack down afterwards; exits 0 if the story went well, 1 if not
    #[arg(long)]
    once: bool,
    /// 10,000 messages at once instead of 900: takes minutes
    #[arg(long)]
    full: bool,
    /// And an admin in a real browser: connects a CRM, maps a field, tries again, settles a conflict, undoes a run of 500, forgets a person
    #[arg(long)]
    browser: bool,
    /// With the functions that `sam build` made; for an x86_64 machine: sam build --parameter-overrides Architecture=x86_64
    #[arg(long)]
    sam: bool,
    /// Errands in the place of the last two steps, and less patience: see `cargo dev policies`
    #[arg(long, hide = true)]
    brief: bool,
    /// Leave out one grant of the policies, by number
    #[arg(long, hide = true)]
    without: Option<usize>,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    stop::listen()?;
    let Some(running) = up::start(project, How { without: args.without, by_sam: args.sam, ..How::default() })? else {
        bail!("a stack is up already, and the story begins with an empty one. End it first: cargo dev down");
    };
    println!();
    let crowd = if args.full { 10_000 } else { 900 };
    let mut played = story::play(project, &running.stack, (!args.brief).then_some(crowd));
    if args.browser && played.is_ok() {
        played = acts::play(project);
    }
    if args.once || stop::asked() {
        played?;
        return Ok(ExitCode::SUCCESS);
    }
    let code = match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::failure(&error);
            ExitCode::FAILURE
        }
    };
    println!("\nThe stack stays up. In another terminal:");
    for (command, what) in [
        ("cargo dev edit zoho grace@example.com Phone=+14155550123", "as a CRM user: the others follow"),
        ("cargo dev send '{\"email\":\"grace@example.com\",\"company\":\"US Navy\"}'", "as the workflow service"),
        ("cargo dev deliver hubspot grace@example.com --forged", "as an attacker: refused"),
    ] {
        println!("  {command:<70} {}", style(what).dim());
    }
    if let Some(control) = &running.stack.control {
        println!("  {:<70} {}", format!("{control}/"), style("in a browser: the dashboard, as whom you like").dim());
    }
    running.stay(project)?;
    Ok(code)
}
