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
    provider::{Ask, Authorized, Code, Crm, Grant, Secret, Webhooks},
    provision::Opened,
    record::{Object, Region},
    rotation::fresh_token,
    secrets::Held,
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
    /// What of the account is kept in step.
    pub objects: Vec<Object>,
    /// Seconds between two pulls.
    pub pull_every: u32,
    /// Where the account logs in, if not where all of this CRM's do: one of the vendor's own hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_host: Option<String>,
}

/// A consent that is under way.
#[derive(Serialize, Deserialize)]
struct Consent {
    /// Digest of the link, which ends with it.
    link: String,
    /// Digest of what the browser was given.
    browser: String,
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    #[error("This link is not good any more. Ask for a new one: a link works once, for fifteen minutes.")]
    BadLink,
    #[error(
        "This answer is not to anything that this browser has asked. Open the link again, in one browser from begin to end."
    )]
    NotAsked,
    #[error("Another account is known under this name. Ask for a link with a name of its own for this one.")]
    AnotherAccount,
    #[error("That is no place where accounts of this CRM log in.")]
    LoginHost,
    #[error("The CRM did not let us in. Open the link again to try once more.")]
    Denied,
    #[error(
        "{object} cannot be kept in step with {} from the start: that has {}. Custom objects are mapped once it is connected.",
        .crm.title(),
        names(&.crm.objects())
    )]
    NoSuchObject { crm: Crm, object: Object },
}

fn names(objects: &[Object]) -> String {
    objects.iter().map(Object::as_str).collect::<Vec<_>>().join(", ")
}

impl Invitation {
    /// Whether the CRM has all that is to be kept in step.
    pub fn sound(&self) -> Result<(), Turned> {
        let has = self.crm.objects();
        let lacking = self.objects.iter().find(|object| !has.contains(object)).cloned();
        lacking.map_or(Ok(()), |object| Err(Turned::NoSuchObject { crm: self.crm, object }))
    }
}

impl App {
    /// A link's secret part.
    pub async fn invite(&self, cx: &Context, invitation: &Invitation) -> Result<Result<Secret, Turned>> {
        if let Err(turned) = invitation.sound() {
            return Ok(Err(turned));
        }
        let login_host = match &invitation.login_host {
            Some(named) => match invitation.crm.login_host(named) {
                Some(known) => Some(known),
                None => return Ok(Err(Turned::LoginHost)),
            },
            None => None,
        };
        let link = fresh()?;
        let invitation = Invitation { login_host, ..invitation.clone() };
        self.store.issue(&digest(&link), &invitation, cx.now(), LINK_LIVES).await?;
        Ok(Ok(link))
    }

    /// What a link would connect, for a person to see before they go on.
    pub async fn invitation(&self, cx: &Context, crm: Crm, link: &Secret) -> Result<Result<Invitation, Turned>> {
        let known: Option<Invitation> = self.store.ticket(&digest(link), cx.now()).await?;
        Ok(known.filter(|invitation| invitation.crm == crm).ok_or(Turned::BadLink))
    }

    /// The CRM's consent page, for the browser that holds this secret.
    pub async fn begin_connect(
        &self,
        cx: &Context,
        invitation: &Invitation,
        link: &Secret,
        browser: &Secret,
        redirect_uri: &str,
    ) -> Result<String> {
        let Invitation { crm, objects, .. } = invitation;
        let app = self.secrets.app(*crm).await?;
        let state = fresh()?;
        let consent = Consent { link: digest(link), browser: digest(browser) };
        self.store.issue(&digest(&state), &consent, cx.now(), CONSENT_LIVES).await?;
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier(browser).reveal()));
        let (state, challenge) = (state.reveal(), challenge.as_str());
        let login_host = invitation.login_host.as_deref();
        let ask = Ask { client_id: &app.client_id, login_host, redirect_uri, objects, state, challenge };
        crm.consent_page(&self.settings.hosts, &ask)
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
        // Only one of a link's tries succeeds: whoever has taken it gives it back where they do not.
        let link = consent.link.clone();
        let Some(invitation) = self.store.take_ticket::<Invitation>(&link, cx.now()).await? else {
            return Ok(Err(Turned::BadLink));
        };
        let login_host = invitation.login_host.clone();
        let code = Code { code, redirect_uri, verifier: verifier(&browser), server, login_host };
        let done = self.exchange_and_open(cx, &invitation, &code, origin).await;
        if !matches!(done, Ok(Ok(_))) {
            self.store.issue(&link, &invitation, cx.now(), LINK_LIVES).await?;
        }
        done
    }

    async fn exchange_and_open(
        &self,
        cx: &Context,
        invitation: &Invitation,
        code: &Code,
        origin: &str,
    ) -> Result<Result<Finished, Turned>> {
        let crm = invitation.crm;
        let app = self.secrets.app(crm).await?;
        match crm.exchange(self.http()?, &self.settings.hosts, &app, code, cx.now()).await {
            Err(Error::AuthExpired { .. }) => Ok(Err(Turned::Denied)),
            authorized => self.admit(cx, invitation, authorized?, origin).await,
        }
    }

    /// Opens a connection to an account that let us in, or goes on with the one that there is.
    pub(crate) async fn admit(
        &self,
        cx: &Context,
        invitation: &Invitation,
        authorized: Authorized,
        origin: &str,
    ) -> Result<Result<Finished, Turned>> {
        let Invitation { tenant, connection: id, crm, .. } = invitation;
        let Authorized { grant, account } = authorized;
        let stored = self.store.connection(tenant, id).await?;
        if stored.as_ref().is_some_and(|stored| stored.crm != *crm || stored.account != account) {
            return Ok(Err(Turned::AnotherAccount));
        }
        self.keep_grant(cx, *crm, tenant, id, grant).await?;
        let again = stored.is_some();
        let opened = match stored {
            Some(stored) => self.reopen(cx, &stored, origin).await?,
            None => self.open(cx, new_connection(invitation, account, cx), origin).await?,
        };
        tracing::info!(connection.id = %id, %crm, again, trace = cx.trace, "connected");
        Ok(Ok(Finished { invitation: invitation.clone(), opened, again }))
    }

    /// Stores a grant that replaces whatever was there; the token by which deliveries are proved stays.
    async fn keep_grant(
        &self,
        cx: &Context,
        crm: Crm,
        tenant: &TenantId,
        id: &ConnectionId,
        grant: Grant,
    ) -> Result<()> {
        let before = self.grant_if_any(tenant, id).await?;
        let known = Some(&grant).into_iter().chain(before.as_ref().map(|held| &held.grant));
        let known = known.into_iter().find(|grant| grant.webhook_token.is_some()).cloned();
        let of = match (known, crm.capabilities().webhooks) {
            (Some(known), _) => known,
            // Only a vendor's own secret signs what is not proved by a token of ours.
            (None, Webhooks::PerApp) => Grant::none(),
            (None, Webhooks::PerConnection { .. }) => {
                Grant { webhook_token: Some(fresh_token()?), token_since: Some(cx.now()), ..Grant::none() }
            }
        };
        let Grant { webhook_token, token_since, other_token, .. } = of;
        self.secrets.put_grant(tenant, id, &Grant { webhook_token, token_since, other_token, ..grant }).await
    }

    async fn grant_if_any(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Held>> {
        match self.secrets.current_grant(tenant, id).await {
            Ok(held) => Ok(Some(held)),
            Err(Error::AuthExpired { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends a connection: its subscription, its grant, its credentials. The hub keeps what it knows.
    pub async fn disconnect(&self, cx: &Context, connection: &Connection) -> Result<()> {
        let Connection { tenant, id, crm, .. } = connection;
        if let Some(watch) = &connection.watch {
            let ended = self.with_session(connection, cx, async |session| crm.unwatch(session, watch).await).await;
            // What a dead grant or a lost right cannot end dies with the grant, or of age.
            match ended {
                Err(Error::AuthExpired { .. } | Error::Config { .. }) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        // Other connections to the account may live by the same installation of our app.
        let others = self.store.connections_by_account(*crm, &connection.account).await?;
        let alone =
            !others.iter().any(|other| (&other.tenant, &other.id) != (tenant, id) && other.state != State::Closed);
        if let Some(held) = self.grant_if_any(tenant, id).await?.filter(|_| alone) {
            let app = self.app_of(*crm, &held.grant).await?;
            crm.revoke(self.http()?, &self.settings.hosts, &app, &held.grant).await?;
        }
        let closed = |stored: &Connection| Ok(Some(Connection { state: State::Closed, watch: None, ..stored.clone() }));
        if self.store.revise(tenant, id, closed).await?.is_none() {
            return Ok(());
        }
        self.secrets.forget_grant(tenant, id).await
    }
}

/// The secret that only the browser's own way back leads to: nothing of it is stored.
fn verifier(browser: &Secret) -> Secret {
    Secret::new(crate::id::hex(&Sha256::digest(format!("verifier of {}", browser.reveal()))))
}

/// A connection that has read nothing yet.
pub fn new_connection(invitation: &Invitation, account: crate::id::AccountId, cx: &Context) -> Connection {
    let Invitation { tenant, connection: id, crm, region, objects, pull_every, .. } = invitation.clone();
    let mut mappings = crm.default_mappings(&objects);
    mappings.values_mut().for_each(|mapping| mapping.region = region.clone());
    Connection {
        tenant,
        id,
        crm,
        account,
        state: State::Joining,
        approved: false,
        direction: Direction::Both,
        mappings,
        policy: Default::default(),
        region,
        accepts_legacy_signatures: false,
        mode: Default::default(),
        pull_every,
        cursors: Default::default(),
        deletions_read: Default::default(),
        compared: Default::default(),
        watch: None,
        last_success: None,
        owes_sweep: false,
        held: None,
        free_until: None,
        allowance: Default::default(),
        settings: Default::default(),
        due_at: cx.now() + SignedDuration::from_secs(i64::from(pull_every)),
        version: 1,
    }
}
