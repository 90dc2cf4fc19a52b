//! Requests that are refused at the door: kept as exceptions, and their workflow hears of it.

use crate::{
    app::App,
    cause::{Status, Step},
    context::Context,
    error::Result,
    id::ConnectionId,
    record::Record,
    request::{Asker, Fetch, Refused, SyncRequest},
    store::Exception,
};

/// Keeps a message that cannot be done, with the reason. One without a tenant has nobody to tell: it is kept under `unnamed`.
pub(super) async fn raise(app: &App, cx: &Context, message: &str, body: &str, refused: &Refused) -> Result<()> {
    let remains = SyncRequest::remains(body);
    let unnamed = || "unnamed".to_owned().try_into();
    let Some(tenant) = remains.tenant.or_else(|| unnamed().ok()) else { return Ok(()) };
    let about = remains.id.as_ref().map_or(message, |id| id.as_str());
    let mut exception = Exception::new(&tenant, refused.code, about, &refused.reason, cx);
    exception.payload = Some(body.chars().take(64 * 1024).collect());
    let step = |request| Step {
        request,
        connection: remains.connection.clone(),
        workflow: remains.workflow.clone(),
        status: Status::Failed,
        code: Some(refused.code.to_owned()),
        remote: None,
        fields: Vec::new(),
    };
    match remains.id.clone() {
        Some(fetch) if Fetch::is_meant(body) => {
            exception.connection = remains.connection;
            exception.fetch = Some(Asker { fetch, workflow: remains.workflow });
        }
        told => exception.steps = told.map(step).into_iter().collect(),
    }
    app.store.raise(&exception).await
}

/// A request that ends with an exception, for one connection or for all.
pub(super) fn failed(
    request: &SyncRequest,
    code: &str,
    reason: &str,
    connection: Option<&ConnectionId>,
    cx: &Context,
) -> Exception {
    let mut exception = Exception::new(&request.tenant_id, code, request.id.as_str(), reason, cx);
    exception.payload = serde_json::to_string(request).ok();
    exception.steps = vec![step(request, connection, Status::Failed, code)];
    exception
}

pub(super) fn step(request: &SyncRequest, connection: Option<&ConnectionId>, status: Status, code: &str) -> Step {
    Step {
        request: request.id.clone(),
        connection: connection.cloned(),
        workflow: request.workflow.clone(),
        status,
        code: Some(code.to_owned()),
        remote: None,
        fields: Vec::new(),
    }
}

pub(super) fn too_large(request: &SyncRequest, record: &Record, cx: &Context) -> Exception {
    let reason = "with these values the record would be larger than the table takes";
    let mut exception = failed(request, "record_too_large", reason, None, cx).of(&record.id);
    exception.payload = None;
    exception
}
