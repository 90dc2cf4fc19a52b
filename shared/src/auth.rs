//! Sessions with a CRM, and the one protocol by which a token is refreshed.

use crate::{
    app::App,
    connection::{Allowance, Connection, State},
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, TenantId},
    provider::{
        AppCredentials, Crm, Grant, Session,
        quota::{Book, Budget, Keeper},
    },
    secrets::Held,
    store::{Exception, Lease},
    telemetry::Metric,
};
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A token is refreshed on demand when it has less than this left.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// A token that someone else got may have died since: so many are tried.
const MOST_TOKENS: usize = 3;
/// The lease outlives the token request, which has a deadline of its own.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// A token request is not begun with less than this left: its answer must be stored.
const REQUEST_TAKES: Duration = Duration::from_secs(12);
/// How long a refused app secret is left alone: a person must correct it, for all connections at once.
const APP_REFUSED: Duration = Duration::from_secs(300);
/// Zoho blocks a client that asks for more tokens than this … <https://www.zoho.com/accounts/protocol/oauth/token-limits.html>
const MOST_REQUESTS: usize = 9;
/// … in this time.
const REQUESTS_PER: SignedDuration = SignedDuration::from_mins(10);

/// What a session came to.
fn measure(connection: &Connection, cx: &Context, budget: &Budget, error: Option<&Error>) {
    let crm = Some(connection.crm);
    cx.metrics.count(Metric::ApiCalls, crm, budget.calls.load(Ordering::Relaxed));
    let verdict = error.map(|error| match error {
        Error::RateLimited { .. } => Metric::RateLimited,
        Error::Retryable { .. } => Metric::Unanswered,
        Error::AuthExpired { .. } => Metric::AuthRefused,
        Error::Config { .. } => Metric::NeedsPerson,
        Error::Bug { .. } => Metric::Bugs,
    });
    verdict.into_iter().for_each(|verdict| cx.metrics.count(verdict, crm, 1));
    let used = budget.used();
    used.into_iter().for_each(|used| cx.metrics.value(Metric::BudgetUsed, crm, f64::from(used)));
    cx.metrics.on(&connection.tenant, &connection.id, |counts| {
        counts.hour.sessions += 1;
        counts.hour.failed += u32::from(verdict.is_some_and(|verdict| verdict != Metric::RateLimited));
        counts.used = used.or(counts.used);
    });
}

impl App {
    /// Does something in a session with a connection's CRM. When the token is refused it is refreshed and the thing
    /// is done again from its start; whatever is done this way can be repeated without harm.
    ///
    /// A rate limit pauses the connection for everyone; what needs a person stops it until they have acted.
    pub async fn with_session<T>(
        &self,
        connection: &Connection,
        cx: &Context,
        call: impl AsyncFn(&Session) -> Result<T>,
    ) -> Result<T> {
        let (answered, budget) = (Arc::new(AtomicBool::new(false)), self.budget(connection, cx));
        let done = self.authorised(connection, cx, &answered, &budget, call).await;
        let full = budget.full.load(Ordering::Relaxed) && matches!(done, Err(Error::RateLimited { .. }));
        measure(connection, cx, &budget, done.as_ref().err().filter(|_| !full));
        let Err(error) = &done else { return done };
        // A window is full by what we lent: that is nobody else's reason to wait.
        if full {
            return done;
        }
        // What is refused as a whole may be so for one field that is no more.
        if matches!(error, Error::Config { .. }) && self.is_mapped_anew(cx, connection).await.unwrap_or(false) {
            return Err(Error::retryable("the fields of the account are others now"));
        }
        self.notice(connection, cx, error, answered.load(Ordering::Relaxed)).await?;
        done
    }

    /// As [`App::with_session`], for a question whose failure is no news.
    pub(crate) async fn ask<T>(
        &self,
        connection: &Connection,
        cx: &Context,
        call: impl AsyncFn(&Session) -> Result<T>,
    ) -> Result<T> {
        self.authorised(connection, cx, &Arc::default(), &self.budget(connection, cx), call).await
    }

    /// What an error of a CRM's means for the whole connection. `answered`: other calls went well just before.
    pub(crate) async fn notice(
        &self,
        connection: &Connection,
        cx: &Context,
        error: &Error,
        answered: bool,
    ) -> Result<()> {
        let Connection { tenant, id, crm, .. } = connection;
        match error {
            Error::RateLimited { after } => {
                let until = self.store.pause(tenant, id, *after, answered, cx.now()).await?;
                tracing::info!(connection.id = %id, %crm, %until, trace = cx.trace, "the CRM asks us to wait");
            }
            Error::AuthExpired { reason } => {
                tracing::warn!(connection.id = %id, %crm, reason, trace = cx.trace, "the connection needs reauthorisation");
                self.store.set_state(connection, &State::NeedsReauth { since: cx.now() }).await?;
                let day = cx.now().as_second() / 86_400;
                let exception = Exception::new(tenant, "needs_reauth", &format!("{id}:{day}"), reason, cx);
                self.store.raise(&exception.on(connection)).await?;
            }
            Error::Config { reason } => {
                let day = cx.now().as_second() / 86_400;
                let exception = Exception::new(tenant, "connection_stopped", &format!("{id}:{day}"), reason, cx);
                self.store.raise(&exception.on(connection)).await?;
                // What joins is read again by its next pull, and must not become active by way of a pause.
                if connection.state == State::Active {
                    self.store.set_state(connection, &State::Paused { reason: reason.clone() }).await?;
                }
            }
            Error::Retryable { .. } | Error::Bug { .. } => {}
        }
        Ok(())
    }

    async fn authorised<T>(
        &self,
        connection: &Connection,
        cx: &Context,
        answered: &Arc<AtomicBool>,
        budget: &Budget,
        call: impl AsyncFn(&Session) -> Result<T>,
    ) -> Result<T> {
        let mut held = self.secrets.grant(&connection.tenant, &connection.id).await?;
        for _ in 0..MOST_TOKENS {
            if held.grant.expires_at.is_some_and(|at| at < cx.now() + MARGIN) {
                held = self.refresh(connection, &held, cx).await?;
                continue;
            }
            match call(&self.session(connection.crm, &held.grant, answered, budget, cx)?).await {
                Err(Error::AuthExpired { .. }) => held = self.refresh(connection, &held, cx).await?,
                done => return done,
            }
        }
        Err(Error::AuthExpired { reason: "the CRM refuses every token it gives".to_owned() })
    }

    pub(crate) fn session(
        &self,
        crm: Crm,
        grant: &Grant,
        answered: &Arc<AtomicBool>,
        budget: &Budget,
        cx: &Context,
    ) -> Result<Session> {
        let (header, authorization) = crm.authorization(grant);
        Ok(Session {
            http: self.http()?.clone(),
            base: crm.base(&self.settings.hosts, grant)?,
            header,
            authorization,
            trace: cx.trace.clone(),
            clock: cx.clock.clone(),
            deadline: cx.deadline,
            limits: crm.capabilities().limits,
            budget: budget.clone(),
            answered: answered.clone(),
        })
    }

    /// This session's part of the connection's limits.
    fn budget(&self, connection: &Connection, cx: &Context) -> Budget {
        let Connection { tenant, id, crm, allowance, .. } = connection;
        self.budget_of(tenant, id, *crm, *allowance, cx)
    }

    pub(crate) fn budget_of(
        &self,
        tenant: &TenantId,
        id: &ConnectionId,
        crm: Crm,
        allowance: Allowance,
        cx: &Context,
    ) -> Budget {
        let new = || Book::new(self.books.holder.clone(), crm.capabilities().limits, allowance);
        let mut books = self.books.of.lock().unwrap_or_else(PoisonError::into_inner);
        let (book, asking) =
            books.entry((tenant.clone(), id.clone())).or_insert_with(|| (Arc::new(Mutex::new(new())), Arc::default()));
        book.lock().unwrap_or_else(PoisonError::into_inner).allow(allowance);
        let (store, tenant, id) = (self.store.clone(), tenant.clone(), id.clone());
        let keeper: Keeper = Arc::new(move |ask, now| {
            let (store, tenant, id) = (store.clone(), tenant.clone(), id.clone());
            async move { store.ask(&tenant, &id, &ask, now).await }.boxed()
        });
        let (book, asking) = (book.clone(), asking.clone());
        Budget { book, asking, keeper, clock: cx.clock.clone(), full: Arc::default(), calls: Arc::default() }
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
        if cx.left() < REQUEST_TAKES {
            self.store.return_lease(tenant, id, &lease, &lease.recent).await?;
            return Err(Error::retryable("no time is left to ask for a token"));
        }
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
                if !current.grant.is_renewable() {
                    return Err(Error::AuthExpired {
                        reason: "the token is refused, and nothing renews it".to_owned(),
                    });
                }
                if recent.len() >= MOST_REQUESTS {
                    return Err(Error::RateLimited { after: Duration::from_secs(120) });
                }
                let ask = async {
                    let app = self.app_of(*crm, &current.grant).await?;
                    recent.push(cx.now());
                    crm.refresh(self.http()?, &self.settings.hosts, &app, &current.grant, cx.now()).await
                };
                let grant = match ask.await {
                    // An app of the account's own is as good as the grant.
                    Err(Error::Config { reason }) if current.grant.own_app().is_some() => {
                        return Err(Error::AuthExpired { reason });
                    }
                    Err(Error::Config { reason }) => return Err(self.app_refused(connection, reason, cx).await?),
                    // A person may have connected again while we asked.
                    Err(dead @ Error::AuthExpired { .. }) => {
                        let newest = self.secrets.current_grant(tenant, id).await?;
                        return if newest.version == current.version { Err(dead) } else { Ok(newest) };
                    }
                    asked => asked?,
                };
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

    /// The app that a grant was given to: the account's own for us, or ours.
    pub(crate) async fn app_of(&self, crm: Crm, grant: &Grant) -> Result<AppCredentials> {
        match grant.own_app() {
            Some(own) => Ok(own),
            None => self.secrets.app(crm).await,
        }
    }

    /// Our app's secret is missing or wrong: no connection's fault, so none is stopped. They go on by themselves
    /// once the secret is right.
    async fn app_refused(&self, connection: &Connection, reason: String, cx: &Context) -> Result<Error> {
        let about = format!("{}:{}", connection.crm, cx.now().as_second() / 86_400);
        let exception = Exception::new(&connection.tenant, "app_refused", &about, &reason, cx);
        self.store.raise(&exception.on(connection)).await?;
        Ok(Error::Retryable { what: reason, after: Some(APP_REFUSED), source: None })
    }
}
