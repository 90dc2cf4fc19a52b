//! (8) HubSpot answers 429 and the message waits without spinning.

use super::scene::{Scene, request};
use super::sight::Sight;
use super::{ALAN, Seen};
use crate::http;
use crate::step::Progress;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Instant;

const ID: &str = "story-alan";
/// How long HubSpot answers nothing else.
const LIMITED_MS: u64 = 5000;
/// Calls that a wait may cost.
const FEW: usize = 3;

pub(super) fn is_waited_out(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    let before = refusals(scene)?;
    scene.faults(&json!({"hubspot": {"rate_limit_for_ms": LIMITED_MS}}))?;
    let begun = Instant::now();
    let alan = json!({"id": "lead-8", "first_name": "Alan", "last_name": "Turing", "email": ALAN, "phone": "+14155550143", "company": "Bletchley Park"});
    scene.send(&[request(ID, &alan)])?;
    progress.say("Zoho does not wait for HubSpot");
    arrives(scene, "zoho")?;
    let zoho = begun.elapsed().as_secs_f64();
    progress.say("HubSpot asks for patience");
    arrives(scene, "hubspot")?;
    let hubspot = begun.elapsed().as_secs_f64();
    let refused = refusals(scene)? - before;
    Sight::of(ALAN, ID, format!("1 to {FEW} calls that HubSpot answered 429")).check(
        scene,
        (1..=FEW).contains(&refused),
        || refused.to_string(),
    )?;
    let asked = if refused == 1 { "asked once".to_owned() } else { format!("asked {refused} times") };
    Ok(format!("in Zoho after {zoho:.1} s; HubSpot {asked} while it refused, then took it: {hubspot:.1} s"))
}

fn arrives(scene: &mut Scene<'_>, crm: &str) -> Result<()> {
    Sight::of(ALAN, ID, format!("one record in {crm}")).within(std::time::Duration::from_secs(60)).wait(
        scene,
        |scene| {
            let shown = scene.shown(crm, ALAN)?.len();
            Ok(if shown == 1 { Ok(()) } else { Err(shown.to_string()) })
        },
    )
}

/// Calls that HubSpot answered 429, as far as its log goes back.
fn refusals(scene: &Scene<'_>) -> Result<usize> {
    let log: Vec<Value> = http::get_json(&format!("{}/_sim/log?last=5000", scene.stack.simulator))?;
    Ok(log.iter().filter(|call| call["crm"] == "hubspot" && call["status"] == 429).count())
}
