//! (10) Edits in both CRMs to different fields of one lead both survive.

use super::scene::Scene;
use super::sight::Sight;
use super::{ADA, Seen};
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::json;
use std::time::Instant;

const NAME: &str = "King";
const PHONE: &str = "+14155550177";

pub(super) fn survive(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    let contact = scene.shown("hubspot", ADA)?.pop().context("Ada's contact is gone")?.id;
    let lead = scene.shown("zoho", ADA)?.pop().context("Ada's lead is gone")?.id;
    progress.say("a name in HubSpot, a phone in Zoho");
    let begun = Instant::now();
    scene.edit("hubspot", ADA, Some(&contact), &json!({"lastname": NAME}), false)?;
    scene.edit("zoho", ADA, Some(&lead), &json!({"Phone": PHONE}), false)?;
    for (crm, fields) in [("hubspot", ["lastname", "phone"]), ("zoho", ["Last_Name", "Phone"])] {
        Sight::of(ADA, ADA, format!("{crm} shows {NAME} and {PHONE}")).wait(scene, |scene| {
            let Some(record) = scene.shown(crm, ADA)?.pop() else { return Ok(Err("no record".to_owned())) };
            let shown = fields.map(|field| record.text(field).unwrap_or_default());
            Ok(if shown == [NAME, PHONE] { Ok(()) } else { Err(format!("{shown:?}")) })
        })?;
    }
    Ok(format!("both CRMs show {NAME} and {PHONE} after {:.1} s", begun.elapsed().as_secs_f64()))
}
