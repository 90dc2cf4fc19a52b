//! The webhook function beside the same work in Python and in Node.js.

use super::figures::{Spread, short};
use super::gauge::{self, Built, Contender, Run, zipped_binary};
use super::page::Section;
use super::peers::{self, Peer};
use super::plot::Plot;
use super::table::Table;
use super::{instructions, machine};
use crate::project::Project;
use crate::step::step;
use anyhow::{Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;

/// Events after the first, of each start.
const WARM: usize = 1000;
/// The events whose instructions are counted: the difference of two runs.
const COUNTED: [usize; 2] = [50, 200];

/// One figure of a start, and what it is called.
type Measure = (&'static str, fn(&Run) -> Option<f64>);

const MEASURES: [Measure; 8] = [
    ("init: exec to first /next, ms", |run| Some(run.init_ms)),
    ("first event, ms", |run| Some(run.first_ms)),
    ("warm event, p50, ms", |run| run.warm(0.5)),
    ("warm event, p99, ms", |run| run.warm(0.99)),
    ("events per second, one after the other", |run| Some(run.warm_ms.len() as f64 / run.wall_s)),
    (PER_CORE, Run::per_core),
    ("peak RSS, MB", |run| Some(run.peak_kb? as f64 / 1024.0)),
    ("log, bytes per event", |run| Some(run.log_bytes as f64 / run.warm_ms.len() as f64)),
];
const PER_CORE: &str = "events per second of processor time";

pub(super) fn measure(project: &Project, built: &Built, rounds: usize) -> Result<Section> {
    let (others, mut lacking) = peers::install(project)?;
    let ours = ours(project, built)?;
    let all: Vec<&Peer> = std::iter::once(&ours).chain(&others).collect();
    let contenders: Vec<Contender> =
        all.iter().map(|peer| Contender { warm: WARM, ..peer.contender.clone() }).collect();
    let runs = step("Webhooks delivered", |progress| {
        let runs = built.run(&contenders, &gauge::tables(project), rounds, progress)?;
        Ok((runs, format!("{rounds} starts of each, {} events in each", WARM + 1)))
    })?;
    all_do_the_same(&runs)?;
    let mut rows: Vec<Row> = MEASURES.iter().map(|measure| row(measure, &contenders, &runs)).collect();
    let zips = all.iter().map(|peer| Spread::of([peer.zip as f64 / 1e6])).collect();
    rows.push(Row { name: "zip, MB", of: zips });
    match instructions::is_there() {
        true => rows.push(Row { name: "instructions per event", of: counted(project, built, &contenders)? }),
        false => lacking.push(instructions::ABSENT.to_owned()),
    }
    let table = table(&contenders, &rows);
    table.print();
    let mut text = format!("## The webhook function, as Lambda would see it\n\n{}\n", machine::sentence(project));
    text += &method(&all, &runs, rounds);
    text += &format!("\n{}", table.markdown());
    lacking.iter().for_each(|sentence| text += &format!("\n{sentence}\n"));
    Ok(Section { text, plots: plots(&contenders, &rows) })
}

fn ours(project: &Project, built: &Built) -> Result<Peer> {
    let binary = built.function("webhook");
    let zip = zipped_binary(project, &binary, "webhook")?;
    let contender = peers::of_webhook(project, "Rust, ours", &[&binary], &project.dev.join("bench/webhook"));
    Ok(Peer { contender, zip, about: "the release binary of functions/webhook".to_owned() })
}

/// What each made of the first event, but for its trace: the comparison means nothing otherwise.
fn all_do_the_same(runs: &[Run]) -> Result<()> {
    let mut sent: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for run in runs {
        let mut messages = run.sent.clone();
        messages.iter_mut().filter_map(Value::as_object_mut).for_each(|message| drop(message.remove("trace")));
        sent.insert(&run.contender, messages);
    }
    let mut of_each = sent.values();
    let first = of_each.next();
    let alike = first.is_some_and(|first| first.len() == 1) && of_each.all(|other| Some(other) == first);
    ensure!(alike, "they do not send the same messages: {sent:#?}");
    Ok(())
}

/// One measure of each contender; `None` where it could not be taken.
struct Row {
    name: &'static str,
    of: Vec<Option<Spread>>,
}

fn row((name, figure): &Measure, contenders: &[Contender], runs: &[Run]) -> Row {
    let of = |contender: &Contender| {
        Spread::of(runs.iter().filter(|run| run.contender == contender.name).filter_map(figure))
    };
    Row { name, of: contenders.iter().map(of).collect() }
}

fn counted(project: &Project, built: &Built, contenders: &[Contender]) -> Result<Vec<Option<Spread>>> {
    step("Instructions counted", |progress| {
        let count = |contender| instructions::per_event(project, built, contender, COUNTED, progress);
        let counts = contenders.iter().map(|contender| Ok(Spread::of([count(contender)?])));
        Ok((counts.collect::<Result<_>>()?, "callgrind".to_owned()))
    })
}

/// Each measure of each, and how ours stands to the others: always so that more is better for us.
fn table(contenders: &[Contender], rows: &[Row]) -> Table {
    let mut table = Table::new(&["median (least–most)"]);
    table.head.extend(contenders.iter().map(|contender| contender.name.clone()));
    table.head.extend(contenders.iter().skip(1).map(|contender| format!("against {}", contender.name)));
    for Row { name, of } in rows {
        let figure = |spread: &Option<Spread>| spread.map_or_else(|| "–".to_owned(), |spread| spread.to_string());
        let mut cells = vec![(*name).to_owned()];
        cells.extend(of.iter().map(figure));
        cells.extend(of.iter().skip(1).map(|other| ratio(name, of.first().copied().flatten(), *other)));
        table.rows.push(cells);
    }
    table
}

fn ratio(name: &str, ours: Option<Spread>, other: Option<Spread>) -> String {
    let Some((ours, other)) = ours.zip(other) else { return "–".to_owned() };
    let more_is_better = name.starts_with("events per second");
    let times = if more_is_better { ours.median / other.median } else { other.median / ours.median };
    format!("{} ×", short(times))
}

fn method(all: &[&Peer], runs: &[Run], rounds: usize) -> String {
    let calls = |name: &str| {
        let run = runs.iter().find(|run| run.contender == name);
        let of =
            |run: &Run| run.calls.iter().map(|(call, count)| format!("{count} {call}")).collect::<Vec<_>>().join(", ");
        run.map(of).unwrap_or_default()
    };
    let mut text = format!(
        "\nEach is started {rounds} times in turn by a bare Runtime API, on a core of its own, in the environment that Lambda sets; files are in the page cache. \
         It gets a delivery of two events of HubSpot's, signed at that moment, and {WARM} more of them one after the other. Each proves the signature over the raw body, finds the \
         connections of the account, remembers them for five seconds and the secret for five minutes, and sends one batch to SQS; all send the same messages, and \
         refuse a delivery that was changed and one that is six minutes old. The stub of SQS, DynamoDB and Secrets Manager answers at once over plain HTTP, so there is no TLS in these figures.\n\n"
    );
    for peer in all {
        let name = &peer.contender.name;
        text += &format!("* {name}: {}. Calls for the warm events of one start: {}.\n", peer.about, calls(name));
    }
    text
}

fn plots(contenders: &[Contender], rows: &[Row]) -> Vec<(String, String)> {
    let plot = |file: &str, title: &str, unit: &str, row: &str| {
        let row = rows.iter().find(|one| one.name.starts_with(row))?;
        let bars = contenders.iter().zip(&row.of).filter_map(|(one, spread)| Some((one.name.as_str(), (*spread)?)));
        Some((file.to_owned(), Plot { title, unit, bars: bars.collect() }.svg()))
    };
    let all = [
        plot("webhook-init", "Init", "ms", "init"),
        plot("webhook-rate", "Events per second of processor time", "more is better", PER_CORE),
        plot("webhook-memory", "Peak RSS", "MB", "peak RSS"),
    ];
    all.into_iter().flatten().collect()
}
