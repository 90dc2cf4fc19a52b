//! (10) An edit in any CRM reaches the others, and edits of different fields at the same time both survive.

use super::oracle::{counterparts, normal};
use super::scene::Scene;
use super::sight::Sight;
use super::{ADA, Seen};
use crate::screens::{SCREENS, screen};
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::json;
use std::time::Instant;

const NAME: &str = "King";
const PHONE: &str = "+14155550177";

pub(super) fn survive(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    let mut slowest: f64 = 0.0;
    for (n, edited) in SCREENS.iter().enumerate() {
        progress.say(&format!("a phone in {}", edited.name));
        let phone = format!("+1415555016{n}");
        let field = edited.field("phone").context("no field for phones")?;
        let begun = Instant::now();
        let id = id_in(scene, edited.crm)?;
        scene.edit(edited.crm, ADA, Some(&id), &json!({field: phone}), false)?;
        for (crm, field) in counterparts(edited.crm, field) {
            shows(scene, crm, field, &phone)?;
        }
        slowest = slowest.max(begun.elapsed().as_secs_f64());
    }
    progress.say("a name in HubSpot, a phone in Zoho");
    let (contact, lead) = (id_in(scene, "hubspot")?, id_in(scene, "zoho")?);
    let begun = Instant::now();
    scene.edit("hubspot", ADA, Some(&contact), &json!({"lastname": NAME}), false)?;
    scene.edit("zoho", ADA, Some(&lead), &json!({"Phone": PHONE}), false)?;
    for one in &SCREENS {
        let name = one.field("last_name").map_or(("name", format!("Ada {NAME}")), |field| (field, NAME.to_owned()));
        shows(scene, one.crm, name.0, &name.1)?;
        shows(scene, one.crm, one.field("phone").unwrap_or_default(), PHONE)?;
    }
    let took = begun.elapsed().as_secs_f64();
    Ok(format!(
        "each one's edit is in the other three after {slowest:.1} s; {NAME} and {PHONE} in all four after {took:.1} s"
    ))
}

fn id_in(scene: &Scene<'_>, crm: &str) -> Result<String> {
    Ok(scene.shown(crm, ADA)?.pop().with_context(|| format!("Ada is gone from {crm}"))?.id)
}

fn shows(scene: &mut Scene<'_>, crm: &str, field: &str, text: &str) -> Result<()> {
    let name = screen(crm)?.name;
    let hub = if field.eq_ignore_ascii_case("phone") { "phone" } else { "name" };
    Sight::of(ADA, ADA, format!("{name} shows {field} = {text}")).wait(scene, |scene| {
        let shown = scene.shown(crm, ADA)?.pop().and_then(|record| record.text(field)).unwrap_or_default();
        Ok(if normal(hub, &shown) == text { Ok(()) } else { Err(shown) })
    })
}
