//! What the tests' world counted of each kind of event.

use crate::bench::law;
use crate::project::Project;
use crate::python::EMULATOR;
use crate::step::step;
use anyhow::Result;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const TEST: &str = "kinds::each_kind_of_event_is_counted";

/// Everything that so many events of one kind took.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Counted {
    pub(super) kind: String,
    /// How the events came: minutes apart, one by one, together.
    pub(super) regime: String,
    pub(super) events: f64,
    /// Units, requests and bytes, as the proxy before AWS names them.
    pub(super) items: BTreeMap<String, f64>,
    /// By function.
    pub(super) invoked: BTreeMap<String, Work>,
    pub(super) aws_calls: f64,
    pub(super) crm_calls: f64,
    /// Bytes of metrics' lines.
    pub(super) emitted: f64,
    pub(super) metrics: BTreeSet<String>,
    /// Bytes of what the handlers logged.
    #[serde(skip)]
    pub(super) logged: f64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Work {
    pub(super) times: f64,
    pub(super) messages: f64,
    pub(super) polls: f64,
}

impl Counted {
    pub(super) fn item(&self, name: &str) -> f64 {
        self.items.get(name).copied().unwrap_or_default()
    }

    pub(super) fn invocations(&self) -> f64 {
        self.invoked.values().map(|work| work.times).sum()
    }

    pub(super) fn of(&self, function: &str) -> Work {
        self.invoked.get(function).copied().unwrap_or_default()
    }

    fn add(&mut self, other: Counted) {
        let Counted { events, items, invoked, aws_calls, crm_calls, emitted, metrics, logged, .. } = other;
        for (item, more) in items {
            *self.items.entry(item).or_default() += more;
        }
        for (function, more) in invoked {
            let work = self.invoked.entry(function).or_default();
            work.times += more.times;
            work.messages += more.messages;
            work.polls += more.polls;
        }
        self.events += events;
        self.aws_calls += aws_calls;
        self.crm_calls += crm_calls;
        self.emitted += emitted;
        self.logged += logged;
        self.metrics.extend(metrics);
    }
}

/// Runs the functions' own stories in the tests' world, and reads what they were billed for.
pub(super) fn count(project: &Project) -> Result<Vec<Counted>> {
    EMULATOR.install(project)?;
    step("Events counted", |progress| {
        let counted = law::run(project, TEST, &[], progress, read)?;
        let said = format!("{} kinds of them", counted.len());
        Ok((counted, said))
    })
}

/// A line for each kind; those before it were logged meanwhile. A kind that comes again is added up.
fn read(lines: &str) -> Vec<Counted> {
    let (mut all, mut logged) = (Vec::<Counted>::new(), 0.0);
    for line in lines.lines() {
        if line.starts_with(r#"{"timestamp""#) {
            logged += line.len() as f64 + 1.0;
        }
        let Ok(counted) = serde_json::from_str::<Counted>(line) else { continue };
        let counted = Counted { logged: std::mem::take(&mut logged), ..counted };
        match all.iter_mut().find(|one| one.kind == counted.kind && one.regime == counted.regime) {
            Some(one) => one.add(counted),
            None => all.push(counted),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_is_logged_belongs_to_the_kind_that_follows() {
        let kind = r#"{"kind":"k","regime":"r","events":2,"items":{"events":3},"invoked":{"journal":{"times":1,"messages":4,"polls":0}},"aws_calls":1,"crm_calls":0,"emitted":5,"metrics":["A "]}"#;
        let log =
            format!("running 1 test\n{{\"timestamp\":1}}\n{kind}\n{{\"timestamp\":1}}\n{kind}\ntest result: ok\n");
        let read = read(&log);
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].events, read[0].logged, read[0].emitted), (4.0, 32.0, 10.0));
        assert_eq!((read[0].item("events"), read[0].of("journal").messages, read[0].invocations()), (6.0, 8.0, 2.0));
    }
}
