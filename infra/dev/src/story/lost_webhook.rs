//! (6) An edit in Zoho whose webhook is lost arrives by a pull.

use super::scene::{Scene, TENANT};
use super::sight::Sight;
use super::{GRACE, Seen};
use crate::operator;
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::json;
use std::time::Instant;

const COMPANY: &str = "Compilers & Sons";

pub(super) fn is_pulled(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    let lead = scene.shown("zoho", GRACE)?.pop().context("Grace's lead is gone")?.id;
    let told = scene.deliveries()?["deliveries"].as_array().map_or(0, Vec::len);
    scene.edit("zoho", GRACE, Some(&lead), &json!({"Company": COMPANY}), true)?;
    Sight::of(GRACE, &lead, "no webhook about this edit").check(
        scene,
        scene.deliveries()?["deliveries"].as_array().map_or(0, Vec::len) == told,
        || "one more".to_owned(),
    )?;
    progress.say("reading what changed in Zoho");
    let begun = Instant::now();
    operator::ask(scene.project, scene.stack, &["sync", TENANT, "zoho"])?;
    Sight::of(GRACE, &lead, format!("HubSpot shows the company {COMPANY}")).wait(scene, |scene| {
        let shown = scene.shown("hubspot", GRACE)?.pop().and_then(|contact| contact.text("company"));
        Ok(if shown.as_deref() == Some(COMPANY) { Ok(()) } else { Err(format!("{shown:?}")) })
    })?;
    Ok(format!("no webhook; HubSpot shows {COMPANY:?} {:.1} s after the pull", begun.elapsed().as_secs_f64()))
}
