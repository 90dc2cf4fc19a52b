//! What the schedules do and what seldom happens. No step of the story, but `cargo dev policies` must see it all.

use super::scene::{Scene, TENANT, request};
use super::sight::{SOON, Sight};
use super::{ALAN, Seen, files, told};
use crate::desk::Heard;
use crate::people::Person;
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
    progress.say("what people ask of the control API");
    people_ask(scene)?;
    progress.say("somebody is told");
    told::somebody_is(scene)?;
    progress.say("a file comes, another goes");
    files::come_and_go(scene)?;
    scene.rest(SOON)?;
    progress.say("the pull that is due");
    invoke(scene, "delta-pull", "pulls")?;
    progress.say("a fetch into a workflow");
    let fetch = json!({
        "version": 1, "id": "errand-fetch", "tenant_id": TENANT, "connection_id": "zoho", "object": "lead", "direction": "fetch",
        "where": format!("email == '{ALAN}'"), "workflow": {"id": "wf-1"},
    });
    scene.send_again(&[fetch])?;
    let wanted = "a record.fetched of Alan and a fetch.done on the event bus";
    Sight::of(ALAN, "errand-fetch", wanted).wait(scene, |scene| {
        scene.listen()?;
        let about = |heard: &&Heard| heard.detail["fetch_id"] == "errand-fetch";
        let mut kinds: Vec<&str> = scene.heard.iter().filter(about).map(|heard| heard.kind.as_str()).collect();
        kinds.sort_unstable();
        Ok(if kinds == ["fetch.done", "record.fetched"] { Ok(()) } else { Err(format!("{kinds:?}")) })
    })?;
    progress.say("tokens that run out soon");
    scene.faults(&json!({"zoho": {"expire_tokens": true, "tokens_live_s": 600}}))?;
    operator::ask(scene.project, scene.stack, &["sync", TENANT, "zoho"])?;
    scene.rest(SOON)?;
    for _ in 0..=MOST_TOKENS {
        invoke(scene, "token-refresh", "tokens")?;
    }
    progress.say("a pull, an edit and a push while nobody may call");
    operator::ask(scene.project, scene.stack, &["sync", TENANT, "zoho"])?;
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
    Ok("a deletion, a file in and one out, a pull, a fetch, tokens, a pause, an uninstallation".to_owned())
}

/// Whoever runs the tenant looks at a person's history, syncs them and everybody, and has a failed message tried once more.
fn people_ask(scene: &mut Scene<'_>) -> Result<()> {
    let oscar = Person::log_in(scene.stack, "oscar")?;
    let tenant = format!("/v1/tenants/{TENANT}");
    let found = oscar.ask("GET", &format!("{tenant}/records?email={ALAN}"), None)?;
    let id = found["items"][0]["id"].as_str().context("Alan is not in the hub")?;
    let history = oscar.ask("GET", &format!("{tenant}/records/{id}/history"), None)?;
    let changes = history["items"].as_array().is_some_and(|changes| !changes.is_empty());
    Sight::of("nobody", "control", "Alan's history").check(scene, changes, || history.to_string())?;
    for body in [json!({"records": [id]}), json!({})] {
        oscar.ask("POST", &format!("{tenant}/connections/salesforce/sync"), Some(&body))?;
    }
    let mut stray = request("errand-3", &json!({"id": "lead-8", "email": ALAN}));
    stray["connection_id"] = json!("nowhere");
    scene.send_again(&[stray])?;
    scene.rest(SOON)?;
    let tried =
        oscar.ask("POST", &format!("{tenant}/exceptions/retry"), Some(&json!({"code": "unknown_connection"})))?;
    Sight::of("nobody", "control", "a message that is sent once more")
        .check(scene, tried["retried"] == 1, || tried.to_string())
}

/// What a schedule sends; the function must not fail.
pub(super) fn invoke(scene: &Scene<'_>, function: &str, tick: &str) -> Result<()> {
    let deployed = scene.stack.functions.get(function).with_context(|| format!("no function {function}"))?;
    let event = scene.project.dev.join("errand.json");
    std::fs::write(&event, json!({"tick": tick}).to_string())?;
    let answer = python::ask(python::script(scene.project, "invoke.py").arg(deployed).arg(&event), &Value::Null, None)?;
    Sight::of("nobody", function, format!("{function} to succeed"))
        .check(scene, answer["failed"] == false, || answer["payload"].to_string())
}
