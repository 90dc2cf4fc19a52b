//! How well a connection stands, and what to do about what is wrong: asked first, decided then.

mod findings;

pub use findings::{Finding, Mark, findings};

use crate::{
    app::App,
    connection::Connection,
    context::Context,
    error::{Error, Result},
    provider::{Checked, Fact, Field, Grant, Means, Session, Webhooks},
    provision::door,
    record::Object,
    store::Exception,
    telemetry::chain,
};
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};

/// All that is known of a connection's health.
#[derive(Debug)]
pub struct Seen<'a> {
    pub connection: &'a Connection,
    pub now: Timestamp,
    /// `None` where no credentials are stored.
    pub grant: Option<Grant>,
    /// Of each object that is mapped.
    pub schema: Result<BTreeMap<Object, Vec<Field>>>,
    pub facts: Result<Vec<Fact>>,
    /// Until when nobody calls the CRM, because it asked us to wait.
    pub rests_until: Option<Timestamp>,
    /// What our own URL answered to a delivery that nothing proves; `None` where nobody asked.
    pub door: Option<Result<u16, String>>,
}

/// How long our own URL may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What has a person's attention when a connection is activated. Fields are inspected then anyway, and raised one by one.
const RAISED: &[&str] = &["another_account", "field_read_only", "id_not_unique", "scope_missing", "webhook_missing"];

impl App {
    /// Asks the CRM, the stored credentials and our own URL. Nothing is changed but a token that had run out.
    pub async fn examine(&self, cx: &Context, connection: &Connection) -> Result<Vec<Finding>> {
        let origin = self.settings.public_url.as_deref();
        let mut seen = self.see(cx, connection, origin).await?;
        if let Some(origin) = origin {
            seen.door = Some(self.knock(connection, seen.grant.as_ref(), origin).await);
        }
        Ok(findings(&seen))
    }

    /// As [`App::examine`], when a connection is made or activated: what is wrong, and nothing of our own URL, through which we
    /// may just have been called.
    pub(crate) async fn trouble(&self, cx: &Context, connection: &Connection, origin: Option<&str>) -> Vec<Finding> {
        match self.see(cx, connection, origin).await {
            Ok(seen) => findings(&seen).into_iter().filter(|one| one.mark == Mark::Bad).collect(),
            Err(error) => {
                tracing::info!(connection.id = %connection.id, error = chain(&error), trace = cx.trace, "it cannot be examined");
                Vec::new()
            }
        }
    }

    /// Raises what would stop a connection that is to work from now on.
    pub(crate) async fn raise_trouble(&self, cx: &Context, connection: &Connection) -> Result<()> {
        for finding in self.trouble(cx, connection, self.settings.public_url.as_deref()).await {
            let Some(code) = finding.code.filter(|code| RAISED.contains(code)) else { continue };
            let about = format!("{}:{}", connection.id, finding.what);
            let exception = Exception::new(&connection.tenant, code, &about, &finding.what, cx);
            self.store.raise(&exception.on(connection)).await?;
        }
        Ok(())
    }

    async fn see<'a>(&self, cx: &Context, connection: &'a Connection, origin: Option<&str>) -> Result<Seen<'a>> {
        let crm = connection.crm;
        let asks = async |session: &Session| {
            let mut schemas = BTreeMap::new();
            for (object, mapping) in &connection.mappings {
                schemas.insert(object.clone(), crm.schema(session, mapping).await?);
            }
            Ok(schemas)
        };
        let schema = self.ask(connection, cx, asks).await;
        let grant = match self.secrets.grant(&connection.tenant, &connection.id).await {
            Ok(held) => Some(held.grant),
            Err(Error::AuthExpired { .. }) => None,
            Err(error) => return Err(error),
        };
        let url = origin.map(|origin| door(connection, origin)).unwrap_or_default();
        let mut facts = match &grant {
            Some(grant) => {
                let checked = Checked { grant, watch: connection.watch.as_ref(), url: &url };
                self.ask(connection, cx, async |session| crm.check(session, &checked).await).await
            }
            None => Ok(Vec::new()),
        };
        // Who does not know our URL cannot tell our subscription from others.
        if let (None, Ok(facts)) = (origin, &mut facts) {
            facts.retain(|fact| !matches!(fact, Fact::Webhook(_)));
        }
        let rests_until = self.store.paused_until(&connection.tenant, &connection.id, cx.now()).await?;
        Ok(Seen { connection, now: cx.now(), grant, schema, facts, rests_until, door: None })
    }

    /// What our URL answers to somebody who proves nothing.
    async fn knock(&self, connection: &Connection, grant: Option<&Grant>, origin: &str) -> Result<u16, String> {
        let shared = connection.crm.capabilities().webhooks == Webhooks::PerApp
            && grant.is_none_or(|grant| grant.means == Means::Consent);
        let url = match shared {
            true => format!("{}/webhooks/{}", origin.trim_end_matches('/'), connection.crm),
            false => door(connection, origin),
        };
        let http = self.http().map_err(|error| chain(&error))?;
        let call = http.post(url).json(&serde_json::json!({})).timeout(PATIENCE);
        call.send().await.map(|answer| answer.status().as_u16()).map_err(|error| chain(&error.without_url()))
    }
}
