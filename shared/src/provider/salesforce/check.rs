//! How well a connection stands (Salesforce docs: REST API, Limits).

use super::{VERSION, failure};
use crate::{
    error::Result,
    provider::{
        fact::{Checked, Fact, Hook, answered},
        session::{Request, Session},
    },
};
use serde_json::Value as Json;

/// The limits take the right "View Setup and Configuration". Outbound messages have no API.
pub(super) async fn check(session: &Session, checked: &Checked<'_>) -> Result<Vec<Fact>> {
    let request = Request::get(format!("/services/data/{VERSION}/limits"));
    let limits = session.send(&request, failure::of_call).await;
    let mut facts = answered("quota", limits, |answer| {
        let number = |name: &str| answer.body.pointer(&format!("/DailyApiRequests/{name}")).and_then(Json::as_u64);
        number("Remaining").map(|left| Fact::Quota { left, of: number("Max") }).into_iter().collect()
    })?;
    facts.extend(checked.grant.account.clone().map(Fact::Account));
    facts.push(Fact::Webhook(Hook::Unseen));
    Ok(facts)
}
