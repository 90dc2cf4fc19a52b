//! What people use to pull from a CRM, as it is installed from PyPI: scripts of `bench/peers/pull`, each with an environment of its own.

use super::crm::{CONTACTS, LEADS, Object};
use crate::process;
use crate::project::Project;
use crate::python::Environment;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

pub(super) struct Connector {
    /// What the table says of it after its package and version.
    how: &'static str,
    pub(super) object: Object,
    package: &'static str,
    environment: Environment,
    /// The script, and what it is told before the simulator and the folder.
    command: [&'static str; 2],
    /// What it has read: it can be asked for what is new.
    pub(super) remembers: bool,
}

pub(super) const CONNECTORS: [Connector; 6] = [
    Connector {
        how: "",
        object: CONTACTS,
        package: "airbyte-source-hubspot",
        environment: Environment::of_peer(
            "airbyte-source-hubspot-venv",
            "bench/peers/pull/requirements-airbyte-source-hubspot.txt",
            "airbyte-source-hubspot",
        ),
        command: ["airbyte.py", "hubspot"],
        remembers: true,
    },
    Connector {
        how: "",
        object: CONTACTS,
        package: "tap-hubspot",
        environment: Environment::of_peer(
            "tap-hubspot-venv",
            "bench/peers/pull/requirements-tap-hubspot.txt",
            "tap-hubspot",
        ),
        command: ["tap.py", "hubspot"],
        remembers: true,
    },
    Connector {
        how: "",
        object: LEADS,
        package: "airbyte-source-salesforce",
        environment: Environment::of_peer(
            "airbyte-source-salesforce-venv",
            "bench/peers/pull/requirements-airbyte-source-salesforce.txt",
            "airbyte-source-salesforce",
        ),
        command: ["airbyte.py", "salesforce"],
        remembers: true,
    },
    Connector {
        how: ", REST",
        object: LEADS,
        package: "tap-salesforce",
        environment: Environment::of_peer(
            "tap-salesforce-venv",
            "bench/peers/pull/requirements-tap-salesforce.txt",
            "tap-salesforce",
        ),
        command: ["tap.py", "salesforce"],
        remembers: true,
    },
    Connector {
        how: ", rest_api into DuckDB",
        object: CONTACTS,
        package: "dlt",
        environment: Environment::of_peer("dlt-venv", "bench/peers/pull/requirements-dlt.txt", "dlt"),
        command: ["dlt_rest.py", "duckdb"],
        remembers: true,
    },
    Connector {
        how: ", rest_api into nothing",
        object: CONTACTS,
        package: "dlt",
        environment: Environment::of_peer("dlt-venv", "bench/peers/pull/requirements-dlt.txt", "dlt"),
        command: ["dlt_rest.py", "nowhere"],
        remembers: false,
    },
];

/// What one run came to, of any contender.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Figures {
    /// From its start to its end.
    pub(super) seconds: f64,
    pub(super) cpu_s: f64,
    pub(super) peak_kb: u64,
    /// That it handed on.
    pub(super) records: u64,
    /// Of the CRM, by `METHOD /route`.
    pub(super) calls: BTreeMap<String, u64>,
}

impl Connector {
    pub(super) fn install(&self, project: &Project) -> Result<()> {
        self.environment.install(project)
    }

    /// As the table calls it.
    pub(super) fn named(&self, project: &Project) -> Result<String> {
        Ok(format!("{} {}{}", self.package, self.environment.version(project, self.package)?, self.how))
    }
}

/// Runs it once; what it needs to know the next time is kept in the folder.
pub(super) fn pull(project: &Project, simulator: &str, connector: &Connector, folder: &Path) -> Result<Figures> {
    let [script, kind] = connector.command;
    let mut command = Command::new(connector.environment.program(project, "python"));
    command.arg(project.source("bench/peers/pull").join(script)).args([kind, simulator]).arg(folder);
    // Some leave files where they are started.
    std::fs::create_dir_all(folder)?;
    command.current_dir(folder);
    told(project, &mut command)
}

/// The figures that a script of `bench/peers` prints.
pub(super) fn told(project: &Project, script: &mut Command) -> Result<Figures> {
    script.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", project.source("bench/peers"));
    let told = process::output_of(script)?;
    serde_json::from_str(&told).with_context(|| format!("a script tells no figures, but {told:?}"))
}
