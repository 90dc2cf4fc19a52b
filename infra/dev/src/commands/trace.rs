//! `cargo dev trace <id>`: one id (of a message, a record, a run) through every log and every call to a CRM.

use crate::project::Project;
use crate::{http, python, stack};
use anyhow::Result;
use console::style;
use serde::Deserialize;
use serde_json::Value;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Any text that the lines have in common
    id: String,
}

/// One thing that happened.
#[derive(Deserialize)]
struct Found {
    /// RFC 3339, in UTC.
    at: String,
    function: String,
    line: String,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<ExitCode> {
    let stack = stack::read(project)?;
    let answer = python::ask(python::script(project, "logs.py").args(["find", &args.id]), &Value::Null, None)?;
    let mut found: Vec<Found> = serde_json::from_value(answer)?;
    match calls(&stack.simulator) {
        Ok(calls) => found.extend(calls.into_iter().filter(|call| call.line.contains(&args.id))),
        Err(error) => eprintln!("{} calls to the CRMs are not shown: {error:#}", style("note:").yellow()),
    }
    found.sort_by_cached_key(|one| to_the_millisecond(&one.at));
    for one in &found {
        let time = to_the_millisecond(&one.at);
        println!("{} {:<13} {}", time.get(11..).unwrap_or_default(), style(&one.function).cyan(), one.line);
    }
    match found.len() {
        0 => println!("Nothing holds {}.", args.id),
        1 => println!("1 line holds {}.", args.id),
        many => println!("{many} lines hold {}.", args.id),
    }
    Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The simulator's calls, each with `at`, and `crm` or nothing.
fn calls(simulator: &str) -> Result<Vec<Found>> {
    let calls: Vec<Value> = serde_json::from_str(&http::get(&format!("{simulator}/_sim/log?last=5000"))?)?;
    let text = |call: &Value, key: &str| call[key].as_str().unwrap_or_default().to_owned();
    Ok(calls
        .into_iter()
        .map(|call| Found {
            at: text(&call, "at"),
            function: format!("→ {}", text(&call, "crm")),
            line: call.to_string(),
        })
        .collect())
}

/// `2026-11-21T09:00:00Z` and `2026-11-21T09:00:00.1234Z` in one length, so that they sort as text.
fn to_the_millisecond(at: &str) -> String {
    let (second, fraction) = at.trim_end_matches('Z').split_once('.').unwrap_or((at.trim_end_matches('Z'), ""));
    format!("{second}.{fraction:0<3.3}")
}

#[cfg(test)]
mod tests {
    use super::to_the_millisecond;

    #[test]
    fn times_of_any_precision_sort_as_text() {
        assert_eq!(to_the_millisecond("2026-11-21T09:00:00Z"), "2026-11-21T09:00:00.000");
        assert_eq!(to_the_millisecond("2026-11-21T09:00:00.5Z"), "2026-11-21T09:00:00.500");
        assert_eq!(to_the_millisecond("2026-11-21T09:00:00.123456Z"), "2026-11-21T09:00:00.123");
    }
}
