//! Waiting until something is seen, and what is said when it is not.

use super::hub;
use super::scene::Scene;
use crate::stop;
use anyhow::{Result, anyhow};
use std::time::{Duration, Instant};

/// What a step waits for.
pub(super) struct Sight<'a> {
    /// As a person would say it: "Zoho's lead shows the phone +14155550199".
    pub(super) expected: String,
    /// The e-mail address of whom it is about.
    pub(super) person: &'a str,
    /// By which message, record and log are found: a request's id, or another text.
    pub(super) id: &'a str,
    pub(super) within: Duration,
}

/// Most things are there within two seconds; a shared machine is given more.
pub(super) const SOON: Duration = Duration::from_secs(30);

impl<'a> Sight<'a> {
    pub(super) fn of(person: &'a str, id: &'a str, expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), person, id, within: SOON }
    }

    pub(super) fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// Looks until it is there. A look answers with what was wanted, or with what it found instead.
    pub(super) fn wait<T>(
        &self,
        scene: &mut Scene<'_>,
        mut look: impl FnMut(&mut Scene<'_>) -> Result<Result<T, String>>,
    ) -> Result<T> {
        let begun = Instant::now();
        loop {
            match look(scene)? {
                Ok(seen) => return Ok(seen),
                Err(found) if begun.elapsed() > self.within.min(scene.patience) => {
                    return Err(self.missing(scene, &found));
                }
                Err(_) => {}
            }
            stop::check()?;
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Looks once.
    pub(super) fn check(&self, scene: &Scene<'_>, holds: bool, found: impl FnOnce() -> String) -> Result<()> {
        if holds { Ok(()) } else { Err(self.missing(scene, &found())) }
    }

    /// Told with what a person needs to find the cause: the record, the id to follow, and where the logs are.
    fn missing(&self, scene: &Scene<'_>, found: &str) -> anyhow::Error {
        let mut told = format!("expected  {}\n  found     {found}\n", self.expected);
        let mut id = self.id.to_owned();
        if self.person.contains('@') {
            let record = match hub::find(scene, self.person) {
                Ok(Some(known)) => {
                    // No log holds an e-mail address: what last changed the record has an id that is there.
                    id = if id == self.person { known.trace().to_owned() } else { id };
                    format!("{} (version {}), linked to {:?}", known.id(), known.version(), known.links())
                }
                Ok(None) => "none".to_owned(),
                Err(error) => format!("cannot be read: {error:#}"),
            };
            told += &format!("  record    {}: {record}\n  trace     cargo dev trace {id}\n", self.person);
        }
        let logs = ["functions", "emulator"].map(|name| scene.project.log(name).display().to_string());
        anyhow!("{told}  logs      {}", logs.join(", "))
    }
}
