//! (7) Zoho's token expires in the middle and nobody notices.

use super::scene::{Scene, ends};
use super::sight::Sight;
use super::{ADA, Seen};
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::json;
use std::time::Instant;

const COMPANY: &str = "Difference Engines";

pub(super) fn goes_unnoticed(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    let contact = scene.shown("hubspot", ADA)?.pop().context("Ada's contact is gone")?.id;
    let (tokens, failed) = (tokens(scene)?, failures(scene)?);
    progress.say("every token of Zoho's dies");
    scene.faults(&json!({"zoho": {"expire_tokens": true}}))?;
    let begun = Instant::now();
    scene.edit("hubspot", ADA, Some(&contact), &json!({"company": COMPANY}), false)?;
    Sight::of(ADA, ADA, format!("Zoho shows the company {COMPANY}")).wait(scene, |scene| {
        let shown = scene.shown("zoho", ADA)?.pop().and_then(|lead| lead.text("Company"));
        Ok(if shown.as_deref() == Some(COMPANY) { Ok(()) } else { Err(format!("{shown:?}")) })
    })?;
    let took = begun.elapsed().as_secs_f64();
    let (asked, failed_since) = (self::tokens(scene)? - tokens, failures(scene)? - failed);
    Sight::of(ADA, ADA, "one request for a token, and no word of it to anybody").check(
        scene,
        asked == 1 && failed_since == 0,
        || format!("{asked} requests, {failed_since} events"),
    )?;
    Ok(format!("one token was fetched on the way, {COMPANY:?} in Zoho after {took:.1} s"))
}

fn tokens(scene: &Scene<'_>) -> Result<u64> {
    Ok(scene.calls()?.get("zoho").and_then(|zoho| zoho.get("POST /oauth/v2/token")).copied().unwrap_or_default())
}

/// Events that tell of trouble.
fn failures(scene: &mut Scene<'_>) -> Result<usize> {
    scene.listen()?;
    let trouble = |kind: &str| kind.starts_with("connection.") || kind == "exception.raised";
    Ok(scene.heard.iter().filter(|h| trouble(&h.kind) || (ends(h) && h.kind == "sync.failed")).count())
}
