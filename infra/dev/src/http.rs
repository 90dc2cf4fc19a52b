//! Plain HTTP to what runs on this machine.

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
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

/// A request that somebody signed, as JSON tells it; what it answers.
pub(crate) fn signed(request: &Value, body: &str) -> Result<String> {
    let text = |name: &str| request[name].as_str().with_context(|| format!("a signed request without {name}"));
    let mut call = ureq::http::Request::builder().method(text("method")?).uri(text("url")?);
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        // How long the body is the client says itself.
        if name != "content-length" {
            call = call.header(name, value.as_str().unwrap_or_default());
        }
    }
    let mut answer = agent().run(call.body(body.to_owned())?).context("a signed request failed")?;
    Ok(answer.body_mut().with_config().limit(LARGEST).read_to_string()?)
}

/// One call with a token: the status, whatever it is, and the JSON that came.
pub(crate) fn ask(method: &str, url: &str, token: &str, body: Option<&Value>) -> Result<(u16, Value)> {
    let request = ureq::http::Request::builder().method(method).uri(url);
    let request = request.header("authorization", format!("Bearer {token}")).header("content-type", "application/json");
    let request = request.body(body.map(Value::to_string).unwrap_or_default())?;
    let plain: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = plain.run(request).with_context(|| format!("{method} {url} failed"))?;
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_str(&answer.body_mut().read_to_string()?).unwrap_or_default()))
}

/// One step of a browser that follows nothing by itself.
pub(crate) struct Hop<'a> {
    pub(crate) url: &'a str,
    pub(crate) cookie: Option<&'a str>,
    /// What it posts; without, it gets.
    pub(crate) form: Option<&'a [(&'a str, &'a str)]>,
}

impl<'a> Hop<'a> {
    pub(crate) fn get(url: &'a str) -> Self {
        Self { url, cookie: None, form: None }
    }
}

/// What a step of a browser comes to.
pub(crate) struct Landed {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) body: String,
}

pub(crate) fn hop(hop: &Hop<'_>) -> Result<Landed> {
    let still: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(60)))
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let cookie = hop.cookie.unwrap_or_default();
    let mut answer = match hop.form {
        Some(form) => still.post(hop.url).header("cookie", cookie).send_form(form.iter().copied()),
        None => still.get(hop.url).header("cookie", cookie).call(),
    }
    .context("a page cannot be reached")?;
    let header = |name: &str| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
    let cookie = header("set-cookie").and_then(|set| set.split(';').next().map(str::to_owned));
    let (status, location) = (answer.status().as_u16(), header("location"));
    Ok(Landed { status, location, cookie, body: answer.body_mut().read_to_string()? })
}

fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().into()
}
