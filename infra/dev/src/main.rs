//! `cargo dev`: the whole stack on this machine, its tests and its checks.
//!
//! Everything it makes lies in `<target>/dev/`; deleting that folder undoes all of it.

mod acts;
mod bench;
mod browser;
mod clock;
mod commands;
mod delivery;
mod desk;
mod emulator;
mod functions;
mod http;
mod lived;
mod mutants;
mod operator;
mod people;
mod prerequisites;
mod process;
mod project;
mod python;
mod screens;
mod seed;
mod session;
mod simulator;
mod stack;
mod step;
mod stop;
mod story;
mod tally;

use clap::{Parser, Subcommand};
use project::Project;
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "cargo dev",
    bin_name = "cargo dev",
    about = "The whole stack on this machine, its tests and its checks",
    version
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build, deploy to an AWS emulator on this machine, and stay up until Ctrl-C
    Up(commands::up::Args),
    /// Bring the stack up, play the story of what it does, and leave it to play with
    Demo(commands::demo::Args),
    /// As a CRM user of the running stack: change or make a record
    Edit(commands::edit::Args),
    /// As the workflow service: send a sync request, and hear what becomes of it
    Send(commands::send::Args),
    /// As the workflow service: send many leads at once
    Seed(commands::seed::Args),
    /// As a CRM, or an attacker: deliver a webhook, signed or not quite
    Deliver(commands::deliver::Args),
    /// Stop what `up` or `demo` started
    Down,
    /// As one of the people who run a tenant: log in, and print a token for the control API
    Token(commands::token::Args),
    /// Invoke a function of the running stack with an event, such as events/webhook/hubspot.json
    Invoke(commands::invoke::Args),
    /// Invoke once more what an event file is for: its folder below events/ names the function
    Replay(commands::invoke::Replay),
    /// Follow the functions' logs
    Logs(commands::logs::Args),
    /// Follow one id through every function's log and every call to a CRM, in the order of time
    Trace(commands::trace::Args),
    /// Take each thing that template.yaml's policies allow away in turn: the story must miss it (takes half an hour)
    Policies(commands::policies::Args),
    /// Begin a new CRM: its folder, and its name in the list of all
    NewProvider(commands::new_provider::Args),
    /// Run every test, and prove that each mutant of the planner is noticed
    Test(commands::test::Args),
    /// Measure speed, memory and size, beside what people would use instead; the results go to BENCHMARKS.md
    Bench(commands::bench::Args),
    /// What CI runs: formatting, clippy, tests, the template, licences
    Check(commands::check::Args),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match Project::find().and_then(|project| run(&project, command)) {
        Ok(code) => code,
        Err(error) => {
            step::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(project: &Project, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(args) => commands::up::run(project, args),
        Command::Demo(args) => commands::demo::run(project, &args),
        Command::Edit(args) => commands::edit::run(project, &args),
        Command::Seed(args) => commands::seed::run(project, &args),
        Command::Send(args) => commands::send::run(project, &args),
        Command::Deliver(args) => commands::deliver::run(project, &args),
        Command::Down => commands::down::run(project),
        Command::Token(args) => commands::token::run(project, &args),
        Command::Replay(args) => commands::invoke::replay(project, args),
        Command::Invoke(args) => commands::invoke::run(project, &args),
        Command::Logs(args) => commands::logs::run(project, args),
        Command::Trace(args) => commands::trace::run(project, &args),
        Command::Policies(args) => commands::policies::run(project, &args),
        Command::NewProvider(args) => commands::new_provider::run(project, &args),
        Command::Test(args) => commands::test::run(project, &args),
        Command::Bench(args) => commands::bench::run(project, &args),
        Command::Check(args) => commands::check::run(project, &args),
    }
}
