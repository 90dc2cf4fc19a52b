//! Plain HTTP to what runs on this machine.

use anyhow::{Context, Result};
use serde::Serialize;
use std::time::Duration;
use ureq::Agent;

pub(crate) fn get(url: &str) -> Result<String> {
    let mut answer = agent().get(url).call().with_context(|| format!("GET {url} failed"))?;
    Ok(answer.body_mut().read_to_string()?)
}

pub(crate) fn post(url: &str, body: &impl Serialize) -> Result<String> {
    let mut answer = agent().post(url).send_json(body).with_context(|| format!("POST {url} failed"))?;
    Ok(answer.body_mut().read_to_string()?)
}

fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build().into()
}
