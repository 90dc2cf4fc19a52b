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
                Err(found) if begun.elapsed() > self.within => return Err(self.missing(scene, &found)),
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

    fn missing(&self, scene: &Scene<'_>, found: &str) -> anyhow::Error {
        let record = match hub::find(scene, self.person) {
            Ok(Some(person)) => {
                format!("{} (version {}), linked to {:?}", person.id(), person.version(), person.links())
            }
            Ok(None) => "none".to_owned(),
            Err(error) => format!("cannot be read: {error:#}"),
        };
        anyhow!(
            "expected  {}\n  found     {found}\n  record    {}: {record}\n  trace     {} (cargo dev trace {})\n  logs      {}, {}",
            self.expected,
            self.person,
            self.id,
            self.id,
            scene.project.log("functions").display(),
            scene.project.log("emulator").display(),
        )
    }
}
