//! `cargo dev up`: from nothing to a running stack, and on until Ctrl-C.

use crate::emulator::{Deployed, Emulator};
use crate::process::Beside;
use crate::project::Project;
use crate::session::Session;
use crate::simulator::Simulator;
use crate::stack::{self, Queues, Stack, Tables};
use crate::step::step;
use crate::stop;
use crate::{emulator, functions, operator, prerequisites, python, seed, simulator};
use anyhow::{Context, Result, bail};
use console::style;
use std::process::ExitCode;
use std::time::Duration;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Send every call to a CRM here (/hubspot, /zoho, …) instead of to the simulator
    #[arg(long, value_name = "URL")]
    crm_url: Option<String>,
}

/// What stack to bring up, where it is not the usual one.
#[derive(Default)]
pub(crate) struct How {
    /// Where the CRMs are, if not in the simulator.
    pub(crate) crm_url: Option<String>,
    /// The number of a grant that the policies shall lack.
    pub(crate) without: Option<usize>,
    /// The functions are those that `sam build` made for this machine's architecture.
    pub(crate) by_sam: bool,
}

pub(crate) fn run(project: &Project, args: Args) -> Result<ExitCode> {
    stop::listen()?;
    let Some(running) = start(project, How { crm_url: args.crm_url, ..How::default() })? else {
        let stack = stack::read(project).context("another `cargo dev up` has begun")?;
        println!("The stack is already up.\n");
        show(project, &stack);
        return Ok(ExitCode::SUCCESS);
    };
    show(project, &running.stack);
    running.stay(project)?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that runs; it stops when this value goes, in the order of the fields.
pub(crate) struct Running {
    pub(crate) stack: Stack,
    simulator: Option<Beside>,
    emulator: Beside,
    _session: Session,
}

/// Brings the stack up. None if it is up already.
pub(crate) fn start(project: &Project, how: How) -> Result<Option<Running>> {
    let How { crm_url, without, by_sam } = how;
    let Some(session) = Session::begin(project)? else { return Ok(None) };
    step("Prerequisites", |_| Ok(((), prerequisites::check(project)?)))?;
    if !functions::binary(project, functions::FUNCTIONS[0]).exists() {
        println!(
            "  {}",
            style("The first time takes about 6 minutes on 2 cores: 30 MB of Python packages, 2 GB below target/.")
                .dim()
        );
    }
    python::EMULATOR.install(project)?;
    let beside: &[&str] = &[operator::PACKAGE, simulator::PACKAGE];
    functions::build(project, if crm_url.is_some() { &beside[..1] } else { beside }, by_sam)?;

    let Emulator { process: emulator, aws } = emulator::start(project)?;
    session.started(&[emulator.child.id()])?;
    let (simulator, crm_url) = match crm_url {
        Some(url) => (None, url.trim_end_matches('/').to_owned()),
        None => {
            let Simulator { process, url } = simulator::start(project)?;
            session.started(&[emulator.child.id(), process.child.id()])?;
            (Some(process), url)
        }
    };
    let issuer = simulator.is_some().then(|| format!("{crm_url}/issuer"));
    let Deployed { api, control, outputs, functions } =
        emulator::deploy(project, &crm_url, issuer.as_deref(), without)?;
    let output = |name: &str| outputs.get(name).cloned().with_context(|| format!("template.yaml has no output {name}"));
    let mut stack = Stack {
        aws,
        api,
        control,
        issuer,
        queues: Queues {
            sync_requests: output("SyncRequestsQueueUrl")?,
            changes: output("ChangesQueueUrl")?,
            pushes: output("PushesQueueUrl")?,
            pulls: output("PullsQueueUrl")?,
            imports: output("ImportsQueueUrl")?,
        },
        tables: Tables { state: output("StateTableName")?, history: output("HistoryTableName")? },
        event_bus: output("EventBusName")?,
        files: output("FilesBucket")?,
        functions,
        simulator: crm_url,
        connections: Vec::new(),
    };
    seed::seed(project, &mut stack, simulator.is_some())?;
    stack::write(project, &stack)?;
    Ok(Some(Running { stack, simulator, emulator, _session: session }))
}

impl Running {
    /// Stays up until someone asks it to stop.
    pub(crate) fn stay(mut self, project: &Project) -> Result<()> {
        println!("\nUp until Ctrl-C, or {} elsewhere.", style("cargo dev down").bold());
        while !stop::asked() {
            self.check(project)?;
            std::thread::sleep(Duration::from_millis(200));
        }
        println!("\nStopping …");
        Ok(())
    }

    /// An error once something that should run has ended.
    fn check(&mut self, project: &Project) -> Result<()> {
        if self.emulator.has_ended() {
            bail!("the emulator ended. Its log: {}", project.log("emulator").display());
        }
        if self.simulator.as_mut().is_some_and(Beside::has_ended) {
            bail!("the simulator ended. Its log: {}", project.log("simulator").display());
        }
        Ok(())
    }
}

fn show(project: &Project, stack: &Stack) {
    let line = |name: &str, value: &str| println!("  {name:<14} {value}");
    println!();
    line("webhooks", &format!("{}/webhooks/…", stack.api));
    if let Some(control) = &stack.control {
        line("control API", &format!("{control}/v1/…"));
        line("dashboard", &format!("{control}/"));
    }
    line("sync requests", &stack.queues.sync_requests);
    line("CRMs", &stack.simulator);
    line("AWS", &format!("{} ({}, key and secret: {})", stack.aws.endpoint, stack.aws.region, stack.aws.access_key_id));
    line("all of it", &project.shown(&stack::path(project)));
    line("see also", "cargo dev logs · cargo dev trace <id> · cargo dev invoke <function> <event file>");
}
