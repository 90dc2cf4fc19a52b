//! Accounts as `/_sim/accounts` shows and takes them.

use crate::calls::Crm;
use crate::hubspot::portal::Portal;
use crate::pipedrive::company::Company;
use crate::salesforce::org::Org as SalesforceOrg;
use crate::world::World;
use crate::zoho::org::Org;
use serde::{Deserialize, Serialize};

/// The body of `POST /_sim/accounts`. What is left out has a default; registering an account again
/// replaces its credentials and revives its grant, as a person who reconnects does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    pub crm: Option<Crm>,
    /// HubSpot: `portalId`. Zoho: `zgid`. Salesforce: the org id, 18 characters. Pipedrive: the company id, a number.
    pub account_id: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    pub refresh_token: Option<String>,
    /// The callback that is registered for the app, in all its accounts. Left out, the first that is seen.
    pub redirect_uri: Option<String>,
    /// HubSpot: the app's one target URL. Salesforce: where outbound messages about leads and contacts go.
    pub webhook_url: Option<String>,
    /// HubSpot: the app's id in its deliveries.
    pub app_id: Option<u64>,
    /// HubSpot: a static token of a private app, which never expires. Pipedrive: a user's API token.
    pub private_app_token: Option<String>,
    /// Salesforce: the public key of the app's certificate, as PEM; without one no assertion is good.
    pub public_key: Option<String>,
    /// What the app is granted when it is connected, whatever it asks for: scopes that are missing.
    pub withheld_scopes: Option<Vec<String>>,
    /// HubSpot: properties whose changes are told; left out, all but HubSpot's own and `crm_sync_id`.
    /// Salesforce: fields that an outbound message carries beside the id.
    pub subscriptions: Option<Vec<String>>,
    /// HubSpot: a private app's calls in a day. Zoho: the edition's credits in 24 hours. Salesforce: API requests in 24 hours.
    /// Pipedrive: the daily token budget.
    pub credits: Option<u64>,
    /// Zoho: the organisation's offset from UTC.
    pub offset_minutes: Option<i32>,
    /// Salesforce: change events are relayed to an event bus.
    pub relays: Option<bool>,
    /// Salesforce: every refresh answers a new refresh token, and the old one is dead.
    pub rotates: Option<bool>,
    /// Salesforce: seconds of inactivity that end a session.
    pub session_s: Option<i64>,
    /// Salesforce: the most records in a batch of a query, fewer than were asked for.
    pub batch_size: Option<usize>,
    /// Fields that an admin has removed since, or hides from the connected user; those no longer named are back.
    /// Pipedrive's are named by their codes.
    pub hidden_fields: Option<Vec<String>>,
    /// Salesforce: an active duplicate rule on e-mail addresses.
    pub duplicate_rule: Option<bool>,
    /// Custom text fields beside the defaults.
    pub fields: Vec<String>,
    /// Without `crm_sync_id`/`CRM_Sync_Id`/`CRM_Sync_Id__c`, `last_call`/`Last_Call`/`Last_Call__c`: an account that our app was never in.
    pub bare: bool,
}

impl Account {
    pub fn of(crm: Crm) -> Self {
        Self { crm: Some(crm), ..Self::default() }
    }
}

impl World {
    /// Makes or changes an account and returns it as it now is.
    pub fn register(&mut self, account: &Account) -> Option<Account> {
        let (crm, shown) = (account.crm?, self.place(account)?);
        if let (Some(client_id), Some(redirect_uri)) = (&shown.client_id, &account.redirect_uri) {
            self.consents.set_callback(crm, client_id, redirect_uri);
        }
        if let Some(withheld) = &account.withheld_scopes {
            self.consents.withhold(crm, withheld);
        }
        Some(self.with_callback(shown))
    }

    fn place(&mut self, account: &Account) -> Option<Account> {
        let crm = account.crm?;
        match crm {
            Crm::Hubspot => {
                let id = account.account_id.as_deref().unwrap_or("62515").parse().ok()?;
                let at = self.portals.iter().position(|p| p.id == id).unwrap_or_else(|| {
                    let nth = self.portals.len() as u64;
                    self.portals.push(Portal::new(id, nth, account.bare));
                    self.portals.len() - 1
                });
                self.portals.get_mut(at)?.configure(account);
                let portal = self.portals.get(at)?;
                let (app, shown) = (portal.app.clone(), portal.account());
                // One target URL per app, whichever portal it is installed in (HubSpot docs: webhooks).
                for other in self.portals.iter_mut().filter(|p| p.app.client_id == app.client_id) {
                    other.app = app.clone();
                }
                Some(shown)
            }
            Crm::Zoho => {
                let id = account.account_id.clone().unwrap_or_else(|| "900000001".to_owned());
                let at = self.orgs.iter().position(|o| o.id == id).unwrap_or_else(|| {
                    let nth = self.orgs.len() as u64;
                    self.orgs.push(Org::new(&id, nth, account.bare));
                    self.orgs.len() - 1
                });
                self.orgs.get_mut(at)?.configure(account);
                self.orgs.get(at).map(Org::account)
            }
            Crm::Salesforce => {
                let id = account.account_id.clone().unwrap_or_else(|| "00Dxx0000001gPLEAY".to_owned());
                let at = self.salesforce_orgs.iter().position(|o| o.id == id).unwrap_or_else(|| {
                    let nth = self.salesforce_orgs.len() as u64;
                    self.salesforce_orgs.push(SalesforceOrg::new(&id, nth, account.bare));
                    self.salesforce_orgs.len() - 1
                });
                self.salesforce_orgs.get_mut(at)?.configure(account);
                self.salesforce_orgs.get(at).map(SalesforceOrg::account)
            }
            Crm::Pipedrive => {
                let id = account.account_id.as_deref().unwrap_or("6083095").parse().ok()?;
                let at = self.companies.iter().position(|c| c.id == id).unwrap_or_else(|| {
                    let nth = self.companies.len() as u64;
                    self.companies.push(Company::new(id, nth, account.bare));
                    self.companies.len() - 1
                });
                self.companies.get_mut(at)?.configure(account);
                self.companies.get(at).map(Company::account)
            }
        }
    }

    pub fn accounts(&self) -> Vec<Account> {
        let portals = self.portals.iter().map(Portal::account);
        let orgs = self.orgs.iter().map(Org::account);
        let salesforce = self.salesforce_orgs.iter().map(SalesforceOrg::account);
        let all = portals.chain(orgs).chain(salesforce).chain(self.companies.iter().map(Company::account));
        all.map(|account| self.with_callback(account)).collect()
    }

    fn with_callback(&self, account: Account) -> Account {
        let app = account.crm.zip(account.client_id.as_deref());
        let redirect_uri = app.and_then(|(crm, client_id)| self.consents.callback(crm, client_id).cloned());
        Account { redirect_uri, ..account }
    }
}
