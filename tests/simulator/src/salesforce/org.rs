//! One Salesforce org.

use crate::accounts::Account;
use crate::calls::Crm;
use crate::faults::CrmFaults;
use crate::records::Table;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Org {
    pub id: String,
    pub objects: BTreeMap<String, Table>,
}

impl Org {
    pub fn new(id: &str, _nth: u64, _bare: bool) -> Self {
        Self { id: id.to_owned(), objects: BTreeMap::new() }
    }

    pub fn configure(&mut self, _: &Account) {}

    pub fn account(&self) -> Account {
        Account { account_id: Some(self.id.clone()), ..Account::of(Crm::Salesforce) }
    }

    pub fn strike(&mut self, _: &CrmFaults) {}

    pub fn clear(&mut self) {
        self.objects.values_mut().for_each(Table::clear);
    }

    pub fn counters(&self) -> Value {
        json!({"account_id": self.id})
    }
}
