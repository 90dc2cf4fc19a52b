//! (9) One bad record in a batch of 100 is an exception with its reason; 99 are written.

use super::scene::{Scene, request};
use super::sight::{SOON, Sight};
use super::{Seen, hub};
use crate::screens::{SCREENS, screen};
use crate::step::Progress;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

const SIZE: usize = 100;
const BAD: usize = 42;

fn email(n: usize) -> String {
    format!("batch-{n}@example.com")
}

pub(super) fn is_set_aside(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    scene.faults(&json!({"hubspot": {"refuse_values": [{"field": "company", "contains": "Forbidden"}]}}))?;
    let requests: Vec<Value> = (0..SIZE).map(one).collect();
    let bad = email(BAD);
    scene.refused.insert(bad.clone(), "hubspot");
    scene.feed_at_once(&requests)?;
    let id = format!("story-batch-{BAD}");
    progress.say("99 and one");
    let written = |scene: &Scene<'_>, crm: &str| -> Result<usize> {
        let field = screen(crm)?.field("email").unwrap_or_default();
        let ours = |text: Option<String>| text.is_some_and(|email| email.starts_with("batch-"));
        Ok(scene.records(crm)?.iter().filter(|record| ours(record.text(field))).count())
    };
    Sight::of(&bad, &id, "99 records in HubSpot and 100 in each of the others").within(Duration::from_secs(60)).wait(
        scene,
        |scene| {
            let found = SCREENS.iter().map(|screen| written(scene, screen.crm)).collect::<Result<Vec<_>>>()?;
            let expected = SCREENS.map(|screen| if screen.crm == "hubspot" { SIZE - 1 } else { SIZE });
            Ok(if found == expected { Ok(()) } else { Err(format!("{found:?}")) })
        },
    )?;
    progress.say("the exception");
    let reason = Sight::of(&bad, &id, "one exception refused_by_crm about this record").wait(scene, |scene| {
        let found = hub::exceptions(scene)?;
        let record = hub::find(scene, &bad)?;
        let about = |e: &&Value| record.as_ref().is_some_and(|record| e["record"] == record.id());
        let ours: Vec<&Value> = found.iter().filter(about).collect();
        Ok(match ours.as_slice() {
            [one] if one["code"] == "refused_by_crm" && found.len() == 1 => {
                Ok(one["reason"].as_str().unwrap_or_default().to_owned())
            }
            _ => Err(format!("{} exceptions: {:?}", found.len(), found.iter().map(|e| &e["id"]).collect::<Vec<_>>())),
        })
    })?;
    Sight::of(&bad, &id, "sync.failed of HubSpot, sync.succeeded of the others").wait(scene, |scene| {
        let mut kinds: Vec<_> =
            scene.endings(&id)?.iter().map(|h| format!("{} {}", h.kind, h.detail["connection_id"])).collect();
        kinds.sort();
        let expected =
            ["failed \"hubspot\"", "succeeded \"pipedrive\"", "succeeded \"salesforce\"", "succeeded \"zoho\""];
        Ok(if kinds == expected.map(|kind| format!("sync.{kind}")) { Ok(()) } else { Err(format!("{kinds:?}")) })
    })?;
    scene.rest(SOON)?;
    scene.faults(&json!({}))?;
    Ok(format!("99 in HubSpot, 100 in each other; one exception: {}", console::truncate_str(&reason, 70, "…")))
}

fn one(n: usize) -> Value {
    let company = if n == BAD { "Forbidden Fruit Ltd".to_owned() } else { format!("Company {n}") };
    let lead = json!({
        "id": format!("batch-{n}"), "first_name": "Batch", "last_name": format!("Number {n}"), "email": email(n),
        "phone": format!("+1415301{n:04}"), "company": company,
    });
    request(&format!("story-batch-{n}"), &lead)
}
