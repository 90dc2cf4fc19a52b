//! The dashboard's pages, of the function alone: an answer of Lambda is whole before its first byte goes out, so this is how long that takes.

use super::figures::Spread;
use super::gauge::{Built, Contender, Run, contender};
use super::machine;
use super::page::Section;
use super::table::Table;
use crate::project::Project;
use crate::step::step;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// A tenant as `cargo dev seed --lived-in` makes one, and a session: what the stub's table holds.
const ITEMS: &str = "infra/bench/pages.json";
/// By what the session's browser is known.
const COOKIE: &str = "__Host-crm_sync_session=bench";
/// Events after the first.
const WARM: usize = 50;

pub(super) fn measure(project: &Project, built: &Built, rounds: usize) -> Result<Section> {
    let items = project.root.join(ITEMS);
    let held: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&items)?)?;
    let record = held.iter().find(|item| item["kind"]["S"] == "record").and_then(|item| item["sk"]["S"].as_str());
    let record = format!("/records/{}", record.context("the stub's table holds no record")?);
    let pages = [
        ("overview", ""),
        ("exceptions", "/exceptions"),
        ("conflicts", "/conflicts"),
        ("records", "/records"),
        ("one record", &record),
        ("files", "/files"),
        ("undo", "/undo"),
    ];
    let contenders = pages.iter().map(|(name, path)| asked(project, built, name, path)).collect::<Result<Vec<_>>>()?;
    let runs = step("Pages read", |progress| {
        let runs = built.run(&contenders, &items, rounds, progress)?;
        Ok((runs, format!("{rounds} starts for each of {} pages", contenders.len())))
    })?;
    let mut table = Table::new(&["page", "warm, p50, ms", "first after a start, ms", "init, ms", "kB", "AWS calls"]);
    for one in &contenders {
        table.rows.push(row(one, &runs)?);
    }
    table.print();
    let text = format!(
        "## The dashboard's pages\n\n{}\n\nThe control function alone, under the same Runtime API, with a stub of DynamoDB that holds a tenant after two days (`{ITEMS}`): four connections, what waits for a person, \
         a record with its history. An answer of Lambda is whole before its first byte goes out, so the time is that of the first byte; {rounds} starts, and {WARM} times the same page after the first.\n\n{}",
        machine::sentence(project),
        table.markdown()
    );
    Ok(Section { text, plots: Vec::new() })
}

fn asked(project: &Project, built: &Built, name: &str, path: &str) -> Result<Contender> {
    let sample = project.root.join("events/control/page.json");
    let mut event: Value = serde_json::from_str(&std::fs::read_to_string(sample)?)?;
    let path = format!("/tenants/demo{path}");
    for place in ["/rawPath", "/requestContext/http/path"] {
        *event.pointer_mut(place).with_context(|| format!("the sample has no {place}"))? = json!(path);
    }
    (event["rawQueryString"], event["cookies"]) = (json!(""), json!([COOKIE]));
    if let Some(event) = event.as_object_mut() {
        event.remove("queryStringParameters");
    }
    let folder = project.dev.join("bench/pages");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{}.json", name.replace(' ', "-")));
    std::fs::write(&file, event.to_string())?;
    let one = contender(project, name, &[&built.function("control")], &folder, "control/page.json");
    Ok(Contender { event: file, warm: WARM, ..one })
}

fn row(of: &Contender, runs: &[Run]) -> Result<Vec<String>> {
    let mine: Vec<&Run> = runs.iter().filter(|run| run.contender == of.name).collect();
    let answer = mine.first().map(|run| &run.answer).context("it was not run")?;
    ensure!(answer["statusCode"] == 200, "the page {} is answered by {}", of.name, answer["statusCode"]);
    let spread = |figure: fn(&Run) -> Option<f64>| {
        let spread = Spread::of(mine.iter().filter_map(|run| figure(run)));
        spread.map_or_else(|| "–".to_owned(), |spread| spread.to_string())
    };
    let calls = mine.first().map_or(0, |run| run.calls.values().sum::<u64>());
    Ok(vec![
        of.name.clone(),
        spread(|run| Spread::of(run.warm_ms.clone()).map(|spread| spread.median)),
        spread(|run| Some(run.first_ms)),
        spread(|run| Some(run.init_ms)),
        format!("{:.1}", answer["body"].as_str().map_or(0, str::len) as f64 / 1e3),
        format!("{:.1}", calls as f64 / WARM as f64),
    ])
}
