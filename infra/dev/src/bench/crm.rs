//! A CRM to measure against: the simulator, with records in it, and without limits of its own.

use crate::http;
use crate::project::Project;
use crate::simulator::{self, Simulator};
use crate::step::step;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::Duration;

/// Of an account that nobody else uses.
pub(super) const TOKEN: &str = "pat-na1-bench";
const DAY_MS: i64 = 24 * 3_600_000;
/// Records made with one call.
const AT_ONCE: usize = 1_000;

/// Records changed in one millisecond.
const FEW: usize = 10;

/// What is pulled from one CRM.
#[derive(Clone, Copy)]
pub(super) struct Object {
    pub(super) crm: &'static str,
    /// As the simulator names it.
    pub(super) name: &'static str,
    /// What changes.
    field: &'static str,
    fields: fn(usize) -> Value,
}

pub(super) const CONTACTS: Object = Object { crm: "hubspot", name: "contacts", field: "company", fields: contact };
pub(super) const LEADS: Object = Object { crm: "salesforce", name: "lead", field: "Title", fields: lead };

/// Whether the CRM keeps to its own limit of calls in ten seconds. That of searches stays.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Limits {
    Vendors,
    Lifted,
}

/// The simulator, and the ids of its records, oldest first.
pub(super) struct Crm {
    simulator: Simulator,
    object: Object,
    ids: Vec<String>,
}

impl Crm {
    /// With so many records, a day old, so that nobody who looks back some minutes sees them as new. The last one is changed a second after the others
    /// are there, so that whoever asks for what is not older than the newest that he has seen gets one of them.
    pub(super) fn with(project: &Project, object: Object, records: usize, limits: Limits) -> Result<Crm> {
        let simulator = simulator::start(project)?;
        step("Records made", |_| {
            http::post(&format!("{}/_sim/accounts", simulator.url), &account(object.crm))?;
            if limits == Limits::Lifted {
                let lifted = json!({"hubspot": {"burst": {"calls": 1_000_000, "per_ms": 1_000}}});
                http::post(&format!("{}/_sim/faults", simulator.url), &lifted)?;
            }
            let mut crm = Crm { simulator, object, ids: Vec::new() };
            crm.advance(-DAY_MS)?;
            for first in (0..records).step_by(AT_ONCE) {
                let edits = (first..records.min(first + AT_ONCE)).map(|n| json!({"fields": (object.fields)(n)}));
                let made = crm.edit(&edits.collect())?;
                let ids = made.as_array().into_iter().flatten().filter_map(|one| one["id"].as_str());
                crm.ids.extend(ids.map(str::to_owned));
            }
            crm.change(1, "Lecturer")?;
            crm.advance(DAY_MS)?;
            Ok((crm, format!("{records} {} of {}", object.name, object.crm)))
        })
    }

    pub(super) fn vendor(&self) -> &'static str {
        self.object.crm
    }

    pub(super) fn url(&self) -> &str {
        &self.simulator.url
    }

    /// As a person in the CRM changes the newest records, the very newest a second after the others; a second later, for those that ask for what is
    /// older than now.
    pub(super) fn change(&self, count: usize, value: &str) -> Result<()> {
        let (others, newest) = self.ids.split_at(self.ids.len().saturating_sub(1));
        for ids in [&others[others.len().saturating_sub(count.saturating_sub(1))..], newest] {
            for few in ids.chunks(FEW) {
                let edits = few.iter().map(|id| json!({"id": id, "fields": {self.object.field: value}}));
                self.edit(&edits.collect())?;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        Ok(())
    }

    /// The CRM's clock.
    fn advance(&self, ms: i64) -> Result<()> {
        http::post(&format!("{}/_sim/clock", self.simulator.url), &json!({"advance_ms": ms})).map(drop)
    }

    fn edit(&self, edits: &Value) -> Result<Value> {
        let Object { crm, name, .. } = self.object;
        let answer = http::post(&format!("{}/_sim/{crm}/{name}", self.simulator.url), edits)?;
        serde_json::from_str(&answer).context("the simulator does not tell what it made")
    }
}

fn account(crm: &str) -> Value {
    let token = (crm == "hubspot").then_some(TOKEN);
    json!({"crm": crm, "credits": 1_000_000_000, "private_app_token": token})
}

/// Ten properties that people fill in, of the twenty-six that an account has here.
pub(super) fn contact(n: usize) -> Value {
    json!({
        "email": format!("person{n}@example.com"), "firstname": format!("Given{}", n % 97), "lastname": format!("Family{n}"),
        "phone": format!("+1415{:07}", n), "company": format!("Company {}", n % 500), "jobtitle": "Engineer", "city": "London",
        "country": "United Kingdom", "website": format!("https://www.example.com/{n}"), "lifecyclestage": "lead",
    })
}

/// The same as a lead of Salesforce.
pub(super) fn lead(n: usize) -> Value {
    json!({
        "Email": format!("person{n}@example.com"), "FirstName": format!("Given{}", n % 97), "LastName": format!("Family{n}"),
        "Phone": format!("+1415{:07}", n), "Company": format!("Company {}", n % 500), "Title": "Engineer", "City": "London",
        "Country": "United Kingdom", "Website": format!("https://www.example.com/{n}"), "Status": "Open - Not Contacted",
    })
}
