//! Where the story plays: the running stack, and what has been told to it so far.

use super::oracle::{Input, Texts};
use super::sight::Sight;
use crate::desk::{Desk, Heard};
use crate::project::Project;
use crate::screens::{Shown, screen};
use crate::stack::{Connection, Stack};
use crate::{clock, http};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(super) const TENANT: &str = "demo";

/// Calls by CRM and route.
pub(super) type Calls = BTreeMap<String, BTreeMap<String, u64>>;

pub(super) struct Scene<'a> {
    pub(super) project: &'a Project,
    pub(super) stack: &'a Stack,
    pub(super) desk: Desk,
    /// What was told about each person, by e-mail address, in the order of time.
    pub(super) told: BTreeMap<String, Vec<Input>>,
    /// Whom a CRM refuses, and which.
    pub(super) refused: BTreeMap<String, &'static str>,
    /// Everything that the workflow service heard.
    pub(super) heard: Vec<Heard>,
    /// The longest that anything is waited for.
    pub(super) patience: Duration,
}

impl<'a> Scene<'a> {
    pub(super) fn open(project: &'a Project, stack: &'a Stack) -> Result<Self> {
        let desk = Desk::open(project, &stack.event_bus)?;
        let (told, refused) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { project, stack, desk, told, refused, heard: Vec::new(), patience: Duration::MAX })
    }

    /// A CRM user makes or changes a record; answers the record.
    pub(super) fn edit(
        &mut self,
        crm: &'static str,
        person: &str,
        id: Option<&str>,
        fields: &Value,
        silent: bool,
    ) -> Result<Shown> {
        self.tell(person, Input::Edit { crm, fields: texts(fields) });
        let edit = json!({"id": id, "fields": fields, "silent": silent});
        let answer =
            http::post(&self.sim(crm)?, &edit).with_context(|| format!("{crm} does not take this edit: {edit}"))?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// A CRM user deletes a record, and no webhook tells of it.
    pub(super) fn delete(&self, crm: &str, id: &str) -> Result<()> {
        let edit = json!({"id": id, "delete": true, "silent": true});
        http::post(&self.sim(crm)?, &edit).map(drop)
    }

    /// The workflow service sends requests.
    pub(super) fn send(&mut self, requests: &[Value]) -> Result<()> {
        for request in requests {
            let person = request["lead"]["email"].as_str().unwrap_or_default();
            let (lead, sync_fields) = (texts(&request["lead"]), texts(&request["sync_fields"]));
            self.tell(person, Input::Request { lead, sync_fields });
        }
        self.send_again(requests)
    }

    /// Requests that say nothing new.
    pub(super) fn send_again(&mut self, requests: &[Value]) -> Result<()> {
        self.desk.send(&self.stack.queues.sync_requests, TENANT, requests)
    }

    /// Sends requests that all wait in the queue before the first of them is taken.
    pub(super) fn feed_at_once(&mut self, requests: &[Value]) -> Result<()> {
        let queue = &self.stack.queues.sync_requests;
        let function = self.stack.functions.get("reconcile").context("no function reconcile")?;
        self.desk.feed(function, queue, false)?;
        self.send(requests)?;
        self.desk.feed(function, queue, true)
    }

    pub(super) fn tell(&mut self, person: &str, input: Input) {
        self.told.entry(person.to_owned()).or_default().push(input);
    }

    pub(super) fn records(&self, crm: &str) -> Result<Vec<Shown>> {
        http::get_json(&self.sim(crm)?)
    }

    /// The records of a CRM that show this e-mail address.
    pub(super) fn shown(&self, crm: &str, email: &str) -> Result<Vec<Shown>> {
        let field = screen(crm)?.field("email").context("no field for e-mail addresses")?;
        Ok(self.records(crm)?.into_iter().filter(|record| record.text(field).as_deref() == Some(email)).collect())
    }

    fn sim(&self, crm: &str) -> Result<String> {
        Ok(format!("{}/_sim/{crm}/{}", self.stack.simulator, screen(crm)?.object))
    }

    pub(super) fn faults(&self, faults: &Value) -> Result<()> {
        http::post(&format!("{}/_sim/faults", self.stack.simulator), faults).map(drop)
    }

    pub(super) fn calls(&self) -> Result<Calls> {
        http::get_json(&format!("{}/_sim/calls", self.stack.simulator))
    }

    pub(super) fn deliveries(&self) -> Result<Value> {
        http::get_json(&format!("{}/_sim/deliveries?last=300", self.stack.simulator))
    }

    pub(super) fn connection(&self, crm: &str) -> Result<&'a Connection> {
        self.stack.connections.iter().find(|c| c.crm == crm).with_context(|| format!("no connection to {crm}"))
    }

    /// The events about one request, those that end it at a connection.
    pub(super) fn endings(&mut self, request: &str) -> Result<Vec<&Heard>> {
        self.listen()?;
        Ok(self.heard.iter().filter(|heard| heard.detail["request_id"] == request && ends(heard)).collect())
    }

    pub(super) fn listen(&mut self) -> Result<()> {
        let heard = self.desk.hear()?;
        self.heard.extend(heard);
        Ok(())
    }

    /// Waits until no message waits or is worked on, no webhook is under way, and that has been so for a second.
    pub(super) fn rest(&mut self, within: Duration) -> Result<()> {
        let mut quiet_since: Option<Instant> = None;
        Sight::of("nobody", "rest", "every queue is empty and every webhook delivered").within(within).wait(
            self,
            |scene| {
                let waiting: BTreeMap<String, u64> =
                    scene.desk.waiting()?.into_iter().filter(|(_, n)| *n > 0).collect();
                let pending = scene.deliveries()?["pending"].as_u64().unwrap_or_default();
                if !waiting.is_empty() || pending > 0 {
                    quiet_since = None;
                    return Ok(Err(format!("{waiting:?} and {pending} webhooks")));
                }
                let quiet = quiet_since.get_or_insert_with(Instant::now).elapsed();
                Ok(if quiet >= Duration::from_secs(1) { Ok(()) } else { Err("almost at rest".to_owned()) })
            },
        )
    }
}

pub(super) fn ends(heard: &Heard) -> bool {
    matches!(heard.kind.as_str(), "sync.succeeded" | "sync.failed" | "sync.skipped")
}

/// A sync request as the workflow service sends it, true as of now.
pub(super) fn request(id: &str, lead: &Value) -> Value {
    json!({
        "version": 1, "id": id, "tenant_id": TENANT, "connection_id": null, "object": "lead", "direction": "send",
        "source": "workflow", "occurred_at": clock::rfc3339(clock::now_ms()), "lead": lead,
        "workflow": {"id": "wf-1", "run_id": format!("run-{id}"), "step_id": "step-3"},
    })
}

fn texts(fields: &Value) -> Texts {
    let fields = fields.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), super::hub::text(value)?))).collect()
}
