//! A file comes in and another goes out, through the control API alone.

use super::ALAN;
use super::scene::{Scene, TENANT};
use crate::http;
use crate::people::Person;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Alan's company by way of a CSV; then everybody, as a file.
pub(super) fn come_and_go(scene: &Scene<'_>) -> Result<()> {
    let (oscar, ada) = (Person::log_in(scene.stack, "oscar")?, Person::log_in(scene.stack, "ada")?);
    let imports = format!("/v1/tenants/{TENANT}/imports");
    let file = format!("Email;Company Name\n{ALAN};Hut 10\nnobody;Hut 11\n");
    let made = oscar.ask("POST", &imports, Some(&json!({"format": "csv", "bytes": file.len()})))?;
    let import = format!("{imports}/{}", made["id"].as_str().context("an import without an id")?);
    http::signed(&made["upload"], &file)?;
    wait(&oscar, &import, "counted")?;
    oscar.ask("POST", &format!("{import}/start"), None)?;
    let done = wait(&oscar, &import, "done")?;
    ensure!(done["done"]["updated"] == 1 && done["done"]["refused"] == 1, "the import has other rows: {done}");
    let result = http::signed(&oscar.ask("GET", &format!("{import}/result"), None)?, "")?;
    ensure!(result.lines().count() == 3, "the result has other rows: {result}");
    let exports = format!("/v1/tenants/{TENANT}/exports");
    let made = ada.ask("POST", &exports, Some(&json!({"format": "csv"})))?;
    let export = format!("{exports}/{}", made["id"].as_str().context("an export without an id")?);
    wait(&ada, &export, "done")?;
    let people = http::signed(&ada.ask("GET", &format!("{export}/file"), None)?, "")?;
    ensure!(people.contains(ALAN) && people.contains("Hut 10"), "the export lacks Alan");
    Ok(())
}

const PATIENCE: Duration = Duration::from_secs(40);

fn wait(person: &Person, path: &str, state: &str) -> Result<Value> {
    let begun = Instant::now();
    loop {
        let shown = person.ask("GET", path, None)?;
        if shown["state"] == state {
            return Ok(shown);
        }
        if begun.elapsed() > PATIENCE || shown["state"] == "failed" {
            bail!("{path} is not {state}: {shown}");
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}
