//! (2) The echo of our write changes nothing and costs no write.

use super::scene::Scene;
use super::sight::{SOON, Sight};
use super::{ADA, Seen, hub};
use crate::http;
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::Value;

/// The schedules of the stack write to their own items; an echo that costs a write costs it each time.
const TRIES: usize = 3;

pub(super) fn costs_nothing(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    progress.say("waiting for rest");
    scene.rest(SOON)?;
    let edit: u64 = scene.desk.writes()?.values().sum();
    Sight::of(ADA, ADA, "some writes to DynamoDB for the edit itself").check(scene, edit > 0, || "none".to_owned())?;
    let echo = notification(scene)?;
    let before = recorded(scene)?;
    let causes = before.causes();
    Sight::of(ADA, ADA, "no change of the record that was made by looking at Zoho").check(
        scene,
        !causes.iter().any(|cause| cause == "look zoho"),
        || causes.join(", "),
    )?;
    let (mut writes, calls) = (Default::default(), scene.calls()?);
    for _ in 0..TRIES {
        progress.say("Zoho tells of our own write once more");
        scene.desk.record(true)?;
        deliver(scene, &echo)?;
        scene.rest(SOON)?;
        writes = scene.desk.writes()?;
        scene.desk.record(false)?;
        if writes.is_empty() {
            break;
        }
    }
    Sight::of(ADA, ADA, "no write to DynamoDB").check(scene, writes.is_empty(), || format!("{writes:?}"))?;
    let after = recorded(scene)?;
    let stands = |known: &hub::Known| (known.version(), known.history.len());
    Sight::of(
        ADA,
        ADA,
        format!("version {} and {} entries of history, as before", before.version(), before.history.len()),
    )
    .check(scene, stands(&before) == stands(&after), || format!("{:?}", stands(&after)))?;
    let calls = super::crowd::total(&super::table::since(&calls, &scene.calls()?));
    let (version, entries) = stands(&after);
    let free = format!("0 writes to DynamoDB (the edit: {edit}), {calls} calls to a CRM");
    Ok(format!("still version {version} and {entries} entries of history; {free}"))
}

/// Zoho's newest notification, which tells of what we wrote.
fn notification(scene: &Scene<'_>) -> Result<Value> {
    let lead = scene.shown("zoho", ADA)?.pop().context("Ada's lead is gone")?.id;
    let deliveries = scene.deliveries()?;
    let about = |one: &&Value| one["crm"] == "zoho" && one["body"].as_str().is_some_and(|body| body.contains(&lead));
    let found = deliveries["deliveries"].as_array().into_iter().flatten().rfind(about).cloned();
    found.context("Zoho never told of our own write")
}

fn deliver(scene: &Scene<'_>, delivery: &Value) -> Result<()> {
    let url = delivery["url"].as_str().unwrap_or_default();
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let status = http::deliver(url, &headers, delivery["body"].as_str().unwrap_or_default())?;
    Sight::of(ADA, ADA, "Zoho's notification is answered 200").check(scene, status == 200, || status.to_string())
}

/// Ada's record, once the journal has told every version of it.
pub(super) fn recorded(scene: &mut Scene<'_>) -> Result<hub::Known> {
    Sight::of(ADA, ADA, "one entry of history per version").wait(scene, |scene| {
        let Some(known) = hub::find(scene, ADA)? else { return Ok(Err("no record".to_owned())) };
        let (version, told) = (known.version(), known.causes().len() as u64);
        Ok(if version == told { Ok(known) } else { Err(format!("version {version}, {told} entries")) })
    })
}
