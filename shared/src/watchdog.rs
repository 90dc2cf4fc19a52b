//! Every connection is looked at every few minutes, because no stream tells of what does not happen. What is wrong is an exception for as long
//! as it is wrong.

use crate::{
    app::App,
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    id::TenantId,
    settings::{Settings, Stop},
    store::{Exception, Watched},
    telemetry::{Metric, chain},
    watch::{Facts, Finding, Kind, judge},
};
use futures::{StreamExt, stream};
use std::time::Duration;

/// Tenants, and connections of each, that are looked at at the same time.
const AT_ONCE: usize = 8;
/// Tenants of a page.
const PAGE: i32 = 100;
/// No tenant is begun with less than this left.
const TENANT_TAKES: Duration = Duration::from_secs(5);

impl App {
    /// Looks at every connection of every tenant once: two small reads for each. One whose facts cannot be read does not keep the others.
    pub async fn watch(&self, cx: &Context) -> Result<()> {
        let stop = self.store.stopped().await?;
        let stop = stop.as_ref();
        let (mut after, mut done) = (None, Ok(()));
        loop {
            let (tenants, next) = self.store.tenants(after.as_ref(), PAGE).await?;
            let watched = tenants.into_iter().filter(|tenancy| tenancy.left.is_none()).map(|tenancy| async move {
                match cx.left() < TENANT_TAKES {
                    true => Ok(false),
                    false => self.watch_tenant(cx, &tenancy.id, stop).await.map(|()| true),
                }
            });
            let watched: Vec<Result<bool>> = stream::iter(watched).buffer_unordered(AT_ONCE).collect().await;
            let missed = watched.iter().filter(|watched| matches!(watched, Ok(false))).count();
            // One tenant that cannot be read does not keep the others.
            done = watched.into_iter().fold(done, |done, watched| done.and(watched.map(drop)));
            if missed > 0 {
                let what = "there are more connections than time to watch them";
                tracing::error!(after = ?after, trace = cx.trace, "{what}");
                return done.and(Err(Error::retryable(what)));
            }
            after = next;
            if after.is_none() {
                return done;
            }
        }
    }

    async fn watch_tenant(&self, cx: &Context, tenant: &TenantId, stop: Option<&Stop>) -> Result<()> {
        let (settings, connections) = self.store.tenant(tenant).await?;
        let settings = &Settings { stopped: stop.cloned().or(settings.stopped.clone()), ..settings };
        stream::iter(connections)
            .for_each_concurrent(AT_ONCE, |connection| async move {
                let connection = Connection { settings: settings.clone(), ..connection };
                if let Err(error) = self.watch_one(cx, &connection).await {
                    tracing::warn!(connection.id = %connection.id, error = chain(&error), trace = cx.trace, "could not be watched");
                }
            })
            .await;
        Ok(())
    }

    async fn watch_one(&self, cx: &Context, connection: &Connection) -> Result<()> {
        let Connection { tenant, id, settings, .. } = connection;
        let pulse = self.store.pulse(tenant, id, cx.now()).await?;
        let stored = self.store.watched(tenant, id).await?;
        let mut watched = stored.clone().unwrap_or_default();
        let is_on = connection.state == State::Active && connection.works();
        watched.since = is_on.then(|| watched.since.unwrap_or(cx.now()));
        let facts = Facts { connection, pulse: &pulse, since: watched.since.unwrap_or(cx.now()), now: cx.now() };
        let found = judge(&facts, &settings.watch);
        self.tell_findings(cx, connection, &found, &mut watched).await?;
        if stored.as_ref() != Some(&watched) {
            self.store.set_watched(tenant, id, &watched).await?;
        }
        for finding in &found {
            cx.metrics.count(metric(finding.kind), None, 1);
        }
        let waited = connection.last_success.filter(|_| is_on && connection.receives() && connection.every().is_some());
        let waited = waited.map(|last| cx.now().duration_since(last).as_secs_f64());
        waited.into_iter().for_each(|waited| cx.metrics.value(Metric::SinceSuccess, None, waited));
        Ok(())
    }

    /// Opens an exception for what is newly wrong, and ends those whose cause is gone. Both can be done twice without harm.
    async fn tell_findings(
        &self,
        cx: &Context,
        connection: &Connection,
        found: &[Finding],
        watched: &mut Watched,
    ) -> Result<()> {
        for finding in found {
            if watched.open.contains_key(&finding.kind) {
                continue;
            }
            let about = about(connection, finding.kind);
            let exception = Exception::new(&connection.tenant, finding.kind.code(), &about, &finding.reason, cx);
            self.store.raise(&exception.clone().on(connection)).await?;
            watched.open.insert(finding.kind, exception.id);
        }
        let is_over = |kind: &Kind| !found.iter().any(|finding| finding.kind == *kind);
        for kind in Kind::ALL.into_iter().filter(is_over) {
            if let Some(id) = watched.open.remove(&kind) {
                self.store.resolve(&connection.tenant, &id, cx.now()).await?;
            }
        }
        Ok(())
    }
}

/// A dead grant is an exception already, by the day on which it died.
fn about(connection: &Connection, kind: Kind) -> String {
    match (kind, &connection.state) {
        (Kind::ShutOut, State::NeedsReauth { since }) => format!("{}:{}", connection.id, since.as_second() / 86_400),
        _ => connection.id.to_string(),
    }
}

fn metric(kind: Kind) -> Metric {
    match kind {
        Kind::Silent => Metric::ConnectionsSilent,
        Kind::Lagging => Metric::ConnectionsLagging,
        Kind::Rejecting => Metric::ConnectionsRejecting,
        Kind::Dropped => Metric::ConnectionsDropped,
        Kind::Failing => Metric::ConnectionsFailing,
        Kind::NearLimit => Metric::ConnectionsNearLimit,
        Kind::ShutOut => Metric::ConnectionsShutOut,
    }
}
