//! Pulling a CRM's records: what people use for it, beside each other.

use super::connectors::{self, CONNECTORS, Figures};
use super::crm::{CONTACTS, Crm, LEADS, Limits, Object};
use super::figures::{Spread, short};
use super::gauge::Built;
use super::machine;
use super::ours;
use super::page::Section;
use super::table::Table;
use crate::functions;
use crate::project::Project;
use crate::simulator::PACKAGE;
use crate::step::{Progress, step};
use anyhow::Result;
use std::fmt;
use std::path::Path;

/// Each takes minutes: more of them than this are not run.
const ROUNDS: usize = 3;
/// What is read in every round, and once more in one round.
const RECORDS: usize = 10_000;
const MANY: usize = 100_000;
/// Who would need longer for the many is not asked to.
const LONGEST_S: f64 = 300.0;
/// One more than three pages of 200 hold.
const CHANGED: usize = 601;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Job {
    /// Everything, for the first time.
    Full(usize),
    /// What is new since then, where nothing is.
    Empty(usize),
    /// The same, where some have changed.
    Changed(usize),
}

impl Job {
    /// Of the CRM.
    fn records(self) -> usize {
        match self {
            Job::Full(records) | Job::Empty(records) | Job::Changed(records) => records,
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Job::Full(records) => write!(f, "all {}", short(*records as f64)),
            Job::Empty(records) => write!(f, "nothing new among {}", short(*records as f64)),
            Job::Changed(records) => write!(f, "{CHANGED} changed among {}", short(*records as f64)),
        }
    }
}

/// One job done once by somebody.
pub(super) struct Pull {
    pub(super) who: String,
    pub(super) job: Job,
    pub(super) figures: Figures,
}

type Puller<'a> = dyn Fn(&Crm, &Path, &Progress) -> Result<Figures> + 'a;

/// Somebody who pulls; what it remembers is kept in a folder.
struct Contender<'a> {
    who: String,
    /// It can be asked for what is new.
    remembers: bool,
    pull: Box<Puller<'a>>,
}

pub(super) fn measure(project: &Project, built: &Built, rounds: usize) -> Result<Section> {
    CONNECTORS.iter().try_for_each(|connector| connector.install(project))?;
    let rounds = rounds.min(ROUNDS);
    functions::quick(project, PACKAGE)?;
    let mut pulls = Vec::new();
    for object in [CONTACTS, LEADS] {
        let all = contenders(project, built, object)?;
        let jobs = [Job::Full(RECORDS), Job::Empty(RECORDS), Job::Changed(RECORDS)];
        pulls.extend(by_all(project, object, &all, &jobs, rounds)?);
        let quick: Vec<Contender<'_>> = all.into_iter().filter(|one| ends_in_time(&one.who, &pulls)).collect();
        pulls.extend(by_all(project, object, &quick, &[Job::Full(MANY)], 1)?);
    }
    let table = table(&pulls);
    table.print();
    Ok(Section { text: text(project, rounds, &table), plots: Vec::new() })
}

/// Whether it would read many in so much time, as it read the fewer.
fn ends_in_time(who: &str, pulls: &[Pull]) -> bool {
    let full = pulls.iter().filter(|pull| pull.job == Job::Full(RECORDS) && pull.who == who);
    let times = MANY as f64 / RECORDS as f64;
    Spread::of(full.map(|pull| pull.figures.seconds)).is_some_and(|spread| spread.median * times < LONGEST_S)
}

/// These jobs of those who take turns within each round; the first tells how many records there are.
fn by_all(
    project: &Project,
    object: Object,
    contenders: &[Contender<'_>],
    jobs: &[Job],
    rounds: usize,
) -> Result<Vec<Pull>> {
    let crm = Crm::with(project, object, jobs.first().map_or(0, |job| job.records()), Limits::Lifted)?;
    step("Records pulled", |progress| {
        let mut pulls = Vec::new();
        for round in 1..=rounds {
            for contender in contenders {
                pulls.extend(in_turn(project, &crm, contender, jobs, &format!("round {round}"), progress)?);
            }
        }
        Ok((pulls, format!("{rounds} rounds of {} contenders", contenders.len())))
    })
}

fn contenders<'a>(project: &'a Project, built: &'a Built, object: Object) -> Result<Vec<Contender<'a>>> {
    let pull = |crm: &Crm, folder: &Path, progress: &Progress| {
        ours::pull(project, built, crm, folder, progress).map(|pulled| pulled.figures)
    };
    let who = format!("ours, from {} into the stub of DynamoDB", object.crm);
    let mut all = vec![Contender { who, remembers: true, pull: Box::new(pull) }];
    for connector in CONNECTORS.iter().filter(|one| one.object.crm == object.crm) {
        let pull = |crm: &Crm, folder: &Path, _: &Progress| connectors::pull(project, crm.url(), connector, folder);
        let (who, remembers) = (connector.named(project)?, connector.remembers);
        all.push(Contender { who, remembers, pull: Box::new(pull) });
    }
    Ok(all)
}

/// One job after the other, with what it remembers in between.
fn in_turn(
    project: &Project,
    crm: &Crm,
    contender: &Contender<'_>,
    jobs: &[Job],
    round: &str,
    progress: &Progress,
) -> Result<Vec<Pull>> {
    let folder = project.dev.join("bench/pull");
    let _ = std::fs::remove_dir_all(&folder);
    let who = &contender.who;
    let mut pulls = Vec::new();
    for job in jobs.iter().take(if contender.remembers { jobs.len() } else { 1 }) {
        progress.say(&format!("{round}: {who}, {job}"));
        if matches!(job, Job::Changed(_)) {
            crm.change(CHANGED, &format!("{who}, {round}"))?;
        }
        pulls.push(Pull { who: who.clone(), job: *job, figures: (contender.pull)(crm, &folder, progress)? });
    }
    Ok(pulls)
}

/// A line for each job of each, in the order in which they came.
pub(super) fn table(pulls: &[Pull]) -> Table {
    let mut table =
        Table::new(&["", "job", "calls", "seconds", "records per second", "CPU, s", "peak RSS, MB", "records"]);
    let mut seen: Vec<(&str, Job)> = Vec::new();
    for Pull { who, job, .. } in pulls {
        if !seen.contains(&(who, *job)) {
            seen.push((who, *job));
            let of: Vec<&Figures> =
                pulls.iter().filter(|p| p.who == *who && p.job == *job).map(|p| &p.figures).collect();
            table.rows.push(row(who, *job, &of));
        }
    }
    table
}

fn row(who: &str, job: Job, of: &[&Figures]) -> Vec<String> {
    let spread = |figure: fn(&Figures) -> f64| {
        Spread::of(of.iter().map(|figures| figure(figures))).map(|spread| spread.to_string()).unwrap_or_default()
    };
    let rate = if matches!(job, Job::Empty(_)) { "–".to_owned() } else { spread(|f| f.records as f64 / f.seconds) };
    vec![
        who.to_owned(),
        job.to_string(),
        whole(of, |f| f.calls.values().sum()),
        spread(|f| f.seconds),
        rate,
        spread(|f| f.cpu_s),
        spread(|f| f.peak_kb as f64 / 1024.0),
        whole(of, |f| f.records),
    ]
}

/// Whole numbers, which should be the same in every round.
fn whole(of: &[&Figures], figure: fn(&Figures) -> u64) -> String {
    let of = Spread::of(of.iter().map(|figures| figure(figures) as f64));
    of.map_or_else(String::new, |spread| match spread.median {
        few if few < 100.0 => format!("{few:.0}"),
        many => short(many),
    })
}

fn text(project: &Project, rounds: usize, table: &Table) -> String {
    let often = if rounds == 1 { "once".to_owned() } else { format!("{rounds} times") };
    format!(
        "## Pulling\n\n{}\n\nContacts of the simulated HubSpot and leads of the simulated Salesforce: {RECORDS} {often}, all in turn, and {MANY} once by those that would not need more than five minutes. \
         The simulator is asked over plain HTTP on this machine and answers without delay and without a limit of calls in ten seconds: what is measured is the program, not the CRM. The state of the full read is kept: nothing is new, then {CHANGED} have changed. \
         One record comes again where a program asks for what is not older than the newest that it has seen.\n\n\
         * Ours is the function `delta-pull`, its release binary started on a core of its own by the bare Runtime API. What it reads is mapped, decided about and stored in a stub of DynamoDB that answers at once and remembers nothing but how far the pull has come: \
         everybody is new, which is the dearest case. Those of the last milliseconds of a page come again with the next one.\n\
         * The others are installed from PyPI as they are (`infra/dev/bench/peers/pull`) and decide nothing: they hand on what they read as lines of JSON into a file, or as rows of DuckDB. The time is that of the whole process.\n\n\
         HubSpot's five searches in a second are kept to; Salesforce's query jobs are complete at once. The token of HubSpot is static; Salesforce's is asked for in each run of the others, and ours has one.\n\n{}",
        machine::sentence(project),
        table.markdown()
    )
}
