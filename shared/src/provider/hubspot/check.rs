//! How well a connection stands (HubSpot docs: account information API; usage guidelines; private apps).

use super::{auth, failure};
use crate::{
    error::Result,
    provider::{
        Means,
        fact::{Checked, Fact, Hook, answered, counted},
        session::{Request, Session},
    },
};
use serde_json::{Value as Json, json};

/// A day's calls are told to private apps alone, and no token sees the subscriptions of an app.
pub(super) async fn check(session: &Session, checked: &Checked<'_>) -> Result<Vec<Fact>> {
    let details = session.send(&auth::details(), failure::of_call).await;
    let mut facts = answered("account", details, |answer| {
        let account = auth::portal(&answer.body).ok().map(Fact::Account);
        let (left, of) = ["x-hubspot-ratelimit-daily-remaining", "x-hubspot-ratelimit-daily"]
            .map(|header| counted(answer, header))
            .into();
        let quota = left.map(|left| Fact::Quota { left, of });
        account.into_iter().chain(quota).collect()
    })?;
    if checked.grant.means == Means::Token {
        let body = json!({"tokenKey": checked.grant.access_token.reveal()});
        let request = Request::post("/oauth/v2/private-apps/get/access-token-info", body);
        let told = session.send(&request, failure::of_call).await;
        facts.extend(answered("scopes", told, |answer| {
            let scopes = answer.body.get("scopes").and_then(Json::as_array);
            let text = |scope: &Json| scope.as_str().map(str::to_owned);
            scopes.map(|list| Fact::Scopes(list.iter().filter_map(text).collect())).into_iter().collect()
        })?);
    }
    facts.push(Fact::Webhook(Hook::Unseen));
    Ok(facts)
}
