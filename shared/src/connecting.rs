//! From a click to a working connection: a link, a consent, a grant; and the way back.
//!
//! A link is made for one tenant's connection, lives for minutes and starts any number of tries, of which one succeeds. A try
//! is a `state` that comes back once, to the browser that it was given to.

use crate::{
    app::App,
    connection::{Connection, State},
    context::Context,
    error::{Error, Result},
    id::{ConnectionId, TenantId},
    mapping::Direction,
    provider::{Ask, Authorized, Code, Crm, Grant, Secret},
    provision::Opened,
    record::{Object, Region},
    store::tickets::{digest, fresh},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a link may connect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub crm: Crm,
    pub region: Region,
    /// Seconds between two pulls.
    pub pull_every: u32,
}

/// A consent that is under way.
#[derive(Serialize, Deserialize)]
struct Consent {
    invitation: Invitation,
    /// Digest of the link, which ends with it.
    link: String,
    /// Digest of what the browser was given.
    browser: String,
}

/// Where a browser goes, and what it must bring back.
pub struct Begun {
    pub page: String,
    pub browser: Secret,
}

/// What a browser brings back from the consent page.
pub struct Answer {
    pub state: Secret,
    /// What it was given when it began.
    pub browser: Option<Secret>,
    /// `None` where the person denied.
    pub code: Option<Secret>,
    /// Where the code is good, where the CRM says so.
    pub server: Option<String>,
    pub redirect_uri: String,
}

/// What a consent came to.
pub struct Finished {
    pub invitation: Invitation,
    pub opened: Opened,
    /// The connection was there before.
    pub again: bool,
}

/// How long a link starts a connect.
pub const LINK_LIVES: SignedDuration = SignedDuration::from_mins(15);
/// How long a person may take to consent.
pub const CONSENT_LIVES: SignedDuration = SignedDuration::from_mins(10);

/// Why a browser is sent away. Nothing in it came from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    #[error("This link is not good any more. Ask for a new one: a link works once, for fifteen minutes.")]
    BadLink,
    #[error(
        "This answer is not to anything that this browser has asked. Open the link again, in one browser from begin to end."
    )]
    NotAsked,
    #[error(
        "Another account is connected under this name. Disconnect it first, or connect this account under a name of its own."
    )]
    AnotherAccount,
    #[error("The CRM did not let us in. Open the link again to try once more.")]
    Denied,
}

impl App {
    /// A link's secret part.
    pub async fn invite(&self, cx: &Context, invitation: &Invitation) -> Result<Secret> {
        let link = fresh()?;
        self.store.issue(&digest(&link), invitation, cx.now(), LINK_LIVES).await?;
        Ok(link)
    }

    /// Sends a browser to the CRM's consent page.
    pub async fn begin_connect(
        &self,
        cx: &Context,
        crm: Crm,
        link: &Secret,
        redirect_uri: &str,
    ) -> Result<Result<Begun, Turned>> {
        let known: Option<Invitation> = self.store.ticket(&digest(link), cx.now()).await?;
        let Some(invitation) = known.filter(|invitation| invitation.crm == crm) else {
            return Ok(Err(Turned::BadLink));
        };
        let app = self.secrets.app(crm).await?;
        let (state, browser) = (fresh()?, fresh()?);
        let consent = Consent { invitation, link: digest(link), browser: digest(&browser) };
        self.store.issue(&digest(&state), &consent, cx.now(), CONSENT_LIVES).await?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier(&browser).reveal()));
        let ask = Ask { client_id: &app.client_id, redirect_uri, state: state.reveal(), challenge: &challenge };
        Ok(Ok(Begun { page: crm.consent_page(&self.settings.hosts, &ask), browser }))
    }

    /// Takes the CRM's answer; `origin` is where webhooks are to go.
    pub async fn finish_connect(&self, cx: &Context, answer: Answer, origin: &str) -> Result<Result<Finished, Turned>> {
        let Answer { state, browser, code, server, redirect_uri } = answer;
        let consent: Option<Consent> = self.store.take_ticket(&digest(&state), cx.now()).await?;
        let (Some(consent), Some(browser)) = (consent, browser) else { return Ok(Err(Turned::NotAsked)) };
        if !bool::from(digest(&browser).as_bytes().ct_eq(consent.browser.as_bytes())) {
            return Ok(Err(Turned::NotAsked));
        }
        let Some(code) = code else { return Ok(Err(Turned::Denied)) };
        // Only one of a link's tries succeeds.
        if self.store.ticket::<Invitation>(&consent.link, cx.now()).await?.is_none() {
            return Ok(Err(Turned::BadLink));
        }
        let crm = consent.invitation.crm;
        let app = self.secrets.app(crm).await?;
        let code = Code { code, redirect_uri, verifier: verifier(&browser), server };
        let Authorized { grant, account } =
            match crm.exchange(&self.http, &self.settings.hosts, &app, &code, cx.now()).await {
                Err(Error::AuthExpired { .. }) => return Ok(Err(Turned::Denied)),
                authorized => authorized?,
            };
        let Invitation { tenant, connection: id, .. } = &consent.invitation;
        let stored = self.store.connection(tenant, id).await?;
        if stored.as_ref().is_some_and(|stored| stored.crm != crm || stored.account != account) {
            return Ok(Err(Turned::AnotherAccount));
        }
        self.keep_grant(tenant, id, grant).await?;
        let again = stored.is_some();
        let opened = match stored {
            Some(stored) => self.reopen(cx, &stored, origin).await?,
            None => self.open(cx, new_connection(&consent.invitation, account, cx), origin).await?,
        };
        self.store.take_ticket::<Invitation>(&consent.link, cx.now()).await?;
        tracing::info!(connection.id = %id, %crm, again, trace = cx.trace, "connected");
        Ok(Ok(Finished { invitation: consent.invitation, opened, again }))
    }

    /// Stores a grant that replaces whatever was there; the token by which deliveries are proved stays.
    async fn keep_grant(&self, tenant: &TenantId, id: &ConnectionId, grant: Grant) -> Result<()> {
        let before = self.secrets.current_grant(tenant, id).await.ok();
        let token = match before.and_then(|held| held.grant.webhook_token) {
            Some(token) => token,
            // Zoho takes 50 characters of it at most.
            None => Secret::new(fresh()?.reveal().get(..48).unwrap_or_default()),
        };
        self.secrets.put_grant(tenant, id, &Grant { webhook_token: Some(token), ..grant }).await
    }

    /// Ends a connection: its subscription, its grant, its credentials. The hub keeps what it knows.
    pub async fn disconnect(&self, cx: &Context, connection: &Connection) -> Result<()> {
        let Connection { tenant, id, crm, .. } = connection;
        if let Some(watch) = &connection.watch {
            let ended = self.with_session(connection, cx, async |session| crm.unwatch(session, watch).await).await;
            // What cannot be ended dies with the grant, or of age.
            ended.or_else(|error| if matches!(error, Error::AuthExpired { .. }) { Ok(()) } else { Err(error) })?;
        }
        if let Ok(held) = self.secrets.current_grant(tenant, id).await {
            crm.revoke(&self.http, &self.settings.hosts, &self.secrets.app(*crm).await?, &held.grant).await?;
        }
        let Some(stored) = self.store.connection(tenant, id).await? else { return Ok(()) };
        let closed = Connection { state: State::Closed, watch: None, ..stored.clone() };
        if !self.store.update_connection(&stored, &closed).await? {
            return Err(Error::retryable("the connection changed while it was ended"));
        }
        self.store.set_state(&Connection { version: stored.version + 1, ..closed }, &State::Closed).await?;
        self.secrets.forget_grant(tenant, id).await
    }
}

/// The secret that only the browser's own way back leads to: nothing of it is stored.
fn verifier(browser: &Secret) -> Secret {
    Secret::new(crate::id::hex(&Sha256::digest(format!("verifier of {}", browser.reveal()))))
}

fn new_connection(invitation: &Invitation, account: crate::id::AccountId, cx: &Context) -> Connection {
    let Invitation { tenant, connection: id, crm, region, pull_every } = invitation.clone();
    let mut mapping = crm.default_mapping();
    mapping.region = region.clone();
    Connection {
        tenant,
        id,
        crm,
        account,
        state: State::Joining,
        direction: Direction::Both,
        mappings: [(Object::Person, mapping)].into(),
        policy: Default::default(),
        region,
        accepts_legacy_signatures: false,
        pull_every,
        cursor: None,
        deletions_read: None,
        watch: None,
        last_success: None,
        owes_sweep: false,
        due_at: cx.now(),
        version: 1,
    }
}
