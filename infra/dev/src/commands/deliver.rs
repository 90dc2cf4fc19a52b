//! `cargo dev deliver`: a webhook delivery, signed as the CRM does, or not quite.

use super::edit::record;
use crate::project::Project;
use crate::{clock, delivery, http, stack};
use anyhow::{Context, Result};
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// hubspot, salesforce, zoho or pipedrive
    crm: String,
    /// Whom it is about: the record's id in that CRM, or its e-mail address
    who: String,
    /// Signed by another secret, or with another token
    #[arg(long)]
    forged: bool,
    /// Signed six minutes ago (HubSpot; the others' proofs have no time)
    #[arg(long)]
    stale: bool,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let stack = stack::read(project)?;
    let to = stack
        .connections
        .iter()
        .find(|one| one.crm == args.crm)
        .with_context(|| format!("no connection to {}", args.crm))?;
    let id = match args.who.contains('@') {
        true => record(&stack, &args.crm, &args.who)?.map(|record| record.id),
        false => Some(args.who.clone()),
    };
    let id = id.with_context(|| format!("{} has no record {}", args.crm, args.who))?;
    let secret = if args.forged { "somebody else's secret" } else { &to.webhook_secret };
    let at = clock::now_ms() - if args.stale { 360_000 } else { 0 };
    let delivery = delivery::of(to, &id, secret, at);
    println!("POST {}", delivery.url);
    for (name, value) in &delivery.headers {
        println!("{name}: {value}");
    }
    println!("\n{}\n", delivery.body);
    let status = http::deliver(&delivery.url, &delivery.headers, &delivery.body)?;
    let meaning = match status {
        200 => "taken: what it is about is looked at in the CRM, and nothing in it is believed",
        401 => "refused: not proved, or too old",
        _ => "see: cargo dev logs webhook",
    };
    println!("{status}  {meaning}");
    Ok(ExitCode::SUCCESS)
}
