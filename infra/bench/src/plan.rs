//! What is to be run, and what came of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

#[derive(Deserialize)]
pub struct Plan {
    /// How often each contender is started; all of them once, then all of them again.
    pub rounds: usize,
    pub contenders: Vec<Contender>,
    /// What the stub of DynamoDB holds: a list of items.
    pub tables: PathBuf,
    /// Secrets by their names.
    pub secrets: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
pub struct Contender {
    pub name: String,
    pub command: Vec<String>,
    pub folder: PathBuf,
    /// Besides what Lambda sets.
    pub environment: BTreeMap<String, String>,
    /// The event that it gets, as Lambda hands it on.
    pub event: PathBuf,
    /// What signs it, where it is a delivery of HubSpot's; forgeries of it are tried too.
    pub signed_by: Option<String>,
    /// Events after the first.
    pub warm: usize,
    /// Where its output goes.
    pub log: PathBuf,
}

/// One start of one contender.
#[derive(Serialize)]
pub struct Run {
    pub contender: String,
    /// From exec to its first call for an event.
    pub init_ms: f64,
    /// From the first event to its answer.
    pub first_ms: f64,
    /// The same of each later one, in their order.
    pub warm_ms: Vec<f64>,
    /// From the second event to the last one's answer.
    pub wall_s: f64,
    /// Of the processor meanwhile; `None` where the system does not tell.
    pub cpu_s: Option<f64>,
    /// The most memory that was resident.
    pub peak_kb: Option<u64>,
    /// Of the processor, from exec to the last answer.
    pub all_cpu_s: Option<f64>,
    /// How often it put a record into the table.
    pub records: u64,
    /// From its start to its end.
    pub asked: Asked,
    /// Connections that it put into the table, as they are at the end.
    pub connections: Vec<Value>,
    /// What it wrote to its log for the warm events.
    pub log_bytes: u64,
    /// What it called for the warm events, by service and operation.
    pub calls: BTreeMap<String, u64>,
    /// What it had put into queues by the end of the first event.
    pub sent: Vec<Value>,
    /// What it answered the first event.
    pub answer: Value,
}

/// What was asked of AWS.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Asked {
    pub calls: u64,
    /// Items that were to be written, one by one or in transactions.
    pub items: u64,
    /// Of all bodies.
    pub bytes: u64,
}
