//! (3) A forged, a stale and a replayed delivery are refused or harmless.

use super::echo::recorded;
use super::scene::Scene;
use super::sight::{SOON, Sight};
use super::{ADA, Seen};
use crate::delivery::{self, Delivery};
use crate::step::Progress;
use crate::{clock, http};
use anyhow::{Context, Result};

const STALE_MS: u64 = 6 * 60 * 1000;

pub(super) fn are_refused(scene: &mut Scene<'_>, progress: &Progress) -> Result<Seen> {
    let before = recorded(scene)?;
    let contact = scene.shown("hubspot", ADA)?.pop().context("Ada's contact is gone")?.id;
    let to = scene.connection("hubspot")?;
    let now = clock::now_ms();
    let genuine = delivery::hubspot(to, &contact, &to.webhook_secret, now);
    let changed = Delivery {
        url: genuine.url.clone(),
        headers: genuine.headers.clone(),
        body: genuine.body.replace("+14155550666", "+14155550667"),
    };
    let cases = [
        ("genuine", &genuine, 200),
        ("replayed", &genuine, 200),
        ("changed after signing", &changed, 401),
        ("signed by another secret", &delivery::hubspot(to, &contact, "another secret", now), 401),
        ("signed six minutes ago", &delivery::hubspot(to, &contact, &to.webhook_secret, now - STALE_MS), 401),
        ("not signed", &Delivery { url: genuine.url.clone(), headers: Vec::new(), body: genuine.body.clone() }, 401),
    ];
    for (what, delivery, expected) in &cases {
        progress.say(what);
        let status = http::deliver(&delivery.url, &delivery.headers, &delivery.body)?;
        Sight::of(ADA, &contact, format!("a delivery that is {what} is answered {expected}")).check(
            scene,
            status == *expected,
            || status.to_string(),
        )?;
    }
    for crm in ["zoho", "salesforce", "pipedrive"] {
        let forged = delivery::of(scene.connection(crm)?, "1", "not-the-connections-token", now);
        let status = http::deliver(&forged.url, &forged.headers, &forged.body)?;
        Sight::of(ADA, &contact, format!("a delivery of {crm} with another token is answered 401")).check(
            scene,
            status == 401,
            || status.to_string(),
        )?;
    }
    scene.rest(SOON)?;
    let after = recorded(scene)?;
    Sight::of(ADA, &contact, format!("version {}, as before", before.version())).check(
        scene,
        before.version() == after.version(),
        || after.version().to_string(),
    )?;
    Ok(format!(
        "changed, foreign, stale, unsigned, wrong token of three CRMs: 401; replayed: 200 and still version {}",
        after.version()
    ))
}
