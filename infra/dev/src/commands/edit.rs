//! `cargo dev edit`: what a CRM's user does in the CRM's own screens.

use crate::project::Project;
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
    /// hubspot or zoho
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
    let url = records_url(&stack, crm)?;
    let pairs =
        args.fields.iter().map(|pair| pair.split_once('=').with_context(|| format!("{pair} is not field=value")));
    let mut fields: Map<String, Value> =
        pairs.map(|pair| pair.map(|(k, v)| (k.to_owned(), json!(v)))).collect::<Result<_>>()?;
    let known = record(&stack, crm, &args.who)?;
    if known.is_none() {
        ensure!(args.who.contains('@'), "{crm} has no record {}", args.who);
        fields.entry(email_field(crm)).or_insert(json!(args.who));
    }
    let id = known.as_ref().map(|record| record["id"].clone());
    let answer = http::post(&url, &json!({"id": id, "fields": fields, "silent": args.silent}))?;
    let edited: Value = serde_json::from_str(&answer)?;
    println!("{crm} shows {:#}", shown(&edited));
    let Some(email) = shown(&edited)[email_field(crm)].as_str().filter(|_| !args.silent) else {
        return Ok(ExitCode::SUCCESS);
    };
    for (field, value) in &fields {
        if let Some((other, counterpart)) = oracle::counterpart(crm, field) {
            step(&format!("{other} follows"), |_| {
                follows(&stack, other, email, counterpart, value).map(|seen| ((), seen))
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until the other CRM shows the value too.
fn follows(stack: &Stack, crm: &str, email: &str, field: &str, value: &Value) -> Result<String> {
    let same = |text: &Value| match (text.as_str(), value.as_str()) {
        (Some(text), Some(value)) if field.eq_ignore_ascii_case("phone") => {
            oracle::normal("phone", text) == oracle::normal("phone", value)
        }
        (text, value) => text == value,
    };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if let Some(record) = record(stack, crm, email)?
            && same(&shown(&record)[field])
        {
            return Ok(format!("{field} = {} ({})", shown(&record)[field].as_str().unwrap_or_default(), record["id"]));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bail!("{crm} did not follow within 30 seconds: cargo dev logs")
}

/// A record by its id in the CRM, or by its e-mail address.
pub(super) fn record(stack: &Stack, crm: &str, who: &str) -> Result<Option<Value>> {
    let records: Vec<Value> = http::get_json(&records_url(stack, crm)?)?;
    Ok(records.into_iter().find(|record| record["id"] == who || shown(record)[email_field(crm)] == who))
}

fn records_url(stack: &Stack, crm: &str) -> Result<String> {
    let object = match crm {
        "hubspot" => "contacts",
        "zoho" => "leads",
        other => bail!("{other} is not simulated: hubspot and zoho are"),
    };
    Ok(format!("{}/_sim/{crm}/{object}", stack.simulator))
}

fn shown(record: &Value) -> &Value {
    record.get("properties").unwrap_or(&record["fields"])
}

fn email_field(crm: &str) -> &'static str {
    if crm == "zoho" { "Email" } else { "email" }
}
