//! (12) Many sync requests, some for people whom a CRM already knows, end as exactly one lead each.

use super::oracle::Input;
use super::people::{self, email, known, lead};
use super::request::LAST_CALL;
use super::scene::{Calls, Scene, ends, request};
use super::sight::{SOON, Sight};
use super::{Seen, bar, table};
use crate::http;
use crate::screens::{SCREENS, screen};
use crate::step::Progress;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(super) fn ends_as_one_lead_each(scene: &mut Scene<'_>, size: usize, progress: &Progress) -> Result<(Seen, String)> {
    let before: Vec<usize> =
        SCREENS.iter().map(|screen| Ok(scene.records(screen.crm)?.len())).collect::<Result<_>>()?;
    progress.say("some of them are in a CRM already");
    let old = acquaintances(scene, size)?;
    // A CRM's times are whole seconds: what it knew must be older for sure.
    std::thread::sleep(Duration::from_millis(2100));
    let calls = scene.calls()?;
    progress.say("their messages wait in the queue");
    let requests: Vec<Value> = (0..size).map(asked).collect();
    scene.feed_at_once(&requests)?;
    let begun = Instant::now();
    all_end(scene, size, progress)?;
    let took = begun.elapsed().as_secs_f64();
    scene.rest(Duration::from_secs(300))?;
    let calls = table::since(&calls, &scene.calls()?);
    let over = bar::exceeded(&calls, size).map(|over| format!("{over}\n{}", table::render(&calls, size)));
    Sight::of(&email(0), "story-crowd", "calls by the hundred")
        .check(scene, over.is_none(), || over.clone().unwrap_or_default())?;
    for (crm, before) in SCREENS.map(|screen| screen.crm).into_iter().zip(before) {
        let found = scene.records(crm)?.len() - before;
        Sight::of(&email(0), "story-crowd", format!("{size} more records in {crm}")).check(
            scene,
            found == size,
            || found.to_string(),
        )?;
    }
    let per_second = size as f64 / took;
    let seen = format!(
        "{size} leads ({old} of them known to a CRM) in four CRMs after {took:.0} s, {per_second:.0} per second"
    );
    Ok((seen, table::render(&calls, size)))
}

fn asked(n: usize) -> Value {
    let mut asked = request(&id(n), &lead(n));
    let call = "{{callStatus}} ({{duration}} s)";
    asked["sync_fields"] = json!({"last_call": call, "Last_Call": call, "Last_Call__c": call, LAST_CALL: call});
    asked
}

fn id(n: usize) -> String {
    format!("story-crowd-{n}")
}

/// Makes the records that are in a CRM already, in silence: only who looks before creating finds them.
fn acquaintances(scene: &mut Scene<'_>, size: usize) -> Result<usize> {
    let mut made = 0;
    for crm in SCREENS.map(|screen| screen.crm) {
        let known: Vec<(usize, Value)> = (0..size)
            .filter_map(|n| known(n).filter(|(place, _)| *place == crm).map(|(_, fields)| (n, fields)))
            .collect();
        let edits: Vec<Value> = known.iter().map(|(_, fields)| json!({"fields": fields, "silent": true})).collect();
        http::post(&format!("{}/_sim/{crm}/{}", scene.stack.simulator, screen(crm)?.object), &edits)?;
        made += known.len();
        for (n, fields) in known {
            let fields = fields.as_object().context("an edit has fields")?.iter();
            let fields =
                fields.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
            scene.tell(&email(n), Input::Edit { crm, fields });
        }
    }
    Ok(made)
}

/// Waits until each request has ended at every CRM, and only once, and well.
fn all_end(scene: &mut Scene<'_>, size: usize, progress: &Progress) -> Result<()> {
    // Pipedrive allows ten searches in two seconds (Pipedrive docs: Rate limiting), and each lead is searched for once.
    let patience = SOON + Duration::from_millis(size as u64 * 300);
    let expected = format!("sync.succeeded for each of {size} requests and each CRM");
    Sight::of(&people::email(0), &id(0), expected).within(patience).wait(scene, |scene| {
        scene.listen()?;
        let ended = ended(scene);
        progress.say(&format!("{} of {}", ended.len(), SCREENS.len() * size));
        let amiss = ended.iter().find(|(_, kinds)| kinds.as_slice() != ["sync.succeeded"]);
        if let Some((who, kinds)) = amiss {
            return Ok(Err(format!("{who}: {kinds:?}")));
        }
        Ok(if ended.len() == SCREENS.len() * size {
            Ok(())
        } else {
            Err(format!("{} of {}", ended.len(), SCREENS.len() * size))
        })
    })
}

/// Request and CRM → the different events that ended it there. EventBridge may tell an event twice, with the same id.
fn ended<'s>(scene: &'s Scene<'_>) -> BTreeMap<String, Vec<&'s str>> {
    let mut ended: BTreeMap<String, BTreeMap<&str, &str>> = BTreeMap::new();
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    for heard in scene.heard.iter().filter(|heard| ends(heard)) {
        let request = text(&heard.detail["request_id"]);
        if request.starts_with("story-crowd-") {
            let key = format!("{request} {}", text(&heard.detail["connection_id"]));
            ended.entry(key).or_default().insert(heard.detail["id"].as_str().unwrap_or_default(), heard.kind.as_str());
        }
    }
    ended.into_iter().map(|(key, kinds)| (key, kinds.into_values().collect())).collect()
}

pub(super) fn total(calls: &Calls) -> u64 {
    calls.values().flat_map(|routes| routes.values()).sum()
}
