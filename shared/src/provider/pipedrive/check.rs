//! How well a connection stands (Pipedrive docs: API v1, Users and Webhooks). What is left of the day's tokens is told nowhere.

use super::{auth, failure, records};
use crate::{
    error::Result,
    provider::{
        fact::{Checked, Fact, Hook, answered},
        session::{Request, Session},
    },
};
use serde_json::Value as Json;

pub(super) async fn check(session: &Session, checked: &Checked<'_>) -> Result<Vec<Fact>> {
    let me = session.send(&Request::get(auth::ME), failure::of_call).await;
    let mut facts =
        answered("account", me, |answer| auth::company(&answer.body).ok().map(Fact::Account).into_iter().collect())?;
    let hooks = session.send(&Request::get("/api/v1/webhooks"), failure::of_call).await;
    facts.extend(answered("webhooks", hooks, |answer| vec![Fact::Webhook(hook(&answer.body, checked.url))])?);
    Ok(facts)
}

fn hook(body: &Json, url: &str) -> Hook {
    let ours = |hook: &&Json| hook.get("subscription_url").and_then(Json::as_str) == Some(url);
    let Some(hook) = records::rows(body).iter().filter(ours).find(|hook| super::webhook::is_active(hook)) else {
        return Hook::Missing;
    };
    let status = hook.get("last_http_status").and_then(Json::as_u64).and_then(|status| status.try_into().ok());
    Hook::Alive { until: None, status }
}
