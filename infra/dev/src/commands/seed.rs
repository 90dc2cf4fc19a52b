//! `cargo dev seed`: many leads at once, to look at and to measure by.

use crate::desk::Desk;
use crate::project::Project;
use crate::step::step;
use crate::story::crowd_lead;
use crate::{clock, lived, stack};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many
    #[arg(long, default_value_t = 100)]
    records: usize,
    /// Two days of a tenant instead, as the dashboard is looked at: leads by the hour, conflicts, a refusal, a dead grant
    #[arg(long)]
    lived_in: bool,
}

/// Requests that are handed over together.
const AT_ONCE: usize = 500;

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let stack = stack::read(project)?;
    let tenant = stack.connections.first().map(|connection| connection.tenant_id.clone()).context("no connection")?;
    let mut desk = Desk::open(project, &stack.event_bus)?;
    if args.lived_in {
        lived::live(project, &stack, &mut desk)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (now, all) = (clock::now_ms(), args.records);
    step(&format!("{all} leads sent"), |progress| {
        for first in (0..all).step_by(AT_ONCE) {
            let some: Vec<Value> = (first..all.min(first + AT_ONCE))
                .map(|n| {
                    json!({
                        "version": 1, "id": format!("seed-{now}-{n}"), "tenant_id": tenant, "object": "lead", "direction": "send",
                        "source": "workflow", "occurred_at": clock::rfc3339(now), "lead": crowd_lead(n),
                        "workflow": {"id": "seed", "run_id": format!("seed-{now}"), "step_id": "1"},
                    })
                })
                .collect();
            desk.send(&stack.queues.sync_requests, &tenant, &some)?;
            progress.say(&format!("{} of {all}", first + some.len()));
        }
        Ok(((), format!("run seed-{now}; the same people each time")))
    })?;
    Ok(ExitCode::SUCCESS)
}
