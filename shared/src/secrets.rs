//! Credentials: in Secrets Manager, in memory for minutes, and nowhere else.

use crate::{
    error::{Error, Result},
    id::{ConnectionId, TenantId, hex},
    provider::{AppCredentials, Crm, Grant, Secret},
};
use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata, operation::get_secret_value::GetSecretValueError};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

pub struct Secrets {
    client: Client,
    prefix: String,
    grants: Mutex<HashMap<String, (Instant, Held)>>,
    apps: Mutex<HashMap<Crm, (Instant, AppCredentials)>>,
}

/// A grant, and which version of its secret it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub version: String,
    pub grant: Grant,
}

/// A channel's secret, as it is kept.
#[derive(serde::Serialize, serde::Deserialize)]
struct Told {
    secret: Secret,
}

/// How long a credential is used without another look.
const KEPT: Duration = Duration::from_secs(300);
/// How long an app's secret before the present one is good in deliveries.
const BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The stage of a version that was stored but perhaps not made current: one without a stage could be deleted.
const FRESH: &str = "CRMSYNC_FRESH";

impl Secrets {
    pub fn new(client: Client, prefix: String) -> Secrets {
        Secrets { client, prefix, grants: Mutex::default(), apps: Mutex::default() }
    }

    fn grant_name(&self, tenant: &TenantId, connection: &ConnectionId) -> String {
        format!("{}/connection/{tenant}/{connection}", self.prefix)
    }

    /// Our app at a CRM.
    pub async fn app(&self, crm: Crm) -> Result<AppCredentials> {
        let kept = self.apps.lock().ok().and_then(|apps| apps.get(&crm).cloned());
        if let Some((_, app)) = kept.filter(|(at, _)| at.elapsed() < KEPT) {
            return Ok(app);
        }
        let (app, _) =
            self.read::<AppCredentials>(&format!("{}/app/{crm}", self.prefix), None).await?.ok_or_else(|| {
                Error::Config {
                    reason: format!(
                        "the secret {}/app/{crm} does not exist: create it with the app's client id and secret",
                        self.prefix
                    ),
                }
            })?;
        if let Ok(mut apps) = self.apps.lock() {
            apps.insert(crm, (Instant::now(), app.clone()));
        }
        Ok(app)
    }

    /// What proves us to the people's issuer, where it gave us something.
    pub async fn login(&self) -> Result<Option<Secret>> {
        #[derive(serde::Deserialize)]
        struct Client {
            client_secret: Secret,
        }
        let read = self.read::<Client>(&format!("{}/app/login", self.prefix), None).await?;
        Ok(read.map(|(client, _)| client.client_secret))
    }

    /// What lets us tell a channel something.
    pub async fn alert(&self, tenant: &TenantId, channel: &str) -> Result<Option<Secret>> {
        let read = self.read::<Told>(&self.alert_name(tenant, channel), None).await?;
        Ok(read.map(|(told, _)| told.secret))
    }

    /// Keeps what lets us tell a channel something, in the place of what did before.
    pub async fn put_alert(&self, tenant: &TenantId, channel: &str, secret: Secret) -> Result<()> {
        let json =
            serde_json::to_string(&Told { secret }).map_err(|e| Error::bug("a secret that is no JSON").because(e))?;
        self.put(&self.alert_name(tenant, channel), json).await
    }

    fn alert_name(&self, tenant: &TenantId, channel: &str) -> String {
        format!("{}/alert/{tenant}/{channel}", self.prefix)
    }

    /// Names our app at a CRM. The secret before is good for a week in deliveries: some are signed with it, and a person may tell us first.
    pub async fn put_app(&self, crm: Crm, client_id: &str, client_secret: &str, now: Timestamp) -> Result<()> {
        let name = format!("{}/app/{crm}", self.prefix);
        let before = self.read::<AppCredentials>(&name, None).await?.map(|(app, _)| app);
        let (previous_secret, previous_until) = match before {
            Some(same) if same.client_secret.reveal() == client_secret => (same.previous_secret, same.previous_until),
            Some(before) => (Some(before.client_secret), Some(now + BEFORE)),
            None => (None, None),
        };
        let app = AppCredentials {
            client_id: client_id.to_owned(),
            client_secret: Secret::new(client_secret),
            previous_secret,
            previous_until,
        };
        let json = serde_json::to_string(&app).map_err(|e| Error::bug("an app that is no JSON").because(e))?;
        self.put(&name, json).await?;
        if let Ok(mut apps) = self.apps.lock() {
            apps.insert(crm, (Instant::now(), app));
        }
        Ok(())
    }

    async fn put(&self, name: &str, json: String) -> Result<()> {
        match self.client.create_secret().name(name).secret_string(&json).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ResourceExistsException") => {
                let put = self.client.put_secret_value().secret_id(name).secret_string(json).send().await;
                put.map(drop).map_err(|e| trouble(&e))
            }
            Err(error) => Err(trouble(&error)),
        }
    }

    /// A connection's grant, perhaps a few minutes old.
    pub async fn grant(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Held> {
        let name = self.grant_name(tenant, connection);
        let kept = self.grants.lock().ok().and_then(|grants| grants.get(&name).cloned());
        match kept.filter(|(at, _)| at.elapsed() < KEPT) {
            Some((_, held)) => Ok(held),
            None => self.current_grant(tenant, connection).await,
        }
    }

    /// A connection's grant as it is now.
    pub async fn current_grant(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Held> {
        let name = self.grant_name(tenant, connection);
        let (grant, version) = self
            .read::<Grant>(&name, None)
            .await?
            .ok_or_else(|| Error::AuthExpired { reason: "no credentials are stored for this connection".to_owned() })?;
        let held = Held { version, grant };
        self.keep(name, &held);
        Ok(held)
    }

    /// The grant that was stored after `current` and never became current: its maker did not live to tell.
    pub async fn left_behind(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        current: &Held,
    ) -> Result<Option<Held>> {
        let found = self.read(&self.grant_name(tenant, connection), Some(&successor(&current.version))).await?;
        Ok(found.map(|(grant, version)| Held { version, grant }))
    }

    /// Stores a grant, not yet as the current one: nothing that was given to us is ever lost. A version has one successor,
    /// so of two who follow the same one the second is refused.
    pub async fn store(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        before: &Held,
        grant: &Grant,
    ) -> Result<Held> {
        let json = serde_json::to_string(grant).map_err(|e| Error::bug("a grant that is no JSON").because(e))?;
        let version = successor(&before.version);
        let call = self.client.put_secret_value().secret_id(self.grant_name(tenant, connection)).secret_string(json);
        call.client_request_token(&version).version_stages(FRESH).send().await.map_err(|e| trouble(&e))?;
        Ok(Held { version, grant: grant.clone() })
    }

    /// Makes a stored grant current, if `before` still is: the compare-and-swap. Whether it became current.
    pub async fn promote(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        before: &Held,
        next: &Held,
    ) -> Result<bool> {
        let name = self.grant_name(tenant, connection);
        let call = self.client.update_secret_version_stage().secret_id(&name).version_stage("AWSCURRENT");
        match call.move_to_version_id(&next.version).remove_from_version_id(&before.version).send().await {
            Ok(_) => {
                self.keep(name, next);
                Ok(true)
            }
            Err(error) if error.code() == Some("InvalidParameterException") => Ok(false),
            Err(error) => Err(trouble(&error)),
        }
    }

    /// A grant that a person has just given: it is current at once, whatever was there before.
    pub async fn put_grant(&self, tenant: &TenantId, connection: &ConnectionId, grant: &Grant) -> Result<()> {
        let name = self.grant_name(tenant, connection);
        let json = serde_json::to_string(grant).map_err(|e| Error::bug("a grant that is no JSON").because(e))?;
        let created = self.client.create_secret().name(&name).secret_string(&json).send().await;
        let exists = |code: Option<&str>| matches!(code, Some("ResourceExistsException" | "InvalidRequestException"));
        let version = match created {
            Ok(created) => created.version_id,
            Err(error) if exists(error.code()) => {
                let put = async || self.client.put_secret_value().secret_id(&name).secret_string(&json).send().await;
                match put().await {
                    // It is to be deleted, since somebody disconnected.
                    Err(error) if error.code() == Some("InvalidRequestException") => {
                        self.client.restore_secret().secret_id(&name).send().await.map_err(|e| trouble(&e))?;
                        put().await.map_err(|e| trouble(&e))?.version_id
                    }
                    done => done.map_err(|e| trouble(&e))?.version_id,
                }
            }
            Err(error) => return Err(trouble(&error)),
        };
        self.keep(name, &Held { version: version.unwrap_or_default(), grant: grant.clone() });
        Ok(())
    }

    /// Lets go of a connection's credentials: for a week they can be restored by hand.
    pub async fn forget_grant(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<()> {
        let name = self.grant_name(tenant, connection);
        if let Ok(mut grants) = self.grants.lock() {
            grants.remove(&name);
        }
        match self.client.delete_secret().secret_id(&name).recovery_window_in_days(7).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(()),
            Err(error) => Err(trouble(&error)),
        }
    }

    fn keep(&self, name: String, held: &Held) {
        if let Ok(mut grants) = self.grants.lock() {
            grants.insert(name, (Instant::now(), held.clone()));
        }
    }

    async fn read<T: DeserializeOwned>(&self, name: &str, version: Option<&str>) -> Result<Option<(T, String)>> {
        let call = self.client.get_secret_value().secret_id(name).set_version_id(version.map(str::to_owned));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error)
                if matches!(error.as_service_error(), Some(GetSecretValueError::ResourceNotFoundException(_))) =>
            {
                return Ok(None);
            }
            // It is to be deleted: as good as gone.
            Err(error) if error.code() == Some("InvalidRequestException") => return Ok(None),
            Err(error) => return Err(trouble(&error)),
        };
        let json = answer.secret_string.unwrap_or_default();
        // The JSON's error could quote the secret: it is not passed on.
        let secret = serde_json::from_str(&json)
            .map_err(|_| Error::Config { reason: format!("the secret {name} is not of its form") })?;
        Ok(Some((secret, answer.version_id.unwrap_or_default())))
    }
}

/// The id of the version that follows another: known beforehand, so that it is found after a crash.
fn successor(version: &str) -> String {
    hex(Sha256::digest(version).iter().take(20))
}

fn trouble<E: ProvideErrorMetadata>(error: &E) -> Error {
    // A policy that is wrong is no connection's fault: everything goes on once it is right.
    Error::retryable(format!("Secrets Manager: {}", error.code().unwrap_or("no answer")))
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}
