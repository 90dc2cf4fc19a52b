//! The events that a function gets: as the sample is, or signed anew, or forged.

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Genuine,
    /// Genuine, and its body in base64, as gateways hand on what is no text.
    Encoded,
    /// Its body was changed after it was signed.
    Changed,
    /// Signed six minutes ago.
    Old,
}

impl Kind {
    /// The status that a delivery of this kind must get.
    pub fn status(self) -> u16 {
        match self {
            Kind::Genuine | Kind::Encoded => 200,
            Kind::Changed | Kind::Old => 401,
        }
    }
}

pub struct Sample {
    event: Value,
    signed_by: Option<String>,
}

impl Sample {
    pub fn read(file: &Path, signed_by: Option<&str>) -> Result<Sample> {
        let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        Ok(Sample { event: serde_json::from_str(&text)?, signed_by: signed_by.map(str::to_owned) })
    }

    /// The event as text. One that nobody signs is always the same.
    pub fn event(&self, kind: Kind) -> String {
        let Some(secret) = &self.signed_by else { return self.event.to_string() };
        let mut event = self.event.clone();
        let at = now_ms() - if kind == Kind::Old { 360_000 } else { 0 };
        let body = event["body"].as_str().unwrap_or_default().to_owned();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let url = format!("https://{}{}", text(&event["requestContext"]["domainName"]), text(&event["rawPath"]));
        event["headers"]["x-hubspot-request-timestamp"] = json!(at.to_string());
        event["headers"]["x-hubspot-signature-v3"] = json!(signature(secret, &url, &body, at));
        match kind {
            Kind::Changed => event["body"] = json!(body.replace("0199", "0198")),
            Kind::Encoded => {
                event["body"] = json!(BASE64_STANDARD.encode(body));
                event["isBase64Encoded"] = json!(true);
            }
            Kind::Genuine | Kind::Old => {}
        }
        event.to_string()
    }
}

/// HubSpot docs: validating requests, v3. The sample's URL holds none of the escapes that are undone before.
fn signature(secret: &str, url: &str, body: &str, at: u128) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("POST{url}{body}{at}").as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

#[expect(clippy::disallowed_methods, reason = "deliveries and deadlines are of now")]
pub fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
