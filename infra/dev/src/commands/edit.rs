//! `cargo dev edit`: what a CRM's user does in the CRM's own screens.

use crate::project::Project;
use crate::screens::{Shown, screen};
use crate::stack::Stack;
use crate::step::step;
use crate::story::oracle;
use crate::{http, stack};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// hubspot, salesforce, zoho or pipedrive
    crm: String,
    /// The record's id in that CRM, or its e-mail address; without one that is there, a record is made
    who: String,
    /// Field=value, by the CRM's own names: Phone=+14155550123
    #[arg(required = true)]
    fields: Vec<String>,
    /// The CRM's webhook about it is lost
    #[arg(long)]
    silent: bool,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let stack = stack::read(project)?;
    let crm = args.crm.as_str();
    let screen = screen(crm)?;
    let mailbox = screen.field("email").context("no field for e-mail addresses")?;
    let url = records_url(&stack, crm)?;
    let pairs =
        args.fields.iter().map(|pair| pair.split_once('=').with_context(|| format!("{pair} is not field=value")));
    let mut fields: Map<String, Value> =
        pairs.map(|pair| pair.map(|(k, v)| (k.to_owned(), json!(v)))).collect::<Result<_>>()?;
    let known = record(&stack, crm, &args.who)?;
    if known.is_none() {
        ensure!(args.who.contains('@'), "{crm} has no record {}", args.who);
        fields.entry(mailbox).or_insert(json!(args.who));
    }
    let id = known.map(|record| record.id);
    let answer = http::post(&url, &json!({"id": id, "fields": fields, "silent": args.silent}))?;
    let edited: Shown = serde_json::from_str(&answer)?;
    println!("{} shows {:#}", screen.name, json!(edited.fields));
    let Some(email) = edited.text(mailbox).filter(|_| !args.silent) else {
        return Ok(ExitCode::SUCCESS);
    };
    for (field, value) in &fields {
        for (other, counterpart) in oracle::counterparts(crm, field) {
            step(&format!("{other} follows"), |_| {
                follows(&stack, other, &email, counterpart, value).map(|seen| ((), seen))
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until another CRM shows the value too.
fn follows(stack: &Stack, crm: &str, email: &str, field: &str, value: &Value) -> Result<String> {
    let value = value.as_str().unwrap_or_default();
    let spelt = |text: &str| match field.eq_ignore_ascii_case("phone") {
        true => oracle::normal("phone", text),
        false => text.to_owned(),
    };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if let Some(record) = record(stack, crm, email)?
            && let Some(text) = record.text(field).filter(|text| spelt(text) == spelt(value))
        {
            return Ok(format!("{field} = {text} ({})", record.id));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("{crm} did not follow within 30 seconds: cargo dev logs")
}

/// A record by its id in the CRM, or by its e-mail address.
pub(super) fn record(stack: &Stack, crm: &str, who: &str) -> Result<Option<Shown>> {
    let mailbox = screen(crm)?.field("email").context("no field for e-mail addresses")?;
    let records: Vec<Shown> = http::get_json(&records_url(stack, crm)?)?;
    Ok(records.into_iter().find(|record| record.id == who || record.text(mailbox).as_deref() == Some(who)))
}

fn records_url(stack: &Stack, crm: &str) -> Result<String> {
    Ok(format!("{}/_sim/{crm}/{}", stack.simulator, screen(crm)?.object))
}
