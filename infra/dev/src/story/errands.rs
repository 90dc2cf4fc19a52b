//! What the schedules do and what seldom happens. No step of the story, but `cargo dev policies` must see it all.

use super::scene::{Scene, TENANT, request};
use super::sight::{SOON, Sight};
use super::{ALAN, Seen};
use crate::step::Progress;
use crate::{operator, python};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A connection's tokens are asked for so often in ten minutes; then it pauses.
const MOST_TOKENS: usize = 9;

pub(super) fn are_run(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    progress.say("a push meets a deletion");
    let contact = scene.shown("hubspot", ALAN)?.pop().context("Alan's contact is gone")?.id;
    scene.delete("hubspot", &contact)?;
    let deleted = json!({"id": "lead-8", "email": ALAN, "company": "Hut 8"});
    scene.send_again(&[request("errand-1", &deleted)])?;
    scene.rest(SOON)?;
    progress.say("the pull that is due");
    invoke(scene, "delta-pull", "pulls")?;
    progress.say("tokens that run out soon");
    scene.faults(&json!({"zoho": {"expire_tokens": true, "tokens_live_s": 600}}))?;
    operator::ask(scene.project, scene.stack, &["pull", TENANT, "zoho"])?;
    scene.rest(SOON)?;
    for _ in 0..=MOST_TOKENS {
        invoke(scene, "token-refresh", "tokens")?;
    }
    progress.say("a pull, an edit and a push while nobody may call");
    operator::ask(scene.project, scene.stack, &["pull", TENANT, "zoho"])?;
    let lead = scene.shown("zoho", ALAN)?.pop().context("Alan's lead is gone")?.id;
    scene.edit("zoho", ALAN, Some(&lead), &json!({"Company": "Hut 4"}), false)?;
    scene.send_again(&[request("errand-2", &json!({"id": "lead-8", "email": ALAN, "company": "Hut 6"}))])?;
    scene.faults(&json!({}))?;
    progress.say("an app is uninstalled");
    scene.faults(&json!({"pipedrive": {"uninstall": true}}))?;
    scene.faults(&json!({}))?;
    // The edit's hint is delayed in its queue.
    std::thread::sleep(std::time::Duration::from_secs(8));
    let connections: Value =
        serde_json::from_str(&operator::ask(scene.project, scene.stack, &["connections", TENANT])?)?;
    let is_out = |one: &Value| one["crm"] == "pipedrive" && one["state"]["is"] == "needs_reauth";
    let told = connections.as_array().is_some_and(|all| all.iter().any(is_out));
    Sight::of("nobody", "connect", "whose app was uninstalled needs another consent")
        .check(scene, told, || connections.to_string())?;
    Ok("a deletion, a pull, tokens, a pause, an uninstallation".to_owned())
}

/// What a schedule sends; the function must not fail.
fn invoke(scene: &Scene<'_>, function: &str, tick: &str) -> Result<()> {
    let deployed = scene.stack.functions.get(function).with_context(|| format!("no function {function}"))?;
    let event = scene.project.dev.join("errand.json");
    std::fs::write(&event, json!({"tick": tick}).to_string())?;
    let answer = python::ask(python::script(scene.project, "invoke.py").arg(deployed).arg(&event), &Value::Null, None)?;
    Sight::of("nobody", function, format!("{function} to succeed"))
        .check(scene, answer["failed"] == false, || answer["payload"].to_string())
}
