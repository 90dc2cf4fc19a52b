//! (5) The same message twice, and again after its window on another clock, creates nothing more.

use super::request::ID;
use super::scene::{Scene, TENANT};
use super::sight::{SOON, Sight};
use super::{GRACE, Seen, hub};
use crate::operator;
use crate::screens::SCREENS;
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::Value;

/// A request's id is remembered for 30 days.
const DAYS: u32 = 31;

pub(super) fn creates_nothing(scene: &mut Scene<'_>, asked: &Value, progress: &Progress) -> Result<Seen> {
    scene.rest(SOON)?;
    let before = hub::find(scene, GRACE)?.context("Grace's record is gone")?;
    progress.say("twice the same message");
    scene.send_again(&[asked.clone(), asked.clone()])?;
    scene.rest(SOON)?;
    let after = only_one(scene, &before)?;
    Sight::of(GRACE, ID, format!("version {}, as before", before.version())).check(
        scene,
        before.version() == after.version(),
        || after.version().to_string(),
    )?;
    progress.say("and once more in 31 days");
    operator::tell(scene.project, scene.stack, &["later", "--hours", &(DAYS * 24).to_string()], &asked.to_string())?;
    scene.rest(SOON)?;
    only_one(scene, &before)?;
    Ok(format!(
        "still one record in the hub of tenant {TENANT} and one in each CRM, every field as it was; also {DAYS} days later"
    ))
}

/// The hub still knows one Grace with the same fields and links, and so does each CRM.
fn only_one(scene: &mut Scene<'_>, before: &hub::Known) -> Result<hub::Known> {
    let after = hub::find(scene, GRACE)?.context("Grace's record is gone")?;
    let same = after.id() == before.id() && after.fields() == before.fields() && after.links() == before.links();
    Sight::of(GRACE, ID, format!("{:?}", before.fields())).check(scene, same, || format!("{:?}", after.fields()))?;
    for crm in SCREENS.map(|screen| screen.crm) {
        let shown = scene.shown(crm, GRACE)?.len();
        Sight::of(GRACE, ID, format!("one record in {crm}")).check(scene, shown == 1, || shown.to_string())?;
    }
    Ok(after)
}
