//! Whose account a delivery is about, for as long as a rush lasts.

use crate::{connection::Connection, error::Result, id::AccountId, provider::Crm, store::Store};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The connections of accounts that deliveries came for a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<HashMap<(Crm, AccountId), Linked>>);

/// When they were read, and what they were.
type Linked = (Instant, Arc<[Connection]>);

/// How long they are believed without another look. What changes meanwhile loses nothing: what is hinted to a connection that was
/// closed is dropped later, and what one that is new was not told is found by its pulls.
const KEPT: Duration = Duration::from_secs(5);
/// As many accounts are remembered at a time.
const MOST: usize = 500;

impl Accounts {
    /// The connections to an account. That there are none is not remembered: the first one may be made at any moment.
    pub(crate) async fn of(&self, store: &Store, crm: Crm, account: &AccountId) -> Result<Arc<[Connection]>> {
        let key = (crm, account.clone());
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, linked)) = kept.filter(|(at, _)| at.elapsed() < KEPT) {
            return Ok(linked);
        }
        let linked: Arc<[Connection]> = store.connections_by_account(crm, account).await?.into();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        if !linked.is_empty() {
            all.insert(key, (Instant::now(), linked.clone()));
        }
        Ok(linked)
    }
}
