//! Plain HTTP to what runs on this machine.

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use ureq::Agent;

/// The largest answer that is read: all records of a large demo.
const LARGEST: u64 = 1 << 30;

pub(crate) fn get(url: &str) -> Result<String> {
    let mut answer = agent().get(url).call().with_context(|| format!("GET {url} failed"))?;
    Ok(answer.body_mut().with_config().limit(LARGEST).read_to_string()?)
}

pub(crate) fn get_json<T: DeserializeOwned>(url: &str) -> Result<T> {
    serde_json::from_str(&get(url)?).with_context(|| format!("GET {url} answers something else"))
}

pub(crate) fn post(url: &str, body: &impl Serialize) -> Result<String> {
    let mut answer = agent().post(url).send_json(body).with_context(|| format!("POST {url} failed"))?;
    Ok(answer.body_mut().with_config().limit(LARGEST).read_to_string()?)
}

/// Posts a body as it is, and answers the status, whatever it is.
pub(crate) fn deliver(url: &str, headers: &[(String, String)], body: &str) -> Result<u16> {
    let mut request = agent().post(url).config().http_status_as_error(false).build();
    for (name, value) in headers {
        request = request.header(name, value);
    }
    Ok(request.send(body).with_context(|| format!("POST {url} failed"))?.status().as_u16())
}

fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().into()
}
