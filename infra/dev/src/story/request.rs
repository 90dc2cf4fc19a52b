//! (4) A workflow message creates a lead in every CRM with templated fields, and the workflow hears of it.

use super::scene::{Scene, request};
use super::sight::Sight;
use super::{GRACE, Seen};
use crate::screens::SCREENS;
use crate::step::Progress;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Instant;

pub(super) const ID: &str = "story-grace";
/// The code of Pipedrive's field "Last call".
pub(super) const LAST_CALL: &str = "b2c3d4e5f60718293a4b5c6d7e8f900112233445";

/// The message, and the ids that it is given again with.
pub(super) fn grace() -> Value {
    let mut asked = request(
        ID,
        &json!({"id": "lead-7", "first_name": "Grace", "last_name": "Hopper", "email": GRACE, "phone": "+14155550142",
               "company": "Compilers Inc", "callStatus": "completed", "duration": 184, "successEvaluation": "true"}),
    );
    asked["sync_fields"] = json!({
        "hs_lead_status": "{{successEvaluation}}", "last_call": "{{callStatus}} ({{duration}} s)", "Last_Call": "{{name}}: {{callStatus}}",
        "Last_Call__c": "{{callStatus}}", LAST_CALL: "{{duration}} s",
    });
    asked
}

pub(super) fn becomes_a_lead(scene: &mut Scene<'_>, asked: &Value, progress: &Progress) -> Result<Seen> {
    let begun = Instant::now();
    scene.send(std::slice::from_ref(asked))?;
    for (crm, field, text) in [
        ("hubspot", "last_call", "completed (184 s)"),
        ("zoho", "Last_Call", "Grace Hopper: completed"),
        ("salesforce", "Last_Call__c", "completed"),
        ("pipedrive", LAST_CALL, "184 s"),
    ] {
        progress.say(crm);
        Sight::of(GRACE, ID, format!("one record in {crm}, with {field} = {text}")).wait(scene, |scene| {
            let shown: Vec<_> = scene.shown(crm, GRACE)?.iter().map(|record| record.text(field)).collect();
            Ok(if shown == [Some(text.to_owned())] { Ok(()) } else { Err(format!("{shown:?}")) })
        })?;
    }
    let took = begun.elapsed().as_secs_f64();
    progress.say("listening to the event bus");
    told_of_success(scene, asked)?;
    Ok(format!("in four CRMs after {took:.1} s, \"completed (184 s)\"; the workflow heard sync.succeeded of each"))
}

/// Exactly one `sync.succeeded` per CRM, with the workflow's own ids and the CRM's id of the record.
fn told_of_success(scene: &mut Scene<'_>, asked: &Value) -> Result<()> {
    let one = |crm: &str| {
        let id = scene.shown(crm, GRACE)?.pop().map(|record| record.id).unwrap_or_default();
        Ok(format!("sync.succeeded {crm} {id}"))
    };
    let mut wanted = SCREENS.iter().map(|screen| one(screen.crm)).collect::<Result<Vec<_>>>()?;
    wanted.sort();
    Sight::of(GRACE, ID, format!("exactly the events {wanted:?}, with the workflow's ids")).wait(scene, |scene| {
        let heard = scene.endings(ID)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut found: Vec<_> = heard
            .iter()
            .map(|h| format!("{} {} {}", h.kind, text(&h.detail["connection_id"]), text(&h.detail["remote_id"])))
            .collect();
        found.sort();
        let with_workflow = heard.iter().all(|h| h.detail["workflow"] == asked["workflow"]);
        Ok(if found == wanted && with_workflow {
            Ok(())
        } else {
            Err(format!("{found:?}, workflow's ids: {with_workflow}"))
        })
    })
}
