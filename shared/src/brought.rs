//! A connection made without a browser: an admin brings a credential instead of consenting.

use crate::{
    app::App,
    connecting::{Finished, Invitation, Turned},
    connection::Allowance,
    context::Context,
    error::{Error, Result},
    provider::{Authorized, By, Crm, Grant, Means, Need, Secret, Way},
};
use std::sync::Arc;

/// A credential, and what must be known beside it.
#[derive(Clone, Debug)]
pub struct Brought {
    pub by: By,
    /// A token, a client's secret, or a key as PEM.
    pub secret: Secret,
    pub client_id: Option<String>,
    /// For whom we act: a user's name, an organisation's id.
    pub subject: Option<String>,
    /// What signs deliveries, where it is not our app's secret.
    pub webhook_secret: Option<Secret>,
}

/// Why it cannot be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("this CRM has no such way to connect")]
    NoSuchWay,
    #[error("{0:?} is missing")]
    Lacks(Need),
    #[error("that is no place where accounts of this CRM log in")]
    LoginHost,
}

impl App {
    /// Connects an account as a consent does: it says itself which one it is, what it lacks is made, and it is read.
    /// A credential that it refuses is [`Error::AuthExpired`].
    pub async fn connect_with(
        &self,
        cx: &Context,
        invitation: &Invitation,
        brought: Brought,
        origin: &str,
    ) -> Result<Result<Finished, Turned>> {
        if let Err(turned) = invitation.sound() {
            return Ok(Err(turned));
        }
        let crm = invitation.crm;
        let unfit = |unfit: Unfit| Error::Config { reason: unfit.to_string() };
        let mut before = grant(crm, invitation.login_host.as_deref(), brought).map_err(unfit)?;
        let grant = match before.is_renewable() {
            true => {
                before.scopes = crm.scopes(&invitation.objects);
                let app = self.app_of(crm, &before).await?;
                crm.refresh(self.http()?, &self.settings.hosts, &app, &before, cx.now()).await?
            }
            false => before,
        };
        let Invitation { tenant, connection, .. } = invitation;
        let budget = self.budget_of(tenant, connection, crm, Allowance::default(), cx);
        let session = self.session(crm, &grant, &Arc::default(), &budget, cx)?;
        let account = crm.account(&session, &grant).await?;
        self.admit(cx, invitation, Authorized { grant, account }, origin).await
    }
}

/// What a CRM's table says of a way.
pub fn way(crm: Crm, by: By) -> Result<&'static Way, Unfit> {
    crm.capabilities().ways.iter().find(|way| way.by == by).ok_or(Unfit::NoSuchWay)
}

/// The grant that a credential is, before its first token is asked for.
fn grant(crm: Crm, login_host: Option<&str>, brought: Brought) -> Result<Grant, Unfit> {
    let Brought { by, secret, client_id, subject, webhook_secret } = brought;
    let needs = |need: Need| way(crm, by).is_ok_and(|way| way.needs.contains(&need));
    let there = |need: Need, there: bool| if needs(need) && !there { Err(Unfit::Lacks(need)) } else { Ok(()) };
    way(crm, by)?;
    there(Need::ClientId, client_id.is_some())?;
    there(Need::Subject, subject.is_some())?;
    there(Need::LoginHost, login_host.is_some())?;
    let accounts_server = match login_host {
        Some(named) => Some(crm.login_host(named).ok_or(Unfit::LoginHost)?),
        None => None,
    };
    let client_id = client_id.unwrap_or_default();
    let (access_token, means) = match by {
        By::Token => (secret, Means::Token),
        By::ClientCredentials => {
            (Secret::new(""), Means::ClientCredentials { client_id, client_secret: secret, subject })
        }
        By::JwtBearer => {
            let subject = subject.unwrap_or_default();
            (Secret::new(""), Means::JwtBearer { client_id, subject, key: secret })
        }
    };
    let webhook_token = webhook_secret.filter(|_| needs(Need::WebhookSecret));
    Ok(Grant { access_token, means, accounts_server, webhook_token, ..Grant::none() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brought(by: By) -> Brought {
        Brought { by, secret: Secret::new("s"), client_id: None, subject: None, webhook_secret: None }
    }

    #[test]
    fn what_a_crm_does_not_have_or_a_way_lacks_is_said() {
        let unfit = |crm, host, brought| grant(crm, host, brought).unwrap_err();
        assert_eq!(unfit(Crm::HubSpot, None, brought(By::JwtBearer)), Unfit::NoSuchWay);
        let salesforce = Brought { client_id: Some("c".to_owned()), ..brought(By::ClientCredentials) };
        assert_eq!(unfit(Crm::Salesforce, None, salesforce.clone()), Unfit::Lacks(Need::LoginHost));
        for host in ["https://evil.example", "https://my.salesforce.com.evil.example", "http://acme.my.salesforce.com"]
        {
            assert_eq!(unfit(Crm::Salesforce, Some(host), salesforce.clone()), Unfit::LoginHost, "{host}");
        }
        let fit = grant(Crm::Salesforce, Some("acme--dev.sandbox.my.salesforce.com"), salesforce).unwrap();
        assert_eq!(fit.accounts_server.as_deref(), Some("https://acme--dev.sandbox.my.salesforce.com"));
        assert_eq!(unfit(Crm::Pipedrive, Some("https://acme.pipedrive.com"), brought(By::Token)), Unfit::LoginHost);
    }

    #[test]
    fn only_what_signs_deliveries_is_kept_for_them() {
        let with = |by| Brought { webhook_secret: Some(Secret::new("w")), ..brought(by) };
        assert!(grant(Crm::HubSpot, None, with(By::Token)).unwrap().webhook_token.is_some());
        assert!(grant(Crm::Pipedrive, None, with(By::Token)).unwrap().webhook_token.is_none());
    }
}
