//! `cargo dev trace <id>`: one id (of a message, a record, a run) through every log and every call to a CRM.

use crate::project::Project;
use crate::{http, python, stack};
use anyhow::Result;
use console::style;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
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
    let named = logged(project, &[&args.id])?;
    // A request is one of many in an invocation, whose trace goes on with its pushes and calls.
    let traces: BTreeSet<String> = named.iter().filter_map(Found::trace).collect();
    let mut ids: Vec<&str> = traces.iter().map(String::as_str).collect();
    ids.push(&args.id);
    let mut found = logged(project, &ids)?;
    found.retain(|one| one.line.contains(&args.id) || !one.is_about_another());
    match calls(&stack.simulator) {
        Ok(calls) => found.extend(calls.into_iter().filter(|call| ids.iter().any(|id| call.line.contains(id)))),
        Err(error) => eprintln!("{} calls to the CRMs are not shown: {error:#}", style("note:").yellow()),
    }
    found.sort_by_cached_key(|one| to_the_millisecond(&one.at));
    for one in &found {
        let time = to_the_millisecond(&one.at);
        println!("{} {:<13} {}", time.get(11..).unwrap_or_default(), style(&one.function).cyan(), one.line);
    }
    match found.len() {
        0 => println!("Nothing holds {}.", args.id),
        1 => println!("1 line is about {}.", args.id),
        many => println!("{many} lines are about {}.", args.id),
    }
    Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The lines of all functions' logs that hold one of the texts.
fn logged(project: &Project, texts: &[&str]) -> Result<Vec<Found>> {
    let answer = python::ask(python::script(project, "logs.py").arg("find").args(texts), &Value::Null, None)?;
    Ok(serde_json::from_value(answer)?)
}

impl Found {
    fn field(&self, name: &str) -> Option<String> {
        serde_json::from_str::<Value>(&self.line).ok()?[name].as_str().map(str::to_owned)
    }

    fn trace(&self) -> Option<String> {
        self.field("trace")
    }

    /// It names a request, which shares no more than its invocation with the one that is followed.
    fn is_about_another(&self) -> bool {
        self.field("request").is_some()
    }
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
