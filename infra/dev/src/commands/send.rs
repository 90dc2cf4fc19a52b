//! `cargo dev send`: what the workflow service does, and what it hears of it.

use crate::desk::Desk;
use crate::project::Project;
use crate::{clock, stack};
use anyhow::{Context, Result, ensure};
use console::style;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The lead as JSON: '{"email":"ada@example.com","last_name":"Byron"}'
    lead: String,
    /// field=template, by a CRM's own names: last_call='{{callStatus}}'
    #[arg(long = "sync-field", value_name = "FIELD=TEMPLATE")]
    sync_fields: Vec<String>,
    /// Only to this connection
    #[arg(long)]
    connection: Option<String>,
    /// The request's id; the same id is done once
    #[arg(long)]
    id: Option<String>,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let stack = stack::read(project)?;
    let lead: Value = serde_json::from_str(&args.lead).context("the lead is not JSON")?;
    ensure!(lead.is_object(), "the lead is a JSON object: {{\"email\":\"ada@example.com\"}}");
    let mut sync_fields = json!({});
    for pair in &args.sync_fields {
        let (field, template) = pair.split_once('=').with_context(|| format!("{pair} is not field=template"))?;
        sync_fields[field] = json!(template);
    }
    let tenant = stack.connections.first().map(|connection| connection.tenant_id.clone()).context("no connection")?;
    let id = args.id.clone().unwrap_or_else(|| format!("sent-{}", clock::now_ms()));
    let request = json!({
        "version": 1, "id": id, "tenant_id": tenant, "connection_id": args.connection, "object": "lead", "direction": "send",
        "source": "workflow", "occurred_at": clock::rfc3339(clock::now_ms()), "lead": lead, "sync_fields": sync_fields,
        "workflow": {"id": "by-hand", "run_id": id, "step_id": "1"},
    });
    let mut desk = Desk::open(project, &stack.event_bus)?;
    desk.hear()?;
    desk.send(&stack.queues.sync_requests, &tenant, &[request])?;
    println!("{id} is on its way");
    let wanted = args.connection.as_ref().map_or(stack.connections.len(), |_| 1);
    let ended = listen(&mut desk, &id, wanted)?;
    println!("{}", style(format!("cargo dev trace {id}")).dim());
    Ok(if ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what is heard of the request until it has ended everywhere. False if that takes too long.
fn listen(desk: &mut Desk, id: &str, connections: usize) -> Result<bool> {
    let (begun, mut ended) = (Instant::now(), BTreeSet::new());
    while begun.elapsed() < Duration::from_secs(30) {
        for heard in desk.hear()?.into_iter().filter(|heard| heard.detail["request_id"] == id) {
            let text = |key: &str| heard.detail[key].as_str().unwrap_or_default().to_owned();
            let took = begun.elapsed().as_secs_f64();
            println!(
                "{took:>5.1} s  {:<15} {:<8} {} {}",
                heard.kind,
                text("connection_id"),
                text("code"),
                text("remote_id")
            );
            if heard.kind != "sync.waiting" {
                ended.insert(text("connection_id"));
            }
        }
        if ended.len() >= connections || ended.contains("") {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("Nothing more was heard for 30 seconds. The same request again is not done again.");
    Ok(false)
}
