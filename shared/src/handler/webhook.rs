//! A CRM calls: prove it, note what may have changed, answer at once.

use super::gateway;
use crate::{
    app::App,
    change::{Hinted, Hints},
    connection::{Connection, State},
    context::Context,
    error::Result,
    id::{AccountId, ConnectionId},
    provider::{Crm, Delivery, Forged, Hint, Schemes, Verified, Webhooks},
    queue::{Outgoing, group},
    telemetry::{Metric, chain},
};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

/// The largest delivery that is read, in bytes. HubSpot sends at most 100 events, Zoho at most some hundred ids.
const LARGEST: usize = 1 << 20;
/// Remotes in one hint message.
const MOST_HINTS: usize = 100;

/// Answers a delivery: 200 taken, 401 not proved, 404 no such route, 413 too large, 503 try again.
pub async fn webhook(app: &App, cx: &Context, request: ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse> {
    let crm = named(&request);
    let status = match take(app, cx, request).await {
        Ok(status) => status,
        Err(error) => {
            tracing::error!(error = chain(&error), trace = cx.trace, "a delivery could not be taken");
            503
        }
    };
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status;
    if let Some(ack) = crm.and_then(|crm| crm.capabilities().ack).filter(|_| status == 200) {
        response.headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(ack.content_type));
        response.body = Some(ack.body.into());
    }
    Ok(response)
}

fn named(request: &ApiGatewayV2httpRequest) -> Option<Crm> {
    request.path_parameters.get("crm")?.parse().ok()
}

async fn take(app: &App, cx: &Context, request: ApiGatewayV2httpRequest) -> Result<i64> {
    let Some(crm) = named(&request) else { return Ok(404) };
    let connection = request.path_parameters.get("connection").and_then(|id| id.parse::<ConnectionId>().ok());
    let Some(delivery) = delivery(app, request) else { return Ok(400) };
    if delivery.body.len() > LARGEST {
        return Ok(413);
    }
    match (crm.capabilities().webhooks, connection) {
        (Webhooks::PerApp, None) => per_app(app, cx, crm, &delivery).await,
        // An app of the account's own has a URL and a secret of its own, whatever the CRM's other apps do.
        (Webhooks::PerConnection { .. } | Webhooks::PerApp, Some(connection)) => {
            per_connection(app, cx, crm, &connection, &delivery).await
        }
        (Webhooks::PerConnection { .. }, None) => Ok(404),
    }
}

/// The delivery as the CRM sent it: the URL is the gateway's own, or ours by configuration, never a client's word.
fn delivery(app: &App, request: ApiGatewayV2httpRequest) -> Option<Delivery> {
    let origin = gateway::public_url(app, &request)?;
    let path = request.raw_path.unwrap_or_default();
    let query = request.raw_query_string.filter(|q| !q.is_empty()).map(|q| format!("?{q}")).unwrap_or_default();
    let body = gateway::body(request.body, request.is_base64_encoded)?;
    Some(Delivery {
        method: request.request_context.http.method,
        url: format!("{origin}{path}{query}"),
        headers: request.headers,
        body,
    })
}

/// One URL for all accounts of our app: the app's secret proves it, each event names its account.
async fn per_app(app: &App, cx: &Context, crm: Crm, delivery: &Delivery) -> Result<i64> {
    let credentials = app.secrets.app(crm).await?;
    let secrets = credentials.proofs(cx.now());
    let mut proof = crm.verify(delivery, &secrets, Schemes::Timestamped, cx.now());
    let mut found = BTreeMap::new();
    let stored = async |account: &AccountId| app.store.connections_by_account(crm, account).await.map(Arc::from);
    if matches!(proof, Err(Forged::Missing)) {
        // Only an older signature: it is believed if every connection that it is for has asked for such.
        proof = crm.verify(delivery, &secrets, Schemes::Legacy, cx.now());
        if let Ok(verified) = &proof {
            found = connections(&crm.hints(verified).unwrap_or_default(), stored).await?;
            let all_ask = !found.is_empty()
                && found.values().flat_map(|linked| linked.iter()).all(|c| c.accepts_legacy_signatures);
            if !all_ask {
                proof = Err(Forged::Missing);
            }
        }
    }
    let verified = match proof {
        Ok(verified) => verified,
        Err(forged) => return Ok(refused(crm, cx, &forged)),
    };
    let Some(hints) = hints(crm, cx, &verified) else { return Ok(200) };
    if found.is_empty() {
        found = connections(&hints, async |account| app.accounts.of(&app.store, crm, account).await).await?;
    }
    let mut messages = Vec::new();
    for (account, hints) in by_account(hints) {
        let linked =
            account.as_ref().and_then(|account| found.get(account)).map(|linked| &**linked).unwrap_or_default();
        if linked.is_empty() {
            tracing::warn!(crm = %crm, trace = cx.trace, "a genuine delivery for an account that no connection has");
            cx.metrics.count(Metric::UnknownAccount, Some(crm), hints.len());
        }
        for connection in linked {
            messages.extend(outgoing(connection, None, &hints, cx)?);
        }
    }
    enqueue(app, cx, crm, &messages).await
}

async fn connections(
    hints: &[Hint],
    of: impl AsyncFn(&AccountId) -> Result<Arc<[Connection]>>,
) -> Result<BTreeMap<AccountId, Arc<[Connection]>>> {
    let mut found = BTreeMap::new();
    for account in hints.iter().filter_map(|hint| hint.account.clone()) {
        if let Entry::Vacant(place) = found.entry(account) {
            let linked = of(place.key()).await?;
            place.insert(linked);
        }
    }
    Ok(found)
}

/// A URL of its own for each connection, whose token proves it.
async fn per_connection(app: &App, cx: &Context, crm: Crm, id: &ConnectionId, delivery: &Delivery) -> Result<i64> {
    let found = app.store.connection_by_door(id).await?.filter(|c| c.crm == crm);
    let Some(connection) = found else {
        cx.metrics.count(Metric::UnknownConnection, Some(crm), 1);
        return Ok(refused(crm, cx, &Forged::Mismatch));
    };
    // Whatever is still sent to what was disconnected is not to come again.
    if connection.state == State::Closed {
        return Ok(200);
    }
    let held = app.secrets.grant(&connection.tenant, &connection.id).await?;
    let verified = match crm.verify(delivery, &held.grant.proofs(cx.now()), Schemes::Timestamped, cx.now()) {
        Ok(verified) => verified,
        Err(forged) => return Ok(refused(crm, cx, &forged)),
    };
    let Some(hints) = hints(crm, cx, &verified) else { return Ok(200) };
    // Who knows the token but comes from another account is not who it was given to.
    if hints.iter().any(|hint| hint.account.as_ref().is_some_and(|account| *account != connection.account)) {
        return Ok(refused(crm, cx, &Forged::Mismatch));
    }
    enqueue(app, cx, crm, &outgoing(&connection, held.grant.user.as_deref(), &hints, cx)?).await
}

fn refused(crm: Crm, cx: &Context, forged: &Forged) -> i64 {
    tracing::warn!(crm = %crm, reason = %forged, trace = cx.trace, "a delivery is refused");
    cx.metrics.count(Metric::DeliveryRefused, Some(crm), 1);
    401
}

/// What a genuine delivery says; one that cannot be read is answered 200, because the CRM would repeat it for a day.
fn hints(crm: Crm, cx: &Context, verified: &Verified<'_>) -> Option<Vec<Hint>> {
    match crm.hints(verified) {
        Ok(hints) => Some(hints),
        Err(unreadable) => {
            tracing::error!(crm = %crm, reason = %unreadable, trace = cx.trace, "a genuine delivery cannot be read");
            cx.metrics.count(Metric::DeliveryUnreadable, Some(crm), 1);
            None
        }
    }
}

fn by_account(hints: Vec<Hint>) -> BTreeMap<Option<AccountId>, Vec<Hint>> {
    let mut by_account: BTreeMap<_, Vec<Hint>> = BTreeMap::new();
    for hint in hints {
        by_account.entry(hint.account.clone()).or_default().push(hint);
    }
    by_account
}

fn outgoing(connection: &Connection, user: Option<&str>, hints: &[Hint], cx: &Context) -> Result<Vec<Outgoing>> {
    if connection.state == State::Closed {
        return Ok(Vec::new());
    }
    let hinted = concerning(connection, user, hints);
    let message = |remotes: &[Hinted]| {
        let remotes = remotes.to_vec();
        let (tenant, id) = (connection.tenant.clone(), connection.id.clone());
        let group = group(&tenant, &id);
        Outgoing::new(&Hints { tenant, connection: id, remotes, trace: cx.trace.clone() }, &group)
    };
    hinted.chunks(MOST_HINTS).map(message).collect()
}

/// What the connection has to do with, and of what counts only as our own change, what `user` did: that is who we are there.
pub(super) fn concerning(connection: &Connection, user: Option<&str>, hints: &[Hint]) -> Vec<Hinted> {
    let hinted = |hint: &Hint| {
        let object = connection.filed_under(&hint.filed)?.clone();
        let ours = hint.by.is_none() || hint.by.as_deref() == user;
        let plain = || Hinted { erased: hint.of.erased, ..Hinted::telling(hint.of.remote.clone(), None) };
        Some(Hinted { object, ..if ours { hint.of.clone() } else { plain() } })
    };
    hints.iter().filter_map(hinted).collect()
}

async fn enqueue(app: &App, cx: &Context, crm: Crm, messages: &[Outgoing]) -> Result<i64> {
    app.queue.send(&app.settings.changes, messages).await?;
    tracing::info!(crm = %crm, messages = messages.len(), trace = cx.trace, "a delivery is taken");
    Ok(200)
}
