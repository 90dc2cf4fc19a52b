//! Pushing records to a CRM: ours, and what people use for it, as they use it: for each record a search, and then an update or a create.

use super::connectors::{Figures, told};
use super::crm::{CONTACTS, Crm, LEADS, Limits, Object};
use super::figures::{Spread, short};
use super::machine;
use super::page::Section;
use super::rush;
use super::table::Table;
use crate::functions;
use crate::project::Project;
use crate::python::Environment;
use crate::simulator::PACKAGE;
use crate::step::step;
use anyhow::Result;
use std::process::Command;

/// Ten times as many take ten times as long: the CRM's limit is what is met.
const RECORDS: usize = 1_000;
/// HubSpot's limit makes each of them last minutes, and all alike.
const ROUNDS: usize = 1;

struct Client {
    object: Object,
    package: &'static str,
    environment: Environment,
}

const CLIENTS: [Client; 2] = [
    Client {
        object: CONTACTS,
        package: "hubspot-api-client",
        environment: Environment::of_peer(
            "hubspot-api-client-venv",
            "bench/peers/push/requirements-hubspot-api-client.txt",
            "hubspot-api-client",
        ),
    },
    Client {
        object: LEADS,
        package: "simple-salesforce",
        environment: Environment::of_peer(
            "simple-salesforce-venv",
            "bench/peers/push/requirements-simple-salesforce.txt",
            "simple-salesforce",
        ),
    },
];

/// So many records pushed once by somebody.
pub(super) struct Push {
    pub(super) who: String,
    pub(super) crm: &'static str,
    pub(super) figures: Figures,
}

pub(super) fn measure(project: &Project) -> Result<Section> {
    CLIENTS.iter().try_for_each(|client| client.environment.install(project))?;
    functions::quick(project, PACKAGE)?;
    let ours = rush::table(&rush::rushes(project)?);
    let theirs = table(&by_peers(project, RECORDS, ROUNDS)?);
    [&ours, &theirs].into_iter().for_each(Table::print);
    Ok(Section { text: text(project, &ours, &theirs), plots: Vec::new() })
}

/// Every other of the records is there already, by its e-mail address; the CRM keeps to its limits.
pub(super) fn by_peers(project: &Project, records: usize, rounds: usize) -> Result<Vec<Push>> {
    let mut pushes = Vec::new();
    for client in CLIENTS.iter().flat_map(|client| std::iter::repeat_n(client, rounds)) {
        let crm = Crm::with(project, client.object, records, Limits::Vendors)?;
        let who = format!("{} {}", client.package, client.environment.version(project, client.package)?);
        let figures = step("Records pushed", |_| {
            let mut script = Command::new(client.environment.program(project, "python"));
            script.arg(project.source("bench/peers/push/upserts.py"));
            script.args([client.object.crm, crm.url(), &records.to_string()]);
            Ok((told(project, &mut script)?, who.clone()))
        })?;
        pushes.push(Push { who, crm: client.object.crm, figures });
    }
    Ok(pushes)
}

/// A line for each, in the order in which they came.
pub(super) fn table(pushes: &[Push]) -> Table {
    let mut table =
        Table::new(&["", "to", "records", "calls", "calls per record", "seconds", "records per second", "CPU, s"]);
    let mut seen: Vec<&str> = Vec::new();
    for Push { who, crm, .. } in pushes {
        if !seen.contains(&who.as_str()) {
            seen.push(who);
            let of: Vec<&Figures> = pushes.iter().filter(|push| push.who == *who).map(|push| &push.figures).collect();
            table.rows.push(row(who, crm, &of));
        }
    }
    table
}

fn row(who: &str, crm: &str, of: &[&Figures]) -> Vec<String> {
    let all = |figure: fn(&Figures) -> f64| Spread::of(of.iter().map(|figures| figure(figures)));
    let median = |figure: fn(&Figures) -> f64| all(figure).map(|spread| short(spread.median)).unwrap_or_default();
    let spread = |figure: fn(&Figures) -> f64| all(figure).map(|spread| spread.to_string()).unwrap_or_default();
    vec![
        who.to_owned(),
        crm.to_owned(),
        median(|f| f.records as f64),
        median(|f| f.calls.values().sum::<u64>() as f64),
        median(|f| f.calls.values().sum::<u64>() as f64 / f.records as f64),
        spread(|f| f.seconds),
        spread(|f| f.records as f64 / f.seconds),
        spread(|f| f.cpu_s),
    ]
}

fn text(project: &Project, ours: &Table, theirs: &Table) -> String {
    format!(
        "## Pushing\n\n{}\n\n{} people whom no CRM knows, from the queue to each CRM alone: `timed::rush` in simulated time, where a call takes 150 ms. One by one it would be a search and a create for each. \
         What its limits take is the time of so many calls under the windows that its documents tell, less what the connection leaves to the account's other apps: a fifth, unless an operator says another share. Where no window has a number, the calls do not reach one.\n\n{}\n{RECORDS} records, half of which are there already: the vendors' clients as integrations usually call them, for each record a search and then an update or a create \
         (`infra/dev/bench/peers/push`). The simulated HubSpot keeps to its limits, of which the five searches in a second are met; nobody runs into them, but waits. The simulated Salesforce answers without \
         delay, so its seconds are the client's own, and at 100 ms a call they would be two hundred.\n\n{}",
        machine::sentence(project),
        rush::PEOPLE,
        ours.markdown(),
        theirs.markdown()
    )
}
