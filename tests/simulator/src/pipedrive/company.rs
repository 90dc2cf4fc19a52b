//! One Pipedrive company: its grant, budget, tables, custom fields and webhooks.

use super::fields::Custom;
use super::kinds;
use super::limits::Meter;
use super::webhooks::Webhook;
use crate::accounts::Account;
use crate::calls::Crm;
use crate::faults::CrmFaults;
use crate::lists::List;
use crate::records::Table;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Company {
    pub id: u64,
    /// Of `https://{domain}.pipedrive.com`, which webhooks name.
    pub domain: String,
    pub client_id: String,
    pub client_secret: String,
    pub refresh_token: String,
    /// When the refresh token was last used.
    pub grant_used: Option<i64>,
    /// A user's own static token.
    pub api_token: Option<String>,
    pub alive: bool,
    /// Access tokens, oldest first, and when they die.
    pub tokens: Vec<(String, i64)>,
    pub tokens_given: u64,
    pub meter: Meter,
    pub tables: BTreeMap<String, Table>,
    /// Custom fields by table.
    pub customs: BTreeMap<&'static str, Vec<Custom>>,
    removed: Vec<Custom>,
    pub filters: Vec<List>,
    pub webhooks: BTreeMap<u64, Webhook>,
    pub next_webhook: u64,
}

impl Company {
    pub fn new(id: u64, nth: u64, bare: bool) -> Self {
        let table = |kind: &&kinds::Kind| (kind.table.to_owned(), Table::new(kind.first_id + nth * 1_000_000, &[]));
        let mut company = Self {
            id,
            domain: if nth == 0 { "acme".to_owned() } else { format!("acme{nth}") },
            client_id: "sim-pipedrive-client".to_owned(),
            client_secret: "sim-pipedrive-secret-not-real".to_owned(),
            refresh_token: format!("{id}:1:sim-refresh-not-real"),
            grant_used: None,
            api_token: None,
            alive: true,
            tokens: Vec::new(),
            tokens_given: 0,
            meter: Meter::default(),
            tables: kinds::ALL.iter().map(table).collect(),
            customs: BTreeMap::new(),
            removed: Vec::new(),
            filters: Vec::new(),
            webhooks: BTreeMap::new(),
            next_webhook: 1_828_448 + nth * 1_000_000,
        };
        if !bare {
            let ours = [
                Custom::text("CRM Sync Id", "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"),
                Custom::text("Last call", "b2c3d4e5f60718293a4b5c6d7e8f900112233445"),
            ];
            company.customs.insert("persons", ours.into());
        }
        company
    }

    pub fn configure(&mut self, a: &Account) {
        let set = |to: &mut String, from: &Option<String>| {
            if let Some(v) = from {
                to.clone_from(v);
            }
        };
        set(&mut self.client_id, &a.client_id);
        set(&mut self.client_secret, &a.client_secret);
        set(&mut self.refresh_token, &a.refresh_token);
        self.api_token = a.private_app_token.clone().or(self.api_token.take());
        self.meter.budget = a.credits.unwrap_or(self.meter.budget);
        let customs = self.customs.entry("persons").or_default();
        for name in &a.fields {
            if !customs.iter().any(|c| c.name == *name) {
                customs.push(Custom::named(name));
            }
        }
        if let Some(hidden) = &a.hidden_fields {
            customs.append(&mut self.removed);
            self.removed = customs.extract_if(.., |custom| hidden.contains(&custom.code)).collect();
        }
        self.grant_used = None;
        self.alive = true;
    }

    pub fn account(&self) -> Account {
        Account {
            account_id: Some(self.id.to_string()),
            client_id: Some(self.client_id.clone()),
            client_secret: Some(self.client_secret.clone()),
            refresh_token: Some(self.refresh_token.clone()),
            private_app_token: self.api_token.clone(),
            credits: Some(self.meter.budget),
            fields: self.customs("persons").iter().map(|c| c.name.clone()).collect(),
            ..Account::of(Crm::Pipedrive)
        }
    }

    pub fn customs(&self, table: &str) -> &[Custom] {
        self.customs.get(table).map_or(&[], Vec::as_slice)
    }

    /// The app is gone, with its tokens and its own webhooks (Pipedrive docs: webhooks for apps).
    pub fn uninstall(&mut self) {
        self.alive = false;
        self.tokens.clear();
        self.webhooks.retain(|_, w| !w.of_app);
    }

    /// Faults that act at once.
    pub fn strike(&mut self, faults: &CrmFaults) {
        if faults.expire_tokens || faults.revoke_grant {
            self.tokens.clear();
        }
        if faults.revoke_grant {
            self.alive = false;
        }
        if faults.uninstall {
            self.uninstall();
        }
    }

    pub fn clear(&mut self) {
        self.tables.values_mut().for_each(Table::clear);
        self.meter.clear();
        self.filters.clear();
        self.webhooks.values_mut().for_each(Webhook::forgive);
        self.tokens_given = 0;
        self.alive = true;
    }

    pub fn counters(&self, now: i64) -> Value {
        json!({
            "account_id": self.id.to_string(), "tokens_given": self.tokens_given,
            "live_tokens": self.tokens.iter().filter(|(_, dies)| *dies > now).count(),
            "budget_used": self.meter.used(now), "day_used": self.meter.used(now), "webhooks": self.webhooks.len(),
            "banned": self.webhooks.values().filter(|w| w.banned(now)).count(),
        })
    }
}
