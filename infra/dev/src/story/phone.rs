//! (1) A signed HubSpot delivery changes a phone: every other CRM follows.

use super::oracle::counterparts;
use super::scene::Scene;
use super::sight::Sight;
use super::{ADA, Seen};
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::json;
use std::time::Instant;

pub(super) fn changes(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    progress.say("a HubSpot user adds Ada");
    let ada = json!({"firstname": "Ada", "lastname": "Byron", "email": ADA, "phone": "(415) 555-0100", "company": "Analytical Ltd"});
    let contact = scene.edit("hubspot", ADA, None, &ada, false)?;
    all_show(scene, "+14155550100")?;
    scene.rest(super::sight::SOON)?;
    progress.say("and changes her phone");
    // Step 2 compares what this costs with what its echo does.
    scene.desk.record(true)?;
    let begun = Instant::now();
    scene.edit("hubspot", ADA, Some(&contact.id), &json!({"phone": "(415) 555-0199"}), false)?;
    all_show(scene, "+14155550199")?;
    let took = begun.elapsed().as_secs_f64();
    let deliveries = scene.deliveries()?;
    let signed = deliveries["deliveries"].as_array().into_iter().flatten().rfind(|one| one["crm"] == "hubspot");
    let signed = signed.context("HubSpot delivered nothing")?;
    let proof =
        signed["headers"]["x-hubspot-signature-v3"].as_str().context("HubSpot's delivery has no v3 signature")?;
    Ok(format!(
        "(415) 555-0199 in HubSpot is +14155550199 in the others after {took:.1} s; signature {:.8}… answered {}",
        proof, signed["status"]
    ))
}

fn all_show(scene: &mut Scene<'_>, phone: &str) -> Result<()> {
    for (crm, field) in counterparts("hubspot", "phone") {
        Sight::of(ADA, ADA, format!("one record in {crm}, with the phone {phone}")).wait(scene, |scene| {
            let shown = scene.shown(crm, ADA)?;
            let phones: Vec<_> = shown.iter().map(|record| record.text(field).unwrap_or_default()).collect();
            Ok(if phones == [phone] { Ok(()) } else { Err(format!("{} records {phones:?}", shown.len())) })
        })?;
    }
    Ok(())
}
