//! Whether a connection works and when, and whether anything does.

use super::{
    call::{self, Call, Told},
    connections::{Shown, show},
    problem::{self, Problem},
    route::{Done, Nothing},
};
use crate::connection::{Mode, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a connection exchanges what changed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SetMode")]
pub struct SetMode {
    mode: Mode,
}

pub async fn set_mode(call: &Call<'_>, SetMode { mode }: SetMode) -> Told<Shown> {
    let connection = call.connection().await?;
    if connection.state == State::Closed {
        return Err(Problem::new(problem::CONFLICT, "it was disconnected"));
    }
    call.app.set_mode(call.cx, &connection.tenant, &connection.id, mode).await?;
    show(call, Nothing {}).await
}

/// What it holds back is written, and for a day nothing more is asked. `done` is false where it held back nothing.
pub async fn release(call: &Call<'_>, _: Nothing) -> Told<Done> {
    let connection = call.connection().await?;
    if connection.held.is_none() {
        return Ok(Done { done: false }.into());
    }
    call.app.release(call.cx, &connection.tenant, &connection.id).await?;
    Ok(Done { done: true }.into())
}

/// Why everything is stopped.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Why {
    #[schemars(length(max = 200))]
    reason: Option<String>,
}

/// How many connections go on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Going {
    connections: usize,
}

pub async fn stop(call: &Call<'_>, Why { reason }: Why) -> Told<Done> {
    call.app.stop(call.cx, Some(&call.tenant()?), &call::reason(reason)?).await?;
    Ok(Done { done: true }.into())
}

pub async fn go(call: &Call<'_>, _: Nothing) -> Told<Going> {
    Ok(Going { connections: call.app.go(call.cx, Some(&call.tenant()?)).await? }.into())
}

pub async fn stop_everything(call: &Call<'_>, Why { reason }: Why) -> Told<Done> {
    call.app.stop(call.cx, None, &call::reason(reason)?).await?;
    Ok(Done { done: true }.into())
}

pub async fn go_on(call: &Call<'_>, _: Nothing) -> Told<Going> {
    Ok(Going { connections: call.app.go(call.cx, None).await? }.into())
}
