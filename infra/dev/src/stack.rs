//! `<target>/dev/stack.json`: how to reach the running stack, for people, tests and other programs.

use crate::project::Project;
use crate::session;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Serialize, Deserialize)]
pub(crate) struct Stack {
    pub(crate) aws: Aws,
    /// Base URL of the webhooks.
    pub(crate) api: String,
    /// Base URL of the control API, if there is one: /v1 is below it.
    pub(crate) control: Option<String>,
    /// By whose tokens people are known there.
    pub(crate) issuer: Option<String>,
    pub(crate) queues: Queues,
    pub(crate) tables: Tables,
    pub(crate) event_bus: String,
    /// The bucket of files that come and go.
    pub(crate) files: String,
    /// Each function by name, and what it is called in the emulator.
    pub(crate) functions: BTreeMap<String, String>,
    /// Base URL of the simulator, or of what stands in for it.
    pub(crate) simulator: String,
    pub(crate) connections: Vec<Connection>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Aws {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Queues {
    pub(crate) sync_requests: String,
    pub(crate) changes: String,
    pub(crate) pushes: String,
    pub(crate) pulls: String,
    pub(crate) imports: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Tables {
    pub(crate) state: String,
    pub(crate) history: String,
}

/// One seeded connection, with what a CRM would need to know of it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) tenant_id: String,
    pub(crate) connection_id: String,
    pub(crate) crm: String,
    pub(crate) account_id: String,
    pub(crate) webhook_url: String,
    pub(crate) webhook_secret: String,
}

pub(crate) fn path(project: &Project) -> PathBuf {
    project.dev.join("stack.json")
}

/// The stack that is up.
pub(crate) fn read(project: &Project) -> Result<Stack> {
    ensure!(session::is_up(project)?, "no stack is up. Start one in another terminal: cargo dev up");
    let text = std::fs::read(path(project)).context("the stack is still starting")?;
    Ok(serde_json::from_slice(&text)?)
}

/// Written whole or not at all, so that whoever waits for the file never reads half of it.
pub(crate) fn write(project: &Project, stack: &Stack) -> Result<()> {
    let unfinished = project.dev.join("stack.json.new");
    std::fs::write(&unfinished, serde_json::to_vec_pretty(stack)?)?;
    Ok(std::fs::rename(unfinished, path(project))?)
}
