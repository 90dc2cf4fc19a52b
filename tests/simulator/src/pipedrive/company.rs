//! One Pipedrive company.

use crate::accounts::Account;
use crate::calls::Crm;
use crate::faults::CrmFaults;
use crate::records::Table;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Company {
    pub id: u64,
    pub tables: BTreeMap<String, Table>,
}

impl Company {
    pub fn new(id: u64, _nth: u64, _bare: bool) -> Self {
        Self { id, tables: BTreeMap::new() }
    }

    pub fn configure(&mut self, _: &Account) {}

    pub fn account(&self) -> Account {
        Account { account_id: Some(self.id.to_string()), ..Account::of(Crm::Pipedrive) }
    }

    pub fn strike(&mut self, _: &CrmFaults) {}

    pub fn clear(&mut self) {
        self.tables.values_mut().for_each(Table::clear);
    }

    pub fn counters(&self) -> Value {
        json!({"account_id": self.id.to_string()})
    }
}
