//! What a tenant has decided for all connections, and a connection's own policy.

use super::{
    call::{Call, Reply, Told},
    page::cursor,
    problem::{self, Problem},
    route::Nothing,
};
use crate::{
    alert::Alerts,
    connection::Connection,
    engagement::{Effects, Scoring},
    planner::{Ownership, Policy},
    settings::{Retention, Settings},
    store::Setting,
    trigger::Triggers,
    watch::Thresholds,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

async fn decided(call: &Call<'_>) -> Result<Settings, Problem> {
    Ok(call.app.store.settings(&call.tenant()?).await?)
}

/// Stores one of them in the place of the version that its caller has read; the version that it is then.
async fn decide(call: &Call<'_>, setting: Setting<'_>) -> Result<u64, Problem> {
    let version = call.meant_for()?;
    match call.app.store.set(&call.tenant()?, setting, Some(version)).await? {
        true => Ok(version + 1),
        false => Err(changed()),
    }
}

fn changed() -> Problem {
    Problem::new(problem::CHANGED, "it is not what your If-Match names any more")
}

pub async fn ownership(call: &Call<'_>, _: Nothing) -> Told<Ownership> {
    let Settings { ownership, version, .. } = decided(call).await?;
    Ok(Reply::at(ownership, version))
}

pub async fn set_ownership(call: &Call<'_>, ownership: Ownership) -> Told<Ownership> {
    let version = decide(call, Setting::Ownership(&ownership)).await?;
    Ok(Reply::at(ownership, version))
}

pub async fn scoring(call: &Call<'_>, _: Nothing) -> Told<Scoring> {
    let Settings { scoring, version, .. } = decided(call).await?;
    Ok(Reply::at(scoring, version))
}

/// For events that come from now on; what was scored before is scored anew by [`rescore`].
pub async fn set_scoring(call: &Call<'_>, scoring: Scoring) -> Told<Scoring> {
    let version = decide(call, Setting::Scoring(&scoring)).await?;
    Ok(Reply::at(scoring, version))
}

pub async fn effects(call: &Call<'_>, _: Nothing) -> Told<Effects> {
    let Settings { effects, version, .. } = decided(call).await?;
    Ok(Reply::at(effects, version))
}

pub async fn set_effects(call: &Call<'_>, effects: Effects) -> Told<Effects> {
    let version = decide(call, Setting::Effects(&effects)).await?;
    Ok(Reply::at(effects, version))
}

pub async fn triggers(call: &Call<'_>, _: Nothing) -> Told<Triggers> {
    let Settings { triggers, version, .. } = decided(call).await?;
    Ok(Reply::at(triggers, version))
}

pub async fn set_triggers(call: &Call<'_>, triggers: Triggers) -> Told<Triggers> {
    let version = decide(call, Setting::Triggers(&triggers)).await?;
    Ok(Reply::at(triggers, version))
}

pub async fn watch(call: &Call<'_>, _: Nothing) -> Told<Thresholds> {
    let Settings { watch, version, .. } = decided(call).await?;
    Ok(Reply::at(watch, version))
}

pub async fn set_watch(call: &Call<'_>, watch: Thresholds) -> Told<Thresholds> {
    let version = decide(call, Setting::Watch(&watch)).await?;
    Ok(Reply::at(watch, version))
}

pub async fn alerts(call: &Call<'_>, _: Nothing) -> Told<Alerts> {
    let Settings { alerts, version, .. } = decided(call).await?;
    Ok(Reply::at(alerts, version))
}

pub async fn set_alerts(call: &Call<'_>, alerts: Alerts) -> Told<Alerts> {
    let version = decide(call, Setting::Alerts(&alerts)).await?;
    Ok(Reply::at(alerts, version))
}

pub async fn retention(call: &Call<'_>, _: Nothing) -> Told<Retention> {
    let Settings { retention, version, .. } = decided(call).await?;
    Ok(Reply::at(retention, version))
}

pub async fn set_retention(call: &Call<'_>, retention: Retention) -> Told<Retention> {
    let version = decide(call, Setting::Retention(retention)).await?;
    Ok(Reply::at(retention, version))
}

/// Where to go on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stretch {
    /// `next` of the stretch before; left out, from the beginning.
    pub cursor: Option<String>,
}

/// A stretch of a walk over everybody.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rescored {
    /// How many have another score now.
    changed: usize,
    /// Where to go on; null at the end.
    next: Option<String>,
}

pub async fn rescore(call: &Call<'_>, Stretch { cursor: from }: Stretch) -> Told<Rescored> {
    let from = call.walks_from(from.as_deref())?;
    let (changed, next) = call.app.rescore_from(call.cx, &call.tenant()?, from, || call.has_time()).await?;
    Ok(Rescored { changed, next: next.as_ref().map(cursor) }.into())
}

pub async fn policy(call: &Call<'_>, _: Nothing) -> Told<Policy> {
    let policy = call.connection().await?.policy;
    let version = mark(&policy)?;
    Ok(Reply::at(policy, version))
}

pub async fn set_policy(call: &Call<'_>, policy: Policy) -> Told<Policy> {
    let (connection, version) = (call.connection().await?, call.meant_for()?);
    let governed = |stored: &Connection| match mark(&stored.policy) {
        Ok(mark) if mark == version => policy.govern(stored).map(Some),
        _ => Ok(None),
    };
    match call.app.store.revise(&connection.tenant, &connection.id, governed).await? {
        Some(governed) => {
            let version = mark(&governed.policy)?;
            Ok(Reply::at(governed.policy, version))
        }
        None => Err(changed()),
    }
}

/// A policy's own mark: the connection that it is a part of changes with every pull.
fn mark(policy: &Policy) -> Result<u64, Problem> {
    let json =
        serde_json::to_vec(policy).map_err(|e| crate::error::Error::bug("a policy that is no JSON").because(e))?;
    let digest = Sha256::digest(json);
    Ok(digest.iter().take(7).fold(0, |mark, byte| mark << 8 | u64::from(*byte)))
}
