//! Sessions with a CRM, and the one protocol by which a token is refreshed.

use crate::{
    app::App,
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    provider::Session,
    secrets::Held,
    store::Lease,
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// A token is refreshed on demand when it has less than this left.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// A token that someone else got may have died since: so many are tried.
const MOST_TOKENS: usize = 3;
/// The lease outlives the token request, which has a deadline of its own.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// Zoho blocks a client that asks for more tokens than this … <https://www.zoho.com/accounts/protocol/oauth/token-limits.html>
const MOST_REQUESTS: usize = 9;
/// … in this time.
const REQUESTS_PER: SignedDuration = SignedDuration::from_mins(10);

impl App {
    /// Does something in a session with a connection's CRM. When the token is refused it is refreshed and the thing
    /// is done again from its start; whatever is done this way can be repeated without harm.
    ///
    /// A rate limit pauses the connection for everyone; dead credentials turn it to `NeedsReauth`.
    pub async fn with_session<T>(
        &self,
        connection: &Connection,
        cx: &Context,
        call: impl AsyncFn(&Session) -> Result<T>,
    ) -> Result<T> {
        let done = self.authorised(connection, cx, call).await;
        match &done {
            Err(Error::RateLimited { after }) => {
                let until = cx.now() + SignedDuration::try_from(*after).unwrap_or(SignedDuration::from_secs(60));
                tracing::info!(connection.id = %connection.id, crm = %connection.crm, %until, trace = cx.trace, "the CRM asks us to wait");
                self.store.pause(&connection.tenant, &connection.id, until).await?;
            }
            Err(Error::AuthExpired { reason }) => {
                tracing::warn!(connection.id = %connection.id, crm = %connection.crm, reason, trace = cx.trace, "the connection needs reauthorisation");
                self.store.set_state(connection, &State::NeedsReauth { since: cx.now() }).await?;
            }
            _ => {}
        }
        done
    }

    async fn authorised<T>(
        &self,
        connection: &Connection,
        cx: &Context,
        call: impl AsyncFn(&Session) -> Result<T>,
    ) -> Result<T> {
        let mut held = self.secrets.grant(&connection.tenant, &connection.id).await?;
        for _ in 0..MOST_TOKENS {
            if held.grant.expires_at.is_some_and(|at| at < cx.now() + MARGIN) {
                held = self.refresh(connection, &held, cx).await?;
                continue;
            }
            match call(&self.session(connection, &held, cx)?).await {
                Err(Error::AuthExpired { .. }) => held = self.refresh(connection, &held, cx).await?,
                done => return done,
            }
        }
        Err(Error::AuthExpired { reason: "the CRM refuses every token it gives".to_owned() })
    }

    fn session(&self, connection: &Connection, held: &Held, cx: &Context) -> Result<Session> {
        Ok(Session {
            http: self.http.clone(),
            base: connection.crm.base(&self.settings.hosts, &held.grant)?,
            authorization: connection.crm.authorization(&held.grant),
            trace: cx.trace.clone(),
            deadline: cx.deadline,
        })
    }

    /// A grant newer than `stale`: whoever holds the lease asks for it, everyone else waits for theirs.
    pub async fn refresh(&self, connection: &Connection, stale: &Held, cx: &Context) -> Result<Held> {
        let Connection { tenant, id, .. } = connection;
        for _ in 0..40 {
            let current = self.secrets.current_grant(tenant, id).await?;
            if current.version != stale.version {
                return Ok(current);
            }
            if let Some(lease) = self.store.take_lease(tenant, id, LEASE, cx.now()).await? {
                return self.refresh_alone(connection, stale, lease, cx).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Error::Retryable {
            what: "someone else is refreshing the token".to_owned(),
            after: Some(Duration::from_secs(2)),
            source: None,
        })
    }

    async fn refresh_alone(&self, connection: &Connection, stale: &Held, lease: Lease, cx: &Context) -> Result<Held> {
        let Connection { tenant, id, .. } = connection;
        let mut recent: Vec<Timestamp> =
            lease.recent.iter().copied().filter(|at| *at > cx.now() - REQUESTS_PER).collect();
        let done = self.refresh_leased(connection, stale, &mut recent, cx).await;
        self.store.return_lease(tenant, id, &lease, &recent).await?;
        done
    }

    async fn refresh_leased(
        &self,
        connection: &Connection,
        stale: &Held,
        recent: &mut Vec<Timestamp>,
        cx: &Context,
    ) -> Result<Held> {
        let Connection { tenant, id, crm, .. } = connection;
        let current = self.secrets.current_grant(tenant, id).await?;
        if current.version != stale.version {
            return Ok(current);
        }
        let next = match self.secrets.left_behind(tenant, id, &current).await? {
            Some(adopted) => adopted,
            None => {
                if current.grant.refresh_token.is_none() {
                    return Err(Error::AuthExpired {
                        reason: "the token is refused and cannot be refreshed".to_owned(),
                    });
                }
                if recent.len() >= MOST_REQUESTS {
                    return Err(Error::RateLimited { after: Duration::from_secs(120) });
                }
                let app = self.secrets.app(*crm).await?;
                recent.push(cx.now());
                let grant = crm.refresh(&self.http, &self.settings.hosts, &app, &current.grant, cx.now()).await?;
                self.secrets.store(tenant, id, &current, &grant).await?
            }
        };
        if !self.secrets.promote(tenant, id, &current, &next).await? {
            return self.secrets.current_grant(tenant, id).await;
        }
        if let Some(expires_at) = next.grant.expires_at {
            self.store.set_renewal(tenant, id, expires_at).await?;
        }
        tracing::info!(connection.id = %id, crm = %crm, trace = cx.trace, "token refreshed");
        Ok(next)
    }
}
