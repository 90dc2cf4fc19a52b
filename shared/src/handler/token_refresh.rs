//! The schedule: tokens and webhook subscriptions are renewed before they run out.

use crate::{
    app::App,
    connection::{Connection, State},
    context::Context,
    error::Result,
    id::{ConnectionId, TenantId},
    provider::{Session, WatchWish, Webhooks},
    provision::door,
    rotation::{followed, following},
    telemetry::chain,
};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use serde::Deserialize;
use std::time::Duration;

/// What the schedule sends.
#[derive(Debug, Deserialize)]
pub struct Tick {
    pub tick: String,
}

/// What runs out within this is renewed now: the schedule comes every five minutes.
const AHEAD: SignedDuration = SignedDuration::from_mins(15);

/// Connections that are renewed at the same time.
const AT_ONCE: usize = 8;
/// No renewal is begun with less than this left: a token and a subscription, ten seconds each at most.
const RENEWAL_TAKES: Duration = Duration::from_secs(25);

pub async fn token_refresh(app: &App, cx: &Context, event: Tick) -> Result<()> {
    tracing::info!(tick = event.tick, trace = cx.trace, "asking what runs out");
    let due = app.store.due_renewals(cx.now() + AHEAD).await?;
    stream::iter(due)
        .for_each_concurrent(AT_ONCE, |(tenant, id)| async move {
            if cx.left() < RENEWAL_TAKES {
                return;
            }
            if let Err(error) = renew_due(app, cx, &tenant, &id).await {
                // One connection's trouble is not another's, nor is its slowness.
                tracing::warn!(connection.id = %id, error = chain(&error), trace = cx.trace, "could not renew");
            }
        })
        .await;
    Ok(())
}

async fn renew_due(app: &App, cx: &Context, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
    let Some(ready) = app.store.ready(tenant, id, cx.now()).await? else { return Ok(()) };
    let asleep = matches!(ready.connection.state, State::Closed | State::NeedsReauth { .. });
    if asleep || ready.paused_until.is_some() {
        return Ok(());
    }
    renew(app, cx, &ready.connection).await
}

async fn renew(app: &App, cx: &Context, connection: &Connection) -> Result<()> {
    let Connection { tenant, id, .. } = connection;
    let held = app.secrets.current_grant(tenant, id).await?;
    let mut next = held.grant.expires_at;
    if next.is_some_and(|at| at < cx.now() + AHEAD) {
        match app.refresh(connection, &held, cx).await {
            Ok(fresh) => next = fresh.grant.expires_at,
            Err(error) => {
                app.notice(connection, cx, &error, false).await?;
                return Err(error);
            }
        }
    }
    let watch = match &app.settings.public_url {
        Some(origin) => app.renew_watch(cx, connection, origin).await?,
        None => None,
    };
    app.age_token(cx, connection).await?;
    let soonest = [next, watch].into_iter().flatten().min();
    match soonest {
        Some(due) => app.store.set_renewal(tenant, id, due).await,
        None => Ok(()),
    }
}

impl App {
    /// Opens a connection's webhook subscription, or extends it when half of its life is left; when that is due again.
    pub async fn renew_watch(
        &self,
        cx: &Context,
        connection: &Connection,
        origin: &str,
    ) -> Result<Option<jiff::Timestamp>> {
        let Webhooks::PerConnection { lives: Some(lives) } = connection.crm.capabilities().webhooks else {
            return Ok(None);
        };
        let half = SignedDuration::try_from(lives / 2).unwrap_or_default();
        let held = self.secrets.grant(&connection.tenant, &connection.id).await?;
        let next = following(&held.grant, cx.now());
        let lives = connection.watch.as_ref().filter(|watch| watch.expires_at > cx.now() + half);
        if let (Some(watch), None) = (lives, &next) {
            return Ok(Some(watch.expires_at - half));
        }
        let replaces = next.is_some();
        let Some(token) = next.or(held.grant.webhook_token) else { return Ok(None) };
        let wish = WatchWish {
            channel: connection.watch.as_ref().map_or_else(|| channel_of(connection), |watch| watch.channel.clone()),
            url: door(connection, origin),
            token,
            now: cx.now(),
            renew: connection.watch.is_some(),
            replaces,
        };
        let objects: Vec<String> = connection.objects_read().map(|(_, mapping)| mapping.object.clone()).collect();
        let crm = connection.crm;
        let watch = async |session: &Session| crm.watch(session, &objects, &wish).await;
        let watch = self.with_session(connection, cx, watch).await?;
        let watched = |stored: &Connection| Ok(Some(Connection { watch: watch.clone(), ..stored.clone() }));
        if self.store.revise(&connection.tenant, &connection.id, watched).await?.is_none() {
            return Ok(None);
        }
        if replaces {
            self.regrant(cx, connection, |grant| followed(grant, cx.now())).await?;
        }
        tracing::info!(connection.id = %connection.id, crm = %crm, replaces, trace = cx.trace, "webhook subscription renewed");
        Ok(watch.map(|watch| watch.expires_at - half))
    }
}

/// A channel number of our choice, the same each time for one connection.
fn channel_of(connection: &Connection) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{}#{}", connection.tenant, connection.id));
    let number = digest.iter().take(7).fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
    (1_000_000_000 + number).to_string()
}
