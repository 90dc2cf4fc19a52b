//! What it takes to decide about ten thousand records: each is rendered by its mapping's rules, compared with what was agreed and with
//! what the CRM shows, and what each side lacks is planned. `infra/dev/bench/plan.py` does the same with Jinja2 expressions.
//!
//! `bench data <file>` writes the records, `bench run <file> <rounds>` decides about them and tells how long that took, `bench core <file> <events> <rounds>` does
//! each step of the core by itself, on those records and the samples of a folder.

mod core;
mod data;

use serde::Serialize;
use serde_json::json;
use shared::{
    mapping::Mapping,
    planner::{Judge, Ownership, Policy, absorb, pending},
    record::{Fields, Link, Object},
};
use std::{error::Error, fs, path::Path, time::Instant};

/// What one way of doing it came to. `plan.py` tells the same.
#[derive(Serialize)]
struct Told {
    records: usize,
    /// Of each round.
    seconds: Vec<f64>,
    /// Per record: how often memory was asked for, and how much of it in bytes.
    allocations: f64,
    bytes: f64,
    /// Changes that the CRM lacks, and fields that the hub takes over: the same, whoever decides.
    lacking: usize,
    taken: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["data", file] => Ok(fs::write(file, serde_json::to_vec(&data::data()?)?)?),
        ["run", file, rounds] => {
            let data: data::Data = serde_json::from_slice(&fs::read(file)?)?;
            println!("{}", json!(run(&data, rounds.parse()?)?));
            Ok(())
        }
        ["core", file, events, rounds] => {
            let data: data::Data = serde_json::from_slice(&fs::read(file)?)?;
            println!("{}", json!(core::run(&data, Path::new(events), rounds.parse()?)?));
            Ok(())
        }
        _ => Err("bench data <file> | bench run <file> <rounds> | bench core <file> <events> <rounds>".into()),
    }
}

fn run(data: &data::Data, rounds: usize) -> Result<Told, Box<dyn Error>> {
    let (records, policy, ownership) = (data.read()?, Policy::default(), Ownership::default());
    let connection = "crm".parse()?;
    let judge = Judge {
        connection: &connection,
        object: &Object::Person,
        policy: &policy,
        ownership: &ownership,
        meets: false,
    };
    let decide = |hub: &Fields, link: &Link, seen, mapping: &Mapping| {
        let absorbed = absorb(hub, link, seen, mapping, judge);
        let taken = absorbed.hub.iter().filter(|(field, written)| hub.get(field) != written.value.as_ref()).count();
        (pending(&absorbed.hub, &absorbed.link, mapping).len(), taken)
    };
    let all = || {
        records.iter().fold((0, 0), |(lacking, taken), record| {
            let (more, moved) = decide(&record.hub, &record.link, &record.seen, &data.mapping);
            (lacking + more, taken + moved)
        })
    };
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        std::hint::black_box(all());
        seconds.push(begun.elapsed().as_secs_f64());
    }
    let mut counts = (0, 0);
    let allocated = allocation_counter::measure(|| counts = all());
    let per_record = |count: u64| count as f64 / records.len() as f64;
    let (allocations, bytes) = (per_record(allocated.count_total), per_record(allocated.bytes_total));
    Ok(Told { records: records.len(), seconds, allocations, bytes, lacking: counts.0, taken: counts.1 })
}
