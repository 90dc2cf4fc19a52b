//! How many of a connection's remotes were deleted or written lately, and the deletions that wait for a person.

use super::{Store, item, keys, number, read, trouble, where_it_held};
use crate::{change::Removed, connection::Connection, error::Result, planner::Mass, record::Object};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What there was of a mass within the last hour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// When, and how many; what comes within a minute is one.
    #[serde(default)]
    recent: Vec<(Timestamp, u32)>,
    /// There were too many: since then all wait for a person. The name tells one such time from the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests: Option<String>,
    version: u64,
}

const WINDOW: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Items that are written at the same time.
const AT_ONCE: usize = 16;

impl Tally {
    /// How many within the hour.
    pub fn lately(&self, now: Timestamp) -> u32 {
        let within = self.recent.iter().filter(|(at, _)| now.duration_since(*at) < WINDOW);
        within.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// With some more.
    pub fn and(&self, more: u32, now: Timestamp) -> Tally {
        let mut next = self.clone();
        next.recent.retain(|(at, _)| now.duration_since(*at) < WINDOW);
        match next.recent.last_mut() {
            Some((at, count)) if now.duration_since(*at) < MINUTE => *count = count.saturating_add(more),
            _ => next.recent.push((now, more)),
        }
        next
    }

    /// From now on all wait.
    pub fn resting(&self, now: Timestamp) -> Tally {
        Tally { rests: Some(now.as_millisecond().to_string()), ..self.clone() }
    }

    /// A person has decided: it is counted from nothing.
    pub fn decided(&self) -> Tally {
        Tally { version: self.version, ..Tally::default() }
    }
}

impl Store {
    pub async fn tally(&self, connection: &Connection, mass: Mass) -> Result<Tally> {
        Ok(self.get(&keys::tally(&connection.tenant, &connection.id, mass.name())).await?.unwrap_or_default())
    }

    /// Whether nobody else changed it meanwhile.
    pub async fn set_tally(&self, connection: &Connection, mass: Mass, before: &Tally, after: &Tally) -> Result<bool> {
        let after = Tally { version: before.version + 1, ..after.clone() };
        let at = keys::tally(&connection.tenant, &connection.id, mass.name());
        let call = self.client.put_item().table_name(&self.table).set_item(Some(item(&at, mass.name(), &after)?));
        let call = call
            .condition_expression("attribute_not_exists(version) OR version = :v")
            .expression_attribute_values(":v", number(before.version));
        Ok(where_it_held(call.send().await)?.is_some())
    }

    /// Keeps deletions for a person's decision.
    pub async fn rest(&self, connection: &Connection, object: &Object, rests: &str, removed: &[Removed]) -> Result<()> {
        let Connection { tenant, id, .. } = connection;
        let one = |removed: Removed| async move {
            let at = keys::rested(tenant, id, rests, object, removed.remote.as_str());
            let call = self.client.put_item().table_name(&self.table).set_item(Some(item(&at, "rested", &removed)?));
            call.send().await.map(drop).map_err(trouble)
        };
        stream::iter(removed.iter().cloned()).map(one).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Some of one object's deletions that were kept.
    pub async fn rested(
        &self,
        connection: &Connection,
        object: &Object,
        rests: &str,
        limit: i32,
    ) -> Result<Vec<Removed>> {
        let at = keys::rested(&connection.tenant, &connection.id, rests, object, "");
        let page = self.page(&at.pk, &at.sk, None, limit).await?;
        page.items.unwrap_or_default().into_iter().map(read).collect()
    }

    pub async fn forget_rested(
        &self,
        connection: &Connection,
        object: &Object,
        rests: &str,
        removed: &[Removed],
    ) -> Result<()> {
        let Connection { tenant, id, .. } = connection;
        let one = |removed: Removed| async move {
            let at = keys::rested(tenant, id, rests, object, removed.remote.as_str());
            let call = self.client.delete_item().table_name(&self.table).set_key(Some(at.attributes()));
            call.send().await.map(drop).map_err(trouble)
        };
        stream::iter(removed.iter().cloned()).map(one).buffer_unordered(AT_ONCE).try_collect().await
    }
}
