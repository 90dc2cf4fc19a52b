//! One Salesforce org: its grant, sessions, requests, objects, fields and open queries.

use super::auth::SCOPE;
use super::bulk::Job;
use super::errors::DAILY;
use super::fields::{Field, standard};
use super::ids;
use super::query::Cursor;
use crate::accounts::Account;
use crate::calls::Crm;
use crate::faults::{Burst, CrmFaults};
use crate::grants::{Grant, Grants};
use crate::lists::List;
use crate::records::Table;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug)]
pub struct Org {
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
    pub grants: Grants,
    /// What proves the assertions of the app.
    pub public_key: Option<String>,
    /// Refresh tokens that were replaced by rotation; to use one is an error that is counted.
    pub spent_tokens: Vec<String>,
    pub rotates: bool,
    pub sessions: Vec<Session>,
    /// A session dies after so much inactivity.
    pub session_s: i64,
    pub tokens_given: u64,
    pub refresh_reused: u64,
    pub objects: BTreeMap<String, Table>,
    pub fields: BTreeMap<String, Vec<Field>>,
    /// Fields that the connected user may not see.
    pub hidden: Vec<String>,
    /// An active duplicate rule: no two records of an object with the same e-mail address.
    pub duplicate_rule: bool,
    /// The most records in one batch of a query, fewer than asked for.
    pub batch_size: Option<usize>,
    /// List views.
    pub views: Vec<List>,
    pub cursors: VecDeque<Cursor>,
    /// Query jobs that nobody has deleted.
    pub jobs: Vec<Job>,
    /// Where outbound messages go, and the fields that they carry beside the id.
    pub webhook_url: Option<String>,
    pub message_fields: Option<Vec<String>>,
    /// Change events that nobody has taken yet, where they are relayed.
    pub relayed: Option<Vec<Value>>,
    /// Requests in 24 hours, and when which were made.
    pub daily: u64,
    spent: VecDeque<(i64, u64)>,
    window: VecDeque<i64>,
    api_calls: u64,
}

/// A session, when it was used last, and the refresh token that it goes with, if there is one.
#[derive(Debug)]
pub struct Session {
    pub token: String,
    pub used: i64,
    pub refresh_token: String,
    pub scope: String,
}

const DAY: i64 = 24 * 3600 * 1000;

/// The last is the org's own.
pub const OBJECTS: [&str; 9] =
    ["Lead", "Contact", "Account", "Opportunity", "Task", "Note", "Campaign", "CampaignMember", "Vehicle__c"];

impl Org {
    pub fn new(id: &str, nth: u64, bare: bool) -> Self {
        let mut org = Self {
            id: id.to_owned(),
            client_id: "sim-salesforce-client".to_owned(),
            client_secret: "sim-salesforce-secret-not-real".to_owned(),
            grants: Grants::of(Grant::new(format!("5Aep-sim-refresh-not-real.{id}"), SCOPE.to_owned())),
            public_key: None,
            spent_tokens: Vec::new(),
            rotates: false,
            sessions: Vec::new(),
            session_s: 2 * 3600,
            tokens_given: 0,
            refresh_reused: 0,
            objects: BTreeMap::new(),
            fields: BTreeMap::new(),
            hidden: Vec::new(),
            duplicate_rule: false,
            batch_size: None,
            views: Vec::new(),
            cursors: VecDeque::new(),
            jobs: Vec::new(),
            webhook_url: None,
            message_fields: None,
            relayed: None,
            daily: DAILY,
            spent: VecDeque::new(),
            window: VecDeque::new(),
            api_calls: 0,
        };
        for object in OBJECTS {
            let first = ids::FIRST + nth * 62u64.pow(7) + 11;
            org.objects.insert(object.to_owned(), Table::new(first, &["Email", "Name"]));
            org.fields.insert(object.to_owned(), standard(object));
        }
        if !bare {
            // A note has no fields but its own.
            for object in OBJECTS.into_iter().filter(|object| !["Note", "Campaign", "CampaignMember"].contains(object))
            {
                org.add_field(object, Field::key("CRM_Sync_Id__c", 64));
            }
            for object in ["Lead", "Contact"] {
                org.add_field(object, Field::custom("Last_Call__c", 255));
            }
        }
        org
    }

    fn add_field(&mut self, object: &str, field: Field) {
        if let Some(table) = self.objects.get_mut(object).filter(|_| field.unique) {
            table.add_index(&field.name);
        }
        self.fields.entry(object.to_owned()).or_default().push(field);
    }

    /// A field by its name, whatever its case.
    pub fn field(&self, object: &str, name: &str) -> Option<&Field> {
        self.fields.get(object)?.iter().find(|f| f.name.eq_ignore_ascii_case(name))
    }

    /// The fields that there are for the connected user (Salesforce help: field-level security).
    pub fn visible(&self, object: &str) -> impl Iterator<Item = &Field> {
        self.fields.get(object).into_iter().flatten().filter(|f| !self.is_hidden(&f.name))
    }

    pub fn is_hidden(&self, name: &str) -> bool {
        self.hidden.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
    }

    pub fn configure(&mut self, a: &Account) {
        let set = |to: &mut String, from: &Option<String>| {
            if let Some(v) = from {
                to.clone_from(v);
            }
        };
        set(&mut self.client_id, &a.client_id);
        set(&mut self.client_secret, &a.client_secret);
        self.spent_tokens.retain(|spent| a.refresh_token.as_ref() != Some(spent));
        self.grants.set(a.refresh_token.as_ref());
        self.public_key = a.public_key.clone().or_else(|| self.public_key.take());
        self.webhook_url = a.webhook_url.clone().or_else(|| self.webhook_url.take());
        self.message_fields = a.subscriptions.clone().or_else(|| self.message_fields.take());
        if let Some(relays) = a.relays {
            self.relayed = relays.then(Vec::new);
        }
        self.daily = a.credits.unwrap_or(self.daily);
        self.rotates = a.rotates.unwrap_or(self.rotates);
        self.session_s = a.session_s.unwrap_or(self.session_s);
        self.batch_size = a.batch_size.or(self.batch_size);
        self.duplicate_rule = a.duplicate_rule.unwrap_or(self.duplicate_rule);
        if let Some(hidden) = &a.hidden_fields {
            self.hidden.clone_from(hidden);
        }
        for name in &a.fields {
            for object in ["Lead", "Contact"] {
                if self.field(object, name).is_none() {
                    self.add_field(object, Field::custom(name, 255));
                }
            }
        }
    }

    pub fn account(&self) -> Account {
        let custom = self.fields.get("Lead").into_iter().flatten().filter(|f| f.is_custom());
        Account {
            account_id: Some(self.id.clone()),
            client_id: Some(self.client_id.clone()),
            client_secret: Some(self.client_secret.clone()),
            refresh_token: Some(self.grants.newest().refresh_token.clone()),
            public_key: self.public_key.clone(),
            webhook_url: self.webhook_url.clone(),
            subscriptions: self.message_fields.clone(),
            relays: Some(self.relayed.is_some()),
            credits: Some(self.daily),
            rotates: Some(self.rotates),
            session_s: Some(self.session_s),
            batch_size: self.batch_size,
            hidden_fields: Some(self.hidden.clone()),
            duplicate_rule: Some(self.duplicate_rule),
            fields: custom.map(|f| f.name.clone()).collect(),
            ..Account::of(Crm::Salesforce)
        }
    }

    /// Faults that act at once.
    pub fn strike(&mut self, faults: &CrmFaults) {
        if faults.expire_tokens || faults.revoke_grant {
            self.sessions.clear();
        }
        if faults.revoke_grant {
            self.grants.end_all();
        }
    }

    pub fn clear(&mut self) {
        self.objects.values_mut().for_each(Table::clear);
        self.cursors.clear();
        self.jobs.clear();
        self.views.clear();
        self.spent.clear();
        self.window.clear();
        self.tokens_given = 0;
        self.refresh_reused = 0;
        self.api_calls = 0;
        self.relayed.iter_mut().for_each(Vec::clear);
        self.grants.revive();
    }

    pub fn counters(&self) -> Value {
        json!({
            "account_id": self.id, "tokens_given": self.tokens_given, "live_tokens": self.sessions.len(),
            "refresh_reused": self.refresh_reused, "api_calls": self.api_calls, "day_used": self.used(),
        })
    }

    /// Requests of the last 24 hours.
    pub fn used(&self) -> u64 {
        self.spent.iter().map(|(_, n)| n).sum()
    }

    /// Counts one request in; false when the day has no room for it.
    pub fn spend(&mut self, now: i64) -> bool {
        while self.spent.front().is_some_and(|(at, _)| *at <= now - DAY) {
            self.spent.pop_front();
        }
        if self.used() >= self.daily {
            return false;
        }
        self.api_calls += 1;
        // One entry a second is enough for a rolling day.
        match self.spent.back_mut().filter(|(at, _)| *at == now / 1000 * 1000) {
            Some((_, n)) => *n += 1,
            None => self.spent.push_back((now / 1000 * 1000, 1)),
        }
        true
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
