//! One Zoho organisation: its grant, credits, modules, fields and watch channels.

use super::settings::{Field, standard, system_key};
use super::watch::Channel;
use crate::accounts::Account;
use crate::calls::Crm;
use crate::faults::{Burst, CrmFaults};
use crate::grants::{Grant, Grants};
use crate::lists::List;
use crate::records::Table;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};

#[derive(Debug)]
pub struct Org {
    /// `zgid`.
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
    pub grants: Grants,
    /// Live access tokens, oldest first.
    pub tokens: Vec<Token>,
    /// The refreshes of the last ten minutes: when, and with which refresh token.
    pub refreshes: VecDeque<(i64, String)>,
    pub tokens_given: u64,
    pub modules: BTreeMap<String, Table>,
    pub fields: BTreeMap<String, Vec<Field>>,
    removed: Vec<Field>,
    pub channels: BTreeMap<String, Channel>,
    /// Custom views.
    pub views: Vec<List>,
    pub page_tokens: HashMap<String, super::list::PageToken>,
    /// The edition's credits in 24 hours, and when which were spent.
    pub credits: u64,
    spent: VecDeque<(i64, u64)>,
    window: VecDeque<i64>,
    /// Workflows that would have run: rows written with `workflow` triggered, which is the default.
    pub workflows: u64,
    pub offset_minutes: i32,
}

/// An access token, when it dies, and the refresh token that it goes with, if there is one.
#[derive(Debug)]
pub struct Token {
    pub text: String,
    pub dies: i64,
    pub refresh_token: String,
}

/// What the app has in an organisation where nobody asked for anything else.
const SCOPE: &str =
    "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.notifications.ALL,ZohoCRM.coql.READ,ZohoCRM.org.READ";
const DAY: i64 = 24 * 3600 * 1000;

impl Org {
    pub fn new(id: &str, nth: u64, bare: bool) -> Self {
        let mut org = Self {
            id: id.to_owned(),
            client_id: "1000.SIMZOHOCLIENT".to_owned(),
            client_secret: "sim-zoho-secret-not-real".to_owned(),
            grants: Grants::of(Grant::new(format!("1000.sim-refresh-not-real.{id}"), SCOPE.to_owned())),
            tokens: Vec::new(),
            refreshes: VecDeque::new(),
            tokens_given: 0,
            modules: BTreeMap::new(),
            fields: BTreeMap::new(),
            removed: Vec::new(),
            channels: BTreeMap::new(),
            views: Vec::new(),
            page_tokens: HashMap::new(),
            credits: 100_000,
            spent: VecDeque::new(),
            window: VecDeque::new(),
            workflows: 0,
            offset_minutes: 330,
        };
        // Beyond 2^53, as real ids are: a client that reads them as floating point finds the wrong record.
        let first = 5_725_767_000_003_000_000 + nth * 1_000_000_000;
        for (n, module) in
            ["Leads", "Contacts", "Accounts", "Deals", "Vehicles", "Tasks", "Notes"].into_iter().enumerate()
        {
            let keys: Vec<&str> = system_key(module).into_iter().collect();
            org.modules.insert(module.to_owned(), Table::new(first + 64 + n as u64 * 100_000_000, &keys));
            org.fields.insert(module.to_owned(), standard(module));
        }
        if !bare {
            for module in ["Leads", "Contacts"] {
                org.add_field(module, Field { unique: true, ..Field::custom("CRM_Sync_Id") });
                org.add_field(module, Field::custom("Last_Call"));
            }
        }
        org
    }

    pub fn add_field(&mut self, module: &str, field: Field) {
        if field.unique
            && let Some(table) = self.modules.get_mut(module)
        {
            table.add_index(&field.name);
        }
        self.fields.entry(module.to_owned()).or_default().push(field);
    }

    pub fn field(&self, module: &str, name: &str) -> Option<&Field> {
        self.fields.get(module)?.iter().find(|f| f.name == name)
    }

    pub fn configure(&mut self, a: &Account) {
        let set = |to: &mut String, from: &Option<String>| {
            if let Some(v) = from {
                to.clone_from(v);
            }
        };
        set(&mut self.client_id, &a.client_id);
        set(&mut self.client_secret, &a.client_secret);
        self.credits = a.credits.unwrap_or(self.credits);
        self.offset_minutes = a.offset_minutes.unwrap_or(self.offset_minutes);
        for name in &a.fields {
            if self.field("Leads", name).is_none() {
                self.add_field("Leads", Field::custom(name));
            }
        }
        if let Some(hidden) = &a.hidden_fields {
            let fields = self.fields.entry("Leads".to_owned()).or_default();
            fields.append(&mut self.removed);
            self.removed = fields.extract_if(.., |field| hidden.contains(&field.name)).collect();
        }
        self.grants.set(a.refresh_token.as_ref());
    }

    pub fn account(&self) -> Account {
        let custom = self.fields.get("Leads").into_iter().flatten().filter(|f| f.custom);
        Account {
            account_id: Some(self.id.clone()),
            client_id: Some(self.client_id.clone()),
            client_secret: Some(self.client_secret.clone()),
            refresh_token: Some(self.grants.newest().refresh_token.clone()),
            credits: Some(self.credits),
            offset_minutes: Some(self.offset_minutes),
            fields: custom.map(|f| f.name.clone()).collect(),
            ..Account::of(Crm::Zoho)
        }
    }

    /// Faults that act at once.
    pub fn strike(&mut self, faults: &CrmFaults) {
        if faults.expire_tokens || faults.revoke_grant {
            self.tokens.clear();
        }
        if faults.revoke_grant {
            self.grants.end_all();
        }
    }

    pub fn clear(&mut self) {
        self.modules.values_mut().for_each(Table::clear);
        self.page_tokens.clear();
        self.views.clear();
        self.spent.clear();
        self.window.clear();
        self.refreshes.clear();
        self.workflows = 0;
        self.tokens_given = 0;
        self.grants.revive();
    }

    pub fn counters(&self) -> Value {
        let used: u64 = self.spent.iter().map(|(_, n)| n).sum();
        json!({
            "account_id": self.id, "tokens_given": self.tokens_given, "live_tokens": self.tokens.len(), "workflows": self.workflows,
            "credits_used": used, "day_used": used, "channels": self.channels.len(),
        })
    }

    /// Spends credits of the rolling day: how many are spent then, `None` when they do not suffice.
    pub fn spend(&mut self, now: i64, credits: u64) -> Option<u64> {
        while self.spent.front().is_some_and(|(at, _)| *at <= now - DAY) {
            self.spent.pop_front();
        }
        let used: u64 = self.spent.iter().map(|(_, n)| n).sum();
        if used + credits > self.credits {
            return None;
        }
        // One entry a second is enough for a rolling day.
        match self.spent.back_mut().filter(|(at, _)| *at == now / 1000 * 1000) {
            Some((_, n)) => *n += credits,
            None => self.spent.push_back((now / 1000 * 1000, credits)),
        }
        Some(used + credits)
    }

    /// Whether a burst limit set by hand has room for one call more.
    pub fn room(&mut self, now: i64, burst: Burst) -> bool {
        self.window.retain(|at| *at > now - burst.per_ms);
        let room = self.window.len() < burst.calls;
        if room {
            self.window.push_back(now);
        }
        room
    }
}
