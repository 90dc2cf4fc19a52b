//! The one world: accounts with their records, clock, faults, call log, outbox.

use crate::accounts::Account;
use crate::calls::{Calls, Crm};
use crate::clock::{Clock, Rng};
use crate::consent::Consents;
use crate::faults::{CrmFaults, Faults};
use crate::hubspot::Desk as PortalDesk;
use crate::hubspot::portal::Portal;
use crate::pipedrive::company::Company;
use crate::pipedrive::uninstall;
use crate::salesforce::org::Org as SalesforceOrg;
use crate::webhooks::Outbox;
use crate::zoho::Desk as OrgDesk;
use crate::zoho::org::Org;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

#[derive(Debug)]
pub struct World {
    pub clock: Clock,
    pub rng: Rng,
    pub portals: Vec<Portal>,
    pub orgs: Vec<Org>,
    pub salesforce_orgs: Vec<SalesforceOrg>,
    pub companies: Vec<Company>,
    pub faults: Faults,
    /// Real milliseconds until which a CRM answers 429 to everything.
    pub limited_until: [i64; Crm::ALL.len()],
    pub calls: Calls,
    pub outbox: Outbox,
    pub consents: Consents,
    /// Calls to Zoho that are being answered now.
    pub zoho_in_flight: usize,
    /// Calls whose answers wait for `POST /_sim/release`: ticket, CRM, route.
    pub held: Vec<(u64, Crm, String)>,
}

/// The world with what tasks wait on.
pub struct Shared {
    world: Mutex<World>,
    pub outbox_changed: Notify,
    pub released: Notify,
    /// How the delay of a call passes, where it is not in real time.
    pub passes: OnceLock<Passes>,
}

/// Something that lasts as long as it is told.
pub type Passes = Box<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("world", &self.world).finish_non_exhaustive()
    }
}

impl Shared {
    pub fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            outbox_changed: Notify::new(),
            released: Notify::new(),
            passes: OnceLock::new(),
        }
    }

    pub async fn pass(&self, time: Duration) {
        match self.passes.get() {
            Some(passes) => passes(time).await,
            None => tokio::time::sleep(time).await,
        }
    }

    /// The world, even if a test panicked while it held the lock.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// One account of each CRM, with fixed, made-up credentials.
    pub fn new(seed: u64) -> Self {
        let mut world = Self {
            clock: Clock::default(),
            rng: Rng(seed),
            portals: Vec::new(),
            orgs: Vec::new(),
            salesforce_orgs: Vec::new(),
            companies: Vec::new(),
            faults: Faults::default(),
            limited_until: [0; Crm::ALL.len()],
            calls: Calls::default(),
            outbox: Outbox::default(),
            consents: Consents::default(),
            zoho_in_flight: 0,
            held: Vec::new(),
        };
        for crm in Crm::ALL {
            world.register(&Account::of(crm));
        }
        world
    }

    /// Everything that an operation in one HubSpot portal needs.
    pub fn portal(&mut self, at: usize) -> Option<PortalDesk<'_>> {
        let now = self.clock.now();
        let Self { rng, portals, faults, outbox, .. } = self;
        Some(PortalDesk { portal: portals.get_mut(at)?, faults: &mut faults.hubspot, outbox, rng, now })
    }

    pub fn org(&mut self, at: usize) -> Option<OrgDesk<'_>> {
        let now = self.clock.now();
        let Self { rng, orgs, faults, outbox, .. } = self;
        Some(OrgDesk { org: orgs.get_mut(at)?, faults: &mut faults.zoho, outbox, rng, now })
    }

    pub fn salesforce(&mut self, at: usize) -> Option<crate::salesforce::Desk<'_>> {
        let now = self.clock.now();
        let Self { rng, salesforce_orgs, faults, outbox, .. } = self;
        Some(crate::salesforce::Desk {
            org: salesforce_orgs.get_mut(at)?,
            faults: &mut faults.salesforce,
            outbox,
            rng,
            now,
            client: None,
        })
    }

    pub fn company(&mut self, at: usize) -> Option<crate::pipedrive::Desk<'_>> {
        let now = self.clock.now();
        let Self { rng, companies, faults, outbox, .. } = self;
        Some(crate::pipedrive::Desk {
            company: companies.get_mut(at)?,
            faults: &mut faults.pipedrive,
            outbox,
            rng,
            now,
        })
    }

    /// Replaces the fault settings; what acts at once acts now.
    pub fn set_faults(&mut self, faults: Faults) {
        let now = crate::clock::real_now();
        self.limited_until = Crm::ALL.map(|crm| now + faults.of(crm).rate_limit_for_ms);
        if let Some(seed) = faults.seed {
            self.rng = Rng(seed);
        }
        for portal in &mut self.portals {
            portal.strike(&faults.hubspot);
        }
        for org in &mut self.orgs {
            org.strike(&faults.zoho);
        }
        for org in &mut self.salesforce_orgs {
            org.strike(&faults.salesforce);
        }
        self.strike_companies(&faults.pipedrive);
        self.faults = faults;
    }

    fn strike_companies(&mut self, faults: &CrmFaults) {
        let now = self.clock.now();
        for company in &mut self.companies {
            let installed = company.alive;
            company.strike(faults);
            if installed
                && faults.uninstall
                && let Some(callback) = self.consents.callback(Crm::Pipedrive, &company.client_id)
            {
                let notice = uninstall::notice(company, callback, now);
                self.outbox.emit(&notice, &faults.webhooks, &mut self.rng);
            }
        }
    }

    /// An empty, healthy world. Accounts, apps, fields, tokens and watch channels stay.
    pub fn reset(&mut self) {
        self.set_faults(Faults::default());
        self.calls.reset();
        self.outbox.clear();
        self.portals.iter_mut().for_each(Portal::clear);
        self.orgs.iter_mut().for_each(Org::clear);
        self.salesforce_orgs.iter_mut().for_each(SalesforceOrg::clear);
        self.companies.iter_mut().for_each(Company::clear);
    }
}
