//! One HubSpot account ("portal") and the app that is installed in it.

use super::associations::Associations;
use super::properties::{self, Property};
use crate::accounts::Account;
use crate::calls::Crm;
use crate::faults::CrmFaults;
use crate::lists::List;
use crate::records::Table;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};

#[derive(Debug, Clone)]
pub struct App {
    pub client_id: String,
    pub client_secret: String,
    pub app_id: u64,
    /// One target URL per app, not per portal (HubSpot docs: webhooks).
    pub target_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    Alive,
    Revoked,
    /// The account is gone: `BAD_HUB`.
    Uninstalled,
}

#[derive(Debug)]
pub struct Portal {
    pub id: u64,
    pub app: App,
    pub refresh_token: String,
    pub grant: Grant,
    pub scopes: Vec<String>,
    pub private_app_token: Option<String>,
    /// Access tokens and when they die.
    pub tokens: HashMap<String, i64>,
    pub tokens_given: u64,
    pub tables: BTreeMap<String, Table>,
    pub properties: BTreeMap<String, Vec<Property>>,
    pub associations: Associations,
    pub lists: Vec<List>,
    removed: Vec<Property>,
    pub subscriptions: Option<Vec<String>>,
    /// When the calls of the last ten seconds were made, and those of the last second to search.
    pub window: VecDeque<i64>,
    pub searches: VecDeque<i64>,
    /// A private app's calls in a day, and those of the day that is counted.
    pub daily: u64,
    pub spent: (i64, u64),
}

/// Of an account on Free or Starter (HubSpot docs: usage guidelines).
const DAILY: u64 = 250_000;

/// What the app has in an account where nobody asked for anything else.
const SCOPES: [&str; 18] = [
    "oauth",
    "crm.lists.read",
    "crm.lists.write",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
    "crm.objects.custom.read",
    "crm.objects.custom.write",
    "crm.schemas.custom.read",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.schemas.deals.read",
    "crm.schemas.deals.write",
];

impl Portal {
    pub fn new(id: u64, nth: u64, bare: bool) -> Self {
        let mut portal = Self {
            id,
            app: App {
                client_id: "sim-hubspot-client".to_owned(),
                client_secret: "sim-hubspot-secret-not-real".to_owned(),
                app_id: 1_160_452,
                target_url: None,
            },
            refresh_token: format!("na1-sim-refresh-not-real-{id}"),
            grant: Grant::Alive,
            scopes: SCOPES.map(str::to_owned).into(),
            private_app_token: None,
            tokens: HashMap::new(),
            tokens_given: 0,
            tables: BTreeMap::new(),
            properties: BTreeMap::new(),
            associations: Associations::new(),
            lists: Vec::new(),
            removed: Vec::new(),
            subscriptions: None,
            window: VecDeque::new(),
            searches: VecDeque::new(),
            daily: DAILY,
            spent: (0, 0),
        };
        let first = (nth + 1) * 10_000_000;
        for (object, indexed) in [
            ("contacts", &["email"][..]),
            ("companies", &[]),
            ("deals", &[]),
            ("notes", &[]),
            ("tasks", &[]),
            (properties::CUSTOM, &[]),
        ] {
            portal.tables.insert(object.to_owned(), Table::new(first + 101, indexed));
            portal.properties.insert(object.to_owned(), properties::standard(object));
        }
        if !bare {
            portal.add_property("contacts", Property { unique: true, ..Property::text("crm_sync_id") });
            for custom in ["last_call", "favourite_colour"] {
                portal.add_property("contacts", Property::text(custom));
            }
        }
        portal
    }

    pub fn add_property(&mut self, object: &str, property: Property) {
        if property.unique
            && let Some(table) = self.tables.get_mut(object)
        {
            table.add_index(&property.name);
        }
        self.properties.entry(object.to_owned()).or_default().push(property);
    }

    pub fn property(&self, object: &str, name: &str) -> Option<&Property> {
        self.properties.get(object)?.iter().find(|p| p.name == name)
    }

    pub fn configure(&mut self, a: &Account) {
        let set = |to: &mut String, from: &Option<String>| {
            if let Some(v) = from {
                to.clone_from(v);
            }
        };
        set(&mut self.app.client_id, &a.client_id);
        set(&mut self.app.client_secret, &a.client_secret);
        set(&mut self.refresh_token, &a.refresh_token);
        self.app.app_id = a.app_id.unwrap_or(self.app.app_id);
        self.app.target_url = a.webhook_url.clone().or(self.app.target_url.take());
        self.private_app_token = a.private_app_token.clone().or(self.private_app_token.take());
        self.subscriptions = a.subscriptions.clone().or(self.subscriptions.take());
        self.daily = a.credits.unwrap_or(self.daily);
        for name in &a.fields {
            if self.property("contacts", name).is_none() {
                self.add_property("contacts", Property::text(name));
            }
        }
        if let Some(hidden) = &a.hidden_fields {
            let properties = self.properties.entry("contacts".to_owned()).or_default();
            properties.append(&mut self.removed);
            self.removed = properties.extract_if(.., |property| hidden.contains(&property.name)).collect();
        }
        self.grant = Grant::Alive;
    }

    pub fn account(&self) -> Account {
        let custom = self.properties.get("contacts").into_iter().flatten().filter(|p| p.custom);
        Account {
            account_id: Some(self.id.to_string()),
            client_id: Some(self.app.client_id.clone()),
            client_secret: Some(self.app.client_secret.clone()),
            refresh_token: Some(self.refresh_token.clone()),
            webhook_url: self.app.target_url.clone(),
            app_id: Some(self.app.app_id),
            private_app_token: self.private_app_token.clone(),
            subscriptions: self.subscriptions.clone(),
            credits: Some(self.daily),
            fields: custom.map(|p| p.name.clone()).collect(),
            ..Account::of(Crm::Hubspot)
        }
    }

    /// Faults that act at once.
    pub fn strike(&mut self, faults: &CrmFaults) {
        if faults.expire_tokens || faults.revoke_grant || faults.uninstall {
            self.tokens.clear();
        }
        if faults.revoke_grant {
            self.grant = Grant::Revoked;
        }
        if faults.uninstall {
            self.grant = Grant::Uninstalled;
        }
    }

    pub fn clear(&mut self) {
        self.tables.values_mut().for_each(Table::clear);
        self.associations.clear();
        self.lists.clear();
        self.window.clear();
        self.searches.clear();
        self.spent = (0, 0);
        self.tokens_given = 0;
        self.grant = Grant::Alive;
    }

    pub fn counters(&self) -> Value {
        json!({"account_id": self.id.to_string(), "tokens_given": self.tokens_given, "live_tokens": self.tokens.len(), "day_used": self.spent.1})
    }
}
