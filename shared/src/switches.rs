//! What a person switches: whether a connection works and when, and whether anything does.

use crate::{
    app::App,
    change::Work,
    connection::{Connection, Hold, Mode, State},
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, TenantId},
    planner::Mass,
    settings::Stop,
    store::Exception,
};
use jiff::{SignedDuration, Timestamp};

/// For how long a person's word that much may be written holds.
const APPROVED: SignedDuration = SignedDuration::from_hours(24);

impl App {
    /// Turns a connection active, from `Joining`, a pause or a reconnect: it is pulled and swept at once.
    pub async fn activate(&self, cx: &Context, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
        let active = |stored: &Connection| {
            // Who approves what two databases make of each other has seen how much it is; who resumes has not.
            let (held, free_until) = match stored.state {
                State::Joining => (None, Some(cx.now() + APPROVED)),
                _ => (stored.held.clone(), stored.free_until),
            };
            Ok(Some(Connection { state: State::Active, approved: true, held, free_until, ..stored.clone() }))
        };
        let connection = self.switched(tenant, id, active).await?;
        // What stopped it may have been a field that is no more, or one that is back.
        if let Err(error) = self.inspect(cx, &connection).await {
            tracing::info!(connection.id = %id, error = crate::telemetry::chain(&error), trace = cx.trace, "its fields cannot be asked for");
        }
        self.raise_trouble(cx, &connection).await?;
        self.sync_all(cx, &connection).await
    }

    /// Says when a connection exchanges what changed. What has waited is told by the next tick where nothing waits any longer.
    pub async fn set_mode(&self, cx: &Context, tenant: &TenantId, id: &ConnectionId, mode: Mode) -> Result<Connection> {
        let other = |stored: &Connection| {
            let next = Connection { mode, owes_sweep: true, ..stored.clone() };
            let due_at = match mode {
                Mode::RealTime => cx.now(),
                _ => next.every().map_or(stored.due_at, |every| cx.now() + every),
            };
            Ok(Some(Connection { due_at, ..next }))
        };
        self.switched(tenant, id, other).await
    }

    /// Stops everything of a tenant, or of all tenants, at once: nothing is read from a CRM or written to one.
    pub async fn stop(&self, cx: &Context, tenant: Option<&TenantId>, reason: &str) -> Result<()> {
        let stop = Stop { since: cx.now(), reason: reason.to_owned() };
        self.store.set_stopped(tenant, Some(&stop)).await
    }

    /// Lets a tenant, or all, go on: what changed is pulled, what is pending is pushed, within a minute. How many connections do.
    pub async fn go(&self, cx: &Context, tenant: Option<&TenantId>) -> Result<usize> {
        self.store.set_stopped(tenant, None).await?;
        let all = match tenant {
            Some(tenant) => {
                let connections = self.store.connections(tenant).await?;
                connections.into_iter().map(|connection| (tenant.clone(), connection.id)).collect()
            }
            None => self.store.due_pulls(Timestamp::MAX).await?,
        };
        let mut going = 0;
        for (tenant, id) in all {
            let next = |stored: &Connection| {
                let next = Connection { owes_sweep: true, due_at: cx.now(), ..stored.clone() };
                Ok(stored.works().then_some(next).filter(|next| next.mode != Mode::Manual))
            };
            going += usize::from(self.store.revise(&tenant, &id, next).await?.is_some());
        }
        Ok(going)
    }

    /// A connection would write so much that it may be a mistake: a person is asked, and it writes no more of that before they answer.
    pub(crate) async fn hold(&self, cx: &Context, connection: &Connection, mass: Mass, counted: u32) -> Result<()> {
        let what = match mass {
            Mass::Blanks => "records would lose a value",
            Mass::Writes | Mass::Deletions => "records would be written",
        };
        let reason =
            format!("about {counted} {what} in {} within an hour: it may be a mistake", connection.crm.title());
        let hold = Hold { since: cx.now(), mass };
        let exception = Exception::new(&connection.tenant, mass.code(), &hold.about(connection), reason, cx);
        self.store.raise(&exception.on(connection)).await?;
        let held = |stored: &Connection| {
            let held = Connection { held: Some(hold.clone()), ..stored.clone() };
            Ok(stored.held.is_none().then_some(held))
        };
        self.store.revise(&connection.tenant, &connection.id, held).await.map(drop)
    }

    /// What a connection holds back was meant: it is written, and for a day no more is asked.
    pub async fn release(&self, cx: &Context, tenant: &TenantId, id: &ConnectionId) -> Result<()> {
        let stored = self.store.connection(tenant, id).await?;
        let free = |stored: &Connection| {
            let free_until = Some(cx.now() + APPROVED);
            Ok(Some(Connection { held: None, free_until, ..stored.clone() }))
        };
        let connection = self.switched(tenant, id, free).await?;
        if let Some(hold) = stored.and_then(|stored| stored.held) {
            let exception = Exception::new(tenant, hold.mass.code(), &hold.about(&connection), "", cx);
            self.store.resolve(tenant, &exception.id, cx.now()).await?;
        }
        self.start(cx, &connection, Work::Sweep { shard: 0, after: None }).await
    }

    async fn switched(
        &self,
        tenant: &TenantId,
        id: &ConnectionId,
        change: impl Fn(&Connection) -> Result<Option<Connection>>,
    ) -> Result<Connection> {
        let switched = self.store.revise(tenant, id, change).await?;
        switched.ok_or_else(|| Error::Config { reason: format!("no connection {id}") })
    }
}
