//! People are told of exceptions by the ways that their tenant has named: once, however many there are of a kind and however often it is heard.

mod letter;

pub use letter::{Hosts, Letter, Posted};

use crate::{
    alert::{Alerts, Heard, Incident, Mark, Next, REFUSED, Say, due, heard},
    app::App,
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, TenantId},
    provider::Crm,
    store::Exception,
    sync::remedy::remedy,
    telemetry::Metric,
};
use reqwest::{StatusCode, header::RETRY_AFTER};
use serde_json::Value as Json;
use std::{collections::BTreeMap, time::Duration};

/// How often what somebody else changed meanwhile is read again.
const ROUNDS: usize = 8;
/// Exceptions in one transaction: it has a hundred steps.
const AT_ONCE: usize = 90;
/// How long a channel may take.
const CALL: Duration = Duration::from_secs(10);
/// How long one is left alone that does not say for how long.
const PATIENCE: Duration = Duration::from_secs(60);

/// One code on one connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    pub tenant: TenantId,
    pub code: String,
    pub connection: Option<ConnectionId>,
}

/// An incident, and who is told of it.
struct Case<'a> {
    about: &'a About,
    alerts: Alerts,
    crm: Option<Crm>,
}

impl App {
    /// Takes note of what was heard, and tells what is to be told. After an error some channels may have been told; they are not told again.
    pub async fn alert(&self, cx: &Context, about: &About, all: &[Heard]) -> Result<()> {
        let About { tenant, connection, .. } = about;
        let stored = match connection {
            Some(id) => self.store.connection(tenant, id).await?,
            None => None,
        };
        let crm = stored.as_ref().map(|connection| connection.crm);
        let alerts = match stored {
            Some(connection) => connection.settings.alerts,
            None => self.store.settings(tenant).await?.alerts,
        };
        let case = Case { about, alerts, crm };
        for some in all.chunks(AT_ONCE) {
            self.take_note(cx, &case, some).await?;
        }
        self.tell_all(cx, &case).await
    }

    async fn take_note(&self, cx: &Context, case: &Case<'_>, all: &[Heard]) -> Result<()> {
        let About { tenant, code, connection } = case.about;
        for _ in 0..ROUNDS {
            let incident = self.store.incident(tenant, code, connection.as_ref()).await?;
            // What nobody is told is not kept either.
            if incident == Incident::default() && case.alerts.to(code, connection.as_ref()).is_empty() {
                return Ok(());
            }
            let ids: Vec<String> = all.iter().map(|one| one.exception.clone()).collect();
            let (mut marks, mut news, mut more) = (self.store.marks(tenant, &ids).await?, BTreeMap::new(), 0);
            for one in all {
                if let Some((mark, opened)) = heard(marks.get(&one.exception), one) {
                    marks.insert(one.exception.clone(), mark);
                    news.insert(one.exception.clone(), mark);
                    more += opened;
                }
            }
            if news.is_empty() || self.keep(cx, case, &incident.and(more, cx.now()), &news).await? {
                return Ok(());
            }
        }
        Err(Error::retryable("everyone hears of the same incident at once"))
    }

    async fn keep(
        &self,
        cx: &Context,
        case: &Case<'_>,
        incident: &Incident,
        news: &BTreeMap<String, Mark>,
    ) -> Result<bool> {
        let About { tenant, code, connection } = case.about;
        self.store.set_incident(tenant, (code, connection.as_ref()), incident, news, cx.now()).await
    }

    /// Each channel by itself: one that fails does not keep the others. The first that asks for patience is the answer.
    async fn tell_all(&self, cx: &Context, case: &Case<'_>) -> Result<()> {
        let About { tenant, code, connection } = case.about;
        let channels = case.alerts.to(code, connection.as_ref());
        let incident = self.store.incident(tenant, code, connection.as_ref()).await?;
        let mut done = Ok(());
        for (channel, next) in due(&incident, &channels, cx.now()) {
            let told = match next {
                Next::Tell(say) => self.tell_one(cx, case, &channel, say).await,
                Next::Wait => Err(waits()),
            };
            done = done.and(told);
        }
        done
    }

    /// It is noted first that this channel is about to be told, so that nobody else tells it; and afterwards that it was.
    async fn tell_one(&self, cx: &Context, case: &Case<'_>, channel: &str, say: Say) -> Result<()> {
        let channels = case.alerts.to(&case.about.code, case.about.connection.as_ref());
        let claimed = |incident: &Incident| {
            let is_due = due(incident, &channels, cx.now()).get(channel) == Some(&Next::Tell(say));
            is_due.then(|| incident.telling(channel, say, false, cx.now()))
        };
        // Whoever was quicker has told it, or is about to.
        let Some(before) = self.note(cx, case, claimed).await? else { return Err(waits()) };
        let told = |incident: &Incident| Some(incident.telling(channel, say, true, cx.now()));
        match self.send(cx, case, channel, say, before.since.unwrap_or(cx.now())).await {
            Ok(()) => {
                self.note(cx, case, told).await?;
                cx.metrics.count(Metric::AlertsTold, None, 1);
                self.store.resolve(&case.about.tenant, &refusal(cx, case, channel, "").id, cx.now()).await
            }
            Err(Error::Config { reason }) => {
                tracing::warn!(channel, code = case.about.code, reason, trace = cx.trace, "an alert is refused");
                cx.metrics.count(Metric::AlertsRefused, None, 1);
                self.store.raise(&refusal(cx, case, channel, &reason)).await?;
                // To tell it once more would be refused once more.
                self.note(cx, case, told).await.map(drop)
            }
            Err(error) => {
                let known = before.told.get(channel).copied();
                self.note(cx, case, |incident| Some(incident.untold(channel, known))).await?;
                Err(error)
            }
        }
    }

    /// Changes the incident as it stands; what it was before. `None` where nothing is to be changed.
    async fn note(
        &self,
        cx: &Context,
        case: &Case<'_>,
        change: impl Fn(&Incident) -> Option<Incident>,
    ) -> Result<Option<Incident>> {
        let About { tenant, code, connection } = case.about;
        for _ in 0..ROUNDS {
            let before = self.store.incident(tenant, code, connection.as_ref()).await?;
            let Some(after) = change(&before) else { return Ok(None) };
            if self.keep(cx, case, &after, &BTreeMap::new()).await? {
                return Ok(Some(before));
            }
        }
        Err(Error::retryable("everyone tells of the same incident at once"))
    }

    async fn send(&self, cx: &Context, case: &Case<'_>, channel: &str, say: Say, since: jiff::Timestamp) -> Result<()> {
        let About { tenant, code, connection } = case.about;
        // It was taken away meanwhile: there is nobody to be told.
        let Some(way) = case.alerts.channels.get(channel) else { return Ok(()) };
        let secret = self.secrets.alert(tenant, channel).await?;
        let secret = secret.ok_or_else(|| Error::Config { reason: format!("the channel {channel} has no secret") })?;
        let link = self.settings.login.url.as_ref().map(|base| format!("{base}/tenants/{tenant}/exceptions"));
        let (remedy, connection, now) = (remedy(code), connection.as_ref(), cx.now());
        let letter = Letter { tenant, code, remedy, connection, crm: case.crm, say, since, now, link };
        let Posted { url, headers, body } = way.post(&letter, &secret, &self.settings.alert_hosts)?;
        let mut call = self.http()?.post(url).timeout(CALL.min(cx.left())).body(body);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        // A URL may hold a secret, and so may an error that quotes it.
        let answer = call.send().await.map_err(|e| Error::retryable("no answer").because(e.without_url()))?;
        let (status, asked) = (answer.status(), answer.headers().get(RETRY_AFTER).cloned());
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::TOO_MANY_REQUESTS => {
                let asked = asked.and_then(|after| after.to_str().ok()?.parse().ok());
                // Telegram says so in the body (Bot API: ResponseParameters).
                let body = answer.json::<Json>().await.unwrap_or_default();
                let asked = asked.or_else(|| body["parameters"]["retry_after"].as_u64());
                Err(Error::RateLimited { after: asked.map_or(PATIENCE, Duration::from_secs) })
            }
            _ if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                Err(Error::retryable(format!("the channel answers {status}")))
            }
            _ => Err(Error::Config { reason: format!("the channel {channel} answers {status}") }),
        }
    }
}

/// That a channel does not take what it is told: one exception for each, until it takes something.
fn refusal(cx: &Context, case: &Case<'_>, channel: &str, reason: &str) -> Exception {
    Exception::new(&case.about.tenant, REFUSED, channel, reason, cx)
}

fn waits() -> Error {
    let what = "somebody else is about to tell it".to_owned();
    Error::Retryable { what, after: Some(PATIENCE), source: None }
}
