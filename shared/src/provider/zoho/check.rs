//! How well a connection stands (Zoho docs: Get organization data; API limits; Get notification details,
//! <https://www.zoho.com/crm/developer/docs/api/v8/notifications/get-details.html>).

use super::{
    auth,
    failure::{self, text_at},
};
use crate::{
    error::Result,
    provider::{
        fact::{Checked, Fact, Hook, answered, counted},
        session::{Request, Session},
    },
};
use serde_json::Value as Json;

pub(super) async fn check(session: &Session, checked: &Checked<'_>) -> Result<Vec<Fact>> {
    let organisation = session.send(&Request::get("/crm/v8/org"), failure::of_call).await;
    let mut facts = answered("account", organisation, |answer| {
        // The header is there once half of the day's credits are spent.
        let quota = counted(answer, "x-api-credits-remaining").map(|left| Fact::Quota { left, of: None });
        auth::organisation(&answer.body).ok().map(Fact::Account).into_iter().chain(quota).collect()
    })?;
    let Some(watch) = checked.watch else {
        facts.push(Fact::Webhook(Hook::Missing));
        return Ok(facts);
    };
    let request = Request::get(format!("/crm/v8/actions/watch?channel_id={}", watch.channel));
    let channel = session.send(&request, failure::of_call).await;
    facts.extend(answered("webhooks", channel, |answer| vec![Fact::Webhook(hook(&answer.body, checked.url))])?);
    Ok(facts)
}

/// A channel that has died is in no list, and the answer without one is empty.
fn hook(body: &Json, url: &str) -> Hook {
    let rows = body.get("watch").and_then(Json::as_array).into_iter().flatten();
    let ours = rows.filter(|row| text_at(row, "/notify_url") == Some(url));
    let until = ours.filter_map(|row| text_at(row, "/channel_expiry")?.parse().ok()).max();
    until.map_or(Hook::Missing, |until| Hook::Alive { until: Some(until), status: None })
}
